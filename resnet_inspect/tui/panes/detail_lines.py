"""Lines that describe a layer, op, variable or scope, with links to its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_inspect.analysis.browse.details import (
    VARIABLE,
    Detail,
    Neighbour,
    Output,
    ScopeDetail,
    VariableUse,
)
from resnet_inspect.analysis.sizes.geometry import Window
from resnet_inspect.analysis.sizes.measured import measured_sizes
from resnet_inspect.graph import Graph, TensorSpec, Variable
from resnet_inspect.graph.nodes import Attr
from resnet_inspect.render import spelling
from resnet_inspect.render.receptive_field import receptive_fields
from resnet_inspect.tui.run.places import AxisOf, Link, Place
from resnet_inspect.tui.widgets.line_list import Line
from resnet_inspect.tui.widgets.texts import pair, sentence, title

# Longer lists are cut, with a line that gives the number of hidden entries.
MAX_ENTRIES = 60


def detail_lines(detail: Detail, graph: Graph, width: int) -> list[Line]:
    """Describe a layer or op."""
    lines = [*sentence(detail.name, width, "bold"), *_pairs(_facts(detail), width)]
    if detail.owner and detail.owner != detail.name:
        lines += pair("layer", detail.owner, width, Place("layer", detail.owner))
    lines += _outputs(detail.outputs, width)
    shapes = len(detail.outputs) > 1
    for heading, neighbours in (
        ("Inputs", detail.inputs),
        ("Output used by", detail.consumers),
        ("Runs after (control edges)", detail.control_inputs),
        ("Runs before (control edges)", detail.control_consumers),
    ):
        if neighbours:
            lines += title(heading, width)
            all_shapes = shapes or neighbours is not detail.consumers
            lines += _neighbours(neighbours, graph, width, shapes=all_shapes)
    lines += _content(detail, graph, width)
    return lines


def _content(detail: Detail, graph: Graph, width: int) -> Iterator[Line]:
    """List variables, source lines, attributes and ops."""
    if detail.variables:
        yield from title("Variables", width)
        for variable in detail.variables:
            yield from _variable_line(variable, width)
    if detail.source:
        yield from title("Created at", width)
        for place in detail.source:
            yield from pair("", f"{place} in {place.function}", width)
            yield from pair("", f"    {place.text}", width)
    if detail.attrs:
        yield from title("Attributes", width)
        for name, value in detail.attrs.items():
            yield from pair(name, _attribute(value), width)
    if detail.ops and detail.ops != (detail.name,):
        yield from title("Ops", width)
        for name in detail.ops:
            yield from pair(graph.op_by_name[name].type, name, width, Place("op", name))


def _facts(detail: Detail) -> Iterator[tuple[str, str]]:
    yield "type", detail.type
    yield ("scope", "/".join(detail.path)) if detail.path else ("phase", detail.phase)
    inputs = ", ".join(_shape(end.spec) for end in detail.inputs if end.spec is not None)
    outputs = ", ".join(_shape(output.spec) for output in detail.outputs)
    yield "shape", f"{inputs or 'no input'} → {outputs or 'no output'}"
    sizes = measured_sizes(output.spec.shape for output in detail.outputs)
    if sizes:
        yield "sizes", ", ".join(size.text for size in sizes)
    if detail.window is not None:
        yield from window_pairs(detail.window)
    if detail.receptive_fields:
        yield "field", receptive_fields(detail.receptive_fields)
    if detail.params:
        fixed = detail.params - detail.trainable_params
        more = f", {spelling.count(fixed)} of them not trainable" if fixed else ""
        yield "parameters", spelling.count(detail.params) + more
    if detail.macs != 0:
        yield "MACs", f"{spelling.count(detail.macs)} per example"
    memory = [output.spec.bytes for output in detail.outputs if output.spec.dtype != "resource"]
    if memory:
        known = [size for size in memory if size is not None]
        yield "memory", spelling.size(sum(known) if len(known) == len(memory) else None)
    if detail.device:
        yield "device", detail.device


def window_pairs(window: Window) -> Iterator[tuple[str, str]]:
    """Return labels and texts for kernel, stride and padding, in pixels."""
    yield "kernel", f"{window.kernel[0]}×{window.kernel[1]}"
    yield "stride", f"{window.stride[0]}×{window.stride[1]}"
    if window.padding is None:
        yield "padding", "unknown, because the input size is unknown"
    else:
        top, bottom, left, right = window.padding
        yield "padding", f"{top} above, {bottom} below, {left} left, {right} right"


def _outputs(outputs: Sequence[Output], width: int) -> Iterator[Line]:
    """List each axis of the outputs on its own line, as a link to its explanation."""
    for output in outputs:
        if output.spec.shape:
            name = f"Axes of {output.ref}, {output.spec.dtype}"
            yield from title(name, width)
            for axis, size in enumerate(output.spec.shape):
                text = f"{spelling.size_text(size):>6}  {output.axes[axis]}".rstrip()
                yield from pair(f"axis {axis}", text, width, AxisOf(str(output.ref), axis))


def _neighbours(
    neighbours: Sequence[Neighbour], graph: Graph, width: int, *, shapes: bool = True
) -> Iterator[Line]:
    for neighbour in neighbours[:MAX_ENTRIES]:
        name = neighbour.name
        shape = _shape(neighbour.spec) if neighbour.spec is not None and shapes else ""
        label = neighbour.type if len(neighbour.type) < 12 else ""
        text = "  ".join(part for part in (name, shape) if part)
        is_variable = neighbour.type == VARIABLE
        link = Place("variable", name) if is_variable else place_of(name, graph)
        yield from pair(label, text, width, link)
    if len(neighbours) > MAX_ENTRIES:
        yield from pair("", f"… and {len(neighbours) - MAX_ENTRIES} more", width)


def place_of(name: str, graph: Graph) -> Link:
    """Return the layer of this name, else the op."""
    return Place("layer" if name in graph.layer_by_name else "op", name)


def _variable_line(detail: VariableUse, width: int) -> Iterator[Line]:
    variable = detail.variable
    kind = "" if variable.trainable else ", not trainable"
    shared = f", shared by {len(detail.users)}" if len(_layers_using(detail)) > 1 else ""
    text = f"{variable.name}  {_shape(variable.spec)}{kind}{shared}"
    yield from pair("", text, width, Place("variable", variable.name))


def _layers_using(detail: VariableUse) -> list[str]:
    """Return the users that are layers. Only names of layers have no scope."""
    return [user for user in detail.users if "/" not in user]


def variable_lines(detail: VariableUse, graph: Graph, width: int) -> list[Line]:
    """Describe a variable: its axes, and what reads or updates it."""
    variable: Variable = detail.variable
    lines = [*sentence(variable.name, width, "bold"), *pair("type", "variable", width)]
    lines += pair("shape", f"{_shape(variable.spec)} {variable.spec.dtype}", width)
    lines += pair("trainable", "yes" if variable.trainable else "no", width)
    lines += pair("elements", spelling.count(variable.spec.elements), width)
    if variable.spec.shape:
        lines += title("Axes", width)
        for axis, size in enumerate(variable.spec.shape):
            text = f"{spelling.size_text(size):>6}"
            lines += pair(f"axis {axis}", text, width, AxisOf(variable.name, axis))
    lines += title("Used by", width)
    for user in detail.users:
        known = graph.layer_by_name.get(user)
        label = known.type if known else graph.op_by_name[user].type
        lines += pair(label if len(label) < 12 else "", user, width, place_of(user, graph))
    if len(variable.readers) > 0:
        lines += title("Ops that read or update it", width)
        for reader in variable.readers[:MAX_ENTRIES]:
            lines += pair("", reader, width, Place("op", reader))
    return lines


def scope_lines(detail: ScopeDetail, graph: Graph, width: int) -> list[Line]:
    """Describe a group of layers or ops."""
    lines = [*sentence(detail.name, width, "bold"), *pair("type", "group", width)]
    counts = ((detail.layers, "layer"), (detail.ops, "op"))
    parts = [f"{spelling.count(n)} {word}{'s' * (n != 1)}" for n, word in counts if n]
    lines += pair("contains", ", ".join(parts), width)
    if not detail.whole:
        lines += pair("totals", "not computed, because this group is too large", width)
    if detail.params:
        lines += pair("parameters", spelling.count(detail.params), width)
    if detail.whole and detail.macs != 0:
        lines += pair("MACs", f"{spelling.count(detail.macs)} per example", width)
    lines += title("Types", width)
    for kind, count in list(detail.types.items())[:12]:
        lines += pair(f"{count} ×", kind, width)
    if detail.inputs:
        lines += [*title("Inputs", width), *_neighbours(detail.inputs, graph, width)]
    lines += _outputs(detail.outputs[:4], width)
    return lines


def _shape(spec: TensorSpec | None) -> str:
    return spelling.shape(spec.shape) if spec is not None else ""


def _attribute(value: Attr) -> str:
    if isinstance(value, list):
        shown = ", ".join(str(item) for item in value[:16])
        return f"[{shown}{', …' if len(value) > 16 else ''}]"
    return str(value)


def _pairs(pairs: Iterator[tuple[str, str]], width: int) -> Iterator[Line]:
    for label, text in pairs:
        yield from pair(label, text, width)
