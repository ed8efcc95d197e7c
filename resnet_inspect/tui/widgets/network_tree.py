"""The tree of scopes, layers and ops, with folding, filters and search.

The module is long because all of these change the same rows. `row_facts` makes the texts of rows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType

from resnet_inspect.analysis.browse.outline import (
    Key,
    NodeKind,
    Outline,
    OutlineFilter,
    OutlineNode,
)
from resnet_inspect.render.labels import fitted
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import Link, Place
from resnet_inspect.tui.run.two_runs import TwoRuns
from resnet_inspect.tui.widgets.diff_marks import HELP, ComparisonFacts, DiffMarks, next_name
from resnet_inspect.tui.widgets.finding_marks import FindingMarks
from resnet_inspect.tui.widgets.line_list import LineList
from resnet_inspect.tui.widgets.row_facts import RowFacts
from resnet_inspect.tui.widgets.search_hits import SearchHits
from resnet_inspect.tui.widgets.tree_columns import TreeColumn, cells, columns_in, headings

# A search opens scopes until this many rows are visible.
MAX_OPENED = 300


class NetworkTree(LineList):
    """The tree as a list of rows. Rows below a node are created when it is opened."""

    HEADINGS = 1
    HELP = """\
**Network.** Stages, blocks and layers. `o` also shows ops. Columns: the shape of the output, and at
the last recorded step its share of zeros and its histogram. A group shows the tensor that leaves
it; the line below the tree names the layer of that tensor. `!NaN` and `!inf` mark outputs with such
values. `✗`, `!` and `i` mark the worst finding (error, warning, info). In brackets, the
finding is inside the group.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "fold_or_open", "Fold", id="fold", tooltip="fold or open the row"),
        Binding("right,l", "open", "Open", show=False, id="open",
                tooltip="open the row, or go to its first child"),
        Binding("left,h", "fold", "Fold or go up", show=False, id="up-level",
                tooltip="fold the row, or go to its parent"),
    ]  # fmt: skip

    def __init__(self, recording: OpenedRun, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.outlines = recording.outlines
        self.outline: Outline = self.outlines.layers
        self.only = OutlineFilter.ALL
        self.query_text = ""
        self.hits = SearchHits(self.outline, {})
        self._members: Sequence[int] = ()
        self._open: set[Key] = set()
        self._rows: list[OutlineNode] = []
        self._nodes_below: dict[Key | None, list[OutlineNode]] = {}
        self._whole: dict[tuple[bool, OutlineFilter], dict[Key | None, list[OutlineNode]]] = {}
        self._restore: tuple[set[Key], Key | None] | None = None
        self.facts = RowFacts(recording)
        self.marks = FindingMarks(recording.graph)
        self.differences: DiffMarks | None = None
        self.rebuild()

    def compare(self, comparison: TwoRuns) -> None:
        """Show the union of both networks with their differences, after the comparison."""
        result = comparison.result
        assert result is not None
        here, by_op = self.node, self.by_op or result.by_op
        self.outlines = result.outlines
        self.outline = self.outlines.ops if by_op else self.outlines.layers
        self.facts = ComparisonFacts(comparison)
        self.marks = FindingMarks(self.outlines.graph)
        self.differences = DiffMarks(comparison)
        self._whole.clear()
        self.rebuild(here.key if here else None)
        if self.query_text:
            self._open_hits(here.key if here else None)

    def next_difference(self, names: Collection[str], direction: int) -> bool:
        """Go to the next of some layers or ops, or with -1 to the previous. False for none."""
        name = next_name(names, self.outline, self._members, self.node, direction)
        return name is not None and self.go_to(name)

    @property
    def about(self) -> str:
        """The text about the tree for the help screen."""
        return super().about if self.differences is None else HELP

    # rows

    @property
    def count(self) -> int:
        """The number of rows of opened nodes."""
        return len(self._rows)

    @property
    def node(self) -> OutlineNode | None:
        """The node of the selected row."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    @property
    def place(self) -> Place | None:
        """The place of the selected row."""
        return self.place_of(self.node) if self.node is not None else None

    @property
    def by_op(self) -> bool:
        """Whether ops are shown."""
        return self.outline.by_op

    @property
    def shown(self) -> int:
        """The number of layers or ops in the tree, including folded ones."""
        return len(self._members)

    @property
    def total(self) -> int:
        """The number of layers or ops without filter and search."""
        return len(self.outline.leaves)

    def show_place(self, place: Place) -> bool:
        """Select the row of a place, or of its layer. False if there is none."""
        if place.node is not None:
            return self.reveal(place.node.key)
        if place.kind == "variable":  # has no row: select its layer or a reader
            graph = self.outlines.graph
            variable = graph.variable_by_name[place.name]
            users = (*variable.handles, *variable.readers)
            owners = (graph.layer_of_op.get(op) for op in users)
            names = [owner.name for owner in owners if owner is not None] or list(users)
            return any(self.go_to(name) for name in names[:1])
        return self.go_to(place.name)

    @property
    def hiding(self) -> str:
        """The reason why a place may have no row."""
        if self.query_text:
            return "a search is active (esc ends it)"
        if self.only != OutlineFilter.ALL:
            return f"the filter is '{self.only}' (f changes it)"
        return "ops are not shown (o shows them)" if not self.by_op else "the tree shows only ops"

    @property
    def nodes(self) -> Sequence[OutlineNode]:
        """All rows, from the top."""
        return self._rows

    def rebuild(self, keep: Key | None = None, *, among: Sequence[int] | None = None) -> None:
        """Build the rows again after a change of depth or filter, from the leaves `among`."""
        members = self.outline.filtered(self.only) if among is None else among
        if self.query_text:
            self.hits = SearchHits(self.outline, self.outline.search(self.query_text, members))
            members = self.hits.leaves
        self._confine_to(members)
        self._refill(keep)

    def _confine_to(self, members: Sequence[int]) -> None:
        """Show only these leaves of the filtered ones. Nodes of the whole tree are cached."""
        self._members = members
        whole = len(members) == len(self.outline.filtered(self.only))
        self._nodes_below = self._whole.setdefault((self.by_op, self.only), {}) if whole else {}

    def _below(self, node: OutlineNode | None) -> list[OutlineNode]:
        """Return the nodes below a node, or the roots, created at the first call."""
        key = node.key if node is not None else None
        if key not in self._nodes_below:
            nodes = (
                self.outline.roots(self._members) if node is None else self.outline.children(node)
            )
            self._nodes_below[key] = nodes
        return self._nodes_below[key]

    def _refill(self, keep: Key | None) -> None:
        rows: list[OutlineNode] = []
        waiting = list(reversed(self._below(None)))
        while waiting:
            node = waiting.pop()
            rows.append(node)
            if node.key in self._open and node.opens:
                waiting += reversed(self._below(node))
        before = self.node
        self._rows = rows
        self.adapt_size()
        if keep is not None:
            at = next((place for place, node in enumerate(rows) if node.key == keep), None)
            if at is not None:
                self.cursor = at
        after = self.node
        if (before and before.key) != (after and after.key):
            self.post_message(self.Moved(self, self.cursor))

    # search

    def search(self, text: str) -> None:
        """Show only rows that match `text`, and rows above them. An empty text shows all."""
        if self._restore is None:
            self._restore = set(self._open), self.node.key if self.node else None
        narrower = self.query_text and text.lower().startswith(self.query_text.lower())
        self.query_text = text
        if not text:
            self.hits = SearchHits(self.outline, {})
            before, keep = self._restore
            self._open = set(before)
            self.rebuild(keep)
            return
        self._open = set()
        self.rebuild(among=self._members if narrower else None)
        self._open_hits()
        self._to_first_hit()

    def end_search(self, *, stay: bool) -> None:
        """Show all rows again. `stay` on the selected row, or restore the old selection."""
        here = self.node.key if self.node else None
        if not self.query_text:
            self._restore = None
            return
        self.query_text, self.hits = "", SearchHits(self.outline, {})
        before, place = self._restore or (set(), None)
        self._restore = None
        self._open = set(before)
        if stay and here is not None:
            self._confine_to(self.outline.filtered(self.only))
            self.reveal(here)
        else:
            self.rebuild(place)

    def _open_hits(self, keep: Key | None = None) -> None:
        """Open rows with hits below them, from the top, up to MAX_OPENED rows."""
        rows = list(self._rows)
        level = list(rows)
        while level and len(rows) < MAX_OPENED:
            below: list[OutlineNode] = []
            for node in level:
                if len(rows) + len(below) >= MAX_OPENED:
                    break
                if node.opens and not self.hits.includes(node):
                    self._open.add(node.key)
                    below += self._below(node)
            rows += below
            level = below
        self._refill(keep)

    @property
    def hit_rows(self) -> list[int]:
        """The numbers of the rows that match the search."""
        return [place for place, node in enumerate(self._rows) if self.hits.includes(node)]

    def next_hit(self, direction: int) -> None:
        """Go to the next hit, or with -1 to the previous one, and open the rows above it."""
        while True:  # open folded rows until the row of the hit is visible
            rows = [at for at, node in enumerate(self._rows) if self._leads_to_hit(node)]
            if not rows:
                return
            ahead = [at for at in rows if (at - self.cursor) * direction > 0]
            wrapped = rows[0] if direction > 0 else rows[-1]
            at = (ahead[0] if direction > 0 else ahead[-1]) if ahead else wrapped
            node = self._rows[at]
            if self.hits.includes(node):
                self.cursor = at
                return
            self._open.add(node.key)
            self._refill(self.node.key if self.node else None)

    def _leads_to_hit(self, node: OutlineNode) -> bool:
        """Whether a row is a hit, or is folded with a hit below it."""
        folded = node.opens and node.key not in self._open
        return self.hits.includes(node) or (folded and self.hits.below(node) > 0)

    def _to_first_hit(self) -> None:
        rows = self.hit_rows
        if rows:
            self.cursor = rows[0]

    # depth, filter, folding

    def set_depth(self, *, ops: bool) -> None:
        """Show only layers, or also ops, and keep the selection."""
        outline = self.outlines.ops if ops else self.outlines.layers
        if outline is self.outline:
            return
        here = self.node
        self.outline = outline
        self.facts.forget()
        self.rebuild(here.key if here else None)
        if self.query_text:
            self._open_hits(here.key if here else None)
        if here is not None and (self.node is None or self.node.key != here.key):
            self.go_to(here.name)

    def confine(self, only: OutlineFilter) -> None:
        """Show only the layers or ops of a filter."""
        here = self.node
        self.only = only
        self.rebuild(here.key if here else None)

    def go_to(self, name: str) -> bool:
        """Select a layer or op, and open the rows above it. False if it is hidden."""
        place = self.outline.place_of(name)
        if place is None:
            return False
        layer = self.outlines.graph.layer_by_name.get(name)
        path = self.outline.path_to(place, self._members)
        if layer is not None:
            at = next((at for at, node in enumerate(path) if node.name == name), None)
            path = path[: at + 1] if at is not None else path
        return self._select(path)

    def reveal(self, key: Key) -> bool:
        """Select a node by its key, and open the rows above it."""
        path = self.outline.path_to_key(key, self._members)
        if not path:
            self._refill(None)
        return self._select(path)

    def _select(self, path: Sequence[OutlineNode]) -> bool:
        if not path:
            return False
        self._open.update(node.key for node in path[:-1])
        self._refill(path[-1].key)
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action is available now. A leaf cannot be opened."""
        if action == "fold_or_open":
            return self.node is not None and self.node.opens
        return super().check_action(action, parameters)

    def action_fold_or_open(self) -> None:
        """Open or fold the selected row."""
        node = self.node
        if node is None or not node.opens:
            return
        if node.key in self._open:
            self._open.discard(node.key)
        else:
            self._open.add(node.key)
        self._refill(node.key)

    def action_open(self) -> None:
        """Open the selected row, or go to its first child if it is open."""
        node = self.node
        if node is None or not node.opens:
            return
        if node.key in self._open:
            self.action_move(1)
        else:
            self.action_fold_or_open()

    def action_fold(self) -> None:
        """Fold the selected row, or go to its parent if it is folded."""
        node = self.node
        if node is None:
            return
        if node.key in self._open and node.opens:
            self.action_fold_or_open()
            return
        for place in range(self.cursor - 1, -1, -1):
            if self._rows[place].depth < node.depth:
                self.cursor = place
                return

    def link_of(self, index: int) -> Link | None:
        """Return None, because rows have no links."""
        del index
        return None

    def on_click(self, event: events.Click) -> None:
        """Select the clicked row. A click on its fold sign or a double click folds or opens it."""
        index = self.index_at(event)
        if index is None:
            return
        self.cursor = index
        if event.x // 2 == self._rows[index].depth or event.chain > 1:
            self.action_fold_or_open()

    # drawing

    def place_of(self, node: OutlineNode) -> Place:
        """Return the place of a row."""
        if node.kind == NodeKind.SCOPE:
            return Place("scope", node.name, node, self.outline)
        return Place("layer" if node.kind == NodeKind.LAYER else "op", node.name)

    def text_of(self, index: int) -> Text:
        """Return the text of a row: name, marks and the columns that fit."""
        node = self._rows[index]
        width = self.scrollable_content_region.width  # without the scroll bar
        shown = self.facts.of(node, self.outline)
        right = cells(self._columns(), shown)
        fold = ("▾ " if node.key in self._open else "▸ ") if node.opens else "  "
        name_width = max(4, width - len(right) - 2 * node.depth - 2 - 1)
        mark = self._hit_count(node) + shown.mark
        signs = self.marks.of(node, self.outline, folded=node.key not in self._open)
        if self.differences is not None:
            signs = self.differences.of(node, self.outline).append_text(signs)
        name = fitted(node.label or "(no name)", name_width - len(mark) - len(signs))
        text = Text("  " * node.depth, no_wrap=True).append(fold, "dim")
        start = len(text)
        text.append(name, "bold" if node.kind == NodeKind.SCOPE else "").append_text(signs)
        if self.query_text and self.hits.includes(node):
            text.stylize(self.part_style("lines--hit"), start, len(text))
        text.append(mark, self.part_style("lines--mark"))
        text.append(" " * max(1, width - text.cell_len - len(right)))
        text.append(right, "dim")
        return text

    def _columns(self) -> Sequence[TreeColumn]:
        """Return the columns that fit."""
        width = self.scrollable_content_region.width
        return columns_in(width, compares=self.differences is not None)

    def heading(self) -> Text:
        """Return the headings of the names and columns."""
        right = headings(self._columns())
        width = self.scrollable_content_region.width - len(right)
        return Text(f"  {'op' if self.by_op else 'layer'}".ljust(width) + right, "dim")

    @property
    def source(self) -> str:
        """The layer or op whose output the selected group shows, empty for another row."""
        if self.node is None or self.node.kind != NodeKind.SCOPE:
            return ""
        return self.facts.of(self.node, self.outline).source

    def _hit_count(self, node: OutlineNode) -> str:
        """Return the number of hits below a folded row as text."""
        if self.query_text and node.opens and node.key not in self._open:
            below = self.hits.below(node)
            if below and not self.hits.includes(node):
                return f" ({below} hit{'s' * (below > 1)})"
        return ""
