"""The help screen: the focused pane, then all keys in groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widget import Widget

from resnet_inspect.tui.widgets.key_line import KeyLine
from resnet_inspect.tui.widgets.line_list import Line, LineList
from resnet_inspect.tui.widgets.texts import pair, sentence, title

WIDTH = 72
Keymap = dict[str, str]


class HelpList(LineList):
    """The lines of the help."""

    SELECTS = False


class HelpScreen(ModalScreen[None]):
    """Lists the keys in groups."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close", id="close-help"),
    ]

    def __init__(
        self, focused: Widget | None, groups: Sequence[tuple[str, Iterable[Binding]]], keys: Keymap
    ) -> None:
        super().__init__()
        self._about = focused.about if isinstance(focused, LineList) else ""
        self._groups = groups
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Create the list of keys and the key line."""
        yield HelpList(id="help-lines")
        yield KeyLine()

    def on_mount(self) -> None:
        """Fill the list."""
        lines = self.query_one(HelpList)
        lines.focus()
        lines.show(list(self._lines(WIDTH)))

    def _lines(self, width: int) -> Iterator[Line]:
        about = " ".join(self._about.replace("**", "").replace("`", "").split())
        if about:
            yield from sentence(about, width)
        for name, bindings in self._groups:
            yield from title(name, width)
            for binding in bindings:
                yield from pair(self._spelled(binding), binding.tooltip or binding.description,
                                width)  # fmt: skip
        yield Line(Text(""))
        yield from sentence("Press ctrl+p to find an action by name.", width, "dim")

    def _spelled(self, binding: Binding) -> str:
        """Return the keys of a binding as text. Keys from the user's configuration come first."""
        configured = self._keys.get(binding.id or "")
        if configured is None and binding.key_display:
            return binding.key_display
        return " ".join(SYMBOLS.get(key, key) for key in (configured or binding.key).split(","))


SYMBOLS = {"escape": "esc", "slash": "/", "question_mark": "?", "left_square_bracket": "[",
           "right_square_bracket": "]", "pageup": "pgup", "pagedown": "pgdn"}  # fmt: skip
