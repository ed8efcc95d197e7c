"""Where a stored run meets the page that tells all of it: what is read, and what is drawn."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import msgspec

from resnet_inspect import paths
from resnet_inspect.analysis.distributions import Series
from resnet_inspect.analysis.meanings import Meanings
from resnet_inspect.analysis.overview import Held, Overview, overview
from resnet_inspect.analysis.report import Steps, gather
from resnet_inspect.findings import check
from resnet_inspect.graph import Note
from resnet_inspect.render.report.drawing import drawing
from resnet_inspect.render.report.run import run_page
from resnet_inspect.stats import Update
from resnet_inspect.store.run import Run
from resnet_inspect.stored import series_of

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
        title=info.network,
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
