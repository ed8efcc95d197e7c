"""Combines links between axes with formulas from the source into one `Lineage`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from resnet_inspect.graph import AxisRef, Graph, Phase, Source, TensorRef, Variable
from resnet_inspect.graph.lineage import Formula, FromAxis, FromLiteral, Lineage, Mismatch
from resnet_inspect.tracers.call_arguments import ArgumentFinder
from resnet_inspect.tracers.formulas import FormulaFinder
from resnet_inspect.tracers.layer_creations import Creation, Creations
from resnet_inspect.tracers.tensorflow.capture.source_lines import located, named
from resnet_inspect.tracers.tensorflow.sizes.axis_links import trace_lineage
from resnet_inspect.tracers.tensorflow.sizes.layer_numbers import (
    argument_of,
    defaults_of,
    is_argument,
)

UNKNOWN = Creations()


def lineage_with_formulas(
    graph: Graph,
    mismatch: Mismatch | None,
    values: dict[str, int],
    creations: Creations = UNKNOWN,
) -> Lineage:
    """Return links and formulas.

    `values` maps names in the user's source to their values.
    """
    lineage = msgspec.structs.replace(trace_lineage(graph), mismatch=mismatch)
    formulas = dict(_formulas(graph, lineage, values, creations))
    for key, arguments in _arguments(graph, lineage, creations):
        formulas[key] = _placed(formulas.get(key, ()), arguments)
    return msgspec.structs.replace(lineage, formulas=formulas)


def _placed(formulas: tuple[Formula, ...], arguments: tuple[Formula, ...]) -> tuple[Formula, ...]:
    """Return the formulas that are arguments of layers, at the lines of these arguments.

    A statement of several lines may contain the same expression for another layer. Without such
    formulas, all are returned, and without formulas the arguments.
    """
    places = {(a.source.file, a.source.function, a.text): a.source for a in arguments}
    placed = [
        msgspec.structs.replace(formula, source=places[key])
        for formula in formulas
        if (key := (formula.source.file, formula.source.function, formula.text)) in places
    ]
    return tuple(placed) or formulas or arguments


def _arguments(
    graph: Graph, lineage: Lineage, creations: Creations
) -> Iterator[tuple[str, tuple[Formula, ...]]]:
    """Yield the arguments of layers that give axes of variables, and literals inside of layers.

    An axis that must equal an axis of the layer's input is not given by an argument.
    """
    find = ArgumentFinder(Path, named)
    kinds = {name: layer.type for layer in graph.layers for name in layer.variables}
    for literal in _literals(lineage):
        layer = graph.whole.layer_of_op.get(literal.op)
        frames = creations.frames.get(layer.name, ()) if layer is not None else ()
        value = _numbers(graph, literal)
        if layer is None or not isinstance(value[literal.element], int):
            continue
        built_in = layer.name in creations.built_in
        if built_in and not is_argument(layer.type, value, literal.element):
            continue
        formulas = find(frames, value[literal.element])
        if not formulas and built_in:
            formulas = tuple(_defaults(find, frames, layer.type, value[literal.element]))
        if formulas:
            chosen = argument_of(formulas, layer.type, value, literal.element)
            yield f"{literal.op}/{literal.element}", chosen
    for variable in graph.whole.variables:
        frames, kind = creations.frames.get(variable.name, ()), kinds.get(variable.name, "")
        sizes = variable.spec.shape or ()
        for axis, size in enumerate(sizes if frames else ()):
            if size is None or _fits_input(graph.whole, lineage, variable, axis):
                continue
            if formulas := find(frames, size):
                yield f"{variable.name}/{axis}", argument_of(formulas, kind, sizes, axis)


def _defaults(find: ArgumentFinder, frames: Creation, kind: str, size: int) -> Iterator[Formula]:
    """Yield the defaults of a layer of Keras that are `size`."""
    for place, name, text, numbers in defaults_of(kind):
        formula = find.default(frames, kind, text, name, place) if size in numbers else None
        if formula is not None:
            yield formula


def _fits_input(graph: Graph, lineage: Lineage, variable: Variable, axis: int) -> bool:
    """Return whether an axis of a variable must equal an axis that was not read from a variable."""
    for reader in variable.readers:
        own = FromAxis(AxisRef(TensorRef(reader), axis))
        for user in graph.consumers.get(TensorRef(reader), ()):
            if graph.op_by_name[user].phase is Phase.BACKWARD:
                continue
            for tie in lineage.ties.get(user, ()):
                others = (place for place in tie if isinstance(place, FromAxis) and place != own)
                types = (graph.op_by_name[place.ref.tensor.op].type for place in others)
                if own in tie and any(kind != "ReadVariableOp" for kind in types):
                    return True
    return False


def _formulas(
    graph: Graph, lineage: Lineage, values: dict[str, int], creations: Creations
) -> Iterator[tuple[str, tuple[Formula, ...]]]:
    """Yield the formulas of literals that set a size, and of the axes of variables.

    Literals in layers of Keras have none, and variables of layers that a library creates: the
    statement that leads there may contain the same number by chance.
    """
    find = FormulaFinder(values, lambda file: Path(located(file)))
    literals = _literals(lineage)
    if lineage.mismatch is not None:
        others = (remedy.other for remedy in lineage.mismatch.remedies)
        literals |= {origin for origin in others if isinstance(origin, FromLiteral)}
    for literal in sorted(literals, key=lambda literal: (literal.op, literal.element)):
        number = _numbers(graph, literal)[literal.element]
        layer = graph.whole.layer_of_op.get(literal.op)
        if layer is not None and layer.name in creations.built_in:
            continue
        source = graph.whole.op_by_name[literal.op].source
        if isinstance(number, int) and (formulas := find(source, number)):
            yield f"{literal.op}/{literal.element}", formulas
    for variable in graph.variables:
        source = _created_at(graph, variable, creations)
        for axis, size in enumerate(variable.spec.shape or ()):
            formulas = () if size is None else find(source, size)
            if variable.name in creations.built_in:
                # Without a name, a number is a size only where the layer is created.
                formulas = tuple(formula for formula in formulas if formula.values)
            if formulas:
                yield f"{variable.name}/{axis}", formulas


def _created_at(graph: Graph, variable: Variable, creations: Creations) -> tuple[Source, ...]:
    """Return the frames that created a variable.

    They are those of its first reader if no layer is known to own the variable.
    """
    frames = creations.frames.get(variable.name, ())
    if any(frame.library for frame in frames):
        return ()
    if variable.source or frames or not variable.readers:
        return variable.source
    return graph.op_by_name[variable.readers[0]].source


def _literals(lineage: Lineage) -> set[FromLiteral]:
    origins = (link.origin for links in lineage.links.values() for link in links)
    return {origin for origin in origins if isinstance(origin, FromLiteral)}


def _numbers(graph: Graph, literal: FromLiteral) -> list[Any]:
    """Return the elements of the constant that contains a literal."""
    value = graph.whole.op_by_name[literal.op].attrs.get("value")
    return value if isinstance(value, list) else [value]
