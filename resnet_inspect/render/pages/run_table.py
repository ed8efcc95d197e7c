"""The table of runs for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from resnet_inspect.analysis.check import Severity
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.findings_page import STYLES, troubles
from resnet_inspect.render.screen import plain, table
from resnet_inspect.store.catalogue import RunRow


def run_table(rows: Sequence[RunRow]) -> Table:
    """The table of runs, with the reason for each run that cannot be read."""
    columns = "run", "network", "status", "steps", "findings", "data", "size"
    grid = table(*columns, right=("steps", "size"))
    for row in rows:
        grid.add_row(
            plain(spelling.path(row.file)),
            plain(row.network),
            plain(row.status),
            str(row.steps),
            _findings(row.findings),
            plain(row.data or row.reason),
            spelling.size(row.bytes),
        )
    return grid


def _findings(counts: Mapping[str, int] | None) -> Text:
    """The numbers of errors and warnings; empty for a run that cannot be read."""
    if counts is None:
        return plain("")
    worst = next((level for level in Severity if counts.get(level)), Severity.INFO)
    style = STYLES[worst] if worst != Severity.INFO else "dim"
    return plain(", ".join(troubles(counts)) or "none", style)
