"""The columns beside the names in the tree: their headings, and those that fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from resnet_inspect.render.labels import fitted
from resnet_inspect.tui.widgets.row_facts import SPARK, Facts

MIN_NAME_WIDTH = 18
MARK = 6  # width of the difference sign beside a name


@dataclass(frozen=True)
class TreeColumn:
    """A column: its heading and its text of a row, in `width` terminal columns."""

    heading: str
    width: int
    text: Callable[[Facts], str]
    left: bool = False

    def cell(self, text: str) -> str:
        """Return a text in the width of the column."""
        short = fitted(text, self.width)
        return " " + short.ljust(self.width) if self.left else short.rjust(self.width)

    @property
    def room(self) -> int:
        """Terminal columns of a cell."""
        return self.width + self.left


SHAPE = TreeColumn("output", 13, lambda facts: facts.shape)
ZERO = TreeColumn("zero", 7, lambda facts: facts.zeros)
DISTANCE = TreeColumn("distance", 9, lambda facts: facts.distance)
HISTOGRAM = TreeColumn("histogram", SPARK, lambda facts: facts.spark, left=True)


def columns_in(width: int, *, compares: bool) -> Sequence[TreeColumn]:
    """Return the columns that fit a tree of that width. For two runs the distance comes first."""
    columns, room = [SHAPE, ZERO, HISTOGRAM], width - MIN_NAME_WIDTH - 2
    if compares:
        columns, room = [DISTANCE, SHAPE, HISTOGRAM], room - MARK
    while columns and sum(column.room for column in columns) > room:
        columns.pop()
    return columns


def headings(columns: Sequence[TreeColumn]) -> str:
    """Return the headings of the columns."""
    return "".join(column.cell(column.heading) for column in columns)


def cells(columns: Sequence[TreeColumn], facts: Facts) -> str:
    """Return the texts of a row."""
    return "".join(column.cell(column.text(facts)) for column in columns)
