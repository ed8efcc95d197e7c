"""The answer page: the network, findings and recorded values of a run on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from rich.text import Text

from resnet_inspect.analysis.check import Finding
from resnet_inspect.analysis.page.blocks import Block, BlockKind, blocks
from resnet_inspect.analysis.page.failure import FailureFacts
from resnet_inspect.analysis.page.overview import Overview
from resnet_inspect.analysis.sizes.measured import measured_sizes
from resnet_inspect.commands import Command, spelled
from resnet_inspect.config import Settings
from resnet_inspect.config.settings import GraphCode, Loop, TracedModel, Tutorial
from resnet_inspect.graph import Phase
from resnet_inspect.paths import typed
from resnet_inspect.render import spelling
from resnet_inspect.render.labels import wrapped
from resnet_inspect.render.pages.blocks import (
    Findings,
    Grid,
    LayerLink,
    Pairs,
    Paragraph,
    SubjectList,
    part,
    titled,
)
from resnet_inspect.render.pages.explanation_page import (
    ExplanationPage,
    explanation_page,
    print_page,
)
from resnet_inspect.render.pages.findings_page import WIDEST, short_lines
from resnet_inspect.render.pages.grid_table import CELLS, grid_table
from resnet_inspect.render.screen import Screen, plain
from resnet_inspect.store.info import RunInfo

FINDINGS_SHOWN = 5
SHOWN = {BlockKind.WATCH_OUT: 4, BlockKind.SHARED: 6}


def answer_page(screen: Screen, info: RunInfo, overview: Overview, file: Path) -> None:
    """Print the page of the run in `file`; the explanation of a crash comes first."""
    failure = overview.failure
    if failure is not None and failure.explanation is not None:
        failure_page(screen, info, failure)
        screen.line(plain(""))
    else:
        screen.line(plain(headline(info), "bold"))
    for label, text in (*facts(info, overview), ("run file", typed(str(file)))):
        screen.pair(label, text)
    more = {
        BlockKind.WATCH_OUT: spelled(Command("shapes", (file,), ("--axes",))),
        BlockKind.SHARED: "browse shows each variable with the ops that read it",
    }
    for block in blocks(overview):
        title = titled(block, info, overview)
        match part(block, overview, CELLS):
            case Findings(findings):
                _findings(screen, title, findings, file, failed=info.failure is not None)
            case Pairs(lines):
                _section(screen, title)
                for label, text in lines:
                    screen.pair(label, text)
            case ExplanationPage():
                pass  # printed above
            case Paragraph(text):
                _section(screen, title)
                screen.line(plain(f"  {text}"))
            case SubjectList() as listed:
                _section(screen, title)
                _listed(screen, listed, SHOWN.get(block.kind), more.get(block.kind, ""))
            case Grid():
                _section(screen, title)
                screen.line(grid_table(partial(_grid, block, overview), screen.width))
    _section(screen, "Next")
    _next(screen, overview, file)


def failure_page(screen: Screen, info: RunInfo, failure: FailureFacts) -> None:
    """Print what failed, then the explanation."""
    screen.line(plain(f"{info.network}: failed while {failure.failure.during}"), plain(""))
    print_page(screen, explanation_page(failure))


def _grid(block: Block, overview: Overview, cells: int) -> Grid:
    """The table of a block, with bars of that many cells."""
    grid = part(block, overview, cells)
    assert isinstance(grid, Grid)
    return grid


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
        first, *others = wrapped(f"{name}: {text}", screen.width - 4)
        screen.line(plain(f"  {first}"), *(plain(f"    {line}") for line in others))
    more = 0 if most is None else len(listed.rows) - most
    if more > 0:
        screen.line(plain(f"  and {more} more: {further}"))


def headline(info: RunInfo) -> str:
    """The network and the status of its run."""
    status = info.status.value + (f" ({info.reason})" if info.reason else "")
    return f"{info.network}: {status}"


def facts(info: RunInfo, overview: Overview) -> Iterator[tuple[str, str]]:
    """Labels and texts on the network, its size, the device, the data and the training."""
    subject = info.settings.subject
    ops = sum(overview.ops.values())
    parts = ", ".join(
        f"{overview.ops[phase]:,} {phase}" for phase in Phase if phase in overview.ops
    )
    if isinstance(subject, Tutorial):
        depth = f"depth {subject.depth} (layers with weights on the longest path)"
        yield "network", f"n={subject.n}, version {subject.ver}, {depth}"
    else:
        yield "network", subject.target
    yield "graph", f"{ops:,} ops ({parts}), built in {spelling.duration(info.trace_seconds)}"
    yield "size", ", ".join(_size(overview))
    sizes = measured_sizes(step.shape for step in overview.flow)
    if sizes:
        yield "sizes", ", ".join(size.text for size in sizes)
    yield "device", info.device + f", TensorFlow {info.versions.get('tensorflow', '?')}"
    yield from _recipe(info.settings)


def _size(overview: Overview) -> Iterator[str]:
    """The number of layers, parameters and MACs of a network."""
    totals = overview.totals
    if overview.layers:
        yield f"{overview.layers:,} layer{'s' * (overview.layers != 1)}"
    params, trainable = spelling.count(totals.params), spelling.count(totals.trainable_params)
    yield f"{trainable} trainable of {params} parameters"
    if totals.macs or totals.uncounted:
        yield f"{spelling.at_least(totals.macs, totals.uncounted)} MACs per example"


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
