"""Builds the HTML report of one or two stored runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from resnet_inspect import paths
from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.analysis.browse.scalars import shown_scalars
from resnet_inspect.analysis.diagram.diagram import Diagram
from resnet_inspect.analysis.diff.comparison import Comparison, side_by_side
from resnet_inspect.analysis.diff.distributions import RecordedSummaries
from resnet_inspect.analysis.page.overview import Overview, RecordedTensors, overview
from resnet_inspect.analysis.page.report import Steps, gather, unrecorded_notes
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.findings import check
from resnet_inspect.graph import Graph, Note
from resnet_inspect.render.diagram.differences import distant, marked
from resnet_inspect.render.diagram.look import DiagramStyle
from resnet_inspect.render.report.differences import missing_notes
from resnet_inspect.render.report.drawing import Drawing, drawing
from resnet_inspect.render.report.pairs import Pairs
from resnet_inspect.render.report.run import run_page
from resnet_inspect.render.report.two_runs import ReportSide, comparison_page
from resnet_inspect.stats import Update
from resnet_inspect.store.run import Run
from resnet_inspect.stored import compared_run, failure_of, measured_graph, series_of

Notify = Callable[[str], None]


def page_of_run(run: Run, program: str, notify: Notify) -> str:
    """The HTML report of a run.

    Args:
        run: the stored run.
        program: name of the program that makes the page.
        notify: receives messages about parts that the page lacks.
    """
    updates = run.updates()
    series = every_series(run, updates)
    steps = Steps(tuple(run.steps()), tuple(run.recorded_steps()), shown_scalars(run.scalars()))
    last = steps.recorded[-1] if steps.recorded else None
    meanings = Meanings(run.graph, run.lineage)
    shown = measured_graph(run)
    summary = _overview_of(
        run, series, last, updates.get(last, {}) if last is not None else {}, meanings, shown
    )
    report = gather(run.graph, run.lineage, summary, steps, series, meanings, shown)
    info = run.info
    diagram = drawing(
        shown,
        run.lineage,
        explanations=summary.origins,
        failure=info.failure,
        look=lambda _: DiagramStyle(title=info.network),
    )
    if diagram.missing:
        notify(f"the page has no diagram: {diagram.missing}")
        missing = (Note("diagram", diagram.missing), *report.missing)
        report = msgspec.structs.replace(report, missing=missing)
    return run_page(info, report, series, file_of(run), program, diagram.picture)


def every_series(run: Run, updates: dict[int, dict[str, Update]]) -> list[Series]:
    """The distributions of all tapped tensors at all recorded steps."""
    sizes = run.sizes()
    return [series_of(run, tap, None, sizes.get(tap), updates) for tap in run.taps()]


def file_of(run: Run) -> str:
    """The run's path, relative to the current folder or with ~."""
    return paths.short(os.fsencode(run.path).decode(errors="replace"))


def _overview_of(
    run: Run,
    series: Sequence[Series],
    step: int | None,
    updates: dict[str, Update],
    meanings: Meanings,
    shown: Graph,
) -> Overview:
    """The result of `api.summarize`, from data that was already read."""
    return overview(
        run.graph,
        run.lineage,
        _recorded_tensors(run, series, step, updates),
        shown_scalars(run.scalars()),
        meanings,
        findings=check(run),
        shown=shown,
        failure=failure_of(run),
    )


def _recorded_tensors(
    run: Run, series: Sequence[Series], step: int | None, updates: dict[str, Update]
) -> RecordedTensors:
    if step is None:
        return RecordedTensors(origin=run.origin)
    outputs = [item for item in series if item.tap.output and step in item.course]
    activations, gradients = (
        {output.tap.layer: output.course[step] for output in outputs if output.tap.kind == kind}
        for kind in ("activation", "gradient")
    )
    activity = {
        item.tap.layer: channels
        for item in series
        if item.tap.kind == "activation"
        and item.tap.output
        and (channels := item.activity) is not None
    }
    return RecordedTensors(step, activations, gradients, updates, activity, run.origin)


def page_of_two(a: Run, b: Run, program: str, notify: Notify) -> str:
    """The HTML report that compares two runs; `program` and `notify` as for `page_of_run`."""
    runs = (a, b)
    contents = [_contents(run) for run in runs]
    taps = [[series.tap for series in content.series] for content in contents]
    sides = [
        compared_run(run, content.recorded) for run, content in zip(runs, contents, strict=True)
    ]
    comparison = side_by_side(sides[0], sides[1], taps[0], taps[1])
    diagrams = _diagrams(comparison, runs)
    missing = missing_notes(
        comparison,
        [content.recorded for content in contents],
        [_not_recorded(run, content) for run, content in zip(runs, contents, strict=True)],
    )
    for whose, why in _missing_diagrams(diagrams):
        notify(f"the page has no diagram{whose}: {why}")
        missing.insert(0, Note(f"diagram{whose}", why))
    if not comparison.diff.distributions.common:
        notify("the page compares no distributions: no step was recorded in both runs")
    pictures = [diagram.picture for diagram in diagrams if diagram.picture is not None]
    return comparison_page(comparison, contents[0], contents[1], program, missing, pictures)


def _contents(run: Run) -> ReportSide:
    every = every_series(run, run.updates())
    courses = {
        series.tap: series.course
        for series in every
        if series.tap.output or series.tap.kind == "weight"
    }
    return ReportSide(
        info=run.info,
        file=file_of(run),
        graph=run.graph,
        series=every,
        recorded=RecordedSummaries(run.recorded_steps(), courses),
        scalars=shown_scalars(run.scalars()),
        broken=run.origin is not None,
        failure=failure_of(run),
    )


def _not_recorded(run: Run, content: ReportSide) -> tuple[Note, ...]:
    """Notes on everything that the run did not record."""
    steps = Steps(tuple(run.steps()), tuple(content.recorded.steps), content.scalars)
    return (*run.graph.notes, *unrecorded_notes(run.graph, run.lineage, steps, content.series))


def _diagrams(comparison: Comparison, runs: tuple[Run, Run]) -> list[Drawing]:
    """The diagrams of both runs with their differences marked.

    If no layer differs, the only diagram shows the distances of the outputs.
    """
    names = Pairs(comparison)
    graph = comparison.diff.graph
    if not (graph.only_a or graph.only_b or graph.renamed or graph.changed):
        look = partial(distant, distances=names.outputs(), title="A and B have the same layers")
        return [_drawn(runs[0], look)]
    return [
        _drawn(run, partial(marked, marks=names.marks(at), title=f"{'AB'[at]}: {run.info.network}"),
               "" if at == 0 else "b-")
        for at, run in enumerate(runs)
    ]  # fmt: skip


def _missing_diagrams(diagrams: Sequence[Drawing]) -> Iterator[tuple[str, str]]:
    """For each missing diagram the name of its run, such as " of A", and the reason.

    If all are missing for the same reason, the only name is empty.
    """
    reasons = [diagram.missing for diagram in diagrams]
    if len(set(reasons)) == 1:
        yield from [("", reasons[0])] * bool(reasons[0])
        return
    yield from ((f" of {name}", why) for name, why in zip("AB", reasons, strict=True) if why)


def _drawn(run: Run, look: Callable[[Diagram], DiagramStyle], prefix: str = "") -> Drawing:
    failure = run.info.failure
    return drawing(measured_graph(run), run.lineage, failure=failure, look=look, prefix=prefix)
