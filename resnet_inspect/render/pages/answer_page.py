"""The answer page: what a trace built and saw, on one screen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.text import Text

from resnet_inspect.analysis.page.overview import BlockLearning, BlockOutput, FlowStep, Overview
from resnet_inspect.commands import Command, spelled
from resnet_inspect.config import Settings
from resnet_inspect.config.settings import GraphCode, Loop, TracedModel, Tutorial
from resnet_inspect.graph import Failure, Phase
from resnet_inspect.paths import typed
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.findings_page import WIDEST, counted, short_lines
from resnet_inspect.render.pages.postmortem_page import postmortem_lines
from resnet_inspect.render.pages.why_page import origin_lines
from resnet_inspect.render.plots.distribution_remarks import origin_text
from resnet_inspect.render.screen import Screen, plain, table
from resnet_inspect.stats import linear_borders
from resnet_inspect.store.info import RunInfo

LABEL = 10
CELLS = 24
DANGERS_SHOWN = 4
SHARED_SHOWN = 6
FINDINGS_SHOWN = 5
SCALARS_SHOWN = ("loss", "cross_entropy", "l2_loss", "accuracy", "learning_rate",
                 "eval_cross_entropy", "eval_cross_entropy_by_batch", "eval_accuracy",
                 "eval_accuracy_by_batch")  # fmt: skip


def answer_page(screen: Screen, info: RunInfo, found: Overview, file: Path) -> None:
    """Print the page of one run; `file` is the run's."""
    _headline(screen, info, found, file)
    if info.failure is not None:
        _failure(screen, info.failure)
    _reasons(screen, info, found, file)
    if found.flow:
        _section(screen, flow_title(info))
        _flow(screen, found.flow)
    for origin in found.origins:
        name = origin.tensor.removesuffix(":0")
        _section(screen, f"Where the {origin.size} of {name} comes from")
        for label, text in origin_lines(origin):
            _pair(screen, label, text)
    if found.shared:
        _section(screen, "Shared variables")
        _shared(screen, found)
    if found.blocks:
        _section(screen, f"Output of each block at step {found.step}")
        _blocks(screen, found.blocks)
    if any(one.gradient is not None or one.ratio is not None for one in found.learning):
        _section(screen, f"How each block learned at step {found.step}")
        _learning(screen, found.learning)
    if found.origin is not None:
        _section(screen, "Not finite")
        screen.line(plain("  " + origin_text(found.origin)))
    if found.scalars:
        _section(screen, _over(max(len(one.values) for one in found.scalars)))
        _scalars(screen, found)
    if found.notes:
        _section(screen, "Not observed")
        for note in found.notes:
            screen.line(plain(f"  {note.subject}: {note.text}"))
    _section(screen, "Next")
    _next(screen, found, file)


def _reasons(screen: Screen, info: RunInfo, found: Overview, file: Path) -> None:
    """Why it failed, what `check` found, what was done to axes that is hardly meant."""
    if found.postmortem is not None:
        _section(screen, "Why")
        for label, text in postmortem_lines(found.postmortem):
            _pair(screen, label, text)
    _findings(screen, info, found, file)
    if found.dangers and found.postmortem is None:
        _dangers(screen, found, file)


def _findings(screen: Screen, info: RunInfo, found: Overview, file: Path) -> None:
    """What `check` found, in short; what stopped the run is told in full above."""
    if not found.findings:
        screen.line(plain(""), plain("check: nothing found", "dim"))
        return
    told = [one for one in found.findings if info.failure is None or one.rule != "refused"]
    above = ""
    if len(told) < len(found.findings):
        above = "; what stopped the run is told above" if told else ", told above"
    _section(screen, f"Findings: {counted(found.findings)}{above}")
    for one in told[:FINDINGS_SHOWN]:
        for line in short_lines(one, min(screen.width, WIDEST) - 2):
            screen.line(Text("  ") + line)
    more = len(told) - FINDINGS_SHOWN
    if more > 0:
        screen.line(plain(f"  … and {more} more: {spelled(Command('check', (file,)))}"))


def _dangers(screen: Screen, found: Overview, file: Path) -> None:
    """What was done to axes that is hardly meant."""
    _section(screen, "Watch out")
    for danger in found.dangers[:DANGERS_SHOWN]:
        screen.line(plain(f"  {danger.layer}: {danger.text}"))
    more = len(found.dangers) - DANGERS_SHOWN
    if more > 0:
        every = Command("shapes", (file,), ("--axes",))
        screen.line(plain(f"  and {more} more: {spelled(every)}"))


