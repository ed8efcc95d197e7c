"""The failure of a run, and the explanation of its rejected call, as labels and texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod

from resnet_inspect.analysis.sizes.dangers import Danger
from resnet_inspect.analysis.sizes.disagreement import DisagreeingSize, Postmortem, ReshapedRow
from resnet_inspect.analysis.sizes.paths import spell_origin
from resnet_inspect.graph import Failure, Source
from resnet_inspect.render import spelling


def failure_lines(failure: Failure) -> Iterator[tuple[str, str]]:
    """Labels and texts on the error that ended a run, and its place in the source."""
    yield "error", f"{failure.kind}: {failure.message}"
    if failure.op:
        yield "op", failure.op
    for place in failure.source:
        yield from _line(place, "line")


def postmortem_lines(postmortem: Postmortem) -> Iterator[tuple[str, str]]:
    """Labels and texts on the call, both shapes, both sizes with their origins, and fixes."""
    operator = "" if postmortem.function[:1].isidentifier() else "operator "
    yield "call", f"{operator}{postmortem.function} rejected these shapes"
    for name, shape in postmortem.tensors:
        yield "", f"{name}: {shape}"
    if postmortem.row is not None:
        yield from _row_lines(postmortem.row)
    if len(postmortem.sides) == 2:
        yield "disagree", " against ".join(_named(side) for side in postmortem.sides)
        for side in postmortem.sides:
            yield from _side_lines(side)
        if postmortem.meet:
            yield "in common", f"{postmortem.meet}: the paths of the two sizes separate after it"
        else:
            yield "in common", "no op: the two sizes have separate origins"
    yield from danger_lines(postmortem.dangers)
    yield from _tried(postmortem)
    if not postmortem.corrections:
        for hint in postmortem.hints:
            yield "hint", hint


def danger_lines(dangers: Iterable[Danger]) -> Iterator[tuple[str, str]]:
    """Labels and texts on probable mistakes with axes."""
    for danger in dangers:
        yield "earlier", f"{danger.layer}: {danger.text}"
        if danger.source is not None:
            yield from _line(danger.source)


def _tried(postmortem: Postmortem) -> Iterator[tuple[str, str]]:
    """Changes with which the call passes, and settings with which the network builds."""
    for remedy in postmortem.remedies:
        change = f"{remedy.after} instead of {remedy.before} in {spell_origin(remedy.place)}"
        yield "tried", f"the call passes with {change}"
    for other in postmortem.others:
        yield "tried", f"the call passes with {other}"
    for correction in postmortem.corrections:
        yield "tried", f"the network builds with {correction.text}"


def _row_lines(row: ReshapedRow) -> Iterator[tuple[str, str]]:
    sizes = " × ".join(str(size) for size in row.sizes)
    of = "example" if row.example else "index of axis 0"
    count = f"{sizes} = {prod(row.sizes)}" if len(row.sizes) > 1 else sizes
    yield "disagree", f"{count} elements per {of} against {_named(row.target)}"
    yield from _side_lines(row.target)


def _side_lines(side: DisagreeingSize) -> Iterator[tuple[str, str]]:
    label = f"the {side.size}"
    if side.formula is not None:
        formula = side.formula
        literal = formula.text == str(side.size)
        values = ", ".join(f"{name} = {value}" for name, value in formula.values.items())
        text = "a literal" if literal else formula.text + (f"  ({values})" if values else "")
        yield label, f"{text}, via {side.origin}"
        yield from _line(formula.source)
    elif len(side.chain) == 1:
        yield label, f"begins at {side.origin}"
    else:
        yield label, f"comes from {side.origin}"
    for after, before in side.changes:
        sizes = ", ".join((f"{before.place} ({before.size})", *before.beside))
        yield "", f"{after.size} at {after.place}, computed from {sizes}"
        if after.source is not None:
            yield from _line(after.source)


def _named(side: DisagreeingSize) -> str:
    meaning = f"{side.meaning} " if side.meaning else ""
    return f"{side.place} ({meaning}{side.size})"


def _line(source: Source, label: str = "") -> Iterator[tuple[str, str]]:
    yield label, f"{spelling.path(source.file)}:{source.line} in {source.function}"
    yield "", source.text
