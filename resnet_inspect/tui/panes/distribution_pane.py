"""The Distribution pane: histogram of a step, ridges and heat map over steps, numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from resnet_inspect.tui.run.documents import PictureRequest
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.places import AxisOf, Place
from resnet_inspect.tui.run.recorded_tensors import (
    RecordedTensor,
    distribution_rows,
    normalization_ends,
    output_tap,
    recorded_tensors_of,
    tensor_title,
)
from resnet_inspect.tui.run.two_runs import RunPlace, TwoRuns
from resnet_inspect.tui.widgets.controls import ChoiceBar, StepSlider
from resnet_inspect.tui.widgets.line_list import Line, LineList
from resnet_inspect.tui.widgets.texts import sentence

VIEWS = ("histogram", "ridges", "heat map", "numbers")
SCALES: dict[str, Kind | None] = {"auto": None, "linear": "linear", "symlog": "symlog"}
SIDES = ("this tensor", "before and after BN")
MIN_HEIGHT, MAX_HEIGHT = 5, 40
MAX_LEAVES, MAX_ROWS = 2000, 60


class HistogramLayout(NamedTuple):
    """How a histogram is drawn: `stacked` histograms share the height.

    A bin with the share `top` of the values reaches the top row.
    """

    stacked: int = 1
    top: float = 0.0


class DistributionList(LineList):
    """The lines of the Distribution pane."""

    SELECTS = False

    HELP = """\
