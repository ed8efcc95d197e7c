"""What a tensor held: histogram at a step, ridges and heat map over steps, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from rich.console import Console
from rich.text import Text
from textual import events
from textual.app import ComposeResult

from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.render.plots.distribution_pages import fitting_kind
from resnet_inspect.render.plots.distribution_remarks import remarks_on
from resnet_inspect.render.plots.heat_map import heat_map
from resnet_inspect.render.plots.histogram import fullest, histogram
from resnet_inspect.render.plots.quantile_table import quantile_tables
from resnet_inspect.render.plots.ridges import ridges
from resnet_inspect.render.plots.scale import Kind, Scale
from resnet_inspect.render.plots.spread import Distribution, merged
from resnet_inspect.stats import Tap, TensorSummary
from resnet_inspect.tui.panes.pane import Pane
from resnet_inspect.tui.run.documents import Wanted
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.recorded_parts import Part, around, recorded_of, row_of, title_of
from resnet_inspect.tui.run.two_runs import TwoRuns
from resnet_inspect.tui.widgets.controls import ChoiceBar, StepSlider
from resnet_inspect.tui.widgets.line_list import Line, LineList
from resnet_inspect.tui.widgets.texts import sentence

VIEWS = ("histogram", "ridges", "heat map", "numbers")
SCALES: dict[str, Kind | None] = {"auto": None, "linear": "linear", "log": "symlog"}
SIDES = ("alone", "around BN")
LEAST_HEIGHT, MOST_HEIGHT = 5, 40
MOST_PARTS, MOST_ROWS = 2000, 60


class Drawn(NamedTuple):
    """How histograms are drawn: as one `among` so many below one another, the share `top` reaching
    the uppermost row.
    """

    among: int = 1
    top: float = 0.0


class DistributionList(LineList):
    """The lines of a picture."""

    SELECTS = False

    HELP = """\
