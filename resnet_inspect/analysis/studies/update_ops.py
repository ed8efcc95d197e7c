"""Question 7: what the update ops and their control edges do, and what comes without them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from resnet_inspect.analysis.studies.answer import Answer, Cell, Grid, Statement, fact
from resnet_inspect.analysis.studies.spread import compared, over_seeds, told
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
    """From the moving averages beside the batches' own, from evaluation, and from the graphs."""
    kept, left = runs[WITH], runs[WITHOUT]
    layers = [layer for layer in kept[0].graph.layers if layer.normalizes]
    steps = kept[0].last_step + 1
    ends = {name: [run.ending(ENTROPY, 1) for run in runs[name]] for name in (WITH, WITHOUT)}
    return Answer(
        statements=(
            _edges(kept[0].graph, left[0].graph),
            _first_step(kept[0], layers),
            _never(left, layers),
            _same_training(runs),
            compared(
                f"After {steps} steps moving variances are nearer to the batch's with them",
                "distance of ln(moving variance) from ln(batch variance), mean over layers"
                " and channels",
                (WITHOUT, [_gap(run, layers) for run in left]),
                (WITH, [_gap(run, layers) for run in kept]),
                1,
            ),
            compared(
                f"Evaluated after {steps} steps, the cross entropy is higher without them",
                f"cross entropy in evaluation, by moving averages, {_fed(kept[0])}",
                (WITHOUT, ends[WITHOUT]),
                (WITH, ends[WITH]),
                1,
            ),
            compared(
                f"With them evaluation after {steps} steps still is worse than by the batches' own"
                " statistics",
                "cross entropy on the same pictures",
                ("by moving averages", ends[WITH]),
                ("by each batch's own", [run.ending(f"{ENTROPY}_by_batch", 1) for run in kept]),
                1,
            ),
        ),
        tables=(_evaluations(runs), _table(runs, layers)),
        limits=(
            f"after {steps} steps the initial values still weigh {MOMENTUM}^{steps} ="
            f" {told(100 * MOMENTUM**steps)} % of a moving average, and the rest is of weights that"
            " have moved on since: that evaluation comes near to training takes hundreds of steps"
            if steps < ARRIVED
            else f"after {steps} steps the initial values weigh {MOMENTUM}^{steps} ="
            f" {told(100 * MOMENTUM**steps)} % of a moving average",
            "the table of layers takes each one's input as it was in training; in evaluation the"
            " inputs of all but the first are others, too",
        ),
        see=(Command("hist", (layers[0].name, runs[WITH][0].file)),
             Command("diff", (runs[WITH][0].file, runs[WITHOUT][0].file)),
             Command("check", (runs[WITHOUT][0].file,))),
    )  # fmt: skip


def waiting(graph: Graph) -> tuple[list[str], list[str]]:
    """The update ops of batch normalizations, and the ops that wait for all of them."""
    averages = {name for layer in graph.layers if layer.normalizes for name in layer.variables}
    updates = [
        name
        for one in graph.variables
        if one.name in averages and not one.trainable
        for name in one.readers
        if graph.op_by_name[name].type in UPDATES
    ]
    inside = {*updates}
    held = [op.name for op in graph.ops if inside and inside <= {*op.control_inputs}]
    return updates, held


def evaluated(run: VariantRun, layer: str) -> tuple[float, float]:
    """What a normalization would make of its last recorded batch by its moving averages: mean of
    the size of its channels' means, and the root mean square of all, before gamma and beta.
    """
    one = _last(run.normalizations(layer))
    scale = np.sqrt(one.moving_variance.astype(np.float64) + EPSILON)
    means = (one.batch_mean - one.moving_mean) / scale
    squares = one.batch_variance / scale**2 + means**2
    return float(np.abs(means).mean()), float(np.sqrt(squares.mean()))


def _edges(kept: Graph, left: Graph) -> Statement:
    updates, held = waiting(kept)
    none, _ = waiting(left)
    kinds = sorted({kept.op_by_name[name].type for name in held})
    applied = [op.name for op in kept.ops if op.type.startswith("ResourceApply")]
    reached = len({*applied} & {*held})
    measured = (
        f"{len(updates)} update ops ({', '.join(updates[:2])}, …); {len(held)} ops wait for all of"
        f" them ({', '.join(kinds)}), among them {reached} of {len(applied)}"
        f" updates of weights; left out, there are {len(none)} update ops"
    )
    return fact(
        "Every update of a weight waits for all update ops, by control edges; without them no op is"
        " left to wait for",
        bool(updates) and bool(applied) and {*applied} <= {*held} and not none,
        measured,
        updates=len(updates),
        waiting=len(held),
    )


