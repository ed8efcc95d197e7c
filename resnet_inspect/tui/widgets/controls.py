"""One-line controls: a choice among a few words, and a place among steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from resnet_inspect.render.labels import fitted


class OneLine(Widget):
    """A widget that draws one line of text."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"control--chosen"}
    DEFAULT_CSS = "OneLine { height: 1; }"

    def line(self) -> Text:
        """The line."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """The line, cut to the width."""
        width = self.size.width
        drawn = list(self.line().render(self.app.console)) if y == 0 else []
        strip = Strip(drawn).crop(0, width).extend_cell_length(width)
        return strip.apply_style(self.rich_style)

    def part_style(self, name: str):  # type: ignore[no-untyped-def]
        """The style of one of the component classes, without what it inherits."""
        return self.get_component_rich_style(name, partial=True)


class ChoiceBar(OneLine):
    """Words of which one is chosen, marked by brackets; where not all fit, those around it."""

    chosen: reactive[str] = reactive("")

    class Chosen(Message):
        """Another word was chosen."""

        def __init__(self, bar: ChoiceBar, word: str) -> None:
            super().__init__()
            self.bar = bar
            self.word = word

        @property
        def control(self) -> ChoiceBar:
            """The bar that sent it."""
            return self.bar

    def __init__(self, label: str, words: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.label = label
        self.words: Sequence[str] = tuple(words)
        self.set_reactive(ChoiceBar.chosen, self.words[0] if self.words else "")

    def offer(self, words: Sequence[str], chosen: str | None = None) -> None:
        """Offer other words; the choice stays if it is among them."""
        self.words = tuple(words)
        wanted = chosen if chosen is not None else self.chosen
        self.chosen = wanted if wanted in self.words else (self.words[0] if self.words else "")
        self.refresh()

    def turn(self, by: int = 1) -> None:
        """Choose the next word, or with -1 the one before."""
        if len(self.words) > 1:
            here = self.words.index(self.chosen)
            self.pick(self.words[(here + by) % len(self.words)])

    def pick(self, word: str) -> None:
        """Choose a word and tell."""
        self.chosen = word
        self.post_message(self.Chosen(self, word))

    def _visible(self) -> tuple[int, int]:
        """The first and the last word for which there is room, around the chosen one."""
        if not self.words:
            return 0, 0
        here = self.words.index(self.chosen)
        first, last = here, here + 1
        room = self.size.width - cell_len(self.label) - 5 - cell_len(self.words[here]) - 2
        while first > 0 or last < len(self.words):
            ahead = cell_len(self.words[last]) + 2 if last < len(self.words) else None
            behind = cell_len(self.words[first - 1]) + 2 if first > 0 else None
            if (
                ahead is not None
                and ahead <= room
                and (behind is None or last - here <= here - first)
            ):
                room, last = room - ahead, last + 1
            elif behind is not None and behind <= room:
                room, first = room - behind, first - 1
            elif ahead is not None and ahead <= room:
                room, last = room - ahead, last + 1
            else:
                break
        return first, last

    def _spans(self) -> list[tuple[int, int, str]]:
        """Where each visible word stands."""
        first, last = self._visible()
        at = cell_len(self.label) + 1 + 2 * (first > 0)
        spans = []
        for word in self.words[first:last]:
            size = cell_len(word) + 2
            spans.append((at, at + size, word))
            at += size
        return spans

    def line(self) -> Text:
        """Label and words."""
        first, last = self._visible()
        made = Text(no_wrap=True).append(f"{self.label} ", "dim")
        if first > 0:
            made.append("‹ ", "dim")
        for word in self.words[first:last]:
            if word == self.chosen:
                made.append(f"[{word}]", self.part_style("control--chosen"))
            else:
                made.append(f" {word} ", "none")
        if last < len(self.words):
            made.append("›", "dim")
        return made

    def on_click(self, event: events.Click) -> None:
        """Choose the word below the pointer."""
        for start, end, word in self._spans():
            if start <= event.x < end:
                self.pick(word)
                return


class StepSlider(OneLine):
    """A place among the recorded steps; at the last one it follows new ones."""

    step: reactive[int | None] = reactive(None)

    class Moved(Message):
        """Another step was chosen."""

        def __init__(self, slider: StepSlider, step: int) -> None:
            super().__init__()
            self.slider = slider
            self.step = step

        @property
        def control(self) -> StepSlider:
            """The slider that sent it."""
            return self.slider

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.steps: Sequence[int] = ()

    def offer(self, steps: Sequence[int]) -> None:
        """Offer other steps; stay, or follow where the last one was chosen."""
        at_end = not self.steps or self.step == self.steps[-1]
        self.steps = tuple(steps)
        if not self.steps:
            self.step = None
        elif at_end or self.step not in self.steps:
            self.step = self.steps[-1]
        self.refresh()

    def move(self, by: int) -> None:
        """Go some recorded steps ahead or back."""
        if self.steps and self.step is not None:
            here = self.steps.index(self.step)
            self._go(self.steps[max(0, min(len(self.steps) - 1, here + by))])

    def _go(self, step: int) -> None:
        if step != self.step:
            self.step = step
            self.post_message(self.Moved(self, step))

    def _track(self) -> tuple[str, int, str]:
        """The text before the track, its length, the text after it."""
        if not self.steps:
            return "no step was recorded", 0, ""
        before = f"step {str(self.step).rjust(len(str(self.steps[-1])))} "
        after = f" {self.steps[0]}…{self.steps[-1]}"
        return before, max(3, self.size.width - len(before) - len(after)), after

    def line(self) -> Text:
        """The step and where it is."""
        before, length, after = self._track()
        made = Text(fitted(before, max(1, self.size.width)), no_wrap=True)
        if length and self.step is not None:
            here = self.steps.index(self.step) / max(1, len(self.steps) - 1)
            at = round(here * (length - 1))
            made.append("─" * at, "dim")
            made.append("●", self.part_style("control--chosen"))
            made.append("─" * (length - 1 - at) + after, "dim")
        return made

    def on_click(self, event: events.Click) -> None:
        """Go to the step below the pointer."""
        before, length, _ = self._track()
        if length:
            share = min(1.0, max(0.0, (event.x - len(before)) / max(1, length - 1)))
            self._go(self.steps[round(share * (len(self.steps) - 1))])
