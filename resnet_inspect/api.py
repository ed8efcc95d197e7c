"""The Python interface. The commands call the same functions."""

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
from resnet_inspect.analysis.browse.scalars import shown_scalars
from resnet_inspect.analysis.check import Finding
from resnet_inspect.analysis.diff.differences import RunDiff
from resnet_inspect.analysis.diff.distributions import RecordedSummaries, chosen_steps
from resnet_inspect.analysis.diff.runs import compare
from resnet_inspect.analysis.page.overview import Overview, RecordedTensors, overview, shown_layers
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeTable
from resnet_inspect.analysis.sizes.shapes import shapes as shape_table
from resnet_inspect.commands import Command
from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import parse_inputs
from resnet_inspect.config.own_model import check_of_fit, check_own_model
from resnet_inspect.config.settings import Fit, GraphCode, TracedModel
from resnet_inspect.errors import BuildError, StorageFullError, UsageError
from resnet_inspect.failures import after_failed_cells, announce
from resnet_inspect.findings import check
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.journal import RunFiles, RunJournal
from resnet_inspect.stats import StepRecord, Tap
from resnet_inspect.store import catalogue
from resnet_inspect.store.placement import check_free
from resnet_inspect.store.run import Run
from resnet_inspect.stored import compared_run, failure_of, measured_graph, series_of
from resnet_inspect.tracers.contract import ModelNotBuilt, Outcome, Source, TrainingFailed

Watch = Callable[[Path, StepRecord | None], None]


def trace(*, out: str | Path | None = None, force: bool = False, **settings: Any) -> Run:
    """Build, train and record a network; returns the open run.

    Args:
        out: the run file to write, by default a new file in runs/.
        force: whether an existing run file is replaced.
        **settings: the settings of the command `trace`, such as n=5, ver=2, steps=20. With
            target="FILE.py:CALLABLE" your model is traced, otherwise the tutorial's ResNet.

    Raises:
        BuildError: the network cannot be built or trained. `BuildError.run` is the run file.
        InspectError: a setting, data, a device or a file is wrong.
    """
    resolved = Settings.of(settings)
    check_own_model(settings, dict.fromkeys(settings, "trace()"))
    return open_run(record(resolved, out=out, force=force))


def Recorder(
    out: str | Path | None = None, *, force: bool = False, every: int = 10, **settings: Any
) -> Any:
    """A Keras callback that records trainings; it also records training loops.

    With `fit`: `model.fit(..., callbacks=[Recorder("runs/mine.db", every=10)])`. With a loop:
    `step = recorder.instrument(train_step)` before it and `recorder.close()` after it. Recording
    does not change the trained weights. Each model has its own run file; the name of the second
    file ends in -2. If a training fails, the explanation is printed behind the traceback.

    Args:
        out: the run file to write, by default a new file in runs/.
        force: whether an existing run file is replaced.
        every: record tensors at every Nth step, from step 0. Scalars are recorded at every step.
        **settings: record, taps, gradients and sample, as for `trace`.

    Raises:
        OutputError: the file exists, or cannot be written.
        ConfigError: a setting is wrong.
    """
    from resnet_inspect.tracers import registry

    checked = check_recorder(out, force=force, every=every, **settings)
    target = paths.short(sys.argv[0]) if sys.argv and sys.argv[0] else "python"
    resolved = msgspec.structs.replace(checked, subject=Fit(target=target))
    files = RunFiles(None if out is None else Path(out), force=force)
    runs = registry.load_runs(resolved, lambda: RunJournal(files, failed=announce))
    after_failed_cells(runs.end_with)
    return registry.load_recorder(runs)


def check_recorder(out: str | Path | None, *, force: bool, **settings: Any) -> Settings:
    """The settings of a recorder. Raises the errors of `Recorder`; loads no framework."""
    check_of_fit(settings)
    if out is not None:
        check_free(Path(out), force=force)
    return Settings.of(settings, "Recorder()")


def open_run(path: str | Path) -> Run:
    """Open a recorded run. Close it after use, or use a with statement.

    Raises:
        RunMissingError: the file does not exist.
        RunFileError: the file is not a run file, is damaged or comes from a newer version.
    """
    return Run.open(path)


