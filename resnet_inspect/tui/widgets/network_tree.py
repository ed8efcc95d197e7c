"""The tree of scopes, layers and ops: folds, filters, finds.

Long because all of that is done to the same rows; what stands in them is made elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType

from resnet_inspect.analysis.browse.outline import Key, NodeKind, Only, Outline, OutlineNode
from resnet_inspect.render.labels import fitted
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import Link, Place
from resnet_inspect.tui.run.two_runs import TwoRuns
from resnet_inspect.tui.widgets.diff_marks import HELP, ComparedFacts, DiffMarks, next_of
from resnet_inspect.tui.widgets.finding_marks import FindingMarks
from resnet_inspect.tui.widgets.line_list import LineList
from resnet_inspect.tui.widgets.row_facts import SPARK, Facts, RowFacts

ZEROS, SHAPE = 7, 13
LEAST_NAME = 18
MARK = 6  # of two runs, beside a name
# While searching, scopes are opened until so many rows are visible.
MOST_OPENED = 300


class NetworkTree(LineList):
    """Rows of nodes. Those below a node are made when it is opened."""

    HELP = """\
**Network.** Stages, blocks, layers and, with `o`, ops. Beside each name: the shape of what it hands
on, the share of zeros in it and its histogram at the last recorded step; `!NaN` or `!inf` where it
held such. `✗` (error), `!` (warning) and `i` tell the worst finding there, in brackets one inside.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "fold_or_open", "Fold", id="fold"),
        Binding("right,l", "open", "Open", show=False, id="open"),
        Binding("left,h", "fold", "Fold or go up", show=False, id="up-level"),
    ]

    def __init__(self, recording: OpenedRun, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.outlines = recording.outlines
        self.outline: Outline = self.outlines.layers
        self.only = Only.ALL
        self.query_text = ""
        self.hits: dict[str, list[int]] = {}
        self._members: Sequence[int] = ()
        self._open: set[Key] = set()
        self._rows: list[OutlineNode] = []
        self._made: dict[Key | None, list[OutlineNode]] = {}
        self._whole: dict[tuple[bool, Only], dict[Key | None, list[OutlineNode]]] = {}
        self._hit_of: dict[int, str] | None = None
        self._restore: tuple[set[Key], Key | None] | None = None
        self.facts = RowFacts(recording)
        self.marks = FindingMarks(recording.graph)
        self.differences: DiffMarks | None = None
        self.rebuild()

    def compare(self, comparison: TwoRuns) -> None:
        """Show what only the second run has as well, and mark what differs: both were compared."""
        compared = comparison.compared
        assert compared is not None
        here, by_op = self.node, self.by_op or compared.by_op
        self.outlines = compared.outlines
        self.outline = self.outlines.ops if by_op else self.outlines.layers
        self.facts = ComparedFacts(comparison)
        self.marks = FindingMarks(self.outlines.graph)
        self.differences = DiffMarks(comparison)
        self._whole.clear()
        self.rebuild(here.key if here else None)
        if self.query_text:
            self._open_hits(here.key if here else None)

    def next_difference(self, names: Collection[str], direction: int) -> bool:
        """Go to the next layer or op of some, or with -1 to the one before; False for none."""
        name = next_of(names, self.outline, self._members, self.node, direction)
        return name is not None and self.go_to(name)

    @property
    def about(self) -> str:
        """What the rows tell."""
        return super().about if self.differences is None else HELP

    # what is shown

    @property
    def count(self) -> int:
        """How many rows are visible."""
        return len(self._rows)

    @property
    def node(self) -> OutlineNode | None:
        """The selected row."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    @property
    def place(self) -> Place | None:
        """What the selected row stands for."""
        return self.place_of(self.node) if self.node is not None else None

    @property
    def by_op(self) -> bool:
        """Whether ops are shown."""
        return self.outline.by_op

    @property
    def shown(self) -> int:
        """How many layers or ops there are in the tree, open or folded."""
        return len(self._members)

    @property
    def total(self) -> int:
        """How many there are without filter and search."""
        return len(self.outline.leaves)

    def show_place(self, place: Place) -> bool:
        """Select a place; an op that is no row now by its layer. False where nothing is."""
        if place.node is not None:
            return self.reveal(place.node.key)
        if place.kind == "variable":  # is no row itself, but its layer, or a reader, is one
            graph = self.outlines.graph
            variable = graph.variable_by_name[place.name]
            users = (*variable.handles, *variable.readers)
            owners = (graph.layer_of_op.get(one) for one in users)
            names = [owner.name for owner in owners if owner is not None] or list(users)
            return any(self.go_to(name) for name in names[:1])
        return self.go_to(place.name)

    @property
    def hiding(self) -> str:
        """Why something may be no row now."""
        if self.query_text:
            return "a search is on (escape ends it)"
        if self.only != Only.ALL:
            return f"only {self.only} is shown (f)"
        return "ops are not shown (o)" if not self.by_op else "it is no op"

    @property
    def nodes(self) -> Sequence[OutlineNode]:
        """All rows, from the top."""
        return self._rows

    def rebuild(self, keep: Key | None = None, *, among: Sequence[int] | None = None) -> None:
        """Make the rows again after a change of depth or filter, or `among` some leaves."""
        members = self.outline.kept(self.only) if among is None else among
        if self.query_text:
            self.hits = self.outline.found(self.query_text, members)
            members = sorted(chain.from_iterable(self.hits.values()))
        self._confine_to(members)
        self._refill(keep)

    def _confine_to(self, members: Sequence[int]) -> None:
        """Show some leaves of those that the filter keeps; nodes above all of those are kept."""
        self._members = members
        whole = len(members) == len(self.outline.kept(self.only))
        self._made = self._whole.setdefault((self.by_op, self.only), {}) if whole else {}
        self._hit_of = None

    def _below(self, node: OutlineNode | None) -> list[OutlineNode]:
        """The nodes below one, or the roots; made when they are first asked for."""
        key = node.key if node is not None else None
        if key not in self._made:
            made = (
                self.outline.roots(self._members) if node is None else self.outline.children(node)
            )
            self._made[key] = made
        return self._made[key]

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
        self.resized()
        if keep is not None:
            at = next((place for place, node in enumerate(rows) if node.key == keep), None)
            if at is not None:
                self.cursor = at
        after = self.node
        if (before and before.key) != (after and after.key):
            self.post_message(self.Moved(self, self.cursor))

    # search

    def search(self, text: str) -> None:
        """Keep only what holds `text`, with what is above it; nothing ends the search."""
        if self._restore is None:
            self._restore = set(self._open), self.node.key if self.node else None
        narrower = self.query_text and text.lower().startswith(self.query_text.lower())
        self.query_text = text
        if not text:
            self.hits = {}
            before, keep = self._restore
            self._open = set(before)
            self.rebuild(keep)
            return
        self._open = set()
        self.rebuild(among=self._members if narrower else None)
        self._open_hits()
        self._to_first_hit()

    def end_search(self, *, stay: bool) -> None:
        """Show all again; `stay` on the row that was found, or back where the search began."""
        here = self.node.key if self.node else None
        if not self.query_text:
            self._restore = None
            return
        self.query_text, self.hits = "", {}
        before, place = self._restore or (set(), None)
        self._restore = None
        self._open = set(before)
        if stay and here is not None:
            self._confine_to(self.outline.kept(self.only))
            self.reveal(here)
        else:
            self.rebuild(place)

    def _open_hits(self, keep: Key | None = None) -> None:
        """Open what holds hits, from the top, as long as that is not too much to look at."""
        rows = list(self._rows)
        level = list(rows)
        while level and len(rows) < MOST_OPENED:
            below: list[OutlineNode] = []
            for node in level:
                if len(rows) + len(below) >= MOST_OPENED:
                    break
                if node.opens and not self._is_hit(node):
                    self._open.add(node.key)
                    below += self._below(node)
            rows += below
            level = below
        self._refill(keep)

    def _is_hit(self, node: OutlineNode) -> bool:
        return node.key[1] in self.hits or (
            node.own is not None and self.outline.paths[node.own] in self.hits
        )

    @property
    def hit_rows(self) -> list[int]:
        """The rows that hold what is searched for."""
        return [place for place, node in enumerate(self._rows) if self._is_hit(node)]

    def next_hit(self, direction: int) -> None:
        """Go to the next hit, or with -1 to the one before, opening what it lies in."""
        while True:  # open the folded row that the next hit lies in, down to the hit itself
            rows = [at for at, node in enumerate(self._rows) if self._holds_hit(node)]
            if not rows:
                return
            ahead = [at for at in rows if (at - self.cursor) * direction > 0]
            wrapped = rows[0] if direction > 0 else rows[-1]
            at = (ahead[0] if direction > 0 else ahead[-1]) if ahead else wrapped
            node = self._rows[at]
            if self._is_hit(node):
                self.cursor = at
                return
            self._open.add(node.key)
            self._refill(self.node.key if self.node else None)

    def _holds_hit(self, node: OutlineNode) -> bool:
        """Whether a row is a hit, or is folded over one."""
        folded = node.opens and node.key not in self._open
        return self._is_hit(node) or (folded and self._hits_below(node) > 0)

    def _to_first_hit(self) -> None:
        rows = self.hit_rows
        if rows:
            self.cursor = rows[0]

    # depth, filter, folding

    def set_depth(self, *, ops: bool) -> None:
        """Show layers, or ops as well, and stay at the same place."""
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

    def confine(self, only: Only) -> None:
        """Show only some sort of layers or ops."""
        here = self.node
        self.only = only
        self.rebuild(here.key if here else None)

    def go_to(self, name: str) -> bool:
        """Select a layer or op by name, opening what is above it; False where it is hidden."""
        place = self.outline.place_of(name)
        if place is None:
            return False
        layer = self.outlines.graph.layer_by_name.get(name)
        way = self.outline.way_to(place, self._members)
        if layer is not None:
            at = next((at for at, one in enumerate(way) if one.name == name), None)
            way = way[: at + 1] if at is not None else way
        return self._select(way)

    def reveal(self, key: Key) -> bool:
        """Select a node by its key, opening what is above it."""
        way = self.outline.way_to_key(key, self._members)
        if not way:
            self._refill(None)
        return self._select(way)

    def _select(self, way: Sequence[OutlineNode]) -> bool:
        if not way:
            return False
        self._open.update(node.key for node in way[:-1])
        self._refill(way[-1].key)
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action makes sense now: a leaf does not open."""
        del parameters
        return action != "fold_or_open" or (self.node is not None and self.node.opens)

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
        """Open the selected row; go to its first child if it is open."""
        node = self.node
        if node is None or not node.opens:
            return
        if node.key in self._open:
            self.action_move(1)
        else:
            self.action_fold_or_open()

    def action_fold(self) -> None:
        """Fold the selected row; go up if it is folded."""
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

    def link_of(self, place: int) -> Link | None:
        """Rows lead nowhere: to select one is to see it."""
        del place
        return None

    def on_click(self, event: events.Click) -> None:
        """Select a row; on its fold sign, or at a second click, open or fold it."""
        place = self.scroll_offset.y + event.y
        if not 0 <= place < self.count:
            return
        self.cursor = place
        if event.x // 2 == self._rows[place].depth or event.chain > 1:
            self.action_fold_or_open()

    # drawing

    def place_of(self, node: OutlineNode) -> Place:
        """What a row stands for."""
        if node.kind == NodeKind.SCOPE:
            return Place("scope", node.name, node, self.outline)
        return Place("layer" if node.kind == NodeKind.LAYER else "op", node.name)

    def text_of(self, place: int) -> Text:
        """A row: name, shape, histogram, zeros, as far as there is room."""
        node = self._rows[place]
        width = self.scrollable_content_region.width  # a scroll bar would hide the last digit
        shown = self.facts.of(node, self.outline)
        right = self._columns(shown, width)
        fold = ("▾ " if node.key in self._open else "▸ ") if node.opens else "  "
        name_room = max(4, width - len(right) - 2 * node.depth - 2 - 1)
        mark = self._hits_told(node) + shown.mark
        found = self.marks.of(node, self.outline, folded=node.key not in self._open)
        if self.differences is not None:
            found = self.differences.of(node, self.outline).append_text(found)
        name = fitted(node.label or "(no name)", name_room - len(mark) - len(found))
        made = Text("  " * node.depth, no_wrap=True).append(fold, "dim")
        start = len(made)
        made.append(name, "bold" if node.kind == NodeKind.SCOPE else "").append_text(found)
        if self.query_text and self._is_hit(node):
            made.stylize(self.part_style("lines--hit"), start, len(made))
        made.append(mark, self.part_style("lines--mark"))
        made.append(" " * max(1, width - made.cell_len - len(right)))
        made.append(right, "dim")
        return made

    def _columns(self, shown: Facts, width: int) -> str:
        """What stands right of a name, as far as there is room; distances come before shapes."""
        shape, number = fitted(shown.shape, SHAPE).rjust(SHAPE), shown.zeros.rjust(ZEROS)
        spark = " " + shown.spark.ljust(SPARK)
        columns, room = [shape, number, spark], width - LEAST_NAME - 2
        if self.differences is not None:
            columns, room = [number, shape, spark], room - MARK
        while columns and sum(map(len, columns)) > room:
            columns.pop()
        return "".join(columns)

    def _hits_told(self, node: OutlineNode) -> str:
        """How many hits a folded row holds."""
        if self.query_text and node.opens and node.key not in self._open:
            below = self._hits_below(node)
            if below and not self._is_hit(node):
                return f" ({below} hit{'s' * (below > 1)})"
        return ""

    def _hits_below(self, node: OutlineNode) -> int:
        """How many hits have paths that begin with a node's."""
        if self._hit_of is None:
            self._hit_of = {place: hit for hit, held in self.hits.items() for place in held}
        inside = {self._hit_of[place] for place in node.members}
        return sum(1 for hit in inside if hit.startswith(node.inner))
