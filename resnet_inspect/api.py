"""The Python interface; commands call these functions too, so both do the same."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import msgspec

from resnet_inspect import paths
from resnet_inspect.analysis.browse.distributions import (
    Series,
    around_normalization,
    beside_gradients,
    choose,
)
from resnet_inspect.analysis.check import Finding
from resnet_inspect.analysis.diff.differences import RunDiff
from resnet_inspect.analysis.diff.distributions import Recorded, chosen_steps
from resnet_inspect.analysis.diff.runs import compare
from resnet_inspect.analysis.page.overview import Held, Overview, overview, told_layers
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeTable
from resnet_inspect.analysis.sizes.shapes import shapes as shape_table
from resnet_inspect.commands import Command
from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import parse_inputs
from resnet_inspect.config.own_model import check_of_fit, check_own_model
from resnet_inspect.config.settings import Fit, GraphCode, TracedModel
from resnet_inspect.errors import BuildError, StorageFullError, UsageError
from resnet_inspect.findings import check
from resnet_inspect.graph import Failure
from resnet_inspect.journal import RunFiles, RunJournal
from resnet_inspect.stats import StepRecord, Tap
from resnet_inspect.store import catalogue
from resnet_inspect.store.placement import check_free
from resnet_inspect.store.run import Run
from resnet_inspect.stored import series_of, side_of
from resnet_inspect.tracers.contract import Source, TrainingFailed

Watch = Callable[[Path, StepRecord | None], None]


def trace(*, out: str | Path | None = None, force: bool = False, **settings: Any) -> Run:
    """Build the tutorial's ResNet, train it briefly, record it; returns the open run.

    Keyword arguments are the settings of `resnet_inspect.config.Settings`, such as n=5, ver=2,
    steps=20. `out` is the run file; left out, one under runs/. Raises BuildError if the network
    cannot be built or trained (the run file is kept and named in it), and other InspectErrors for
    settings, data, devices or files that do not do.
    """
    resolved = Settings.of(settings)
    check_own_model(settings, dict.fromkeys(settings, "trace()"))
    return open_run(record(resolved, out=out, force=force))


def Recorder(
    out: str | Path | None = None, *, force: bool = False, every: int = 10, **settings: Any
) -> Any:
    """A Keras callback for `model.fit(..., callbacks=[Recorder("runs/mine.db", every=10)])`; in a
    loop of one's own `step = recorder.instrument(train_step)`, and `recorder.close()` behind it.

    `out` is the run file; left out, one under runs/. Each model that is fitted has a run of its
    own: the second one has -2 behind the file's name. Tensors are recorded at every `every`-th step
    (from 0), scalars at each; record, taps, gradients and sample are as for `trace`. The weights
    that training comes to are the same as without it; what could not be recorded is noted in the
    run. Raises OutputError for a file that is in the way, unless `force` is given, and
    ConfigError for settings that do not do.
    """
    from resnet_inspect.tracers import registry

    asked = check_recorder(out, force=force, every=every, **settings)
    target = paths.short(sys.argv[0]) if sys.argv and sys.argv[0] else "python"
    resolved = msgspec.structs.replace(asked, subject=Fit(target=target))
    files = RunFiles(None if out is None else Path(out), force=force)
    return registry.load_recorder(registry.load_runs(resolved, lambda: RunJournal(files)))


def check_recorder(out: str | Path | None, *, force: bool, **settings: Any) -> Settings:
    """The settings of a recorder, or what `Recorder` raises; loads no framework."""
    check_of_fit(settings)
    if out is not None:
        check_free(Path(out), force=force)
    return Settings.of(settings, "Recorder()")


def open_run(path: str | Path) -> Run:
    """Open a recorded run; raises RunMissingError or RunFileError. Close it after use."""
    return Run.open(path)


def shapes(run: Run, depth: str = "layer") -> ShapeTable:
    """The shape table of a run at depth stage, block, layer or op; ValueError for another."""
    return shape_table(run.graph, Depth(depth))


def distributions(
    run: Run,
    names: Sequence[str] = (),
    kinds: Sequence[str] = (),
    pair: str | None = None,
    step: int | None = None,
) -> list[tuple[Series, ...]]:
    """What tensors of a run held over its steps, those that are to be seen together in one group.

    `names` are layers, ops, variables or patterns (none: all layers' outputs), `kinds` of
    activation, gradient, weight; `pair` is "bn" (before and after batch normalization) or
    "gradient". `step` leaves out all others. Raises UsageError for what was not recorded.
    """
    taps = run.taps()
    chosen = choose(run.graph, taps, names, kinds)
    if pair == "bn":
        groups = around_normalization(run.graph, taps, chosen)
    elif pair == "gradient":
        groups = beside_gradients(taps, chosen)
    else:
        groups = [(tap,) for tap in chosen]
    recorded = run.recorded_steps()
    if step is not None and step not in recorded:
        raise UsageError(
            f"step {step} was not recorded",
            where="--step",
            expected="one of "
            + ", ".join(map(str, recorded[:10]))
            + (", …" * (len(recorded) > 10)),
            got=str(step),
            fix="--record and --every decide which steps `trace` records",
        )
    # Of all layers at once only the last step is shown.
    only = recorded[-1] if step is None and not names and pair is None else step
    sizes, updates = run.sizes(), run.updates()
    return [
        tuple(series_of(run, tap, only, sizes.get(tap), updates) for tap in group)
        for group in groups
    ]


def series(run: Run, tap: Tap) -> Series:
    """What one tapped tensor held at all recorded steps."""
    updates = run.updates() if tap.kind == "weight" else {}
    return series_of(run, tap, None, run.size(tap), updates)


def diff(a: Run, b: Run, depth: str = "layer", *, every_step: bool = False) -> RunDiff:
    """What is different between two runs; ValueError for another depth than layer and op.

    Whatever state they are in. Distributions are compared at up to six of the steps that both
    recorded, `every_step` at all of them; its `empty` says that nothing differs.
    """
    if depth not in (Depth.LAYER, Depth.OP):
        raise ValueError(f"depth is layer or op, got {depth!r}")
    recorded = a.recorded_steps(), b.recorded_steps()
    common = sorted({*recorded[0]} & {*recorded[1]})
    steps = chosen_steps(common, every=every_step)
    every_tap = depth == Depth.OP
    first, second = (
        side_of(run, Recorded(own, run.held(steps, every_tap=every_tap)))
        for run, own in zip((a, b), recorded, strict=True)
    )
    return compare(first, second, Depth(depth), every_step=every_step)


def report(
    run: Run, other: Run | None = None, *, tell: Callable[[str], None] = lambda _: None
) -> str:
    """Everything of a run as one HTML page that opens from disk and asks nothing of a network; with
    `other`, what is different between both, `run` as A and `other` as B.

    Two runs are compared as by `diff` at every step that both recorded, whatever state they are in.
    `tell` is called with what the page has to do without, and why; the page says it too.
    """
    from resnet_inspect import __version__
    from resnet_inspect.reports import page_of_run, page_of_two

    program = f"resnet-inspect {__version__}"
    if other is None:
        return page_of_run(run, program, tell)
    return page_of_two(run, other, program, tell)


def picture(run: Run, form: str = "svg") -> str:
    """The network with what each layer held at the last recorded step, as a standalone SVG; as
    text for Graphviz if `form` is dot.

    Raises RendererMissingError or RendererError where there is no Graphviz or it fails.
    """
    from resnet_inspect.analysis.diagram.diagram import Options
    from resnet_inspect.analysis.diagram.drawing import draw
    from resnet_inspect.render.diagram.look import Look
    from resnet_inspect.render.diagram.picture import picture_of
    from resnet_inspect.render.diagram.shades import bars

    recorded, info = run.recorded_steps(), run.info
    made = draw(run.graph, run.lineage, Options(), failure=info.failure)
    look = Look(title=info.network)
    if recorded:
        held = run.summaries(recorded[-1])
        title = f"{info.network}, outputs at step {recorded[-1]}"
        look = look._replace(title=title, bars=bars(made, held))
    return picture_of(made, look, "dot" if form == "dot" else "svg").text


def summarize(run: Run, findings: tuple[Finding, ...] | None = None) -> Overview:
    """The content of the answer page of a run, from its last recorded step; `findings` are looked
    for if they are not given.
    """
    recorded, found = run.recorded_steps(), check(run) if findings is None else findings
    if not recorded:
        held = Held(origin=run.origin)
        return overview(run.graph, run.lineage, held, run.scalars(), findings=found)
    step = recorded[-1]
    told = told_layers(run.graph)
    summaries = run.summaries(step, layers=told), run.summaries(step, "gradient", layers=told)
    activity = {layer: reduce(add, seen) for layer, seen in run.activity().items()}
    held = Held(step, *summaries, run.updates().get(step, {}), activity, run.origin)
    return overview(run.graph, run.lineage, held, run.scalars(), findings=found)


def record(
    settings: Settings,
    *,
    out: str | Path | None = None,
    force: bool = False,
    watch: Watch = lambda _path, _record: None,
) -> Path:
    """Trace with these settings and return the run file; `watch` is called with the run
    file and None once there is one, then with the file and each step.

    Everything that can be refused is refused before the file is touched. Whatever stops the trace
    later, the file keeps every step committed before it and says how it ended. Raises BuildError
    if the network cannot be built or trained.
    """
    files = RunFiles(None if out is None else Path(out), force=force)
    first = Path(out) if out is not None else catalogue.fresh_name(settings.network)
    check_free(first, force=force)
    source = _source(settings)
    journal = RunJournal(files, network=settings.network, watch=watch)
    try:
        source.record(journal)
    except TrainingFailed as outcome:
        raise _refusal(outcome.failure, journal.made()) from outcome
    except BaseException as error:
        by_user = isinstance(error, KeyboardInterrupt)
        reason = "stopped by the user" if by_user else f"{type(error).__name__}: {error}"
        with suppress(StorageFullError):
            journal.end(reason.splitlines()[0])
        raise
    return journal.made()


def _source(settings: Settings) -> Source:
    """What traces as these settings say, with what it is fed; raises UsageErrors."""
    from resnet_inspect.data import Batches, RandomInputs, load
    from resnet_inspect.tracers import registry

    subject = settings.subject
    if isinstance(subject, TracedModel | GraphCode):
        given = parse_inputs(subject.input) if subject.input is not None else ()
        feed = RandomInputs(given, settings.seed) if given else None
        name = "graph code" if isinstance(subject, GraphCode) else "function"
        return registry.load(name)(settings, feed)
    tutorial = settings.tutorial
    size, training = tutorial.batch_size, tutorial.mode == "train"
    data = load(tutorial.data, training=training).check(tutorial.classes, size)
    how: dict[str, Any] = {"size": size, "seed": settings.seed, "raw": tutorial.raw}
    held = None
    if settings.evaluates(settings.steps - 1):
        other = load(tutorial.data, training=False).check(tutorial.classes, size)
        held = Batches(other, training=False, **how)
    batches = Batches(data, training=training, held=held, **how)
    return registry.load("tutorial")(settings, batches)


def _refusal(failure: Failure, path: Path) -> BuildError:
    error = BuildError(
        f"the network could not be built or trained: {failure.kind} while {failure.during}",
        where=str(failure.source[0]) if failure.source else failure.op,
        got=failure.message,
        fix=("look at what was recorded: ", Command("shapes", (path,))),
    )
    error.run = str(path)
    return error
