"""Signs beside rows of the tree for what is different between two runs, and how far it is apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from rich.text import Text

from resnet_inspect.analysis.browse.outline import Key, NodeKind, Outline, OutlineNode
from resnet_inspect.graph import TensorRef
from resnet_inspect.render import spelling
from resnet_inspect.tui.run.two_runs import NUMBERS, ONLY_A, ONLY_B, STYLES, TwoRuns
from resnet_inspect.tui.widgets.row_facts import Facts, RowFacts

SOME = "≠"
HELP = """\
**Two networks.** That of A, and what only B has where it belongs: `~` changed, `−` only in A, `+`
only in B, `≈` only its numbers differ; `3≠` counts the first three kinds inside of a group. Shape
and histogram are those of A, of `+` those of B; `Δ` is the mean distance of the distributions of
its output, in units of their spread. `✗`, `!` and `i` tell the worst finding of A or B there, in
brackets one inside. With `o` come the ops of A, and those of layers that only B has.
"""


class DiffMarks:
    """The sign of each row; of a scope how many of its layers, or ops, are not in both alike."""

    def __init__(self, comparison: TwoRuns) -> None:
        self._comparison = comparison
        self._counts: dict[tuple[Key, bool, int], str] = {}

    def of(self, node: OutlineNode, outline: Outline) -> Text:
        """The sign of a row, empty where nothing differs."""
        compared = self._comparison.compared
        if compared is None:
            return Text()
        if node.kind != NodeKind.SCOPE:
            is_op = node.kind == NodeKind.OP
            sign = compared.sign_of_op(node.name) if is_op else compared.signs.get(node.name, "")
            return Text(f" {sign}" if sign else "", STYLES.get(sign, ""))
        key = node.key, outline.by_op, len(node.members)
        if key not in self._counts:
            self._counts[key] = _counted(node, outline, compared.signs.get)
        told = self._counts[key]
        style = STYLES.get(told[-1:], "yellow") if told else ""
        return Text(f" {told}" if told else "", style)


def _counted(node: OutlineNode, outline: Outline, sign_of: Callable[[str], str | None]) -> str:
    owners = outline.graph.layer_of_op if outline.by_op else {}
    names = [outline.leaves[at].name for at in node.members]
    names = list(dict.fromkeys(owners[name].name if name in owners else name for name in names))
    signs = [sign_of(name) for name in names]
    for only in (ONLY_A, ONLY_B):
        if all(sign == only for sign in signs):
            return only
    count = sum(sign not in (None, NUMBERS) for sign in signs)
    if count:
        return f"{count}{SOME}"
    return NUMBERS if any(signs) else ""


def next_of(
    names: Collection[str],
    outline: Outline,
    members: Sequence[int],
    node: OutlineNode | None,
    direction: int,
) -> str | None:
    """Of layers or ops the one that follows a row among the `members` of a tree, or with -1 the one
    before; round at the ends. None if there is none.
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


class ComparedFacts(RowFacts):
    """What rows tell of two runs: in place of zeros the distance; of what only B has B's facts."""

    def __init__(self, comparison: TwoRuns) -> None:
        super().__init__(comparison.a)
        self.comparison = comparison

    def of(self, node: OutlineNode, outline: Outline) -> Facts:
        """What a row tells, of what it hands on."""
        two, compared = self.comparison, self.comparison.compared
        assert compared is not None
        key = node.key, two.a.state.recorded[-1:], two.b.state.recorded[-1:], len(node.members)
        return self.remembered(key, lambda: self._of_both(self.output_of(node, outline)))

    def _of_both(self, ref: TensorRef | None) -> Facts:
        compared = self.comparison.compared
        if ref is None or compared is None:
            return Facts()
        if ref.op in compared.union.ops:
            there = TensorRef(compared.union.ops[ref.op], ref.index)
            return self.read(self.comparison.b, there, zeros="")
        rows = [one for one in compared.distances.get(ref.op, ()) if one.tensor_a == str(ref)]
        apart = next((one.distance for one in rows if one.kind == "activation"), None)
        told = f"Δ{spelling.number(apart, 2)}" if apart is not None else ""
        return self.read(self.comparison.a, ref, zeros=told)
