"""Where a stored run meets the page that tells all of it: what is read, and what is drawn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from resnet_inspect import paths
from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.analysis.diagram.diagram import Diagram
from resnet_inspect.analysis.diff.comparison import Comparison, side_by_side
from resnet_inspect.analysis.diff.distributions import Recorded
from resnet_inspect.analysis.page.overview import Held, Overview, overview
from resnet_inspect.analysis.page.report import Steps, gather, not_seen
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.findings import check
from resnet_inspect.graph import Note
from resnet_inspect.render.diagram.differences import distant, marked
from resnet_inspect.render.diagram.look import Look
from resnet_inspect.render.report.differences import missing_notes
from resnet_inspect.render.report.drawing import Drawing, drawing
from resnet_inspect.render.report.pairs import Pairs
from resnet_inspect.render.report.run import run_page
from resnet_inspect.render.report.two_runs import Told, comparison_page
from resnet_inspect.stats import Update
from resnet_inspect.store.run import Run
from resnet_inspect.stored import series_of, side_of

Tell = Callable[[str], None]


def page_of_run(run: Run, program: str, tell: Tell) -> str:
    """What `api.report` gives of one run; `program` is who makes the page."""
    updates = run.updates()
    series = every_series(run, updates)
    steps = Steps(tuple(run.steps()), tuple(run.recorded_steps()), run.scalars())
    last = steps.recorded[-1] if steps.recorded else None
    meanings = Meanings(run.graph, run.lineage)
    seen = _overview_of(
        run, series, last, updates.get(last, {}) if last is not None else {}, meanings
    )
    found = gather(run.graph, run.lineage, seen, steps, series, meanings)
    info = run.info
    drawn = drawing(
        run.graph,
        run.lineage,
        explanations=seen.origins,
        failure=info.failure,
        look=lambda _: Look(title=info.network),
    )
    if drawn.missing:
        tell(f"the page has no diagram: {drawn.missing}")
        missing = (Note("diagram", drawn.missing), *found.missing)
        found = msgspec.structs.replace(found, missing=missing)
    return run_page(info, found, series, file_of(run), program, drawn.picture)


def every_series(run: Run, updates: dict[int, dict[str, Update]]) -> list[Series]:
    """What all tapped tensors held at all recorded steps."""
    sizes = run.sizes()
    return [series_of(run, tap, None, sizes.get(tap), updates) for tap in run.taps()]


def file_of(run: Run) -> str:
    """The run's path as its user may type it."""
    return paths.short(os.fsencode(run.path).decode(errors="replace"))


def _overview_of(
    run: Run,
    series: Sequence[Series],
    step: int | None,
    updates: dict[str, Update],
    meanings: Meanings,
) -> Overview:
    """What `api.summarize` says, from what was read already."""
    if step is None:
        held = Held(origin=run.origin)
        return overview(run.graph, run.lineage, held, run.scalars(), meanings, check(run))
    outputs = [one for one in series if one.tap.output and step in one.course]
    activations, gradients = (
        {one.tap.layer: one.course[step] for one in outputs if one.tap.kind == kind}
        for kind in ("activation", "gradient")
    )
    activity = {
        one.tap.layer: seen
        for one in series
        if one.tap.kind == "activation" and one.tap.output and (seen := one.activity) is not None
    }
    held = Held(step, activations, gradients, updates, activity, run.origin)
    return overview(run.graph, run.lineage, held, run.scalars(), meanings, check(run))


def page_of_two(a: Run, b: Run, program: str, tell: Tell) -> str:
    """What `api.report` gives of two runs; `program` is who makes the page."""
    told = [_told(one) for one in (a, b)]
    taps = [[one.tap for one in side.series] for side in told]
    sides = [side_of(run, one.recorded) for run, one in zip((a, b), told, strict=True)]
    found = side_by_side(sides[0], sides[1], taps[0], taps[1])
    drawn = _diagrams(found, (a, b))
    missing = missing_notes(
        found,
        [one.recorded for one in told],
        [_not_seen(run, one) for run, one in zip((a, b), told, strict=True)],
    )
    for whose, why in _lacking(drawn):
        tell(f"the page has no diagram{whose}: {why}")
        missing.insert(0, Note(f"diagram{whose}", why))
    if not found.diff.distributions.common:
        tell("the page compares no distributions: no step was recorded in both runs")
    pictures = [one.picture for one in drawn if one.picture is not None]
    return comparison_page(found, told[0], told[1], program, missing, pictures)


def _told(run: Run) -> Told:
    series = every_series(run, run.updates())
    held = {one.tap: one.course for one in series if one.tap.output or one.tap.kind == "weight"}
    return Told(
        info=run.info,
        file=file_of(run),
        graph=run.graph,
        series=series,
        recorded=Recorded(run.recorded_steps(), held),
        scalars=run.scalars(),
        broken=run.origin is not None,
    )


def _not_seen(run: Run, told: Told) -> tuple[Note, ...]:
    steps = Steps(tuple(run.steps()), tuple(told.recorded.steps), told.scalars)
    return (*run.graph.notes, *not_seen(run.graph, run.lineage, steps, told.series))


def _diagrams(found: Comparison, runs: tuple[Run, Run]) -> list[Drawing]:
    """Those of both runs with what differs marked; one of both, where no layer differs, with how
    far apart the outputs are.
    """
    names = Pairs(found)
    graph = found.diff.graph
    if not (graph.only_a or graph.only_b or graph.renamed or graph.changed):
        look = partial(distant, distances=names.outputs(), title="A and B, whose layers are alike")
        return [_drawn(runs[0], look)]
    return [
        _drawn(run, partial(marked, marks=names.marks(at), title=f"{'AB'[at]}: {run.info.network}"),
               "" if at == 0 else "b-")
        for at, run in enumerate(runs)
    ]  # fmt: skip


def _lacking(drawn: Sequence[Drawing]) -> Iterator[tuple[str, str]]:
    """Why diagrams are missing, once where all are for one reason; else with whose it is."""
    whys = [one.missing for one in drawn]
    if len(set(whys)) == 1:
        yield from [("", whys[0])] * bool(whys[0])
        return
    yield from ((f" of {name}", why) for name, why in zip("AB", whys, strict=True) if why)


def _drawn(run: Run, look: Callable[[Diagram], Look], prefix: str = "") -> Drawing:
    failure = run.info.failure
    return drawing(run.graph, run.lineage, failure=failure, look=look, prefix=prefix)
