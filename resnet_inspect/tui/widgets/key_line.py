"""The last line of a screen: the keys that do something now.

Textual's footer makes a widget for each key, and makes all of them again whenever one changes;
that took as long as everything else that a key leads to. This one is a line of text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.screen import Screen

from resnet_inspect.tui.widgets.controls import OneLine

MORE = "…"
LAST = ("help", "quit")  # always shown, at the end: they lead to all others, and out


class KeyLine(OneLine):
    """Keys with what they do, as many as there is room for; a click is like the key."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key", "keys--text"}
    DEFAULT_CSS = """
    KeyLine { dock: bottom; background: $footer-background; }
    KeyLine > .keys--key {
        color: $footer-key-foreground; background: $footer-background; text-style: bold;
    }
    KeyLine > .keys--text {
        color: $footer-description-foreground; background: $footer-background;
    }
    """

    _keys: tuple[tuple[str, Binding], ...] = ()

    def on_mount(self) -> None:
        """Be told when keys come or go."""
        self.screen.bindings_updated_signal.subscribe(self, self.look)

    def look(self, screen: Screen[object]) -> None:
        """Ask for the keys again, and draw them where there are others."""
        if not self.is_attached or screen is not self.screen:
            return
        by_action: dict[str, tuple[str, Binding]] = {}
        for _, binding, enabled, _ in screen.active_bindings.values():
            if binding.show and enabled:
                shown = self.app.get_key_display(binding)
                by_action.setdefault(binding.action, (shown, binding))
        first = getattr(screen, "FIRST_KEYS", ())
        ordered = sorted(by_action.values(), key=lambda one: one[1].id not in first)
        found = tuple(sorted(ordered, key=lambda one: one[1].id in LAST))
        if found != self._keys:
            self._keys = found
            self.refresh()

    def _spans(self) -> list[tuple[int, int, str, Binding]]:
        """Where each key that there is room for stands, with its sign."""
        tail = [key for key in self._keys if key[1].id in LAST]
        head = [key for key in self._keys if key not in tail]
        room = self.size.width - 1
        if cut := _width([*head, *tail]) > room:
            room -= len(MORE) + 2 + (_width(tail) + 2 if tail else 0)
            while head and _width(head) > room:
                head.pop()
        spans: list[tuple[int, int, str, Binding]] = []
        at = 1
        for key in [*head, *tail]:
            if cut and len(spans) == len(head):
                at += len(MORE) + 2
            end = at + _width([key])
            spans.append((at, end, *key))
            at = end + 2
        return spans

    def line(self) -> Text:
        """Keys and what they do; an ellipsis for those that there is no room for."""
        key, text = self.part_style("keys--key"), self.part_style("keys--text")
        made = Text(no_wrap=True)
        for start, _, sign, binding in self._spans():
            if start - made.cell_len > 2:
                made.append(f"  {MORE}", text)
            made.append(" " * (start - made.cell_len))
            made.append(sign, key).append(f" {binding.description}", text)
        return made

    def _under(self, x: int) -> Binding | None:
        return next((key for start, end, _, key in self._spans() if start <= x < end), None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain the key below the pointer."""
        binding = self._under(event.x)
        self.tooltip = (binding.tooltip or binding.description) if binding else None

    def on_click(self, event: events.Click) -> None:
        """Do what the key below the pointer does."""
        binding = self._under(event.x)
        if binding is not None:
            self.app.simulate_key(binding.key.partition(",")[0])


def _width(keys: Sequence[tuple[str, Binding]]) -> int:
    """The cells that keys take, with what they do, two between them."""
    return sum(cell_len(sign) + 3 + cell_len(key.description) for sign, key in keys) - 2