**Distribution.** The distribution of a tensor of the selection. `v` switches the view: histogram,
ridges, heat map, numbers. `t` switches the tensor: output, weights, and the gradients of the loss.
`y` switches the scale; symlog is a symmetric-log scale. `b` shows the tensors before and after
batch normalization. `[` and `]` move through the recorded steps.
"""


class DistributionPane(Pane):
    """Shows distributions of a layer, an op or a variable, or of all layers of a scope."""

    def __init__(self, recording: OpenedRun, comparison: TwoRuns | None = None) -> None:
        super().__init__(recording, comparison)
        self.place: Place | None = None
        self._by_label: dict[str, list[RecordedTensor]] = {}
        self._read: dict[RecordedTensor, tuple[int, Series]] = {}
        self._drawn_state: tuple[object, ...] = ()  # what the picture shows
        self._group_recorded = False  # whether an output in the selected group was recorded
        self._keep: bool | None = None  # keep the scroll position; None: no drawing is scheduled

    def compose(self) -> ComposeResult:
        """Create the controls and the list below them."""
        yield ChoiceBar("view  ", VIEWS, id="view")
        yield ChoiceBar("tensor", (), id="tensor")
        yield ChoiceBar("scale ", tuple(SCALES), id="scale")
        yield ChoiceBar("show  ", SIDES, id="sides")
        yield StepSlider(id="step")
        yield DistributionList(id="distribution-lines")

    @property
    def lines(self) -> DistributionList:
        """The list."""
        return self.query_one(DistributionList)

    def bar(self, name: str) -> ChoiceBar:
        """Return a control: view, tensor, scale or sides."""
        return self.query_one(f"#{name}", ChoiceBar)

    @property
    def slider(self) -> StepSlider:
        """The slider of the recorded steps."""
        return self.query_one(StepSlider)

    @property
    def tap(self) -> Tap | None:
        """The shown tensor, of run A if both runs have it. None for a scope or without data."""
        return self.tensors[0].tap if self.tensors else None

    @property
    def tensors(self) -> list[RecordedTensor]:
        """The shown tensor in each run that recorded it."""
        return self._by_label.get(self.bar("tensor").chosen, [])

    def show_place(self, place: Place | None, axis: AxisOf | None) -> None:
        """Show a place, or update it with new steps."""
        del axis
        same = place == self.place
        self.place = place
        self.slider.set_steps(self._steps())
        self._by_label = self._tensors(place)
        self.bar("tensor").set_options(list(self._by_label))
        self.bar("tensor").display = bool(self._by_label)
        self._update_sides()
        steps = bool(self.slider.steps)
        self._group_recorded = steps and any(output_tap(side) for side in self._parts())
        self.bar("view").display = steps and bool(self._by_label)
        self.bar("scale").display = self.bar("view").display or self._group_recorded
        self.draw(keep=same)

    def _steps(self) -> tuple[int, ...]:
        """Return the steps that every run with this place has recorded, else those of any run."""
        recorded = [side.recording.state.recorded for side in self.sides(self.place)]
        if len(recorded) < 2:
            return recorded[0]
        common = set(recorded[0]).intersection(*recorded[1:])
        return tuple(sorted(common or set().union(*recorded)))

    def _tensors(self, place: Place | None) -> dict[str, list[RecordedTensor]]:
        """Return the recorded tensors of a place in each run, by label."""
        by_label: dict[str, list[RecordedTensor]] = {}
        for side in self.sides(place) if place is not None and place.kind != "scope" else ():
            for label, tap in recorded_tensors_of(side).items():
                tensor = RecordedTensor(side.sign, side.recording, tap)
                by_label.setdefault(label, []).append(tensor)
        return by_label

    def _update_sides(self) -> None:
        pair = self.pair
        self.bar("sides").display = pair is not None
        if pair is None:
            self.bar("sides").chosen = SIDES[0]

    @property
    def pair(self) -> tuple[Tap, Tap] | None:
        """The input and output of the batch normalization next to the shown tensor."""
        return normalization_ends(self.tensors[0]) if self.tensors else None

    def on_choice_bar_chosen(self, event: ChoiceBar.Chosen) -> None:
        """Draw with the chosen option."""
        event.stop()
        if event.bar.id == "tensor":
            self._update_sides()
        self.draw()

    def on_step_slider_moved(self, event: StepSlider.Moved) -> None:
        """Draw the chosen step."""
        event.stop()
        self.draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        del event
        self.draw()

    def text_to_copy(self) -> str:
        """Return all lines."""
        return "\n".join(line.text.plain.rstrip() for line in self.lines.lines)

    def picture_request(self, place: Place | None) -> PictureRequest | None:
        """Return the shown distributions, None without data."""
        del place
        if self.tap is None or not self.tensors[0].recording.state.recorded:
            return None
        taps = self.shown_taps(self.tap)
        view: Literal["heat map", "ridges"]
        view = "heat map" if self.bar("view").chosen == "heat map" else "ridges"
        return PictureRequest(view, self.place, taps=taps, scale=SCALES[self.bar("scale").chosen])

    def shown_taps(self, tap: Tap) -> tuple[Tap, ...]:
        """Return the shown tensor, or the input and output of a normalization."""
        pair = self.pair if self.bar("sides").chosen == SIDES[1] else None
        return (tap,) if pair is None else pair

    def drawn_tensors(self) -> list[RecordedTensor]:
        """Return the tensors to draw: the shown one or both ends of a normalization, per run."""
        if self.bar("sides").chosen != SIDES[1]:
            return self.tensors
        pairs = [(tensor, normalization_ends(tensor)) for tensor in self.tensors]
        return [replace(tensor, tap=ends[i]) for i in (0, 1) for tensor, ends in pairs if ends]

    def series(self, tensor: RecordedTensor) -> Series:
        """Return the summaries of a tensor at all steps, read again after new steps."""
        from resnet_inspect import api

        count = len(tensor.recording.state.recorded)
        known = self._read.get(tensor)
        if known is None or known[0] != count:
            known = self._read[tensor] = count, api.series(tensor.recording.run, tensor.tap)
        return known[1]

    def draw(self, *, keep: bool = False) -> None:
        """Draw after the next refresh, because opening a pane lays it out more than once.

        `keep` keeps the scroll position.
        """
        if self._keep is None:
            self._keep = keep
            self.call_after_refresh(self._draw)
        self._keep = self._keep and keep

    def _draw(self) -> None:
        keep, self._keep = bool(self._keep), None
        if not self.size.width:
            return  # drawn after the resize
        counts = tuple(len(side.recording.state.recorded) for side in self.runs)
        subject = self.place, counts, self.comparison_result, self.slider.step
        options = [self.bar(name).chosen for name in ("view", "tensor", "scale", "sides")]
        shown = (*subject, *options, self.lines.size, self.app.theme)
        if shown == self._drawn_state:
            return
        self._drawn_state = shown
        width = max(20, self.lines.size.width - 1)
        one_step = bool(self._by_label) and self.bar("view").chosen == VIEWS[0]
        self.slider.display = bool(self.slider.steps) and (one_step or self._group_recorded)
        lines = [Line(text) for text in self._picture(width)]
        if keep:
            self.lines.update_lines(lines)
        else:
            self.lines.show(lines)

    def _picture(self, width: int) -> list[Text]:
        if self.place is None:
            return _dim_lines("Nothing is selected.", width)
        if self.place.kind == "scope":
            return self._scope_lines(width)
        chosen = self.drawn_tensors()
        if not chosen:
            return _dim_lines(self._missing(), width)
        all_series = [self.series(tensor) for tensor in chosen]
        if not any(series.course for series in all_series):
            return _dim_lines("No step was recorded.", width)
        rows = [
            [Distribution.of(f"{step}", summary) for step, summary in series.course.items()]
            for series in all_series
        ]
        scale = self._scale([row for of_tensor in rows for row in of_tensor])
        titles = [tensor_title(tensor) for tensor in chosen]
        beside = len(chosen) > 1 and width >= 100
        space = (width - 3) // 2 if beside else width
        layout = HistogramLayout()
        if self.comparison is not None:  # equal heights for equal shares, both runs visible
            shares = [self._fullest(series, space, scale) for series in all_series]
            layout = HistogramLayout(1 if beside else len(chosen), max(shares, default=0.0))
        pictures = [
            [Text(name, "bold"), *self._lines_of(series, of_tensor, space, scale, layout)]
            for name, series, of_tensor in zip(titles, all_series, rows, strict=True)
        ]
        lines: list[Text] = []
        if beside and len(pictures) % 2 == 0:
            for at in range(0, len(pictures), 2):
                lines += [*_beside(pictures[at], pictures[at + 1], space), Text("")]
            return lines[:-1]
        for picture in pictures:
            lines += [*picture, Text("")]
        return lines

    def _scale(self, rows: Sequence[Distribution]) -> Scale:
        kind = SCALES[self.bar("scale").chosen] or fitting_kind(rows)
        return Scale.of([row.sketch for row in rows], kind)

    def _lines_of(
        self,
        series: Series,
        rows: list[Distribution],
        width: int,
        scale: Scale,
        layout: HistogramLayout,
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
            summary = self._summary(series)
            if summary is None:
                return _dim_lines("This step was not recorded.", width)
            space = self.lines.size.height // layout.stacked - 8
            height = max(MIN_HEIGHT, min(MAX_HEIGHT, space))
            row = Distribution.of("", summary)
            lines = list(histogram(row, width, height, scale=scale, top=layout.top))
            lines += [Text(""), *_table_lines(series, width, self.slider.step)]
        for line in remarks_on(series):
            lines += _dim_lines(line, width)
        return lines

    def _summary(self, series: Series) -> TensorSummary | None:
        """Return the summary of a tensor at the chosen step, None if it was not recorded."""
        return series.course.get(self.slider.step) if self.slider.step is not None else None

    def _fullest(self, series: Series, width: int, scale: Scale) -> float:
        summary = self._summary(series)
        return fullest(Distribution.of("", summary), width, scale) if summary is not None else 0.0

    def _parts(self) -> Iterator[RunPlace]:
        """Yield the layers or ops of a scope in each run that has them."""
        place = self.place
        if place is None or place.outline is None:
            return
        owners = place.outline.graph.layer_of_op
        layers = place.outline.graph.layer_by_name
        leaves = [leaf.name for leaf in place.leaves[:MAX_LEAVES]]
        names = dict.fromkeys(owners[leaf].name if leaf in owners else leaf for leaf in leaves)
        for name in names:
            yield from self.sides(Place("layer" if name in layers else "op", name))

    def _scope_lines(self, width: int) -> list[Text]:
        """Draw a row for the output of each layer of a scope, at the chosen step."""
        step = self.slider.step
        if step is None:
            return _dim_lines(self._missing(), width)
        rows: list[Distribution] = []
        for side in self._parts():
            if len(rows) < MAX_ROWS:
                rows += distribution_rows(side, step)
        if not rows:
            return _dim_lines(self._missing(), width)
        return list(ridges(rows, width, scale=self._scale(rows)))

    def _missing(self) -> str:
        sides = self.sides(self.place)
        if not any(side.recording.state.recorded for side in sides):
            return f"No step was recorded in {'these runs' if len(sides) > 1 else 'this run'}."
        return (
            "No distribution of this selection was recorded. To record it, use `trace --taps ops`, "
            "or `--taps` with a pattern that matches its name."
        )


def _dim_lines(text: str, width: int) -> list[Text]:
    return [line.text for line in sentence(text, width, "dim")]


def _beside(left: list[Text], right: list[Text], width: int) -> list[Text]:
    """Join two pictures of the same width side by side."""
    lines = []
    for at in range(max(len(left), len(right))):
        line = left[at].copy() if at < len(left) else Text("")
        line.truncate(width, pad=True)
        line.append(" │ ", "dim")
        lines.append(line.append_text(right[at]) if at < len(right) else line)
    return lines


def _table_lines(series: Series, width: int, step: int | None = None) -> list[Text]:
    """Return the numbers of all steps, or of one, in the widest table that fits."""
    course = series.course if step is None else {step: series.course[step]}
    console = Console(width=width, color_system=None, force_terminal=False, no_color=True)
    for table in quantile_tables([(f"{s}", summary) for s, summary in course.items()]):
        fitting = table
        if console.measure(table, options=console.options.update(width=10_000)).maximum <= width:
            break
    if fitting.caption:
        fitting.caption = "Columns are hidden. Press z to enlarge the pane."
    with console.capture() as captured:
        console.print(fitting)
    return [Text(line) for line in captured.get().splitlines()]


def shades_shown() -> bool:
    """Whether the terminal reports enough colours to show shades."""
    return Console(force_terminal=True).color_system in ("256", "truecolor")
