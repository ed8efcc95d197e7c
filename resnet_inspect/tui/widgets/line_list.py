"""Lines of which one is selected, and which may lead somewhere; only visible ones are drawn.

Trees and texts of any length are lists of lines here: what a key costs depends on the height of
the window, not on the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from resnet_inspect.tui.run.places import Link


@dataclass(frozen=True)
class Line:
    """A line of text; with `link`, enter or a click leads there."""

    text: Text
    link: Link | None = None


class LineList(ScrollView, can_focus=True):
    """A list of lines with a cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--cursor", "lines--mark", "lines--hit"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="up"),
        Binding("down,j", "move(1)", "Down", show=False, id="down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="page-up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="page-down"),
        Binding("home,g", "go(0)", "First line", show=False, id="first"),
        Binding("end,G", "go(-1)", "Last line", show=False, id="last"),
        Binding("enter", "activate", "Follow", id="follow"),
    ]
    cursor: reactive[int] = reactive(0)
    # A picture has no line to select: keys scroll it.
    SELECTS: ClassVar[bool] = True

    class Moved(Message):
        """The cursor is on another line."""

        def __init__(self, lines: LineList, cursor: int) -> None:
            super().__init__()
            self.lines = lines
            self.cursor = cursor

        @property
        def control(self) -> LineList:
            """The list that sent it."""
            return self.lines

    class Followed(Message):
        """A link was chosen."""

        def __init__(self, lines: LineList, link: Link) -> None:
            super().__init__()
            self.lines = lines
            self.link = link

        @property
        def control(self) -> LineList:
            """The list that sent it."""
            return self.lines

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line], *, cursor: int = 0) -> None:
        """Show other lines, from the first, with the cursor on the given one."""
        self.lines = lines
        self.resized(keep=False)
        self.cursor = max(0, min(cursor, self.count - 1))
        self.scroll_to_cursor()

    def renew(self, lines: Sequence[Line]) -> None:
        """Show the same text as it is now, from where it was read."""
        top, cursor = self.scroll_offset.y, self.cursor
        self.show(lines, cursor=cursor)
        self.scroll_to(y=top, animate=False, force=True)

    def resized(self, *, keep: bool = True) -> None:
        """Take note that there are more or fewer lines now."""
        self.virtual_size = Size(0, self.count)
        if not keep:
            self.scroll_to(y=0, animate=False, force=True)
        self.cursor = max(0, min(self.cursor, self.count - 1))
        self.refresh()

    @property
    def about(self) -> str:
        """What the lines tell, for the help."""
        return self.HELP or ""

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.lines)

    def text_of(self, place: int) -> Text:
        """What a line says; it is cut at the width of the widget."""
        return self.lines[place].text

    def link_of(self, place: int) -> Link | None:
        """Where a line leads."""
        return self.lines[place].link

    def render_line(self, y: int) -> Strip:
        """One visible line."""
        place = self.scroll_offset.y + y
        width = self.size.width
        if place >= self.count:
            return Strip.blank(width, self.rich_style)
        text = self.text_of(place).copy()
        base = self.rich_style
        if not self.SELECTS:
            pass
        elif place == self.cursor and self.has_focus:
            base += self.part_style("lines--cursor")
        elif place == self.cursor:
            base += self.part_style("lines--mark")
        drawn = list(text.render(self.app.console))
        strip = Strip(Segment.apply_style(drawn, Style())).crop(0, width).simplify()
        return strip.extend_cell_length(width).apply_style(base)

    def part_style(self, name: str) -> Style:
        """The style of one of the component classes, without what it inherits."""
        return self.get_component_rich_style(name, partial=True)

    def watch_cursor(self, before: int, after: int) -> None:
        """Draw the two lines that changed, and tell."""
        for place in (before, after):
            self.refresh(Region(0, place - self.scroll_offset.y, self.size.width, 1))
        self.scroll_to_cursor()
        self.post_message(self.Moved(self, after))

    def scroll_to_cursor(self) -> None:
        """Bring the cursor's line into view."""
        top, height = self.scroll_offset.y, max(1, self.scrollable_content_region.height)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def action_move(self, lines: int) -> None:
        """Move the cursor, or the window over a picture."""
        if not self.SELECTS:
            self.scroll_relative(y=lines, animate=False)
            return
        self.cursor = max(0, min(self.cursor + lines, self.count - 1))

    def action_page(self, pages: int) -> None:
        """Move the cursor by windows."""
        self.action_move(pages * max(1, self.scrollable_content_region.height - 1))

    def action_go(self, place: int) -> None:
        """Move the cursor to a line; negative ones count from the end."""
        self.cursor = max(0, place if place >= 0 else self.count + place)
        if not self.SELECTS:
            self.scroll_to(y=self.cursor, animate=False)

    def action_activate(self) -> None:
        """Follow the link of the cursor's line."""
        link = self.link_of(self.cursor) if self.count else None
        if link is not None:
            self.post_message(self.Followed(self, link))

    def on_click(self, event: events.Click) -> None:
        """Select a line; follow its link on a second click on it."""
        place = self.scroll_offset.y + event.y
        if not 0 <= place < self.count:
            return
        again = place == self.cursor and event.chain > 1
        self.cursor = place
        if again:
            self.action_activate()

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self.call_after_refresh(self.scroll_to_cursor)
