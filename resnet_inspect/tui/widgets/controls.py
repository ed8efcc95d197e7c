"""Controls of one line: a choice between options, and a slider over steps."""

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


class LineWidget(Widget):
    """A widget that draws one line of text."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"control--chosen"}
    DEFAULT_CSS = "LineWidget { height: 1; }"

    def line(self) -> Text:
        """Return the text of the line."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Render the line, cut to the width."""
        width = self.size.width
        drawn = list(self.line().render(self.app.console)) if y == 0 else []
        strip = Strip(drawn).crop(0, width).extend_cell_length(width)
        return strip.apply_style(self.rich_style)

    def part_style(self, name: str):  # type: ignore[no-untyped-def]
        """Return the style of a component class without inherited styles."""
        return self.get_component_rich_style(name, partial=True)


class ChoiceBar(LineWidget):
    """A choice between options. Brackets mark the chosen option.

    A narrow bar shows only the options around the chosen one.
    """

    chosen: reactive[str] = reactive("")

    class Chosen(Message):
        """Another option was chosen."""

        def __init__(self, bar: ChoiceBar, option: str) -> None:
            super().__init__()
            self.bar = bar
            self.option = option

        @property
        def control(self) -> ChoiceBar:
            """The bar that sent the message."""
            return self.bar

    def __init__(self, label: str, options: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.label = label
        self.options: Sequence[str] = tuple(options)
        self.set_reactive(ChoiceBar.chosen, self.options[0] if self.options else "")

    def set_options(self, options: Sequence[str], chosen: str | None = None) -> None:
        """Set the options. Keep the choice if it is one of them."""
        self.options = tuple(options)
        choice = chosen if chosen is not None else self.chosen
        first = self.options[0] if self.options else ""
        self.chosen = choice if choice in self.options else first
        self.refresh()

    def choose_next(self, by: int = 1) -> None:
        """Choose the next option, or with -1 the previous one."""
        if len(self.options) > 1:
            here = self.options.index(self.chosen)
            self.choose(self.options[(here + by) % len(self.options)])

    def choose(self, option: str) -> None:
        """Choose an option and send a message."""
        self.chosen = option
        self.post_message(self.Chosen(self, option))

    def _visible(self) -> tuple[int, int]:
        """Return the range of visible options around the chosen one."""
        if not self.options:
            return 0, 0
        here = self.options.index(self.chosen)
        first, last = here, here + 1
        space = self.size.width - cell_len(self.label) - 5 - cell_len(self.options[here]) - 2
        while first > 0 or last < len(self.options):
            ahead = cell_len(self.options[last]) + 2 if last < len(self.options) else None
            behind = cell_len(self.options[first - 1]) + 2 if first > 0 else None
            if (
                ahead is not None
                and ahead <= space
                and (behind is None or last - here <= here - first)
            ):
                space, last = space - ahead, last + 1
            elif behind is not None and behind <= space:
                space, first = space - behind, first - 1
            elif ahead is not None and ahead <= space:
                space, last = space - ahead, last + 1
            else:
                break
        return first, last

    def _spans(self) -> list[tuple[int, int, str]]:
        """Return start column, end column and text of each visible option."""
        first, last = self._visible()
        at = cell_len(self.label) + 1 + 2 * (first > 0)
        spans = []
        for option in self.options[first:last]:
            size = cell_len(option) + 2
            spans.append((at, at + size, option))
            at += size
        return spans

    def line(self) -> Text:
        """Return label and options."""
        first, last = self._visible()
        text = Text(no_wrap=True).append(f"{self.label} ", "dim")
        if first > 0:
            text.append("‹ ", "dim")
        for option in self.options[first:last]:
            if option == self.chosen:
                text.append(f"[{option}]", self.part_style("control--chosen"))
            else:
                text.append(f" {option} ", "none")
        if last < len(self.options):
            text.append("›", "dim")
        return text

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked option."""
        for start, end, option in self._spans():
            if start <= event.x < end:
                self.choose(option)
                return


class StepSlider(LineWidget):
    """A slider over the recorded steps. From the last step it follows new steps."""

    step: reactive[int | None] = reactive(None)

    class Moved(Message):
        """Another step was chosen."""

        def __init__(self, slider: StepSlider, step: int) -> None:
            super().__init__()
            self.slider = slider
            self.step = step

        @property
        def control(self) -> StepSlider:
            """The slider that sent the message."""
            return self.slider

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.steps: Sequence[int] = ()

    def set_steps(self, steps: Sequence[int]) -> None:
        """Set the steps. Keep the chosen step, or follow new steps from the last one."""
        at_end = not self.steps or self.step == self.steps[-1]
        self.steps = tuple(steps)
        if not self.steps:
            self.step = None
        elif at_end or self.step not in self.steps:
            self.step = self.steps[-1]
        self.refresh()

    def move(self, by: int) -> None:
        """Move by some recorded steps."""
        if self.steps and self.step is not None:
            here = self.steps.index(self.step)
            self._go(self.steps[max(0, min(len(self.steps) - 1, here + by))])

    def _go(self, step: int) -> None:
        if step != self.step:
            self.step = step
            self.post_message(self.Moved(self, step))

    def _track(self) -> tuple[str, int, str]:
        """Return the text before the track, the width of the track, and the text after it."""
        if not self.steps:
            return "no step was recorded", 0, ""
        before = f"step {str(self.step).rjust(len(str(self.steps[-1])))} "
        after = f" {self.steps[0]}…{self.steps[-1]}"
        return before, max(3, self.size.width - len(before) - len(after)), after

    def line(self) -> Text:
        """Return the step and its position on the track."""
        before, length, after = self._track()
        text = Text(fitted(before, max(1, self.size.width)), no_wrap=True)
        if length and self.step is not None:
            here = self.steps.index(self.step) / max(1, len(self.steps) - 1)
            at = round(here * (length - 1))
            text.append("─" * at, "dim")
            text.append("●", self.part_style("control--chosen"))
            text.append("─" * (length - 1 - at) + after, "dim")
        return text

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked step."""
        before, length, _ = self._track()
        if length:
            share = min(1.0, max(0.0, (event.x - len(before)) / max(1, length - 1)))
            self._go(self.steps[round(share * (len(self.steps) - 1))])
