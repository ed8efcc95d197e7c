"""Signs and distances in the tree that show the differences between two runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from rich.text import Text

from resnet_inspect.analysis.browse.outline import Key, NodeKind, Outline, OutlineNode
from resnet_inspect.graph import TensorRef
from resnet_inspect.render import spelling
from resnet_inspect.tui.run.two_runs import ONLY_A, ONLY_B, STYLES, VALUES, TwoRuns
from resnet_inspect.tui.widgets.row_facts import Facts, RowFacts

SOME = "≠"
HELP = """\
**Two networks.** The network of A, plus the layers that only B has. `~`: changed. `−`: only in A.
`+`: only in B. `≈`: same structure, different values. `3≠`: three rows with `~`, `−` or `+` in this
group. Columns: the mean distance between the output distributions of A and B, in standard
deviations, then output shape and histogram of A (for `+` of B). `✗`, `!` and `i` mark the worst
finding of A or B (error, warning, info). In brackets, the finding is inside the group. `o` shows
the ops of A, and the ops of layers that only B has.
"""


class DiffMarks:
    """The sign of each row. For a scope: the number of layers or ops in it that differ."""

    def __init__(self, comparison: TwoRuns) -> None:
        self._comparison = comparison
        self._counts: dict[tuple[Key, bool, int], str] = {}

    def of(self, node: OutlineNode, outline: Outline) -> Text:
        """Return the sign of a row, empty without a difference."""
        result = self._comparison.result
        if result is None:
            return Text()
        if node.kind != NodeKind.SCOPE:
            is_op = node.kind == NodeKind.OP
            sign = result.sign_of_op(node.name) if is_op else result.signs.get(node.name, "")
            return Text(f" {sign}" if sign else "", STYLES.get(sign, ""))
        key = node.key, outline.by_op, len(node.members)
        if key not in self._counts:
            self._counts[key] = _scope_sign(node, outline, result.signs.get)
        sign = self._counts[key]
        style = STYLES.get(sign[-1:], "yellow") if sign else ""
        return Text(f" {sign}" if sign else "", style)


def _scope_sign(node: OutlineNode, outline: Outline, sign_of: Callable[[str], str | None]) -> str:
    owners = outline.graph.layer_of_op if outline.by_op else {}
    names = [outline.leaves[at].name for at in node.members]
    names = list(dict.fromkeys(owners[name].name if name in owners else name for name in names))
    signs = [sign_of(name) for name in names]
    for only in (ONLY_A, ONLY_B):
        if all(sign == only for sign in signs):
            return only
    count = sum(sign not in (None, VALUES) for sign in signs)
    if count:
        return f"{count}{SOME}"
    return VALUES if any(signs) else ""


def next_name(
    names: Collection[str],
    outline: Outline,
    members: Sequence[int],
    node: OutlineNode | None,
    direction: int,
) -> str | None:
    """Return the name of `names` that follows a row of the tree, or with -1 precedes it.

    Only `members` of the tree count. After the last name follows the first. None without a name.
    """
    shown = range(len(outline.leaves)) if len(members) == len(outline.leaves) else set(members)
    places = {outline.place_of(name): name for name in names}
    ordered = sorted(at for at in places if at is not None and at in shown)
    if not ordered:
        return None
    here = -1
    if node is not None:
        own = None if node.kind == NodeKind.SCOPE else outline.place_of(node.name)
        here = own if own is not None else node.members[0] - (direction > 0)
    if direction > 0:
        return places[next((at for at in ordered if at > here), ordered[0])]
    return places[next((at for at in reversed(ordered) if at < here), ordered[-1])]


class ComparisonFacts(RowFacts):
    """Texts of rows for two runs: a distance instead of zeros, and facts of B for its own rows."""

    def __init__(self, comparison: TwoRuns) -> None:
        super().__init__(comparison.a)
        self.comparison = comparison

    def of(self, node: OutlineNode, outline: Outline) -> Facts:
        """Return the texts of a row, about its output."""
        two, result = self.comparison, self.comparison.result
        assert result is not None
        key = node.key, two.a.state.recorded[-1:], two.b.state.recorded[-1:], len(node.members)
        return self.cached(key, lambda: self._of_both(self.output_of(node, outline)))

    def _of_both(self, ref: TensorRef | None) -> Facts:
        result = self.comparison.result
        if ref is None or result is None:
            return Facts()
        if ref.op in result.union.ops:
            there = TensorRef(result.union.ops[ref.op], ref.index)
            return self.read(self.comparison.b, there)
        rows = [row for row in result.distances.get(ref.op, ()) if row.tensor_a == str(ref)]
        distance = next((row.distance for row in rows if row.kind == "activation"), None)
        text = spelling.number(distance, 2) if distance is not None else ""
        return replace(self.read(self.comparison.a, ref), distance=text)
