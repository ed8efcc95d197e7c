"""The list of runs for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from resnet_inspect.render import spelling
from resnet_inspect.render.screen import plain, table
from resnet_inspect.store.catalogue import RunRow


def run_table(rows: Sequence[RunRow]) -> Table:
    """Runs, newest first; for one that cannot be read, the reason."""
    made = table("run", "network", "status", "steps", "data", "size", right=("steps", "size"))
    for row in rows:
        made.add_row(
            plain(spelling.path(row.file)),
            plain(row.network),
            plain(row.status),
            str(row.steps),
            plain(row.data or row.reason),
            spelling.size(row.bytes),
        )
    return made
