"""Combines links between axes with formulas from the source into one `Lineage`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from resnet_inspect.graph import AxisRef, Graph, Phase, TensorRef, Variable
from resnet_inspect.graph.lineage import Formula, FromAxis, FromLiteral, Lineage, Mismatch
from resnet_inspect.tracers.call_arguments import ArgumentFinder
from resnet_inspect.tracers.formulas import FormulaFinder
from resnet_inspect.tracers.layer_creations import Creation
from resnet_inspect.tracers.tensorflow.capture.source_lines import located, named
from resnet_inspect.tracers.tensorflow.sizes.axis_links import trace_lineage


def lineage_with_formulas(
    graph: Graph,
    mismatch: Mismatch | None,
    values: dict[str, int],
    creations: Mapping[str, Creation] = MappingProxyType({}),
) -> Lineage:
    """Return links and formulas.

    `values` maps names in the user's source to their values, `creations` variables to the creation
    of the layers that own them.
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
    graph: Graph, lineage: Lineage, creations: Mapping[str, Creation]
) -> Iterator[tuple[str, tuple[Formula, ...]]]:
    """Yield the arguments of layers that give axes of variables, and literals inside of layers.

    An axis that must equal an axis of the layer's input is not given by an argument.
    """
    find = ArgumentFinder(Path, named)
    for literal in _literals(lineage):
        layer = graph.whole.layer_of_op.get(literal.op)
        number = _number(graph, literal)
        creation = creations.get(layer.name, ()) if layer is not None else ()
        if number is not None and (formulas := find(creation, number)):
            yield f"{literal.op}/{literal.element}", formulas
    for variable in graph.whole.variables:
        creation = creations.get(variable.name, ())
        for axis, size in enumerate(variable.spec.shape or () if creation else ()):
            if size is None or _fits_input(graph.whole, lineage, variable, axis):
                continue
            if formulas := find(creation, size):
                yield f"{variable.name}/{axis}", formulas


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
    graph: Graph, lineage: Lineage, values: dict[str, int], creations: Mapping[str, Creation]
) -> Iterator[tuple[str, tuple[Formula, ...]]]:
    """Yield the formulas of literals that set a size, and of the axes of variables.

    Variables of layers that a library creates have none: a statement that calls the library may
    contain the same number by chance.
    """
    find = FormulaFinder(values, lambda file: Path(located(file)))
    literals = _literals(lineage)
    if lineage.mismatch is not None:
        others = (remedy.other for remedy in lineage.mismatch.remedies)
        literals |= {origin for origin in others if isinstance(origin, FromLiteral)}
    for literal in sorted(literals, key=lambda literal: (literal.op, literal.element)):
        number = _number(graph, literal)
        source = graph.whole.op_by_name[literal.op].source
        if number is not None and (formulas := find(source, number)):
            yield f"{literal.op}/{literal.element}", formulas
    for variable in graph.variables:
        if any(frame.library for frame in creations.get(variable.name, ())):
            continue
        source = variable.source
        if variable.readers and not source:
            source = graph.op_by_name[variable.readers[0]].source
        for axis, size in enumerate(variable.spec.shape or ()):
            if size is not None and (formulas := find(source, size)):
                yield f"{variable.name}/{axis}", formulas


def _literals(lineage: Lineage) -> set[FromLiteral]:
    origins = (link.origin for links in lineage.links.values() for link in links)
    return {origin for origin in origins if isinstance(origin, FromLiteral)}


def _number(graph: Graph, literal: FromLiteral) -> int | None:
    value = graph.whole.op_by_name[literal.op].attrs.get("value")
    number = value[literal.element] if isinstance(value, list) else value
    return number if isinstance(number, int) else None