def shapes(run: Run, depth: str = "layer") -> ShapeTable:
    """The shape table of a run.

    Args:
        run: an open run.
        depth: "stage", "block", "layer" or "op".

    Returns:
        Rows and totals. A size that differs between steps is an int, that of the first recorded
        step, whose text is its name, such as `batch`.

    Raises:
        ValueError: another depth.
    """
    return shape_table(measured_graph(run), Depth(depth))


def distributions(
    run: Run,
    names: Sequence[str] = (),
    kinds: Sequence[str] = (),
    pair: str | None = None,
    step: int | None = None,
) -> list[tuple[Series, ...]]:
    """The distributions of tensors over the steps, in groups that are shown together.

    Args:
        run: an open run.
        names: layers, ops, variables or patterns; by default the outputs of all layers.
        kinds: "activation", "gradient" or "weight".
        pair: "bn" adds the input of batch normalization, "gradient" the gradient.
        step: only this step.

    Raises:
        UsageError: a tensor or step was not recorded.
    """
    taps = run.taps()
    chosen = choose(run.graph, taps, names, kinds, file=run.path)
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
            where="flag --step",
            expected="one of "
            + ", ".join(map(str, recorded[:10]))
            + (", …" * (len(recorded) > 10)),
            got=str(step),
            fix="`trace` records the steps that --every and --record select",
        )
    # For all layers together only the last step is shown.
    only = recorded[-1] if step is None and not names and pair is None else step
    sizes, updates = run.sizes(), run.updates()
    return [
        tuple(series_of(run, tap, only, sizes.get(tap), updates) for tap in group)
        for group in groups
    ]


def series(run: Run, tap: Tap) -> Series:
    """The summaries of a tapped tensor at all recorded steps."""
    updates = run.updates() if tap.kind == "weight" else {}
    return series_of(run, tap, None, run.size(tap), updates)


def diff(a: Run, b: Run, depth: str = "layer", *, every_step: bool = False) -> RunDiff:
    """The differences between two runs, which may be failed, interrupted or running.

    Args:
        a: an open run.
        b: the run to compare with.
        depth: "layer" or "op".
        every_step: compare distributions at all common steps, by default at up to six.

    Returns:
        The differences; `empty` is true without any.

    Raises:
        ValueError: another depth.
    """
    if depth not in (Depth.LAYER, Depth.OP):
        raise ValueError(f"depth is layer or op, got {depth!r}")
    recorded = a.recorded_steps(), b.recorded_steps()
    common = sorted({*recorded[0]} & {*recorded[1]})
    steps = chosen_steps(common, every=every_step)
    every_tap = depth == Depth.OP
    first, second = (
        compared_run(run, RecordedSummaries(own, run.all_summaries(steps, every_tap=every_tap)))
        for run, own in zip((a, b), recorded, strict=True)
    )
    return compare(first, second, Depth(depth), every_step=every_step)


def report(
    run: Run, other: Run | None = None, *, note: Callable[[str], None] = lambda _: None
) -> str:
    """A run, or a comparison of two runs, as an HTML page that needs no network connection.

    Args:
        run: an open run.
        other: a run to compare with: `run` is A and `other` is B on the page. Distributions are
            compared at every common step.
        note: is called with a text for each part that is missing from the page, such as a diagram
            without Graphviz. The page shows the text too.
    """
    from resnet_inspect import __version__
    from resnet_inspect.reports import page_of_run, page_of_two

    program = f"resnet-inspect {__version__}"
    if other is None:
        return page_of_run(run, program, note)
    return page_of_two(run, other, program, note)