**Distribution.** `v` turns from histogram to ridges, heat map and numbers; `t` takes another tensor
of the layer: its output, the gradient of the loss with respect to it, a weight, a weight's
gradient; `y` the scale; `b` shows the tensor before and after batch normalization. `[` and `]` go
through the steps.
"""


class DistributionPane(Pane):
    """Distributions of the tensors of a layer, an op or a variable; of all layers of a scope."""

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__(recording, comparison)
        self.place: Place | None = None
        self._taps: dict[str, list[Part]] = {}
        self._read: dict[Part, tuple[int, Series]] = {}
        self._drawn: tuple[object, ...] = ()  # what the picture was drawn of
        self._keep: bool | None = None  # how to draw soon; None where that is not wanted

    def compose(self) -> ComposeResult:
        """Controls above a picture."""
        yield ChoiceBar("view ", VIEWS, id="view")
        yield ChoiceBar("of   ", (), id="tensor")
        yield ChoiceBar("scale", tuple(SCALES), id="scale")
        yield ChoiceBar("show ", SIDES, id="sides")
        yield StepSlider(id="step")
        yield DistributionList(id="distribution-lines")

    @property
    def lines(self) -> DistributionList:
        """The picture."""
        return self.query_one(DistributionList)

    def bar(self, name: str) -> ChoiceBar:
        """One of the choices: view, tensor, scale, sides."""
        return self.query_one(f"#{name}", ChoiceBar)

    @property
    def slider(self) -> StepSlider:
        """The step."""
        return self.query_one(StepSlider)

    @property
    def tap(self) -> Tap | None:
        """The tensor that is shown, of two runs A's unless only B has it; None where nothing was
        recorded or a scope is.
        """
        return self.parts[0].tap if self.parts else None

    @property
    def parts(self) -> list[Part]:
        """The tensor that is shown, of each run that recorded it."""
        return self._taps.get(self.bar("tensor").chosen, [])

    def look_at(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show a place, or show it again with more steps."""
        del axis
        same = place == self.place
        self.place = place
        self.slider.offer(self._steps())
        self._taps = self._tensors(place)
        self.bar("tensor").offer(list(self._taps))
        self.bar("tensor").display = bool(self._taps)
        self._offer_sides()
        group = place is not None and place.kind == "scope" and bool(self.slider.steps)
        there = bool(self._taps) and bool(self.slider.steps)
        self.bar("view").display = there
        self.bar("scale").display = there or group
        self.draw(keep=same)

    def _steps(self) -> tuple[int, ...]:
        """The steps to choose from: those that all runs recorded that have the place, or, where
        there are none, those that any did.
        """
        recorded = [side.recording.state.recorded for side in self.sides(self.place)]
        if len(recorded) < 2:
            return recorded[0]
        common = set(recorded[0]).intersection(*recorded[1:])
        return tuple(sorted(common or set().union(*recorded)))

    def _tensors(self, place: Place | None) -> dict[str, list[Part]]:
        """What of a place was recorded, by what it is called here, in each run."""
        found: dict[str, list[Part]] = {}
        for side in self.sides(place) if place is not None and place.kind != "scope" else ():
            for word, tap in recorded_of(side).items():
                found.setdefault(word, []).append(Part(side.sign, side.recording, tap))
        return found

    def _offer_sides(self) -> None:
        pair = self.pair
        self.bar("sides").display = pair is not None
        if pair is None:
            self.bar("sides").chosen = SIDES[0]

    @property
    def pair(self) -> tuple[Tap, Tap] | None:
        """The tensors before and after the batch normalization that the shown one is beside."""
        return around(self.parts[0]) if self.parts else None

    def on_choice_bar_chosen(self, event: ChoiceBar.Chosen) -> None:
        """Draw what was chosen."""
        event.stop()
        if event.bar.id == "tensor":
            self._offer_sides()
        self.draw()

    def on_step_slider_moved(self, event: StepSlider.Moved) -> None:
        """Draw another step."""
        event.stop()
        self.draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw anew."""
        del event
        self.draw()

    def copied(self) -> str:
        """All lines as text."""
        return "\n".join(line.text.plain.rstrip() for line in self.lines.lines)

    def wanted(self) -> Wanted | None:
        """The picture that is shown, for a file; None where there is none."""
        if self.tap is None or not self.parts[0].recording.state.recorded:
            return None
        taps = self.shown_taps(self.tap)
        view: Literal["heat map", "ridges"]
        view = "heat map" if self.bar("view").chosen == "heat map" else "ridges"
        return Wanted(view, self.place, taps=taps, scale=SCALES[self.bar("scale").chosen])

    def shown_taps(self, tap: Tap) -> tuple[Tap, ...]:
        """The tensor that is shown, or both sides of a normalization."""
        pair = self.pair if self.bar("sides").chosen == SIDES[1] else None
        return (tap,) if pair is None else pair

    def drawn_parts(self) -> list[Part]:
        """What is drawn: the tensor of each run, or both sides of a normalization."""
        if self.bar("sides").chosen != SIDES[1]:
            return self.parts
        ends = [(part, around(part)) for part in self.parts]
        return [replace(part, tap=both[place]) for place in (0, 1) for part, both in ends if both]

    def series(self, part: Part) -> Series:
        """What a tensor held at all steps; read again when there are more."""
        from resnet_inspect import api

        count = len(part.recording.state.recorded)
        known = self._read.get(part)
        if known is None or known[0] != count:
            known = self._read[part] = count, api.series(part.recording.run, part.tap)
        return known[1]

    def draw(self, *, keep: bool = False) -> None:
        """Draw the picture once sizes have settled: a pane that is turned to is laid out more than
        once. `keep` leaves it scrolled as it is.
        """
        if self._keep is None:
            self._keep = keep
            self.call_after_refresh(self._draw)
        self._keep = self._keep and keep

    def _draw(self) -> None:
        keep, self._keep = bool(self._keep), None
        if not self.size.width:
            return  # a resize will tell when there is room
        counts = tuple(len(side.recording.state.recorded) for side in self.runs)
        of = self.place, counts, self.known, self.slider.step
        how = [self.bar(one).chosen for one in ("view", "tensor", "scale", "sides")]
        shown = (*of, *how, self.lines.size, self.app.theme)
        if shown == self._drawn:
            return
        self._drawn = shown
        width = max(20, self.lines.size.width - 1)
        group = self.place is not None and self.place.kind == "scope"
        one = bool(self._taps) and self.bar("view").chosen == VIEWS[0]
        self.slider.display = bool(self.slider.steps) and (one or group)
        lines = [Line(text) for text in self._picture(width)]
        if keep:
            self.lines.renew(lines)
        else:
            self.lines.show(lines)

    def _picture(self, width: int) -> list[Text]:
        if self.place is None:
            return _said("Nothing is selected.", width)
        if self.place.kind == "scope":
            return self._scope(width)
        chosen = self.drawn_parts()
        if not chosen:
            return _said(self._missing(), width)
        every = [self.series(one) for one in chosen]
        if not any(one.course for one in every):
            return _said("No step was recorded.", width)
        rows = [[Distribution.of(f"{s}", x) for s, x in one.course.items()] for one in every]
        scale = self._scale([row for part in rows for row in part])
        titles = [title_of(one) for one in chosen]
        beside = len(chosen) > 1 and width >= 100
        room = (width - 3) // 2 if beside else width
        two = self.comparison is not None  # then heights can be compared, and both be seen
        among = len(chosen) if two and not beside else 1
        top = max((self._fullest(one, room, scale) for one in every), default=0.0) if two else 0.0
        pictures = [
            [Text(name, "bold"), *self._one(one, part, room, scale, Drawn(among, top))]
            for name, one, part in zip(titles, every, rows, strict=True)
        ]
        lines: list[Text] = []
        if beside and len(pictures) % 2 == 0:
            for at in range(0, len(pictures), 2):
                lines += [*_beside(pictures[at], pictures[at + 1], room), Text("")]
            return lines[:-1]
        for picture in pictures:
            lines += [*picture, Text("")]
        return lines

    def _scale(self, rows: Sequence[Distribution]) -> Scale:
        kind = SCALES[self.bar("scale").chosen] or fitting_kind(rows)
        return Scale.of([row.sketch for row in rows], kind)

    def _one(
        self,
        series: Series,
        rows: list[Distribution],
        width: int,
        scale: Scale,
        drawn: Drawn,
    ) -> list[Text]:
        view = self.bar("view").chosen
        if view == "ridges":
            lines = list(ridges(merged(rows, 40), width, scale=scale))
        elif view == "heat map":
            from resnet_inspect.render.plots.intensity import DARK, LIGHT

            lines = list(
                heat_map(
                    merged(rows, 80),
                    width,
                    scale=scale,
                    colour=not self.app.no_color and shades_shown(),
                    palette=DARK if self.app.current_theme.dark else LIGHT,
                )
            )
        elif view == "numbers":
            lines = _table_lines(series, width)
        else:
            held = self._held(series)
            if held is None:
                return _said("This step was not recorded.", width)
            room = self.lines.size.height // drawn.among - 8
            height = max(LEAST_HEIGHT, min(MOST_HEIGHT, room))
            row = Distribution.of("", held)
            lines = list(histogram(row, width, height, scale=scale, top=drawn.top))
            lines += [Text(""), *_table_lines(series, width, self.slider.step)]
        for line in remarks_on(series):
            lines += _said(line, width)
        return lines

    def _held(self, series: Series) -> TensorSummary | None:
        """What a tensor held at the chosen step."""
        return series.course.get(self.slider.step) if self.slider.step is not None else None

    def _fullest(self, series: Series, width: int, scale: Scale) -> float:
        held = self._held(series)
        return fullest(Distribution.of("", held), width, scale) if held is not None else 0.0

    def _scope(self, width: int) -> list[Text]:
        """A row for the output of each layer of a scope, at the step."""
        place, step = self.place, self.slider.step
        if place is None or place.outline is None or step is None:
            return _said(self._missing(), width)
        owners = place.outline.graph.layer_of_op
        layers = place.outline.graph.layer_by_name
        names = [one.name for one in place.leaves[:MOST_PARTS]]
        rows: list[Distribution] = []
        for name in dict.fromkeys(owners[one].name if one in owners else one for one in names):
            for side in self.sides(Place("layer" if name in layers else "op", name)):
                if len(rows) < MOST_ROWS:
                    rows += row_of(side, step)
        if not rows:
            return _said(self._missing(), width)
        return list(ridges(rows, width, scale=self._scale(rows)))

    def _missing(self) -> str:
        sides = self.sides(self.place)
        if not any(side.recording.state.recorded for side in sides):
            return f"No step was recorded in {'these runs' if len(sides) > 1 else 'this run'}."
        return (
            "Nothing of this was recorded. `trace --taps ops`, or a pattern that matches it, "
            "records more; the steps show what layers held."
        )


def _said(text: str, width: int) -> list[Text]:
    return [line.text for line in sentence(text, width, "dim")]


def _beside(left: list[Text], right: list[Text], width: int) -> list[Text]:
    """Two pictures in one, each so wide."""
    lines = []
    for at in range(max(len(left), len(right))):
        made = left[at].copy() if at < len(left) else Text("")
        made.truncate(width, pad=True)
        made.append(" │ ", "dim")
        lines.append(made.append_text(right[at]) if at < len(right) else made)
    return lines


def _table_lines(series: Series, width: int, step: int | None = None) -> list[Text]:
    """The numbers of all steps or one, in the widest table that fits."""
    course = series.course if step is None else {step: series.course[step]}
    console = Console(width=width, color_system=None, force_terminal=False, no_color=True)
    for one in quantile_tables([(f"{s}", held) for s, held in course.items()]):
        fitting = one
        if console.measure(one, options=console.options.update(width=10_000)).maximum <= width:
            break
    if fitting.caption:
        fitting.caption = "more columns in a wider window (z)"
    with console.capture() as captured:
        console.print(fitting)
    return [Text(line) for line in captured.get().splitlines()]


def shades_shown() -> bool:
    """Whether the terminal, by what it says of itself, tells shades of a colour apart."""
    return Console(force_terminal=True).color_system in ("256", "truecolor")
