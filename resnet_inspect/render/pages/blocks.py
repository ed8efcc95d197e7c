"""The blocks of a run's page as titles, pairs, lists and tables, spelled once for text and HTML.

What a medium draws in its own way is typed: a link to a layer, a small histogram, a course.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from resnet_inspect.analysis.check import Finding
from resnet_inspect.analysis.page.blocks import Block, BlockKind
from resnet_inspect.analysis.page.overview import BlockLearning, BlockOutput, FlowStep, Overview
from resnet_inspect.graph import Failure
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.findings_page import counted
from resnet_inspect.render.pages.postmortem_page import postmortem_lines
from resnet_inspect.render.pages.why_page import origin_lines
from resnet_inspect.render.plots.distribution_remarks import origin_text
from resnet_inspect.stats import linear_borders
from resnet_inspect.store.info import RunInfo

SCALARS_SHOWN = ("loss", "cross_entropy", "l2_loss", "accuracy", "learning_rate",
                 "eval_cross_entropy", "eval_cross_entropy_by_batch", "eval_accuracy",
                 "eval_accuracy_by_batch")  # fmt: skip


class LayerLink(NamedTuple):
    """The name of a layer, which leads to it."""

    layer: str


class Bars(NamedTuple):
    """A small histogram: the share of each cell."""

    shares: tuple[float, ...]


class Course(NamedTuple):
    """Values over the steps."""

    values: tuple[float, ...]


class Range(NamedTuple):
    """A column of histograms, from one number to another."""

    low: float
    high: float


Cell = str | LayerLink | Bars | Course


class Pairs(NamedTuple):
    """Labels and texts."""

    lines: tuple[tuple[str, str], ...]


class Paragraph(NamedTuple):
    """A sentence about something bad."""

    text: str


class Listed(NamedTuple):
    """Subjects and what is said of each."""

    columns: tuple[str, str]
    rows: tuple[tuple[str | LayerLink, str], ...]


class Grid(NamedTuple):
    """A table; the columns named in `right` are aligned right."""

    columns: tuple[str | Range, ...]
    rows: tuple[tuple[Cell, ...], ...]
    right: tuple[str, ...]


class Findings(NamedTuple):
    """What `check` found."""

    findings: tuple[Finding, ...]


Part = Pairs | Paragraph | Listed | Grid | Findings


def titled(block: Block, info: RunInfo, found: Overview) -> str:
    """What stands above a block."""
    match block.kind:
        case BlockKind.FAILURE:
            return f"Failed while {info.failure.during if info.failure is not None else ''}"
        case BlockKind.FINDINGS:
            return f"Findings: {counted(found.findings)}"
        case BlockKind.FLOW:
            return flow_title(info)
        case BlockKind.ORIGIN:
            one = found.origins[block.number]
            size, name = spelling.size_text(one.size), one.tensor.removesuffix(":0")
            return f"Where the {size} of {name} comes from"
        case BlockKind.OUTPUTS:
            return f"Output of each block at step {found.step}"
        case BlockKind.LEARNING:
            return f"How each block learned at step {found.step}"
        case BlockKind.SCALARS:
            steps = max(len(one.values) for one in found.scalars)
            return f"Scalars over {steps} steps" if steps != 1 else "Scalars of one step"
    return TITLES[block.kind]


TITLES = {
    BlockKind.WHY: "Why it failed",
    BlockKind.NOT_FINITE: "Not finite",
    BlockKind.WATCH_OUT: "Watch out",
    BlockKind.SHARED: "Shared variables",
    BlockKind.NOTES: "Not observed",
}


def part(block: Block, info: RunInfo, found: Overview, cells: int) -> Part:
    """What a block holds; its histograms have so many cells."""
    match block.kind:
        case BlockKind.FAILURE:
            return Pairs(tuple(failure_lines(info.failure)) if info.failure is not None else ())
        case BlockKind.WHY:
            lines = postmortem_lines(found.postmortem) if found.postmortem is not None else ()
            return Pairs(tuple(lines))
        case BlockKind.FINDINGS:
            return Findings(found.findings)
        case BlockKind.NOT_FINITE:
            return Paragraph(origin_text(found.origin) if found.origin is not None else "")
        case BlockKind.WATCH_OUT:
            dangers = tuple((LayerLink(one.layer), one.text) for one in found.dangers)
            return Listed(("layer", "what is hardly meant"), dangers)
        case BlockKind.FLOW:
            return _flow(found.flow)
        case BlockKind.ORIGIN:
            return Pairs(tuple(origin_lines(found.origins[block.number])))
        case BlockKind.SHARED:
            shared = ((one.variable, f"read by {', '.join(one.readers)}") for one in found.shared)
            return Listed(("variable", "readers"), tuple(shared))
        case BlockKind.OUTPUTS:
            return _outputs(found.blocks, cells)
        case BlockKind.LEARNING:
            return _learning(found.learning)
        case BlockKind.SCALARS:
            return _scalars(found)
        case BlockKind.NOTES:
            return Listed(("what", "why"), tuple((one.subject, one.text) for one in found.notes))


def flow_title(info: RunInfo) -> str:
    """What stands above the shapes."""
    ends = "the input to the output" if info.settings.fits else "the images to the logits"
    return f"Shapes, from {ends}"


def failure_lines(failure: Failure) -> Iterator[tuple[str, str]]:
    """What stopped a run, and where: labels and texts."""
    yield "error", f"{failure.kind}: {failure.message}"
    if failure.op:
        yield "op", failure.op
    for place in failure.source:
        yield "line", f"{spelling.path(place.file)}:{place.line} in {place.function}"
        yield "", place.text


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
    for one in outputs:
        summary = one.summary
        shares = [0.0] * cells if borders is None else summary.sketch.density(borders).tolist()
        bad = summary.nan + summary.posinf + summary.neginf
        rows.append(
            (
                one.block,
                LayerLink(one.layer),
                Bars(tuple(shares)),
                spelling.number(summary.mean),
                spelling.number(summary.std),
                spelling.share(summary.zero_fraction) + (f", {bad:,} not finite" if bad else ""),
                "" if one.relu_zeros is None else spelling.share(one.relu_zeros),
            )
        )
    numbers = ("mean", "std", "zero", "in ReLUs")
    return Grid(("block", "layer", Range(low, high), *numbers), tuple(rows), numbers)


def _common_range(outputs: tuple[BlockOutput, ...]) -> tuple[float, float]:
    """One range for all histograms, holding the middle 98 % of each."""
    ends = [one.summary.sketch.quantiles((0.01, 0.99)) for one in outputs]
    held = [end for end in ends if end]
    if not held:
        return 0.0, 0.0
    return float(np.min(held)), float(np.max(held))


def _learning(learning: tuple[BlockLearning, ...]) -> Grid:
    numbers = ("gradient std", "largest", "‖Δw‖/‖w‖", "dead channels")
    rows: list[tuple[Cell, ...]] = []
    for one in learning:
        gradient = one.gradient
        low, high = (gradient.min, gradient.max) if gradient is not None else (None, None)
        largest = max(abs(low), abs(high)) if low is not None and high is not None else None
        rows.append(
            (
                one.block,
                LayerLink(one.layer),
                spelling.number(gradient.std if gradient is not None else None),
                spelling.number(largest),
                spelling.number(one.ratio),
                f"{one.dead} of {one.channels}" if one.channels else "",
            )
        )
    return Grid(("block", "layer", *numbers), tuple(rows), numbers)


def _scalars(found: Overview) -> Grid:
    numbers = ("first", "last", "lowest", "highest")
    order = {name: place for place, name in enumerate(SCALARS_SHOWN)}
    rows: list[tuple[Cell, ...]] = []
    for scalar in sorted(found.scalars, key=lambda s: order.get(s.name, len(order))):
        values = scalar.values
        finite = [value for value in values if math.isfinite(value)]
        told = (values[0], values[-1], min(finite, default=None), max(finite, default=None))
        rows.append((scalar.name, *map(spelling.number, told), Course(values)))
    return Grid(("scalar", *numbers, "course"), tuple(rows), numbers)
