"""A list of lines with a cursor and links. Only visible lines are drawn.

Trees and texts are such lists, so the cost of a key depends on the height of the window and not on
the size of the network.
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
    """A line of text. `enter` or a double click follows its `link`."""

    text: Text
    link: Link | None = None


class LineList(ScrollView, can_focus=True):
    """A list of lines with a cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--cursor", "lines--mark", "lines--hit"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="up", tooltip="go up a line"),
        Binding("down,j", "move(1)", "Down", show=False, id="down", tooltip="go down a line"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="page-up",
                tooltip="go up a page"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="page-down",
                tooltip="go down a page"),
        Binding("home,g", "go(0)", "First line", show=False, id="first",
                tooltip="go to the first line"),
        Binding("end,G", "go(-1)", "Last line", show=False, id="last",
                tooltip="go to the last line"),
        Binding("enter", "activate", "Follow", id="follow", tooltip="follow a line with an arrow"),
    ]  # fmt: skip
    cursor: reactive[int] = reactive(0)
    # Keys scroll a picture, because it has no line to select.
    SELECTS: ClassVar[bool] = True
    # Lines at the top that do not scroll: 1 for a list with a `heading`.
    HEADINGS: ClassVar[int] = 0

    class Moved(Message):
        """The cursor is on another line."""

        def __init__(self, lines: LineList, cursor: int) -> None:
            super().__init__()
            self.lines = lines
            self.cursor = cursor

        @property
        def control(self) -> LineList:
            """The list that sent the message."""
            return self.lines

    class Followed(Message):
        """A link was chosen."""

        def __init__(self, lines: LineList, link: Link) -> None:
            super().__init__()
            self.lines = lines
            self.link = link

        @property
        def control(self) -> LineList:
            """The list that sent the message."""
            return self.lines

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: Sequence[Line] = ()
        self._base_style = Style()

    def show(self, lines: Sequence[Line], *, cursor: int = 0) -> None:
        """Show other lines from the top, with the cursor on the given line."""
        followed = self.has_links
        self.lines = lines
        if self.has_links != followed:
            self.refresh_bindings()
        self.adapt_size(keep=False)
        self.cursor = max(0, min(cursor, self.count - 1))
        self.scroll_to_cursor()

    def update_lines(self, lines: Sequence[Line]) -> None:
        """Show new lines, and keep cursor and scroll position."""
        top, cursor = self.scroll_offset.y, self.cursor
        self.show(lines, cursor=cursor)
        self.scroll_to(y=top, animate=False, force=True)

    def adapt_size(self, *, keep: bool = True) -> None:
        """Adapt to another number of lines."""
        self.virtual_size = Size(0, self.count + self.HEADINGS)
        if not keep:
            self.scroll_to(y=0, animate=False, force=True)
        self.cursor = max(0, min(self.cursor, self.count - 1))
        self.refresh()

    @property
    def has_links(self) -> bool:
        """Whether `enter` follows some line."""
        return any(line.link is not None for line in self.lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action is available now. A list without links follows none."""
        del parameters
        return action != "activate" or self.has_links

    @property
    def about(self) -> str:
        """The text about the list for the help screen."""
        return self.HELP or ""

    @property
    def count(self) -> int:
        """The number of lines."""
        return len(self.lines)

    def heading(self) -> Text:
        """Return the heading above the lines."""
        return Text()

    def text_of(self, index: int) -> Text:
        """Return the text of a line, not yet cut to the width."""
        return self.lines[index].text

    def link_of(self, index: int) -> Link | None:
        """Return the link of a line."""
        return self.lines[index].link

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render visible lines. Their style depends on all ancestors and is computed once."""
        self._base_style = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Render a visible line."""
        index = self.scroll_offset.y + y - self.HEADINGS
        width = self.size.width
        if index >= self.count:
            return Strip.blank(width, self._base_style)
        text = (self.heading() if y < self.HEADINGS else self.text_of(index)).copy()
        base = self._base_style
        if not self.SELECTS or y < self.HEADINGS:
            pass
        elif index == self.cursor and self.has_focus:
            base += self.part_style("lines--cursor")
        elif index == self.cursor:
            base += self.part_style("lines--mark")
        drawn = list(text.render(self.app.console))
        strip = Strip(Segment.apply_style(drawn, Style())).crop(0, width).simplify()
        return strip.extend_cell_length(width).apply_style(base)

    def part_style(self, name: str) -> Style:
        """Return the style of a component class without inherited styles."""
        return self.get_component_rich_style(name, partial=True)

    def watch_cursor(self, before: int, after: int) -> None:
        """Draw the two changed lines and send a message."""
        for index in (before, after):
            y = index - self.scroll_offset.y + self.HEADINGS
            self.refresh(Region(0, y, self.size.width, 1))
        self.scroll_to_cursor()
        self.post_message(self.Moved(self, after))

    def scroll_to_cursor(self) -> None:
        """Scroll until the cursor is visible."""
        top, height = self.scroll_offset.y, self._lines_in_window
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    @property
    def _lines_in_window(self) -> int:
        return max(1, self.scrollable_content_region.height - self.HEADINGS)

    def index_at(self, event: events.Click) -> int | None:
        """Return the number of the clicked line, None for the heading or an empty place."""
        index = self.scroll_offset.y + event.y - self.HEADINGS
        return index if event.y >= self.HEADINGS and index < self.count else None

    def action_move(self, lines: int) -> None:
        """Move the cursor, or scroll a picture."""
        if not self.SELECTS:
            self.scroll_relative(y=lines, animate=False)
            return
        self.cursor = max(0, min(self.cursor + lines, self.count - 1))

    def action_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        self.action_move(pages * max(1, self._lines_in_window - 1))

    def action_go(self, index: int) -> None:
        """Move the cursor to a line. Negative numbers count from the end."""
        self.cursor = max(0, index if index >= 0 else self.count + index)
        if not self.SELECTS:
            self.scroll_to(y=self.cursor, animate=False)

    def action_activate(self) -> None:
        """Follow the link of the line at the cursor."""
        link = self.link_of(self.cursor) if self.count else None
        if link is not None:
            self.post_message(self.Followed(self, link))

    def on_click(self, event: events.Click) -> None:
        """Select the clicked line. A double click follows its link."""
        index = self.index_at(event)
        if index is None:
            return
        again = index == self.cursor and event.chain > 1
        self.cursor = index
        if again:
            self.action_activate()

    def on_resize(self) -> None:
        """Keep the cursor visible."""
        self.call_after_refresh(self.scroll_to_cursor)
