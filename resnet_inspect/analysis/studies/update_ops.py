"""Question 7: what the update ops and their control edges do, and what happens without them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from resnet_inspect.analysis.studies.answer import Answer, Cell, Grid, Statement, fact
from resnet_inspect.analysis.studies.spread import compared, over_seeds, rounded
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRun, VariantRuns
from resnet_inspect.commands import Command
from resnet_inspect.graph import Graph, Layer
from resnet_inspect.stats import Normalization

WITH, WITHOUT = "with update ops", "without update ops"
MOMENTUM, EPSILON = 0.99, 1e-3  # of the tutorial's batch normalization
ROUNDING = 1e-5
UPDATES = ("AssignSubVariableOp", "AssignVariableOp")
ENTROPY, ACCURACY = "eval_cross_entropy", "eval_accuracy"
ARRIVED = 300  # steps of this momentum after which the initial values weigh less than 5 %


def answer(runs: VariantRuns) -> Answer:
    """Answer from moving and batch statistics, from evaluation, and from the graphs."""
    with_ops, without_ops = runs[WITH], runs[WITHOUT]
    layers = [layer for layer in with_ops[0].graph.layers if layer.normalizes]
    steps = with_ops[0].last_step + 1
    ends = {name: [run.ending(ENTROPY, 1) for run in runs[name]] for name in (WITH, WITHOUT)}
    by_batch = [run.ending(f"{ENTROPY}_by_batch", 1) for run in with_ops]
    return Answer(
        statements=(
            _edges(with_ops[0].graph, without_ops[0].graph),
            _first_step(with_ops[0], layers),
            _unchanged(without_ops, layers),
            _same_training(runs),
            compared(
                f"After {steps} steps moving variances are closer to batch variances with update"
                " ops",
                "distance between ln(moving variance) and ln(batch variance), mean over layers and"
                " channels",
                (WITHOUT, [_gap(run, layers) for run in without_ops]),
                (WITH, [_gap(run, layers) for run in with_ops]),
                1,
            ),
            compared(
                f"In evaluation after {steps} steps the cross entropy is higher without update ops",
                f"cross entropy in evaluation, with moving averages, {_evaluated_on(with_ops[0])}",
                (WITHOUT, ends[WITHOUT]),
                (WITH, ends[WITH]),
                1,
            ),
            compared(
                f"With update ops evaluation after {steps} steps is still worse than with batch"
                " statistics",
                "cross entropy on the same pictures",
                ("with moving averages", ends[WITH]),
                ("with batch statistics", by_batch),
                1,
            ),
        ),
        tables=(_evaluations(runs), _table(runs, layers)),
        limits=(
            f"After {steps} steps the initial values make up {MOMENTUM}^{steps} ="
            f" {rounded(100 * MOMENTUM**steps)} % of a moving average."
            + (
                " Evaluation becomes close to training only after hundreds of steps."
                if steps < ARRIVED
                else ""
            ),
            "The table of layers uses the layers' inputs in training. In evaluation all inputs but"
            " the first layer's are different.",
        ),
        see=(Command("hist", (layers[0].name, runs[WITH][0].file)),
             Command("diff", (runs[WITH][0].file, runs[WITHOUT][0].file)),
             Command("check", (runs[WITHOUT][0].file,))),
    )  # fmt: skip


def waiting(graph: Graph) -> tuple[list[str], list[str]]:
    """The update ops of batch normalizations, and the ops that wait for all update ops."""
    averages = {name for layer in graph.layers if layer.normalizes for name in layer.variables}
    updates = [
        name
        for variable in graph.variables
        if variable.name in averages and not variable.trainable
        for name in variable.readers
        if graph.op_by_name[name].type in UPDATES
    ]
    inside = {*updates}
    waiters = [op.name for op in graph.ops if inside and inside <= {*op.control_inputs}]
    return updates, waiters


def evaluated(run: VariantRun, layer: str) -> tuple[float, float]:
    """The last recorded batch, normalized with moving averages, before gamma and beta.

    Returns:
        The mean over channels of |channel mean|, and the root mean square of all values.
    """
    last = _last(run.normalizations(layer))
    scale = np.sqrt(last.moving_variance.astype(np.float64) + EPSILON)
    means = (last.batch_mean - last.moving_mean) / scale
    squares = last.batch_variance / scale**2 + means**2
    return float(np.abs(means).mean()), float(np.sqrt(squares.mean()))


def _edges(with_ops: Graph, without_ops: Graph) -> Statement:
    updates, waiters = waiting(with_ops)
    none, _ = waiting(without_ops)
    kinds = sorted({with_ops.op_by_name[name].type for name in waiters})
    applied = [op.name for op in with_ops.ops if op.type.startswith("ResourceApply")]
    reached = len({*applied} & {*waiters})
    measured = (
        f"the graph has {len(updates)} update ops ({', '.join(updates[:2])}, …). {len(waiters)} ops"
        f" wait for all of them ({', '.join(kinds)}), including {reached} of {len(applied)} weight"
        f" updates. The graph without update ops has {len(none)}."
    )
    return fact(
        "Every weight update waits for all update ops, by control edges",
        bool(updates) and bool(applied) and {*applied} <= {*waiters} and not none,
        measured,
        updates=len(updates),
        waiting=len(waiters),
    )


def _first_step(run: VariantRun, layers: list[Layer]) -> Statement:
    error, step = 0.0, run.recorded[0]
    for layer in layers:
        seen = run.normalizations(layer.name)[step]
        mean = seen.batch_mean * (1 - MOMENTUM)
        variance = MOMENTUM + (1 - MOMENTUM) * (seen.batch_variance)
        error = max(error, _error(seen.moving_mean, mean), _error(seen.moving_variance, variance))
    return fact(
        "An update op moves its average by 1 % towards the batch statistic",
        step == 0 and error < ROUNDING,
        f"after step {step} all {2 * len(layers)} averages are 0.99 · initial + 0.01 · batch"
        f" (error at most {rounded(error, 2)})",
        largest=error,
    )


def _error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max() / max(1.0, float(np.abs(b).max())))


def _unchanged(without_ops: Sequence[VariantRun], layers: list[Layer]) -> Statement:
    seen = [normalization for run in without_ops for layer in layers
            for normalization in run.normalizations(layer.name).values()]  # fmt: skip
    initial = [
        normalization
        for normalization in seen
        if not normalization.moving_mean.any() and (normalization.moving_variance == 1).all()
    ]
    return fact(
        "Without update ops moving means stay 0 and moving variances stay 1",
        bool(seen) and len(initial) == len(seen),
        f"exactly true in {len(initial)} of {len(seen)} measurements (layers × recorded steps)",
        looks=len(seen),
    )


def _same_training(runs: VariantRuns) -> Statement:
    largest = 0.0
    for pair in zip(runs[WITH], runs[WITHOUT], strict=True):
        losses = (run.scalars["loss"].values() for run in pair)
        largest = max(largest, *(abs(a - b) for a, b in zip(*losses, strict=True)))
    return fact(
        "Training is not affected: the losses are equal",
        largest == 0,
        f"the largest difference of losses over all steps and seeds is {rounded(largest)}",
        largest=largest,
    )


def _gap(run: VariantRun, layers: list[Layer]) -> float:
    gaps = []
    for layer in layers:
        last = _last(run.normalizations(layer.name))
        logs = [np.log(part.astype(np.float64) + EPSILON)
                for part in (last.moving_variance, last.batch_variance)]  # fmt: skip
        gaps.append(float(np.abs(logs[0] - logs[1]).mean()))
    return sum(gaps) / len(gaps) if gaps else math.nan


def _last(by_step: Mapping[int, Normalization]) -> Normalization:
    return by_step[max(by_step)]


def _evaluated_on(run: VariantRun) -> str:
    """The kind of pictures; a note of the run marks data without separate test pictures."""
    training = any(note.subject == "evaluate" for note in run.graph.notes)
    return f"on {'training' if training else 'test'} pictures"


def _evaluations(runs: VariantRuns) -> Grid:
    """Results with moving averages and with batch statistics, on the same pictures, by step."""
    rows = []
    for step in sorted(runs[WITH][0].scalars.get(ENTROPY, {})):
        cells: list[Cell] = [step]
        for scalar in (ENTROPY, ACCURACY):
            for variant, name in (
                (WITH, f"{scalar}_by_batch"),
                (WITH, scalar),
                (WITHOUT, scalar),
            ):
                cells.append(over_seeds([run.scalars[name][step] for run in runs[variant]]))
        rows.append(tuple(cells))
    return Grid(
        f"Measured {_evaluated_on(runs[WITH][0])} with batch statistics, and in evaluation with and"
        " without update ops: mean ± standard deviation over seeds",
        ("step", "cross entropy: batch", "evaluation with", "without", "accuracy: batch",
         "evaluation with", "without"),
        tuple(rows),
    )  # fmt: skip


def _table(runs: VariantRuns, layers: list[Layer]) -> Grid:
    rows = []
    for layer in layers:
        cells: list[str] = [layer.name]
        last = [_last(run.normalizations(layer.name)) for run in runs[WITH]]
        for name in ("batch_mean", "moving_mean", "batch_variance", "moving_variance"):
            values = [float(np.abs(getattr(statistics, name)).mean()) for statistics in last]
            cells.append(over_seeds(values))
        for variant in (WITH, WITHOUT):
            sizes = [evaluated(run, layer.name)[1] for run in runs[variant]]
            cells.append(over_seeds(sizes))
        rows.append(tuple(cells))
    return Grid(
        "At the last recorded step: |mean| and variance with update ops, means over channels; rms:"
        " root mean square of the batch, normalized with moving averages",
        ("layer", "batch |mean|", "moving", "batch variance", "moving", "rms with", "rms without"),
        tuple(rows),
    )


STUDY = Study(
    "update-ops",
    7,
    "What do the update ops and their control dependencies do? What happens without them?",
    (Variant(WITH, evaluated=True), Variant(WITHOUT, {"update_ops": False}, evaluated=True)),
    answer,
)