def picture(run: Run, form: str = "svg") -> str:
    """The network with the distributions of layer outputs at the last recorded step.

    Args:
        run: an open run.
        form: "svg" for a standalone picture, "dot" for text in the DOT language.

    Raises:
        RendererMissingError: Graphviz is not installed.
        RendererError: Graphviz fails.
    """
    from resnet_inspect.analysis.diagram.diagram import Level, Options
    from resnet_inspect.analysis.diagram.drawing import draw
    from resnet_inspect.render.diagram.look import DiagramStyle
    from resnet_inspect.render.diagram.picture import picture_of
    from resnet_inspect.render.diagram.shades import bars

    recorded, info = run.recorded_steps(), run.info
    options = Options(level=Level.LAYER if recorded else None)
    diagram = draw(measured_graph(run), run.lineage, options, failure=info.failure)
    look = DiagramStyle(title=info.network)
    if recorded:
        title = f"{info.network}, outputs at step {recorded[-1]}"
        look = look._replace(title=title, bars=bars(diagram, run.summaries(recorded[-1])))
    return picture_of(diagram, look, "dot" if form == "dot" else "svg").text


def summarize(run: Run, findings: tuple[Finding, ...] | None = None) -> Overview:
    """The content of the answer page of a run, from its last recorded step.

    The run is checked if `findings` is None.
    """
    recorded = run.recorded_steps()
    findings = check(run) if findings is None else findings
    scalars, values = shown_scalars(run.scalars()), RecordedTensors(origin=run.origin)
    if recorded:
        values = _recorded_tensors(run, recorded[-1])
    return overview(
        run.graph,
        run.lineage,
        values,
        scalars,
        findings=findings,
        shown=measured_graph(run),
        failure=failure_of(run),
    )


def _recorded_tensors(run: Run, step: int) -> RecordedTensors:
    layers = shown_layers(run.graph)
    summaries = run.summaries(step, layers=layers), run.summaries(step, "gradient", layers=layers)
    activity = {layer: reduce(add, seen) for layer, seen in run.activity().items()}
    return RecordedTensors(step, *summaries, run.updates().get(step, {}), activity, run.origin)


def record(
    settings: Settings,
    *,
    out: str | Path | None = None,
    force: bool = False,
    watch: Watch = lambda _path, _record: None,
) -> Path:
    """Trace with these settings and return the run file.

    Settings, data and files are checked before the run file is written. If the trace stops early,
    the file keeps every committed step and the reason.

    Args:
        settings: what to record, and how.
        out: the run file to write, by default a new file in runs/.
        force: whether an existing run file is replaced.
        watch: is called with the file and None at its creation, then with the file and each step.

    Raises:
        BuildError: the network cannot be built or trained.
    """
    files = RunFiles(None if out is None else Path(out), force=force)
    first = Path(out) if out is not None else catalogue.fresh_name(settings.network)
    check_free(first, force=force)
    journal = RunJournal(files, network=settings.network, watch=watch)
    try:
        source = _source(settings)
    except ModelNotBuilt as raised:
        journal.begin(settings.network, settings, raised.environment)
        journal.built(Outcome(Graph(ops=()), 0.0, raised.failure), Lineage())
        journal.end(failure=raised.failure)
        raise _build_error(raised.failure, journal.run_file()) from raised
    try:
        source.record(journal)
    except TrainingFailed as outcome:
        raise _build_error(outcome.failure, journal.run_file()) from outcome
    except BaseException as error:
        by_user = isinstance(error, KeyboardInterrupt)
        reason = "stopped by the user" if by_user else f"{type(error).__name__}: {error}"
        with suppress(StorageFullError):
            journal.end(reason.splitlines()[0])
        raise
    return journal.run_file()


def _source(settings: Settings) -> Source:
    """The source for these settings, with its data. Raises UsageError and ModelNotBuilt."""
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
    evaluation = None
    if settings.evaluates(settings.steps - 1):
        other = load(tutorial.data, training=False).check(tutorial.classes, size)
        evaluation = Batches(other, training=False, **how)
    batches = Batches(data, training=training, evaluation=evaluation, **how)
    return registry.load("tutorial")(settings, batches)


def _build_error(failure: Failure, path: Path) -> BuildError:
    error = BuildError(
        f"the network could not be built or trained: {failure.kind} while {failure.during}",
        where=str(failure.source[0]) if failure.source else failure.op,
        got=failure.message,
        fix=("read the explanation again: ", Command("explain", (path,))),
    )
    error.run = str(path)
    return error
