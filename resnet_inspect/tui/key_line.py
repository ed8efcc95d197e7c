"""The last line of a screen: the keys that do something now.

Textual's footer makes a widget for each key, and makes all of them again whenever one changes;
that took as long as everything else that a key leads to. This one is a line of text.
"""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.screen import Screen

from resnet_inspect.tui.controls import OneLine

MORE = "…"


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
        found = tuple(sorted(by_action.values(), key=lambda one: one[1].id not in first))
        if found != self._keys:
            self._keys = found
            self.refresh()

    def _spans(self) -> list[tuple[int, int, str, Binding]]:
        """Where each key that there is room for stands, with its sign."""
        spans, at = [], 1
        for place, (sign, binding) in enumerate(self._keys):
            end = at + cell_len(sign) + 1 + cell_len(binding.description)
            last = place == len(self._keys) - 1
            if end > self.size.width - (0 if last else 2 + len(MORE)):
                break
            spans.append((at, end, sign, binding))
            at = end + 2
        return spans

    def line(self) -> Text:
        """Keys and what they do; an ellipsis for those that there is no room for."""
        key, text = self.part_style("keys--key"), self.part_style("keys--text")
        spans = self._spans()
        made = Text(" ", no_wrap=True)
        for _, _, sign, binding in spans:
            made.append(sign, key).append(f" {binding.description}  ", text)
        if len(spans) < len(self._keys):
            made.append(MORE, text)
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