def _first_step(run: VariantRun, layers: list[Layer]) -> Statement:
    far, step = 0.0, run.recorded[0]
    for layer in layers:
        one = run.normalizations(layer.name)[step]
        mean_, variance = (
            one.batch_mean * (1 - MOMENTUM),
            MOMENTUM + (1 - MOMENTUM) * (one.batch_variance),
        )
        far = max(far, _far(one.moving_mean, mean_), _far(one.moving_variance, variance))
    return fact(
        "An update op moves its average by 1 % of the way to the batch's statistic",
        step == 0 and far < ROUNDING,
        f"after step {step} all {2 * len(layers)} averages are 0.99 · initial + 0.01 · batch, to"
        f" {told(far, 2)}",
        largest=far,
    )


def _far(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max() / max(1.0, float(np.abs(b).max())))


def _never(left: Sequence[VariantRun], layers: list[Layer]) -> Statement:
    held = [one for run in left for layer in layers
            for one in run.normalizations(layer.name).values()]  # fmt: skip
    stuck = [one for one in held if not one.moving_mean.any() and (one.moving_variance == 1).all()]
    return fact(
        "Without them moving means stay 0 and moving variances 1",
        bool(held) and len(stuck) == len(held),
        f"exactly so in {len(stuck)} of {len(held)} looks at a layer at a recorded step",
        looks=len(held),
    )


def _same_training(runs: VariantRuns) -> Statement:
    far = 0.0
    for one, other in zip(runs[WITH], runs[WITHOUT], strict=True):
        pairs = zip(one.scalars["loss"].values(), other.scalars["loss"].values(), strict=True)
        far = max(far, *(abs(a - b) for a, b in pairs))
    return fact(
        "Training itself does not notice: its losses are the same",
        far == 0,
        f"the largest difference of the losses over all steps and seeds is {told(far)}",
        largest=far,
    )


def _gap(run: VariantRun, layers: list[Layer]) -> float:
    gaps = []
    for layer in layers:
        one = _last(run.normalizations(layer.name))
        logs = [np.log(part.astype(np.float64) + EPSILON)
                for part in (one.moving_variance, one.batch_variance)]  # fmt: skip
        gaps.append(float(np.abs(logs[0] - logs[1]).mean()))
    return sum(gaps) / len(gaps) if gaps else math.nan


def _last(held: Mapping[int, Normalization]) -> Normalization:
    return held[max(held)]


def _fed(run: VariantRun) -> str:
    """What it was evaluated on; a note of the run tells where the data had nothing else."""
    told = any(note.subject == "evaluate" for note in run.graph.notes)
    return f"on pictures that were {'' if told else 'not '}trained on"


def _evaluations(runs: VariantRuns) -> Grid:
    """Evaluation beside the batches' own statistics, on the same pictures, while it trains."""
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
        f"Measured {_fed(runs[WITH][0])}, by each batch's statistics and in evaluation, after some"
        " steps: mean ± standard deviation over seeds",
        ("step", "cross entropy: by batch", "evaluated with", "without", "accuracy: by batch",
         "evaluated with", "without"),
        tuple(rows),
    )  # fmt: skip


def _table(runs: VariantRuns, layers: list[Layer]) -> Grid:
    rows = []
    for layer in layers:
        cells: list[str] = [layer.name]
        last = [_last(run.normalizations(layer.name)) for run in runs[WITH]]
        for name in ("batch_mean", "moving_mean", "batch_variance", "moving_variance"):
            cells.append(over_seeds([float(np.abs(getattr(one, name)).mean()) for one in last]))
        for variant in (WITH, WITHOUT):
            sizes = [evaluated(run, layer.name)[1] for run in runs[variant]]
            cells.append(over_seeds(sizes))
        rows.append(tuple(cells))
    return Grid(
        "At the last recorded step: means over channels of |mean| and variance, with the ops; and"
        " the root mean square of what this batch would become by the moving averages",
        ("layer", "batch |mean|", "moving", "batch variance", "moving", "rms with", "rms without"),
        tuple(rows),
    )


STUDY = Study(
    "update-ops",
    7,
    "What do the update ops and their control dependencies do; what if they are left out?",
    (Variant(WITH, evaluated=True), Variant(WITHOUT, {"update_ops": False}, evaluated=True)),
    answer,
)
