"""The blocks of a run's page as titles, pairs, lists and tables, for terminal and HTML.

Parts that each medium draws in its own way are typed: links to layers, small histograms, courses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from resnet_inspect.analysis.browse.scalars import BATCH_LOSS
from resnet_inspect.analysis.check import Finding
from resnet_inspect.analysis.page.blocks import Block, BlockKind
from resnet_inspect.analysis.page.failure import FailureFacts
from resnet_inspect.analysis.page.overview import BlockLearning, BlockOutput, FlowStep, Overview
from resnet_inspect.config.settings import Tutorial
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.explanation_page import ExplanationPage, explanation_page
from resnet_inspect.render.pages.findings_page import findings_count
from resnet_inspect.render.pages.postmortem_page import failure_lines, postmortem_lines
from resnet_inspect.render.pages.why_page import origin_lines
from resnet_inspect.render.plots.distribution_remarks import origin_text
from resnet_inspect.stats import linear_borders
from resnet_inspect.store.info import RunInfo

LOSSES = "batch_loss: of one batch; loss: as reported, in fit the mean of the epoch so far"
OWN = "(block)"  # in the column of layers: the output is that of the block itself
SCALARS_SHOWN = ("loss", "cross_entropy", "l2_loss", "accuracy", "learning_rate",
                 "eval_cross_entropy", "eval_cross_entropy_by_batch", "eval_accuracy",
                 "eval_accuracy_by_batch")  # fmt: skip


class LayerLink(NamedTuple):
    """A link to a layer, by its name."""

    layer: str


class Bars(NamedTuple):
    """A small histogram: the share of each cell."""

    shares: tuple[float, ...]


class Course(NamedTuple):
    """Values over the steps."""

    values: tuple[float, ...]


class Range(NamedTuple):
    """The header of a column of histograms: their common range."""

    low: float
    high: float


Cell = str | LayerLink | Bars | Course


class Pairs(NamedTuple):
    """Labels and texts."""

    lines: tuple[tuple[str, str], ...]


class Paragraph(NamedTuple):
    """A sentence about a failure."""

    text: str


class SubjectList(NamedTuple):
    """A list of subjects with a text on each, and the headings of both columns."""

    columns: tuple[str, str]
    rows: tuple[tuple[str | LayerLink, str], ...]


class Grid(NamedTuple):
    """A table; the columns named in `right` are aligned right."""

    columns: tuple[str | Range, ...]
    rows: tuple[tuple[Cell, ...], ...]
    right: tuple[str, ...]


class Findings(NamedTuple):
    """The findings of `check`."""

    findings: tuple[Finding, ...]


Part = Pairs | ExplanationPage | Paragraph | SubjectList | Grid | Findings


def titled(block: Block, info: RunInfo, overview: Overview) -> str:
    """The title of a block."""
    match block.kind:
        case BlockKind.FAILURE:
            return f"Failed while {info.failure.during if info.failure is not None else ''}"
        case BlockKind.FINDINGS:
            return f"Findings: {findings_count(overview.findings)}"
        case BlockKind.FLOW:
            return flow_title(info)
        case BlockKind.ORIGIN:
            origin = overview.origins[block.number]
            size, name = spelling.size_text(origin.size), origin.tensor.removesuffix(":0")
            return f"Origin of size {size} in {name}"
        case BlockKind.OUTPUTS:
            return f"Output of each {_unit(overview.blocks)} at step {overview.step}"
        case BlockKind.LEARNING:
            unit = _unit(overview.learning)
            return f"Gradients and updates of each {unit} at step {overview.step}"
        case BlockKind.SCALARS:
            steps = max(len(scalar.values) for scalar in overview.scalars)
            title = f"Scalars over {steps} steps" if steps != 1 else "Scalars of one step"
            both = any(scalar.name == BATCH_LOSS for scalar in overview.scalars)
            return f"{title} ({LOSSES})" if both else title
    return TITLES[block.kind]


TITLES = {
    BlockKind.WHY: "Why it failed",
    BlockKind.NOT_FINITE: "NaN or infinity",
    BlockKind.WATCH_OUT: "Suspicious use of axes",
    BlockKind.SHARED: "Shared variables",
    BlockKind.NOTES: "Not observed",
}


def part(block: Block, overview: Overview, cells: int) -> Part:
    """The content of a block; `cells` is the number of cells of its histograms."""
    match block.kind:
        case BlockKind.FAILURE:
            return failure_part(overview.failure) if overview.failure is not None else Pairs(())
        case BlockKind.WHY:
            facts = overview.failure
            rejected = facts.postmortem if facts is not None else None
            return Pairs(tuple(postmortem_lines(rejected)) if rejected is not None else ())
        case BlockKind.FINDINGS:
            return Findings(overview.findings)
        case BlockKind.NOT_FINITE:
            return Paragraph(origin_text(overview.origin) if overview.origin is not None else "")
        case BlockKind.WATCH_OUT:
            dangers = tuple((LayerLink(danger.layer), danger.text) for danger in overview.dangers)
            return SubjectList(("layer", "problem"), dangers)
        case BlockKind.FLOW:
            return _flow(overview.flow)
        case BlockKind.ORIGIN:
            return Pairs(tuple(origin_lines(overview.origins[block.number])))
        case BlockKind.SHARED:
            shared = tuple(
                (item.variable, f"read by {', '.join(item.readers)}") for item in overview.shared
            )
            return SubjectList(("variable", "readers"), shared)
        case BlockKind.OUTPUTS:
            return _outputs(overview.blocks, cells)
        case BlockKind.LEARNING:
            return _learning(overview.learning)
        case BlockKind.SCALARS:
            return _scalars(overview)
        case BlockKind.NOTES:
            notes = tuple((note.subject, note.text) for note in overview.notes)
            return SubjectList(("what", "why"), notes)


def failure_part(facts: FailureFacts) -> Part:
    """The explanation of the crash that ended a run; the error if no crash was recorded."""
    if facts.explanation is not None:
        return explanation_page(facts)
    return Pairs(tuple(failure_lines(facts.failure)))


def flow_title(info: RunInfo) -> str:
    """The title of the block of shapes."""
    tutorial = isinstance(info.settings.subject, Tutorial)
    ends = "the images to the logits" if tutorial else "the input to the output"
    return f"Shapes, from {ends}"


def _flow(steps: tuple[FlowStep, ...]) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for step in steps:
        ends: tuple[Cell, Cell] = (step.first, "")
        if step.layers:
            last = LayerLink(step.last) if step.first != step.last else ""
            ends = (LayerLink(step.first), last)
        rows.append((str(step.layers or "input"), *ends, spelling.shape(step.shape)))
    return Grid(("layers", "from", "to", "shape"), tuple(rows), ("layers",))


def _outputs(outputs: tuple[BlockOutput, ...], cells: int) -> Grid:
    low, high = _common_range(outputs)
    borders = linear_borders(low, high, cells) if high > low else None
    rows: list[tuple[Cell, ...]] = []
    for output in outputs:
        summary = output.summary
        shares = [0.0] * cells if borders is None else summary.sketch.density(borders).tolist()
        bad = summary.nan + summary.posinf + summary.neginf
        rows.append(
            (
                output.block,
                OWN if output.own else LayerLink(output.layer),
                Bars(tuple(shares)),
                spelling.number(summary.mean),
                spelling.number(summary.std),
                spelling.share(summary.zero_fraction) + (f", {bad:,} not finite" if bad else ""),
                "" if output.relu_zeros is None else spelling.share(output.relu_zeros),
            )
        )
    numbers = ("mean", "std", "zero", "ReLU zero")
    columns = ("block", "layer", Range(low, high), *numbers)
    return _without_blocks(Grid(columns, tuple(rows), numbers), _unit(outputs))


def _unit(blocks: Sequence[BlockOutput | BlockLearning]) -> str:
    """What the rows of a table of blocks are: "layer" for a network without groups."""
    return "layer" if all(row.block == row.layer for row in blocks) else "block"


def _without_blocks(grid: Grid, unit: str) -> Grid:
    """The table without the column of blocks if all of them are layers."""
    if unit == "block":
        return grid
    return Grid(grid.columns[1:], tuple(row[1:] for row in grid.rows), grid.right)


def _common_range(outputs: tuple[BlockOutput, ...]) -> tuple[float, float]:
    """A range for all histograms that covers the middle 98 % of each."""
    quantiles = [output.summary.sketch.quantiles((0.01, 0.99)) for output in outputs]
    ends = [end for end in quantiles if end]
    if not ends:
        return 0.0, 0.0
    return float(np.min(ends)), float(np.max(ends))


def _learning(learning: tuple[BlockLearning, ...]) -> Grid:
    numbers = ("gradient std", "gradient max", "‖Δw‖/‖w‖", "dead channels")
    rows: list[tuple[Cell, ...]] = []
    for block in learning:
        gradient = block.gradient
        low, high = (gradient.min, gradient.max) if gradient is not None else (None, None)
        largest = max(abs(low), abs(high)) if low is not None and high is not None else None
        rows.append(
            (
                block.block,
                OWN if block.own else LayerLink(block.layer),
                spelling.number(gradient.std if gradient is not None else None),
                spelling.number(largest),
                spelling.number(block.ratio),
                f"{block.dead} of {block.channels}" if block.channels else "",
            )
        )
    grid = Grid(("block", "layer", *numbers), tuple(rows), numbers)
    return _without_blocks(grid, _unit(learning))


def _scalars(overview: Overview) -> Grid:
    numbers = ("first", "last", "lowest", "highest")
    order = {name: place for place, name in enumerate(SCALARS_SHOWN)}
    rows: list[tuple[Cell, ...]] = []
    for scalar in sorted(overview.scalars, key=lambda s: order.get(s.name, len(order))):
        values = scalar.values
        finite = [value for value in values if math.isfinite(value)]
        statistics = (values[0], values[-1], min(finite, default=None), max(finite, default=None))
        rows.append((scalar.name, *map(spelling.number, statistics), Course(values)))
    return Grid(("scalar", *numbers, "over steps"), tuple(rows), numbers)
