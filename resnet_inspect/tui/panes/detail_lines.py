"""The detail of a layer, op, variable or scope as lines, those with an edge leading along it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_inspect.analysis.browse.details import (
    VARIABLE,
    Detail,
    Held,
    Neighbour,
    Output,
    ScopeDetail,
)
from resnet_inspect.analysis.sizes.geometry import Window
from resnet_inspect.graph import Graph, TensorSpec, Variable
from resnet_inspect.graph.nodes import Attr
from resnet_inspect.render import spelling
from resnet_inspect.tui.run.places import AxisOf, Link, Place
from resnet_inspect.tui.widgets.line_list import Line
from resnet_inspect.tui.widgets.texts import pair, sentence, title

# Longer lists are cut, and say so.
MOST = 60


def detail_lines(found: Detail, graph: Graph, width: int) -> list[Line]:
    """A layer or op."""
    lines = [*sentence(found.name, width, "bold"), *_pairs(_facts(found), width)]
    if found.owner and found.owner != found.name:
        lines += pair("layer", found.owner, width, Place("layer", found.owner))
    lines += _outputs(found.outputs, width)
    shapes = len(found.outputs) > 1
    for heading, ends in (
        ("Takes", found.inputs),
        ("Hands on to", found.consumers),
        ("Waits for (control edges)", found.control_inputs),
        ("Before (control edges)", found.control_consumers),
    ):
        if ends:
            lines += title(heading, width)
            lines += _ends(ends, graph, width, shapes=shapes or ends is not found.consumers)
    lines += _made_of(found, graph, width)
    return lines


def _made_of(found: Detail, graph: Graph, width: int) -> Iterator[Line]:
    """Variables, source lines, attributes and ops."""
    if found.variables:
        yield from title("Variables", width)
        for held in found.variables:
            yield from _variable_line(held, width)
    if found.source:
        yield from title("Made at", width)
        for place in found.source:
            yield from pair("", f"{place} in {place.function}", width)
            yield from pair("", f"    {place.text}", width)
    if found.attrs:
        yield from title("Attributes", width)
        for name, value in found.attrs.items():
            yield from pair(name, _attribute(value), width)
    if found.ops and found.ops != (found.name,):
        yield from title("Ops", width)
        for name in found.ops:
            yield from pair(graph.op_by_name[name].type, name, width, Place("op", name))


def _facts(found: Detail) -> Iterator[tuple[str, str]]:
    yield "type", found.type
    yield "part", "/".join(found.path) if found.path else found.phase
    taken = ", ".join(_shape(one.spec) for one in found.inputs if one.spec is not None)
    made = ", ".join(_shape(one.spec) for one in found.outputs)
    yield "shape", f"{taken or 'nothing'} → {made or 'nothing'}"
    if found.window is not None:
        yield from window_pairs(found.window)
    if found.params:
        still = found.params - found.trainable_params
        more = f", {spelling.count(still)} of them not trained" if still else ""
        yield "parameters", spelling.count(found.params) + more
    if found.macs != 0:
        yield "MACs", f"{spelling.count(found.macs)} per example"
    memory = [one.spec.bytes for one in found.outputs if one.spec.dtype != "resource"]
    if memory:
        known = [size for size in memory if size is not None]
        yield "memory", spelling.size(sum(known) if len(known) == len(memory) else None)
    if found.device:
        yield "device", found.device


def window_pairs(window: Window) -> Iterator[tuple[str, str]]:
    """Kernel, stride and padding in pixels."""
    yield "kernel", f"{window.kernel[0]}×{window.kernel[1]}"
    yield "stride", f"{window.stride[0]}×{window.stride[1]}"
    if window.padding is None:
        yield "padding", "unknown, as the size of the input is"
    else:
        top, bottom, left, right = window.padding
        yield "padding", f"{top} above, {bottom} below, {left} left, {right} right"


def _outputs(outputs: Sequence[Output], width: int) -> Iterator[Line]:
    """Each axis of what is made on a line of its own, for `w`."""
    for output in outputs:
        if output.spec.shape:
            name = f"Axes of {output.ref}, {output.spec.dtype}"
            yield from title(name, width)
            for axis, size in enumerate(output.spec.shape):
                text = f"{spelling.size_text(size):>6}  {output.axes[axis]}".rstrip()
                yield from pair(f"axis {axis}", text, width, AxisOf(str(output.ref), axis))


def _ends(
    found: Sequence[Neighbour], graph: Graph, width: int, *, shapes: bool = True
) -> Iterator[Line]:
    for one in found[:MOST]:
        shape = _shape(one.spec) if one.spec is not None and shapes else ""
        label = one.type if len(one.type) < 12 else ""
        text = "  ".join(part for part in (one.name, shape) if part)
        held = one.type == VARIABLE
        link = Place("variable", one.name) if held else place_of(one.name, graph)
        yield from pair(label, text, width, link)
    if len(found) > MOST:
        yield from pair("", f"… and {len(found) - MOST} more", width)


def place_of(name: str, graph: Graph) -> Link:
    """The layer of a name, else the op."""
    return Place("layer" if name in graph.layer_by_name else "op", name)


def _variable_line(held: Held, width: int) -> Iterator[Line]:
    variable = held.variable
    kind = "" if variable.trainable else ", not trained"
    shared = f", shared by {len(held.users)}" if len(_own_users(held)) > 1 else ""
    text = f"{variable.name}  {_shape(variable.spec)}{kind}{shared}"
    yield from pair("", text, width, Place("variable", variable.name))


def _own_users(held: Held) -> list[str]:
    """The users that are layers: names without a scope, as layers have them."""
    return [user for user in held.users if "/" not in user]


def variable_lines(held: Held, graph: Graph, width: int) -> list[Line]:
    """A variable: its axes, who reads or changes it."""
    variable: Variable = held.variable
    lines = [*sentence(variable.name, width, "bold"), *pair("type", "variable", width)]
    lines += pair("shape", f"{_shape(variable.spec)} {variable.spec.dtype}", width)
    lines += pair("trained", "yes" if variable.trainable else "no", width)
    lines += pair("elements", spelling.count(variable.spec.elements), width)
    if variable.spec.shape:
        lines += title("Axes", width)
        for axis, size in enumerate(variable.spec.shape):
            text = f"{spelling.size_text(size):>6}"
            lines += pair(f"axis {axis}", text, width, AxisOf(variable.name, axis))
    lines += title("Used by", width)
    for user in held.users:
        known = graph.layer_by_name.get(user)
        label = known.type if known else graph.op_by_name[user].type
        lines += pair(label if len(label) < 12 else "", user, width, place_of(user, graph))
    if len(variable.readers) > 0:
        lines += title("Ops that read or change it", width)
        for reader in variable.readers[:MOST]:
            lines += pair("", reader, width, Place("op", reader))
    return lines


def scope_lines(found: ScopeDetail, graph: Graph, width: int) -> list[Line]:
    """A group of layers or ops."""
    lines = [*sentence(found.name, width, "bold"), *pair("type", "group", width)]
    counts = ((found.layers, "layer"), (found.ops, "op"))
    parts = [f"{spelling.count(n)} {word}{'s' * (n != 1)}" for n, word in counts if n]
    lines += pair("holds", ", ".join(parts), width)
    if not found.whole:
        lines += pair("sums", "not made of a group as large as this", width)
    if found.params:
        lines += pair("parameters", spelling.count(found.params), width)
    if found.whole and found.macs != 0:
        lines += pair("MACs", f"{spelling.count(found.macs)} per example", width)
    lines += title("Kinds", width)
    for kind, count in list(found.types.items())[:12]:
        lines += pair(f"{count} ×", kind, width)
    if found.inputs:
        lines += [*title("Takes", width), *_ends(found.inputs, graph, width)]
    lines += _outputs(found.outputs[:4], width)
    return lines


def _shape(spec: TensorSpec | None) -> str:
    return spelling.shape(spec.shape) if spec is not None else ""


def _attribute(value: Attr) -> str:
    if isinstance(value, list):
        shown = ", ".join(str(one) for one in value[:16])
        return f"[{shown}{', …' if len(value) > 16 else ''}]"
    return str(value)


def _pairs(pairs: Iterator[tuple[str, str]], width: int) -> Iterator[Line]:
    for label, text in pairs:
        yield from pair(label, text, width)
