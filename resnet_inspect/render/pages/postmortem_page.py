"""The explanation of a network that could not be built, as labelled lines."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.sizes.disagreement import DisagreeingSize, Postmortem
from resnet_inspect.analysis.sizes.why import spell_origin
from resnet_inspect.graph import Source
from resnet_inspect.render import spelling


def postmortem_lines(found: Postmortem) -> Iterator[tuple[str, str]]:
    """Labels and texts: the call, both shapes, both sizes and their origins, what would help."""
    yield "call", f"{found.function} refused these shapes"
    for name, shape in found.tensors:
        yield "", f"{name}: {shape}"
    if len(found.sides) == 2:
        told = " against ".join(_named(side) for side in found.sides)
        yield "disagree", told
        for side in found.sides:
            yield from _side_lines(side)
        if found.meet:
            yield "in common", f"{found.meet}, after which the two ways part"
        else:
            yield "in common", "no op: the two sizes were born apart"
    for danger in found.dangers:
        yield "before it", f"{danger.layer}: {danger.text}"
        if danger.source is not None:
            yield from _line(danger.source)
    for remedy in found.remedies:
        yield (
            "tried",
            f"with {remedy.after} for {remedy.before} in {spell_origin(remedy.place)} it passes",
        )
    for other in found.others:
        yield "tried", f"with {other} it passes"
    for correction in found.corrections:
        flag = "--" + correction.setting.replace("_", "-")
        yield "tried", f"with {flag} {correction.after} for {correction.before} the network builds"
    if not found.corrections:
        for hint in found.hints:
            yield "perhaps", hint


def _side_lines(side: DisagreeingSize) -> Iterator[tuple[str, str]]:
    label = f"the {side.size}"
    if side.formula is not None:
        formula = side.formula
        literal = formula.text == str(side.size)
        values = ", ".join(f"{name} = {value}" for name, value in formula.values.items())
        text = "a literal" if literal else formula.text + (f"  ({values})" if values else "")
        yield label, f"{text}, by way of {side.origin}"
        yield from _line(formula.source)
    elif len(side.chain) == 1:
        yield label, f"begins at {side.origin}"
    else:
        yield label, f"comes from {side.origin}"
    for after, before in side.changes:
        made = ", ".join((f"{before.place} ({before.size})", *before.beside))
        yield "", f"{made} become {after.size} at {after.place}"
        if after.source is not None:
            yield from _line(after.source)


def _named(side: DisagreeingSize) -> str:
    meaning = f"{side.meaning} " if side.meaning else ""
    return f"{side.place} ({meaning}{side.size})"


def _line(source: Source) -> Iterator[tuple[str, str]]:
    yield "", f"{spelling.path(source.file)}:{source.line} in {source.function}"
    yield "", source.text