def _shared(screen: Screen, found: Overview) -> None:
    """Variables that several layers read, with the ops that do."""
    for one in found.shared[:SHARED_SHOWN]:
        screen.line(plain(f"  {one.variable}: read by {', '.join(one.readers)}"))
    more = len(found.shared) - SHARED_SHOWN
    if more > 0:
        screen.line(
            plain(f"  and {more} more: browse shows each variable with the ops that read it")
        )


def _headline(screen: Screen, info: RunInfo, found: Overview, file: Path) -> None:
    screen.line(plain(headline(info), "bold"))
    for label, text in facts(info, found):
        _pair(screen, label, text)
    _pair(screen, "run file", typed(str(file)))


def flow_title(info: RunInfo) -> str:
    """What stands above the shapes."""
    ends = "the input to the output" if info.settings.fits else "the images to the logits"
    return f"Shapes, from {ends}"


def headline(info: RunInfo) -> str:
    """Which network, and how its run ended."""
    status = info.status.value + (f" ({info.reason})" if info.reason else "")
    subject = info.settings.subject
    depth = f", {subject.depth} layers" if isinstance(subject, Tutorial) else ""
    return f"{info.network}{depth}: {status}"


def facts(info: RunInfo, found: Overview) -> Iterator[tuple[str, str]]:
    """What was traced, with what: labels and texts."""
    subject, totals = info.settings.subject, found.totals
    ops = sum(found.ops.values())
    parts = ", ".join(f"{found.ops[phase]:,} {phase}" for phase in Phase if phase in found.ops)
    if isinstance(subject, Tutorial):
        yield "network", f"n={subject.n}, version {subject.ver}, {found.layers} layer calls"
    else:
        yield "network", subject.target
    yield "graph", f"{ops:,} ops ({parts}), built in {spelling.duration(info.trace_seconds)}"
    yield (
        "size",
        f"{spelling.count(totals.trainable_params)} trainable of {spelling.count(totals.params)} "
        "parameters" + (f", {spelling.count(totals.macs)} MACs an image" if totals.macs else ""),
    )
    yield "device", info.device + f", TensorFlow {info.versions.get('tensorflow', '?')}"
    yield from _recipe(info.settings)


def _recipe(settings: Settings) -> Iterator[tuple[str, str]]:
    """The data, and what was done with it."""
    subject = settings.subject
    if isinstance(subject, Tutorial):
        yield from _tutorial_recipe(subject, settings)
    elif isinstance(subject, GraphCode) or not settings.fits:
        given = subject.input if isinstance(subject, TracedModel | GraphCode) else None
        yield "data", f"random numbers: {given}" if given else "none"
        once = (
            "run once, as TensorFlow 1 code" if isinstance(subject, GraphCode) else "forward once"
        )
        yield "recipe", f"{once}, seed {settings.seed}"
    else:
        often = f"every {settings.every} steps" if settings.every > 1 else "every step"
        if isinstance(subject, TracedModel):
            yield "data", f"{subject.data}, batches of {subject.batch_size}"
            how = f"trained with {subject.optimizer}, seed {settings.seed}"
        else:
            kind = "loop" if isinstance(subject, Loop) else "fit"
            how = f"its own {kind} with {subject.optimizer}"
        yield "recipe", f"{how}, tensors recorded at {often}"


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


def _failure(screen: Screen, failure: Failure) -> None:
    _section(screen, f"Failed while {failure.during}")
    _pair(screen, "error", f"{failure.kind}: {failure.message}")
    if failure.op:
        _pair(screen, "op", failure.op)
    for place in failure.source:
        _pair(screen, "line", f"{spelling.path(place.file)}:{place.line} in {place.function}")
        _pair(screen, "", place.text)


def _flow(screen: Screen, flow: tuple[FlowStep, ...]) -> None:
    made = table("layers", "from", "to", "shape", right=("layers",))
    for step in flow:
        last = "" if step.first == step.last else step.last
        layers = "input" if not step.layers else str(step.layers)
        made.add_row(
            *(plain(cell) for cell in (layers, step.first, last, spelling.shape(step.shape)))
        )
    screen.line(made)


