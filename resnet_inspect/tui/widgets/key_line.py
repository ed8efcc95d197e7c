"""The last line of a screen: the keys that are available now.

Textual's footer creates all its widgets again whenever a key changes. That took as long as the rest
of an action, so this footer is a line of text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.screen import Screen

from resnet_inspect.tui.widgets.controls import LineWidget

MORE = "…"
LAST = ("help", "quit")  # always shown, at the end


class KeyLine(LineWidget):
    """Keys with their actions, as many as fit. A click on a key acts like the key."""

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
        """Subscribe to changes of the available keys."""
        self.screen.bindings_updated_signal.subscribe(self, self.update_keys)

    def update_keys(self, screen: Screen[object]) -> None:
        """Read the available keys, and draw them if they have changed."""
        if not self.is_attached or screen is not self.screen:
            return
        by_action: dict[str, tuple[str, Binding]] = {}
        for _, binding, enabled, _ in screen.active_bindings.values():
            if binding.show and enabled:
                shown = self.app.get_key_display(binding)
                by_action.setdefault(binding.action, (shown, binding))
        first = getattr(screen, "FIRST_KEYS", ())
        ordered = sorted(by_action.values(), key=lambda key: key[1].id not in first)
        keys = tuple(sorted(ordered, key=lambda key: key[1].id in LAST))
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def _spans(self) -> list[tuple[int, int, str, Binding]]:
        """Return start column, end column, key and binding of each key that fits."""
        tail = [key for key in self._keys if key[1].id in LAST]
        head = [key for key in self._keys if key not in tail]
        space = self.size.width - 1
        if cut := _width([*head, *tail]) > space:
            space -= len(MORE) + 2 + (_width(tail) + 2 if tail else 0)
            while head and _width(head) > space:
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
        """Return keys and actions. An ellipsis replaces those that do not fit."""
        key, text = self.part_style("keys--key"), self.part_style("keys--text")
        line = Text(no_wrap=True)
        for start, _, sign, binding in self._spans():
            if start - line.cell_len > 2:
                line.append(f"  {MORE}", text)
            line.append(" " * (start - line.cell_len))
            line.append(sign, key).append(f" {binding.description}", text)
        return line

    def _binding_at(self, x: int) -> Binding | None:
        return next((key for start, end, _, key in self._spans() if start <= x < end), None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain the key below the pointer."""
        binding = self._binding_at(event.x)
        self.tooltip = (binding.tooltip or binding.description) if binding else None

    def on_click(self, event: events.Click) -> None:
        """Run the action of the clicked key."""
        binding = self._binding_at(event.x)
        if binding is not None:
            self.app.simulate_key(binding.key.partition(",")[0])


def _width(keys: Sequence[tuple[str, Binding]]) -> int:
    """Return the width of keys with their actions, in cells, two cells between them."""
    return sum(cell_len(sign) + 3 + cell_len(key.description) for sign, key in keys) - 2
