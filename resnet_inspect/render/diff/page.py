"""The differences of two runs for a terminal: what was set, the graph, what tensors held, scalars.

Tables are cut at MOST rows, which is said, unless every row is asked for.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from resnet_inspect.analysis.browse.distributions import KINDS
from resnet_inspect.analysis.diff.differences import (
    AverageDiff,
    Change,
    Difference,
    DistributionsDiff,
    FindingsDiff,
    GraphDiff,
    Lone,
    Renaming,
    RunDiff,
)
from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.graph import Phase
from resnet_inspect.render import spelling
from resnet_inspect.render.diff.numbers import (
    AVERAGES,
    LEGEND,
    averages_table,
    distribution_tables,
    scalar_tables,
    step_tables,
)
from resnet_inspect.render.diff.values import changed_rows, value
from resnet_inspect.render.screen import Screen, plain, table

MOST = 12
_T = TypeVar("_T")
_P = TypeVar("_P", Lone, Renaming, Change)


def diff_page(screen: Screen, found: RunDiff, *, every_row: bool = False) -> None:
    """Write what differs; sections without a difference are left out."""
    page = _Page(screen, None if every_row else MOST)
    screen.line(plain(f"A  {spelling.path(found.a)}"), plain(f"B  {spelling.path(found.b)}"))
    if found.empty:
        screen.line(plain(""), plain("no difference", "bold"))
        if len(found.distributions.steps) < found.distributions.common:
            screen.line(
                plain(f"distributions were compared at steps {_steps(found.distributions)}")
            )
        return
    page.told("Runs and settings", [*found.facts, *found.settings])
    page.graph(found.graph)
    page.distributions(found)
    page.averages(found.averages)
    page.scalars(found)
    if found.findings is not None and not found.findings.empty:
        page.findings(found.findings)


class _Page:
    """A screen, and how many rows of a table are written."""

    def __init__(self, screen: Screen, most: int | None) -> None:
        self.screen, self.most = screen, most

    def title(self, text: str) -> None:
        self.screen.line(plain(""), plain(text, "bold"))

    def gap(self, wanted: object) -> None:
        if wanted:
            self.screen.line(plain(""))

    def cut(self, rows: Sequence[_T]) -> Sequence[_T]:
        """The rows that are shown; one more than MOST is not worth a line that says so."""
        return rows if self.most is None or len(rows) <= self.most + 1 else rows[: self.most]

    def rest(self, rows: Sequence[Any], shown: Sequence[Any]) -> None:
        if len(rows) > len(shown):
            self.screen.line(plain(f"… and {len(rows) - len(shown)} more; --all"))

    def told(self, title: str, rows: Sequence[Difference]) -> None:
        if not rows:
            return
        self.title(title)
        made = table("", "A", "B")
        # Sentences, as of what a run failed at, are wrapped; words stay whole, paths above all.
        room = max(MOST, (self.screen.width - 4 - max(len(row.name) for row in rows)) // 2)
        for row in rows:
            told = (
                "\n".join(textwrap.wrap(value(one), room, break_long_words=False))
                for one in (row.a, row.b)
            )
            made.add_row(
                plain(row.name), *(Text("\n").join(map(plain, one.split("\n"))) for one in told)
            )
        self.screen.table([made])

    def graph(self, found: GraphDiff) -> None:
        if found.empty:
            return
        if found.totals:
            self.title("Totals")
            made = table("", "A", "B", right=("A", "B"))
            for sum_ in found.totals:
                name = sum_.name.replace("_", " ")
                cells = name, spelling.count(sum_.a), spelling.count(sum_.b)
                made.add_row(*map(plain, cells))
            self.screen.table([made])
        by_op = found.depth == Depth.OP
        renamed = _forward_first([one for one in found.renamed if not one.numbered])
        numbered = [one for one in found.renamed if one.numbered]
        counts = [
            (found.aligned, "in both"),
            (len(found.changed), "of them changed"),
            (len(renamed), "renamed"),
            (len(numbered), "numbered differently"),
            (len(found.only_a), "only in A"),
            (len(found.only_b), "only in B"),
        ]
        told = ", ".join(f"{n} {text}" for n, text in counts if n or text == "in both")
        self.title(f"{'Ops' if by_op else 'Layers'}: {told}")
        self.lone("only in A", found.only_a)
        self.gap(found.only_a and found.only_b)
        self.lone("only in B", found.only_b)
        # Of ops many are, and it says nothing of them.
        listed = {"renamed": renamed, "numbered": [] if by_op else numbered}
        for title, rows in listed.items():
            if rows:
                self.gap(found.only_a or found.only_b or (title != "renamed" and renamed))
                made, shown = table(f"{title}: in A", "in B", "type"), self.cut(rows)
                for one in shown:
                    made.add_row(plain(one.a), plain(one.b), plain(one.type))
                self.screen.table([made])
                self.rest(rows, shown)
        changed = _forward_first(sorted(found.changed, key=attrgetter("rewired")))
        if changed:
            self.gap(found.only_a or found.only_b or any(listed.values()))
            shown_changes = self.cut(changed)
            self.screen.table(_changed(list(changed_rows(shown_changes))))
            self.rest(changed, shown_changes)

    def lone(self, title: str, rows: Sequence[Lone]) -> None:
        if not rows:
            return
        ordered = _forward_first(rows)
        numbers = ("parameters",) if any(row.params for row in rows) else ()
        made, shown = table(title, "type", "output", *numbers, right=numbers), self.cut(ordered)
        for row in shown:
            cells = [row.name, row.type, spelling.shape(row.shape)]
            cells += [spelling.count(row.params) if row.params else ""] * len(numbers)
            made.add_row(*map(plain, cells))
        self.screen.table([made])
        self.rest(rows, shown)

    def distributions(self, found: RunDiff) -> None:
        seen = found.distributions
        if not seen.rows:
            if seen.compared:
                told = f"all {seen.compared} tensors held the same (steps {_steps(seen)})"
                self.title(f"Distributions: {told}")
            return
        told = f"{len(seen.rows)} of {seen.compared} tensors differ (steps {_steps(seen)})"
        self.title(f"Distributions: {told}")
        self.screen.line(plain(LEGEND, "dim"))
        for kind in KINDS:
            rows = [row for row in seen.rows if row.kind == kind]
            if rows:
                self.screen.line(plain(""))
                shown = self.cut(rows)
                self.screen.table(distribution_tables(kind, shown, seen.steps))
                self.rest(rows, shown)

    def averages(self, rows: Sequence[AverageDiff]) -> None:
        if not rows:
            return
        self.title(f"Moving averages: those of {len(rows)} layers differ")
        self.screen.line(plain(AVERAGES, "dim"))
        shown = self.cut(rows)
        self.screen.table([averages_table(shown)])
        self.rest(rows, shown)

    def scalars(self, found: RunDiff) -> None:
        seen = found.scalars
        for name, names in (("A", seen.only_a), ("B", seen.only_b)):
            if names:
                self.title(f"Scalars only in {name}: {', '.join(names)}")
        if not seen.rows:
            return
        self.title("Scalars")
        self.screen.table(scalar_tables(seen.rows))
        self.screen.line(plain(""))
        steps, shown = self.steps(sorted({step for row in seen.rows for step in row.steps}))
        self.screen.table(step_tables(seen.rows, shown))
        self.rest(steps, shown)

    def steps(self, steps: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
        """All steps, and those that are shown, evenly from the first to the last."""
        if self.most is None or len(steps) <= self.most + 1:
            return steps, steps
        last = len(steps) - 1
        places = [round(i * last / (self.most - 1)) for i in range(self.most)]
        return steps, [steps[place] for place in places]

    def findings(self, found: FindingsDiff) -> None:
        for name, rows in (("A", found.only_a), ("B", found.only_b)):
            if rows:
                self.title(f"Findings only in {name}")
                for row in rows:
                    head = "  ".join(filter(None, (row.rule, str(row.place))))
                    self.screen.line(plain(head, "bold"))
                    for line in textwrap.wrap(getattr(row, "message", ""), self.screen.width - 3):
                        self.screen.line(plain(f"   {line}"))


def _steps(seen: DistributionsDiff) -> str:
    """The compared steps; what was left out is said."""
    if len(seen.steps) > MOST:
        return f"{seen.steps[0]} to {seen.steps[-1]}, {len(seen.steps)} in common"
    told = ", ".join(map(str, seen.steps))
    left_out = len(seen.steps) < seen.common
    return told + (f" of {seen.common} in common; --all takes every one" if left_out else "")


def _forward_first(rows: Sequence[_P]) -> list[_P]:
    return sorted(rows, key=lambda row: row.phase != Phase.FORWARD)


def _changed(rows: Sequence[tuple[str, str, str, str]]) -> Iterator[Table]:
    """What changed side by side, else below the names."""
    made = table("changed", "", "A", "B")
    for row in rows:
        made.add_row(*map(plain, row))
    yield made
    narrow = table("changed: A → B")
    for name, what, one, other in rows:
        if name:
            narrow.add_row(plain(name))
        narrow.add_row(Padding(plain(f"{what}: {one} → {other}"), (0, 0, 0, 2)))
    yield narrow
