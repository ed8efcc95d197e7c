"""The differences between two runs for a terminal: findings, settings, graph, values, scalars.

Tables are cut to MOST rows, and a line counts the others, unless every row is requested.
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
from resnet_inspect.analysis.browse.scalars import BATCH_LOSS
from resnet_inspect.analysis.diff.differences import (
    AverageDiff,
    Change,
    Difference,
    DistributionsDiff,
    FindingsDiff,
    GraphDiff,
    Renaming,
    RunDiff,
    ScalarDiff,
    Unmatched,
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
    verdict,
)
from resnet_inspect.render.diff.values import changed_rows, value
from resnet_inspect.render.labels import wrapped
from resnet_inspect.render.pages.blocks import LOSSES
from resnet_inspect.render.screen import Screen, plain, table

MOST = 12
FEW = 3  # a table with so few steps shows too little
_T = TypeVar("_T")
_P = TypeVar("_P", Unmatched, Renaming, Change)


def diff_page(screen: Screen, diff: RunDiff, *, every_row: bool = False) -> None:
    """Write the differences; sections without a difference are left out."""
    page = _Page(screen, None if every_row else MOST)
    screen.line(plain(f"A  {spelling.path(diff.a)}"), plain(f"B  {spelling.path(diff.b)}"))
    if diff.empty:
        screen.line(plain(""), plain("no difference", "bold"))
        if len(diff.distributions.steps) < diff.distributions.common:
            screen.line(plain(f"distributions compared at steps {_steps(diff.distributions)}"))
        return
    if diff.findings is not None and not diff.findings.empty:
        page.findings(diff.findings)
    page.values("Runs and settings", [*diff.facts, *diff.settings])
    page.graph(diff.graph)
    page.scalars(diff)
    page.distributions(diff)
    page.averages(diff.averages)


class _Page:
    """Writes the sections to a screen, with at most `most` rows a table."""

    def __init__(self, screen: Screen, most: int | None) -> None:
        self.screen, self.most = screen, most

    def title(self, text: str) -> None:
        self.screen.line(plain(""), plain(text, "bold"))

    def gap(self, wanted: object) -> None:
        if wanted:
            self.screen.line(plain(""))

    def cut(self, rows: Sequence[_T]) -> Sequence[_T]:
        """The rows that are shown. A single further row is shown too, in place of its count."""
        return rows if self.most is None or len(rows) <= self.most + 1 else rows[: self.most]

    def rest(self, rows: Sequence[Any], shown: Sequence[Any]) -> None:
        if len(rows) > len(shown):
            self.screen.line(plain(f"… and {len(rows) - len(shown)} more rows; --all shows all"))

    def values(self, title: str, rows: Sequence[Difference]) -> None:
        if not rows:
            return
        self.title(title)
        made = table("", "A", "B")
        # Sentences such as the reason of a failure are wrapped; long words such as paths are not.
        room = max(MOST, (self.screen.width - 4 - max(len(row.name) for row in rows)) // 2)
        for row in rows:
            cells = (
                textwrap.wrap(value(side), room, break_long_words=False) for side in (row.a, row.b)
            )
            made.add_row(plain(row.name), *(Text("\n").join(map(plain, lines)) for lines in cells))
        self.screen.table([made])

    def graph(self, diff: GraphDiff) -> None:
        if diff.empty:
            return
        if diff.totals:
            self.title("Totals")
            made = table("", "A", "B", right=("A", "B"))
            for sum_ in diff.totals:
                name = sum_.name.replace("_", " ")
                cells = name, spelling.count(sum_.a), spelling.count(sum_.b)
                made.add_row(*map(plain, cells))
            self.screen.table([made])
        by_op = diff.depth == Depth.OP
        renamed = _forward_first([row for row in diff.renamed if not row.numbered])
        numbered = [row for row in diff.renamed if row.numbered]
        counts = [
            (diff.aligned, "in both"),
            (len(diff.changed), "of them changed"),
            (len(renamed), "renamed"),
            (len(numbered), "numbered differently"),
            (len(diff.only_a), "only in A"),
            (len(diff.only_b), "only in B"),
        ]
        summary = ", ".join(f"{n} {text}" for n, text in counts if n or text == "in both")
        self.title(f"{'Ops' if by_op else 'Layers'}: {summary}")
        self.unmatched("only in A", diff.only_a)
        self.gap(diff.only_a and diff.only_b)
        self.unmatched("only in B", diff.only_b)
        # Many ops are numbered differently, which has no meaning.
        listed = {"renamed": renamed, "numbered": [] if by_op else numbered}
        for title, rows in listed.items():
            if rows:
                self.gap(diff.only_a or diff.only_b or (title != "renamed" and renamed))
                made, shown = table(f"{title}: in A", "in B", "type"), self.cut(rows)
                for row in shown:
                    made.add_row(plain(row.a), plain(row.b), plain(row.type))
                self.screen.table([made])
                self.rest(rows, shown)
        changed = _forward_first(sorted(diff.changed, key=attrgetter("rewired")))
        if changed:
            self.gap(diff.only_a or diff.only_b or any(listed.values()))
            shown_changes = self.cut(changed)
            self.screen.table(_changed(list(changed_rows(shown_changes))))
            self.rest(changed, shown_changes)

    def unmatched(self, title: str, rows: Sequence[Unmatched]) -> None:
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

    def distributions(self, diff: RunDiff) -> None:
        distributions = diff.distributions
        count, compared = len(distributions.rows), distributions.compared
        if not compared and not count:
            return
        differing = (
            f"{count} of {compared} tensors differ"
            if count
            else f"all {compared} tensors are equal"
        )
        self.title(f"Distributions: {differing} (steps {_steps(distributions)})")
        if not count:
            return
        if text := verdict(distributions):
            self.screen.line(plain(text))
        for line in LEGEND:
            self.screen.line(plain(line, "dim"))
        for kind in KINDS:
            rows = [row for row in distributions.rows if row.kind == kind]
            if rows:
                self.screen.line(plain(""))
                shown = self.cut(rows)
                self.screen.table(distribution_tables(kind, shown, distributions.steps))
                self.rest(rows, shown)

    def averages(self, rows: Sequence[AverageDiff]) -> None:
        if not rows:
            return
        self.title(f"Moving averages: {len(rows)} layer{'s' * (len(rows) != 1)} differ")
        self.screen.line(plain(AVERAGES, "dim"))
        shown = self.cut(rows)
        self.screen.table([averages_table(shown)])
        self.rest(rows, shown)

    def scalars(self, diff: RunDiff) -> None:
        scalars = diff.scalars
        for name, names in (("A", scalars.only_a), ("B", scalars.only_b)):
            if names:
                self.title(f"Scalars only in {name}: {', '.join(names)}")
        if not scalars.rows:
            return
        self.title("Scalars")
        if any(row.name == BATCH_LOSS for row in scalars.rows):
            self.screen.line(plain(LOSSES, "dim"))
        self.screen.table(scalar_tables(scalars.rows))
        self.screen.line(plain(""))
        steps, shown = self.steps(scalars.rows)
        self.screen.table(step_tables(scalars.rows, shown))
        self.rest(steps, shown)

    def steps(self, rows: Sequence[ScalarDiff]) -> tuple[Sequence[int], Sequence[int]]:
        """All steps of these scalars, and the steps that are shown.

        These are spread evenly, if possible over the steps at which every scalar was recorded.
        """
        steps = sorted({step for row in rows for step in row.steps})
        if self.most is None or len(steps) <= self.most + 1:
            return steps, steps
        complete = [step for step in steps if all(step in row.steps for row in rows)]
        chosen = complete if len(complete) > FEW else steps
        if len(chosen) <= self.most:
            return steps, chosen
        last = len(chosen) - 1
        places = [round(i * last / (self.most - 1)) for i in range(self.most)]
        return steps, [chosen[place] for place in places]

    def findings(self, findings: FindingsDiff) -> None:
        for name, rows in (("A", findings.only_a), ("B", findings.only_b)):
            if rows:
                self.title(f"Findings only in {name}")
                for row in rows:
                    head = "  ".join(filter(None, (row.rule, str(row.place))))
                    self.screen.line(plain(head, "bold"))
                    for line in wrapped(getattr(row, "message", ""), self.screen.width - 3):
                        self.screen.line(plain(f"   {line}"))


def _steps(distributions: DistributionsDiff) -> str:
    """The compared steps, and of how many common steps they were chosen."""
    steps, common = distributions.steps, distributions.common
    if len(steps) > MOST:
        return f"{steps[0]} to {steps[-1]}, {len(steps)} in common"
    left_out = f" of {common} in common; --all compares all" if len(steps) < common else ""
    return ", ".join(map(str, steps)) + left_out


def _forward_first(rows: Sequence[_P]) -> list[_P]:
    return sorted(rows, key=lambda row: row.phase != Phase.FORWARD)


def _changed(rows: Sequence[tuple[str, str, str, str]]) -> Iterator[Table]:
    """A wide table with changes beside the names, then a narrow table with changes below them."""
    made = table("changed", "", "A", "B")
    for row in rows:
        made.add_row(*map(plain, row))
    yield made
    narrow = table("changed: A → B")
    for name, what, a, b in rows:
        if name:
            narrow.add_row(plain(name))
        narrow.add_row(Padding(plain(f"{what}: {a} → {b}"), (0, 0, 0, 2)))
    yield narrow
