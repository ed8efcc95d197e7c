"""The answer page: the network, findings and recorded values of a run on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.table import Table
from rich.text import Text

from resnet_inspect.analysis.check import Finding
from resnet_inspect.analysis.page.blocks import BlockKind, blocks
from resnet_inspect.analysis.page.overview import Overview
from resnet_inspect.analysis.sizes.measured import measured_sizes
from resnet_inspect.commands import Command, spelled
from resnet_inspect.config import Settings
from resnet_inspect.config.settings import GraphCode, Loop, TracedModel, Tutorial
from resnet_inspect.graph import Phase
from resnet_inspect.paths import typed
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.blocks import (
    Bars,
    Cell,
    Course,
    Findings,
    Grid,
    LayerLink,
    Pairs,
    Paragraph,
    Range,
    SubjectList,
    part,
    titled,
)
from resnet_inspect.render.pages.findings_page import WIDEST, short_lines
from resnet_inspect.render.screen import Screen, plain, table
from resnet_inspect.store.info import RunInfo

CELLS = 24
FINDINGS_SHOWN = 5
SHOWN = {BlockKind.WATCH_OUT: 4, BlockKind.SHARED: 6}


def answer_page(screen: Screen, info: RunInfo, overview: Overview, file: Path) -> None:
    """Print the page of the run in `file`."""
    screen.line(plain(headline(info), "bold"))
    for label, text in (*facts(info, overview), ("run file", typed(str(file)))):
        screen.pair(label, text)
    more = {
        BlockKind.WATCH_OUT: spelled(Command("shapes", (file,), ("--axes",))),
        BlockKind.SHARED: "browse shows each variable with the ops that read it",
    }
    for block in blocks(overview, failed=info.failure is not None):
        title = titled(block, info, overview)
        match part(block, info, overview, CELLS):
            case Findings(findings):
                _findings(screen, title, findings, file, failed=info.failure is not None)
            case Pairs(lines):
                _section(screen, title)
                for label, text in lines:
                    screen.pair(label, text)
            case Paragraph(text):
                _section(screen, title)
                screen.line(plain(f"  {text}"))
            case SubjectList() as listed:
                _section(screen, title)
                _listed(screen, listed, SHOWN.get(block.kind), more.get(block.kind, ""))
            case Grid() as grid:
                _section(screen, title)
                screen.line(_table(grid))
    _section(screen, "Next")
    _next(screen, overview, file)


def _findings(
    screen: Screen, title: str, findings: Sequence[Finding], file: Path, *, failed: bool
) -> None:
    """Print the findings of `check` in short, without the failure that is shown above."""
    if not findings:
        screen.line(plain(""), plain("check: no findings", "dim"))
        return
    others = [finding for finding in findings if not failed or finding.rule != "run-failed"]
    above = ""
    if len(others) < len(findings):
        above = "; the failure is shown above" if others else ", shown above"
    _section(screen, title + above)
    for finding in others[:FINDINGS_SHOWN]:
        for line in short_lines(finding, min(screen.width, WIDEST) - 2):
            screen.line(Text("  ") + line)
    more = len(others) - FINDINGS_SHOWN
    if more > 0:
        screen.line(plain(f"  … and {more} more: {spelled(Command('check', (file,)))}"))


def _listed(screen: Screen, listed: SubjectList, most: int | None, further: str) -> None:
    """Print a line for each row, at most `most`, and the number of omitted rows."""
    for subject, text in listed.rows[:most]:
        name = subject.layer if isinstance(subject, LayerLink) else subject
        screen.line(plain(f"  {name}: {text}"))
    more = 0 if most is None else len(listed.rows) - most
    if more > 0:
        screen.line(plain(f"  and {more} more: {further}"))


def _table(grid: Grid) -> Table:
    names = [_ends(name) if isinstance(name, Range) else name for name in grid.columns]
    result = table(*names, right=grid.right)
    for column, name in zip(result.columns, grid.columns, strict=True):
        column.no_wrap = isinstance(name, Range)
    for row in grid.rows:
        result.add_row(*map(_cell, row))
    return result


def _ends(span: Range) -> str:
    left, right = spelling.number(span.low, 2), spelling.number(span.high, 2)
    return left + " " * max(1, CELLS - len(left) - len(right)) + right


def _cell(cell: Cell) -> Text:
    match cell:
        case LayerLink(layer):
            return plain(layer)
        case Bars(shares):
            return Text(spelling.bars(list(shares)), style="cyan")
        case Course(values):
            return Text(course(values, CELLS), style="cyan")
    return plain(cell)


def headline(info: RunInfo) -> str:
    """The network and the status of its run."""
    status = info.status.value + (f" ({info.reason})" if info.reason else "")
    subject = info.settings.subject
    depth = f", {subject.depth} layers" if isinstance(subject, Tutorial) else ""
    return f"{info.network}{depth}: {status}"


def facts(info: RunInfo, overview: Overview) -> Iterator[tuple[str, str]]:
    """Labels and texts on the network, its size, the device, the data and the training."""
    subject, totals = info.settings.subject, overview.totals
    macs = spelling.at_least(totals.macs, totals.uncounted)
    ops = sum(overview.ops.values())
    parts = ", ".join(
        f"{overview.ops[phase]:,} {phase}" for phase in Phase if phase in overview.ops
    )
    if isinstance(subject, Tutorial):
        yield "network", f"n={subject.n}, version {subject.ver}, {overview.layers} layer calls"
    else:
        yield "network", subject.target
    yield "graph", f"{ops:,} ops ({parts}), built in {spelling.duration(info.trace_seconds)}"
    yield (
        "size",
        f"{spelling.count(totals.trainable_params)} trainable of {spelling.count(totals.params)} "
        "parameters" + (f", {macs} MACs per example" if totals.macs or totals.uncounted else ""),
    )
    sizes = measured_sizes(step.shape for step in overview.flow)
    if sizes:
        yield "sizes", ", ".join(size.text for size in sizes)
    yield "device", info.device + f", TensorFlow {info.versions.get('tensorflow', '?')}"
    yield from _recipe(info.settings)


def _recipe(settings: Settings) -> Iterator[tuple[str, str]]:
    """Labels and texts on the data and the training."""
    subject = settings.subject
    if isinstance(subject, Tutorial):
        yield from _tutorial_recipe(subject, settings)
    elif isinstance(subject, GraphCode) or not settings.fits:
        given = subject.input if isinstance(subject, TracedModel | GraphCode) else None
        yield "data", f"random numbers: {given}" if given else "none"
        once = (
            "run once as TensorFlow 1 code"
            if isinstance(subject, GraphCode)
            else "one forward pass"
        )
        yield "recipe", f"{once}, seed {settings.seed}"
    else:
        often = f"every {settings.every} steps" if settings.every > 1 else "at every step"
        if isinstance(subject, TracedModel):
            yield "data", f"{subject.data}, batches of {subject.batch_size}"
            how = f"trained with {subject.optimizer}, seed {settings.seed}"
        else:
            kind = "loop" if isinstance(subject, Loop) else "fit"
            how = f"your {kind} with {subject.optimizer}"
        yield "recipe", f"{how}, tensors recorded {often}"


def _tutorial_recipe(tutorial: Tutorial, settings: Settings) -> Iterator[tuple[str, str]]:
    fed = ", raw" if tutorial.raw else ", distorted and standardized"
    if tutorial.mode == "eval" and not tutorial.raw:
        fed = ", standardized"
    yield "data", f"{tutorial.data}, batches of {tutorial.batch_size}{fed}"
    how = f"train, {tutorial.optimizer}"
    if not settings.trains:
        how = "forward only" if tutorial.mode == "train" else "evaluation with moving averages"
    elif tutorial.evaluate:
        how += f", evaluated at every {tutorial.evaluate} steps and the last"
    yield "recipe", f"{how}, seed {settings.seed}"


def course(values: tuple[float, ...], cells: int) -> str:
    """Values over steps as a row of bars, scaled to their range; ! marks NaN or infinity."""
    groups = np.array_split(np.asarray(values), min(cells, len(values)))
    means = np.array([group.mean() for group in groups])
    finite = means[np.isfinite(means)]
    if not finite.size:
        return "!" * len(means)
    low, span = finite.min(), np.ptp(finite)
    ramp = spelling.RAMP
    return "".join(
        "!" if not np.isfinite(mean) else ramp[1 + round(7 * (mean - low) / span)] if span else "▄"
        for mean in means
    )


def _next(screen: Screen, overview: Overview, file: Path) -> None:
    rows = "layer" if overview.layers else "op"
    lines = [
        (Command("shapes", (file,)), f"every {rows}'s shape, padding, parameters, MACs"),
        (Command("shapes", (file,), ("--depth", "op", "--json")), "every op, as JSON"),
        (Command("runs"), "all runs"),
    ]
    if overview.findings:
        what = "all findings, why they matter, what to try"
        lines.insert(0, (Command("check", (file,)), what))
    if overview.blocks:
        shown = Command("hist", (overview.blocks[-1].layer, file))
        lines.insert(0, (shown, "distributions over the steps"))
    for origin in overview.origins[:1]:
        name = f"{origin.tensor.removesuffix(':0')}:{origin.axis}"
        lines.insert(0, (Command("why", (name, file)), "the origin of that size"))
    for command, what in lines:
        screen.line(plain(f"  {spelled(command)}"), plain(f"      {what}", "dim"))


def _section(screen: Screen, title: str) -> None:
    screen.line(plain(""), plain(title, "bold"))
