"""Why an axis has its size, for a terminal: formula, chain, proof, couplings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from rich.table import Table

from resnet_inspect.analysis.sizes.moves import SettingMoves
from resnet_inspect.analysis.sizes.why import Agreement, ChainStep, Explanation
from resnet_inspect.graph.lineage import Formula, Relation
from resnet_inspect.render import spelling
from resnet_inspect.render.screen import Screen, plain, table

LABEL = 12


def why_page(screen: Screen, found: Explanation, *, full: bool) -> None:
    """Print the explanation of one axis; `full` lists every op of the chain."""
    screen.line(
        plain(f"{found.tensor} axis {found.axis} = {spelling.size_text(found.size)}", "bold")
    )
    _pairs(screen, origin_lines(found))
    steps = found.inflow or found.chain
    if len(steps) > 1:
        title = "What flows in" if found.inflow else "The way back"
        screen.line(plain(""), plain(title, "bold"), chain_table(steps, full=full))
    if found.proof:
        screen.line(plain(""), plain("Which settings move it (traced again, one changed)", "bold"))
        screen.line(proof_table(found))


def origin_lines(found: Explanation) -> Iterator[tuple[str, str]]:
    """Labels and texts: formula, source line, what it must equal, what moves it."""
    size = spelling.size_text(found.size)
    if found.formula is not None:
        yield from _formula_lines("size", size, found.formula)
    elif found.chain[-1].literal and len(found.chain) > 1:
        yield "size", f"{size}, a constant that TensorFlow worked out: {found.origin}"
    elif len(found.chain) > 1:
        yield "size", f"{size}, from {found.origin}"
    else:
        yield "size", f"{size}, which begins here"
    if found.inflow:
        birth = found.inflow[-1]
        first = found.inflow[0]
        ops = len(found.inflow) - 1
        way = f", carried through {ops} op{'s' * (ops > 1)} from {birth.place}" if ops else ""
        yield "flows in", first.place + way
        if found.inflow_formula is not None:
            born = spelling.size_text(birth.size)
            yield from _formula_lines("born as", born, found.inflow_formula)
    elif found.formula is not None and found.chain[-1].literal:
        shapes = ", ".join(spelling.shape(shape) for shape in found.incoming)
        outgoing = spelling.shape(found.outgoing)
        yield "flows in", f"no axis of {size}: {shapes} becomes {outgoing}"
    for coupling in found.couplings:
        yield "danger", danger(coupling)
    moving = [row for row in found.proof if row.moved]
    still = [row.setting for row in found.proof if row.moved is False]
    if moving:
        yield (
            "moved by",
            "; ".join(
                f"{row.setting} {row.before} → {row.after} makes it "
                f"{spelling.size_text(row.size_after)}"
                for row in moving
            ),
        )
    if still:
        yield "not by", ", ".join(still)
    unknown = [row.setting for row in found.proof if row.moved is None]
    if unknown and len(unknown) < len(found.proof):
        yield "unknown", ", ".join(unknown)


def danger(coupling: Agreement) -> str:
    """What happens where two numbers that must agree do not; it was tried."""
    other = coupling.size + 1
    if not coupling.effects:
        return f"written twice: with {other} in {coupling.partner} TensorFlow refuses {coupling.op}"
    changes = ", ".join(f"axis {axis} {old} becomes {new}" for axis, old, new in coupling.effects)
    return f"written twice: with {other} in {coupling.partner} nothing fails here: {changes}"


def chain_table(steps: Sequence[ChainStep], *, full: bool) -> Table:
    """The way back, op by op, or with ops that carry the size unchanged counted by layer."""
    made = table("size", "place", "how", right=("size",))
    runs = [[step] for step in steps] if full else _collapsed(steps)
    for run in runs:
        step = run[-1] if len(run) > 1 else run[0]
        how = "begins here" if step is steps[-1] else how_made(step, _before(step, steps))
        if len(run) > 1:
            how = f"carried unchanged through {len(run)} ops: {_layers(run)}"
        if step.rivals and full:
            how += f"; must equal {', '.join(step.rivals)}"
        made.add_row(
            spelling.size_text(step.size), plain(step.place if len(run) == 1 else "…"), plain(how)
        )
    return made


def _collapsed(steps: Sequence[ChainStep]) -> list[list[ChainStep]]:
    """First and last step alone; in between, steps of one size together."""
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
    return next(before for one, before in pairwise(steps) if one is step)


def how_made(step: ChainStep, before: ChainStep) -> str:
    """What made a size; it is derived there if it follows `before`, the next step of the way
    back, in another proportion.
    """
    made = f"{step.op_type} of {step.layer}" if step.layer else step.op_type or "variable"
    if before.relation != Relation.DERIVED:
        return made
    return f"{made}, derived from {', '.join((f'{before.place} ({before.size})', *before.beside))}"


def proof_table(found: Explanation) -> Table:
    """Settings and the size of the axis before and after, with what else was seen."""
    made = table("setting", "changed", "size", "moves it", "note")
    for row in found.proof:
        after = "–" if row.moved is None else spelling.size_text(row.size_after)
        made.add_row(
            plain(row.setting),
            plain(f"{row.before} → {row.after}"),
            plain(f"{spelling.size_text(row.size_before)} → {after}"),
            {None: "?", True: "yes", False: "no"}[row.moved],
            plain(row.note),
        )
    return made


def settings_page(screen: Screen, found: Sequence[SettingMoves]) -> None:
    """Print for each setting which axes of layers' outputs and of variables it moves."""
    if not found:
        screen.line(plain("no setting was varied: the model has none that is a whole number"))
    for one in found:
        title = f"{one.setting} {one.before} → {one.after}"
        moves = f"moves {len(one.axes)} axes" if one.axes else "moves no axis"
        screen.line(plain(f"{title}: {moves}", "bold"))
        if one.missing or one.added:
            parts = ((one.added, "more"), (one.missing, "fewer"))
            told = ", ".join(f"{count} {word}" for count, word in parts if count)
            screen.line(plain(f"  the structure changes: ops and their tensors, {told}"))
        for conflict in one.conflicts:
            ends = one.ended and conflict == one.conflicts[-1]
            what = "the trace ends there" if ends else "passed over"
            screen.line(plain(f"  {conflict} refuses its inputs then; {what}"))
        for (axis, before, after), names in _by_change(one).items():
            shown = ", ".join(names[:4]) + (f", … {len(names) - 4} more" if len(names) > 4 else "")
            screen.line(plain(f"  axis {axis} {before} → {after}: {shown}"))


def _by_change(one: SettingMoves) -> dict[tuple[int, str, str], list[str]]:
    """Names of layers and variables by the change they share, each once."""
    found: dict[tuple[int, str, str], list[str]] = {}
    for moved in one.axes:
        change = (moved.axis, spelling.size_text(moved.before), spelling.size_text(moved.after))
        name = moved.layer or moved.name
        if name not in found.setdefault(change, []):
            found[change].append(name)
    return found


def _formula_lines(label: str, size: str, formula: Formula) -> Iterator[tuple[str, str]]:
    values = ", ".join(f"{name} = {value}" for name, value in formula.values.items())
    text = f"{size}, a literal" if formula.text == size else f"{size} = {formula.text}"
    yield label, text + (f"  ({values})" if values else "")
    source = formula.source
    yield "", f"{spelling.path(source.file)}:{source.line} in {source.function}"
    yield "", source.text


def _pairs(screen: Screen, lines: Iterator[tuple[str, str]]) -> None:
    made = table("", "")
    made.show_header = False
    made.columns[0].width = LABEL
    for label, text in lines:
        made.add_row(plain(label, "dim"), plain(text))
    screen.line(made)
