"""The line below the panes: the search field and the status of the tree."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from resnet_inspect.analysis.browse.outline import OutlineFilter
from resnet_inspect.paths import printable
from resnet_inspect.render import spelling
from resnet_inspect.tui.widgets.network_tree import NetworkTree


class StatusLine(Horizontal):
    """Shows the depth, filter and size of the tree, and the search field while it is open."""

    def compose(self) -> ComposeResult:
        """Create the closed search field and the status."""
        query = Input(
            placeholder="name or type · enter: keep selection · esc: cancel",
            id="query",
            compact=True,
        )
        query.display = False
        yield query
        yield Static(id="status")

    @property
    def _query(self) -> Input:
        return self.query_one("#query", Input)

    @property
    def searching(self) -> bool:
        """Whether the search field is open."""
        return self._query.display

    def open_search(self) -> None:
        """Open the search field."""
        self._query.display = True
        self.add_class("searching")
        self._query.focus()

    def close_search(self) -> None:
        """Close the search field, and keep its text."""
        self._query.display = False
        self.remove_class("searching")

    def clear_search(self) -> None:
        """Remove the text of the search field without searching again."""
        with self._query.prevent(Input.Changed):
            self._query.value = ""

    def show(self, network: NetworkTree) -> None:
        """Show the status of the tree."""
        parts = ["ops" if network.by_op else "layers"]
        if network.only != OutlineFilter.ALL:
            parts.append(f"only {network.only}")
        if network.query_text:
            hits = len(network.hits)
            parts.append(f"/{network.query_text}: {hits} hit{'s' * (hits != 1)}, esc ends search")
        else:
            parts.append(f"{spelling.count(network.shown)} of {spelling.count(network.total)}")
        if network.source:
            parts.append(f"group row: output of {network.source}")
        self.query_one("#status", Static).update(Text(printable(" · ".join(parts)), "dim"))