def _blocks(screen: Screen, blocks: tuple[BlockOutput, ...]) -> None:
    low, high = common_range(blocks)
    left, right = spelling.number(low, 2), spelling.number(high, 2)
    axis = left + " " * max(1, CELLS - len(left) - len(right)) + right
    numbers = ("mean", "std", "zero", "in ReLUs")
    made = table("block", "layer", axis, *numbers, right=numbers)
    made.columns[2].no_wrap = True
    borders = linear_borders(low, high, CELLS) if high > low else None
    for block in blocks:
        summary = block.summary
        cells = [0.0] * CELLS if borders is None else list(summary.sketch.density(borders))
        bad = summary.nan + summary.posinf + summary.neginf
        made.add_row(
            plain(block.block),
            plain(block.layer),
            Text(spelling.bars(cells), style="cyan"),
            spelling.number(summary.mean),
            spelling.number(summary.std),
            spelling.share(summary.zero_fraction) + (f", {bad:,} not finite" if bad else ""),
            "" if block.relu_zeros is None else spelling.share(block.relu_zeros),
        )
    screen.line(made)


def _learning(screen: Screen, blocks: tuple[BlockLearning, ...]) -> None:
    numbers = ("gradient std", "largest", "‖Δw‖/‖w‖", "dead channels")
    made = table("block", "layer", *numbers, right=numbers)
    for block in blocks:
        gradient = block.gradient
        low, high = (gradient.min, gradient.max) if gradient is not None else (None, None)
        largest = max(abs(low), abs(high)) if low is not None and high is not None else None
        made.add_row(
            plain(block.block),
            plain(block.layer),
            spelling.number(gradient.std if gradient is not None else None),
            spelling.number(largest),
            spelling.number(block.ratio),
            f"{block.dead} of {block.channels}" if block.channels else "",
        )
    screen.line(made)


def common_range(blocks: tuple[BlockOutput, ...]) -> tuple[float, float]:
    """One range for all histograms, holding the middle 98 % of each."""
    ends = [block.summary.sketch.quantiles((0.01, 0.99)) for block in blocks]
    held = [end for end in ends if end]
    if not held:
        return 0.0, 0.0
    return float(np.min(held)), float(np.max(held))


def _scalars(screen: Screen, found: Overview) -> None:
    numbers = ("first", "last", "lowest", "highest")
    made = table("scalar", *numbers, "course", right=numbers)
    order = {name: place for place, name in enumerate(SCALARS_SHOWN)}
    for scalar in sorted(found.scalars, key=lambda s: order.get(s.name, len(order))):
        values = scalar.values
        finite = [value for value in values if math.isfinite(value)]
        made.add_row(
            plain(scalar.name),
            spelling.number(values[0]),
            spelling.number(values[-1]),
            spelling.number(min(finite, default=None)),
            spelling.number(max(finite, default=None)),
            Text(course(values, CELLS), style="cyan"),
        )
    screen.line(made)


def course(values: tuple[float, ...], cells: int) -> str:
    """Values over steps as a row of bars between their lowest and highest; ! is not finite."""
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


def _over(steps: int) -> str:
    return f"Scalars over {steps} steps" if steps != 1 else "Scalars of one step"


def _next(screen: Screen, found: Overview, file: Path) -> None:
    rows = "layer" if found.layers else "op"
    lines = [
        (Command("shapes", (file,)), f"every {rows}'s shape, padding, parameters, MACs"),
        (Command("shapes", (file,), ("--depth", "op", "--json")), "every op, for programs"),
        (Command("runs"), "all runs"),
    ]
    if found.findings:
        what = "all that was found, why it matters, what to try"
        lines.insert(0, (Command("check", (file,)), what))
    if found.blocks:
        shown = Command("hist", (found.blocks[-1].layer, file))
        lines.insert(0, (shown, "distributions over the steps"))
    for origin in found.origins[:1]:
        name = f"{origin.tensor.removesuffix(':0')}:{origin.axis}"
        lines.insert(0, (Command("why", (name, file)), "where that size comes from"))
    for command, what in lines:
        screen.line(plain(f"  {spelled(command)}"), plain(f"      {what}", "dim"))


def _section(screen: Screen, title: str) -> None:
    screen.line(plain(""), plain(title, "bold"))


def _pair(screen: Screen, label: str, text: str) -> None:
    made = table("", "")
    made.show_header = False
    made.columns[0].width = LABEL
    made.add_row(plain(label, "dim"), plain(text))
    screen.line(made)
