"""Reads what a question needs from a stored run: sizes, its failure, series, a comparison."""

from __future__ import annotations

import os
from typing import Any

from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.analysis.browse.scalars import shown_scalars
from resnet_inspect.analysis.diff.distributions import RecordedSummaries
from resnet_inspect.analysis.diff.runs import ComparedRun
from resnet_inspect.analysis.page.failure import FailureFacts, failure_facts
from resnet_inspect.analysis.sizes import measured
from resnet_inspect.findings import check
from resnet_inspect.graph import Graph
from resnet_inspect.stats import Tap, Update
from resnet_inspect.store.run import Run


def measured_graph(run: Run) -> Graph:
    """The graph of a run, with the sizes of its first recorded step in place of unknown sizes."""
    if not measured.has_unknown_sizes(run.graph):
        return run.graph
    inputs = [
        {name: part.shape or (part.examples,) for name, part in batch.items()}
        for batch in run.batches().values()
    ]
    sizes = run.sizes().items()
    elements = {tap.tensor: count for tap, count in sizes if tap.kind == "activation"}
    return measured.measured_graph(run.graph, run.lineage, inputs, elements)


def failure_of(run: Run) -> FailureFacts | None:
    """The facts about the failure of a run; None if it did not fail."""
    info = run.info
    if info.failure is None:
        return None
    return failure_facts(info.failure, run.graph, run.lineage, info.settings)


def series_of(
    run: Run,
    tap: Tap,
    only: int | None,
    elements: int | None,
    updates: dict[int, dict[str, Update]],
) -> Series:
    """The summaries of a tapped tensor at all recorded steps, or at the step `only`.

    Args:
        run: the run to read.
        tap: the tensor.
        only: a step, or None for all.
        elements: the number of elements of the tensor, None if unknown.
        updates: the updates of all variables by step.
    """

    def wanted(by_step: dict[int, Any]) -> dict[int, Any]:
        return {step: value for step, value in by_step.items() if only in (None, step)}

    weight = tap.kind == "weight"
    output = tap.kind == "activation" and tap.output
    course = run.course(tap) if only is None else run.course(tap, only)
    return Series(
        tap,
        course,
        elements,
        wanted(run.not_finite(tap)),
        wanted(run.channels(tap) if output else {}),
        wanted({s: by[tap.tensor] for s, by in updates.items() if weight and tap.tensor in by}),
        wanted(run.normalizations(tap.layer) if output else {}),
    )


def compared_run(run: Run, recorded: RecordedSummaries) -> ComparedRun:
    """The content of a run for a comparison; `recorded` has the summaries of its tensors."""
    info, origin = run.info, run.origin
    facts = {
        **info.facts,
        "steps done": len(run.steps()),
        "recorded steps": list(recorded.steps),
        "recorded kinds": sorted({tap.kind for tap in run.taps()}),
        "first not finite": "" if origin is None else f"{origin.name} at step {origin.step}",
    }
    return ComparedRun(
        name=os.fsencode(run.path).decode(errors="replace"),
        graph=run.graph,
        facts=facts,
        settings=_with_training(info.settings.values(), run.graph),
        recorded=recorded,
        scalars=shown_scalars(run.scalars()),
        findings=check(run),
        averages={
            layer.name: run.normalizations(layer.name)
            for layer in run.graph.layers
            if layer.normalizes
        },
    )


def _with_training(settings: dict[str, Any], graph: Graph) -> dict[str, Any]:
    """Settings, with those of the training that were not set but recorded from it."""
    training = graph.training
    if training is None:
        return settings
    rate = training.learning_rate
    recorded = {
        "optimizer": training.optimizer or None,
        "learning_rate": None if rate is None else float(f"{rate:.6g}"),  # it was a float32
        "weight_decay": training.decay,
        "loss": [objective.loss for objective in training.objectives] or None,
    }
    missing = {name: value for name, value in recorded.items() if settings.get(name) is None}
    return settings | missing
