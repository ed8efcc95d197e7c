"""The explanation of an axis's size for a terminal: formula, chain, effect of settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from rich.table import Table

from resnet_inspect.analysis.sizes.moves import SettingMoves
from resnet_inspect.analysis.sizes.origins import OriginKind
from resnet_inspect.analysis.sizes.paths import ChainStep
from resnet_inspect.analysis.sizes.why import Agreement, Explanation
from resnet_inspect.graph.lineage import Formula, Relation
from resnet_inspect.render import spelling
from resnet_inspect.render.screen import Screen, plain, table

LABEL = 12
MOST_TERMS = 8  # sizes of a computation that are shown
# A size at which its path begins, by kind of the origin.
DEFINED = {
    OriginKind.INPUT: "an axis of an input",
    OriginKind.LITERAL: "a number in the code",
    OriginKind.CONSTANT: "an axis of a constant",
    OriginKind.VARIABLE: "set when the variable was created",
    OriginKind.ARGUMENT: "set by the op",
    OriginKind.UNTRACED: "origin not traced",
}


def why_page(screen: Screen, explanation: Explanation, *, full: bool) -> None:
    """Print the explanation of an axis; `full` lists every op of the chain."""
    size = spelling.size_with_steps(explanation.size)
    layer = explanation.chain[0].layer
    # TensorFlow names the ops of the layer reshape sequential_1/reshape_1/….
    named = not layer or layer in re.split("[/:]", explanation.tensor)
    of = "" if named else f" (layer {layer})"
    screen.line(plain(f"{explanation.tensor} axis {explanation.axis} = {size}{of}", "bold"))
    _pairs(screen, origin_lines(explanation))
    steps = explanation.inflow or explanation.chain
    if len(steps) > 1:
        of = " of the size it must equal" if explanation.inflow else ""
        screen.line(plain(""), plain(f"Path to the origin{of}", "bold"))
        screen.line(chain_table(steps, full=full))
    if explanation.proof:
        title = "Effect of each setting (re-traced with one setting changed)"
        screen.line(plain(""), plain(title, "bold"))
        screen.line(proof_table(explanation))


def origin_lines(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """Labels and texts on the formula, its line, the size it must equal, and the settings."""
    size = spelling.size_text(explanation.size)
    yield from _size_lines(explanation)
    if explanation.inflow:
        first, last = explanation.inflow[0], explanation.inflow[-1]
        ops = len(explanation.inflow) - 1
        yield "must equal", first.place
        if ops:
            yield "comes from", f"{last.place}, {ops} op{'s' * (ops > 1)} before"
        if explanation.inflow_formula is not None:
            origin_size = spelling.size_text(last.size)
            yield from _formula_lines("", origin_size, explanation.inflow_formula)
    elif explanation.incoming and explanation.formula is not None:
        shapes = ", ".join(spelling.shape(shape) for shape in explanation.incoming)
        outgoing = spelling.shape(explanation.outgoing)
        yield "input", f"{shapes} becomes {outgoing}; no input axis has size {size}"
    for coupling in explanation.couplings:
        yield "danger", danger(coupling)
    moving = [row for row in explanation.proof if row.moved]
    still = [row.setting for row in explanation.proof if row.moved is False]
    for row in moving:
        label = "depends on" if row is moving[0] else ""
        size_after = spelling.size_text(row.size_after)
        change = f"with {row.after} instead of {row.before}"
        yield label, f"{row.setting}: {change} the size is {size_after}"
    if still:
        yield "no effect", ", ".join(still)
    unknown = [row.setting for row in explanation.proof if row.moved is None]
    if unknown and len(unknown) < len(explanation.proof):
        yield "unknown", ", ".join(unknown)


def _size_lines(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """The size with its expression, calculation or origin, and what was not traced."""
    size = spelling.size_text(explanation.size)
    if explanation.computed is not None:
        yield from _computed_lines(size, explanation)
    elif explanation.formula is not None:
        yield from _formula_lines("size", size, explanation.formula)
    elif explanation.chain[-1].literal and len(explanation.chain) > 1:
        yield "size", f"{size}, a constant computed in Python: {explanation.origin}"
    else:
        origin = f", from {_origin(explanation)}" if len(explanation.chain) > 1 else ""
        yield "size", size + (origin or f", {DEFINED[explanation.kind]}")
    if explanation.kind is OriginKind.UNTRACED:
        yield "not traced", f"{explanation.origin}: {explanation.reason}"
    elif explanation.reason and explanation.computed is None:
        yield "", explanation.reason


def _origin(explanation: Explanation) -> str:
    """The place where a path ends: an axis of an input by the name of the input."""
    name = explanation.chain[-1].input
    if not name:
        return explanation.origin
    return f"axis {explanation.origin.rpartition(' axis ')[2]} of input {name}"


def _computed_lines(size: str, explanation: Explanation) -> Iterator[tuple[str, str]]:
    """The calculation of a size, and the origin of each size that it is computed from."""
    computed = explanation.computed
    if computed is None:
        return
    maker = _maker(computed.op_type, computed.layer)
    terms = [spelling.size_text(term.size) for term in computed.terms]
    text = f" = {computed.text}" if computed.text else f", from {', '.join(terms)}"
    yield "size", f"{size}{text}, computed by {maker}"
    for term in computed.terms[:MOST_TERMS]:
        number = spelling.size_text(term.size)
        text = f"{term.place} = {term.text}" if term.text else term.place
        yield number, f"{text}, from {term.origin}" if term.place != term.origin else text
        if term.formula is not None:
            yield from _formula_lines("", spelling.size_text(term.origin_size), term.formula)
    if len(computed.terms) > MOST_TERMS:
        yield "", f"{len(computed.terms) - MOST_TERMS} more sizes"


def how_ends(step: ChainStep) -> str:
    """What the last step of a path is: the origin, or the place where tracing ended."""
    if step.input:
        return f"origin: input {step.input}"
    return f"origin: {step.reason}" if step.reason else "origin"


def danger(coupling: Agreement) -> str:
    """The tested effect of a change of only one of two numbers that must agree."""
    size, op = coupling.size, coupling.op
    literal = coupling.expression in ("", str(size))
    text = "" if literal else f" as {coupling.expression}"
    batch = f" and the recorded batch size {coupling.batch}" if coupling.batch is not None else ""
    test = (
        f"{size} appears a second time{text} in {op}. With {size + 1} in {coupling.partner}{batch},"
    )
    if not coupling.effects:
        return f"{test} {op} fails."
    changes = ", ".join(f"axis {axis} from {old} to {new}" for axis, old, new in coupling.effects)
    return f"{test} {op} does not fail but silently changes {changes}."


def chain_table(steps: Sequence[ChainStep], *, full: bool) -> Table:
    """The path to the origin, op by op; without `full`, ops that keep the size share a row."""
    grid = table("size", "place", "how", right=("size",))
    runs = [[step] for step in steps] if full else _collapsed(steps)
    for run in runs:
        step = run[-1] if len(run) > 1 else run[0]
        how = how_ends(step) if step is steps[-1] else how_made(step, _before(step, steps))
        if len(run) > 1:
            how = f"unchanged through {len(run)} ops: {_layers(run)}"
        if step.rivals and full:
            how += f"; must equal {', '.join(step.rivals)}"
        grid.add_row(
            spelling.size_text(step.size), plain(step.place if len(run) == 1 else "…"), plain(how)
        )
    return grid


def _collapsed(steps: Sequence[ChainStep]) -> list[list[ChainStep]]:
    """Groups of steps: the first, the last, and between them steps that keep the size."""
    middle = steps[1:-1]
    derived = {id(step) for step, before in pairwise(steps) if before.relation == Relation.DERIVED}
    groups = [
        list(run)
        for _, run in groupby(middle, key=lambda step: id(step) if id(step) in derived else 0)
    ]
    return [[steps[0]], *groups, [steps[-1]]] if len(steps) > 1 else [list(steps)]


def _layers(run: Sequence[ChainStep]) -> str:
    names = list(dict.fromkeys(step.layer for step in run if step.layer))
    if len(names) > 4:
        names = [*names[:2], f"… {len(names) - 4} more …", *names[-2:]]
    return ", ".join(names) or run[0].op_type


def _before(step: ChainStep, steps: Sequence[ChainStep]) -> ChainStep:
    return next(before for current, before in pairwise(steps) if current is step)


def how_made(step: ChainStep, before: ChainStep) -> str:
    """The op or variable that made a size, and the sizes it is derived from, if any.

    `before` is the next step on the path to the origin.
    """
    maker = _maker(step.op_type, step.layer) or "variable"
    if before.relation != Relation.DERIVED:
        return maker
    return f"{maker}, derived from {', '.join((f'{before.place} ({before.size})', *before.beside))}"


def _maker(op_type: str, layer: str) -> str:
    """An op with its layer, such as "MatMul of dense"; once where both have the same name."""
    return f"{op_type} of {layer}" if layer and layer != op_type else op_type


def proof_table(explanation: Explanation) -> Table:
    """A table of settings with the size of the axis before and after the change of each."""
    grid = table("setting", "changed", "size", "changes it", "note")
    for row in explanation.proof:
        after = "–" if row.moved is None else spelling.size_text(row.size_after)
        grid.add_row(
            plain(row.setting),
            plain(f"{row.before} → {row.after}"),
            plain(f"{spelling.size_text(row.size_before)} → {after}"),
            {None: "?", True: "yes", False: "no"}[row.moved],
            plain(row.note),
        )
    return grid


def settings_page(screen: Screen, settings: Sequence[SettingMoves]) -> None:
    """Print for each setting the axes of layer outputs and variables whose size it changes."""
    if not settings:
        screen.line(plain("no setting was varied: the model has no integer setting"))
    for setting in settings:
        title = f"{setting.setting} {setting.before} → {setting.after}"
        count = len(setting.axes)
        sizes = f"changes the sizes of {count} axes" if count else "changes no size"
        screen.line(plain(f"{title}: {sizes}", "bold"))
        if setting.missing or setting.added:
            parts = ((setting.added, "added"), (setting.missing, "removed"))
            changes = ", ".join(f"{count} {word}" for count, word in parts if count)
            screen.line(plain(f"  ops and their tensors: {changes}"))
        for conflict in setting.conflicts:
            ends = setting.ended and conflict == setting.conflicts[-1]
            consequence = "the trace ends there" if ends else "ignored to continue"
            screen.line(plain(f"  {conflict} rejects its inputs ({consequence})"))
        for (axis, before, after), names in _by_change(setting).items():
            shown = ", ".join(names[:4]) + (f", … {len(names) - 4} more" if len(names) > 4 else "")
            screen.line(plain(f"  axis {axis}, {before} → {after}: {shown}"))


def _by_change(setting: SettingMoves) -> dict[tuple[int, str, str], list[str]]:
    """Names of layers and variables by axis, size before and size after."""
    groups: dict[tuple[int, str, str], list[str]] = {}
    for moved in setting.axes:
        change = (moved.axis, spelling.size_text(moved.before), spelling.size_text(moved.after))
        names = groups.setdefault(change, [])
        name = moved.layer or moved.name
        if name not in names:
            names.append(name)
    return groups


def _formula_lines(label: str, size: str, formula: Formula) -> Iterator[tuple[str, str]]:
    values = ", ".join(f"{name} = {value}" for name, value in formula.values.items())
    text = f"{size}, a literal" if formula.text == size else f"{size} = {formula.text}"
    if formula.default:
        text = f"{size}, the default {formula.text}"
    yield label, text + (f"  ({values})" if values else "")
    source = formula.source
    yield "", f"{spelling.path(source.file)}:{source.line} in {source.function}"
    yield "", source.text


def _pairs(screen: Screen, lines: Iterator[tuple[str, str]]) -> None:
    grid = table("", "")
    grid.show_header = False
    grid.columns[0].width = LABEL
    for label, text in lines:
        grid.add_row(plain(label, "dim"), plain(text))
    screen.line(grid)
