"""Question 4: how sparse ReLU outputs are, how this changes, and whether channels die."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

from resnet_inspect.analysis.studies.answer import Answer, Cell, Grid, Statement, fact
from resnet_inspect.analysis.studies.spread import compared, mean, over_seeds, rounded, seeds
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRun, VariantRuns
from resnet_inspect.commands import Command

V1, V2 = "version 1", "version 2"


def answer(runs: VariantRuns) -> Answer:
    """Answer from shares of zeros, and from counts of active channels."""
    statements, tables = [], []
    for name in (V1, V2):
        every = runs[name]
        layers = [layer.name for layer in every[0].graph.layers if layer.rectifies]
        statements += [_range(name, every, layers), _course(name, every, layers)]
        statements.append(_dead(name, every, layers))
        tables.append(_table(name, every, layers))
    return Answer(
        statements=tuple(statements),
        tables=tuple(tables),
        limits=(
            "The benefit of moderate sparsity was not tested. No run was made sparser or denser, so"
            " these runs show no relation to accuracy.",
            "A channel that no recorded batch activates may be active on other pictures.",
        ),
        see=(Command("hist", (runs[V2][0].file,)),
             Command("graph", (runs[V2][0].file,), ("--color-by", "zeros", "-o", "zeros.svg"))),
    )  # fmt: skip


def zeros(run: VariantRun, layer: str, step: int) -> float:
    """Share of zeros in a layer's output at a recorded step."""
    return run.output(layer)[step].zero_fraction


def _all(run: VariantRun, layers: list[str], step: int) -> float:
    return mean([zeros(run, layer, step) for layer in layers])


def _range(name: str, every: Sequence[VariantRun], layers: list[str]) -> Statement:
    shares = {
        layer: mean([zeros(run, layer, run.recorded[-1]) for run in every]) for layer in layers
    }
    low, high = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
    return fact(
        f"{name}: between 25 % and 75 % of every ReLU's output are zeros",
        shares[low] >= 0.25 and shares[high] <= 0.75,
        f"at step {every[0].recorded[-1]} from {rounded(100 * shares[low])} % ({low}) to"
        f" {rounded(100 * shares[high])} % ({high}), means over {seeds(len(every))}",
        least=shares[low],
        most=shares[high],
    )


def _course(name: str, every: Sequence[VariantRun], layers: list[str]) -> Statement:
    first, last = every[0].recorded[0], every[0].recorded[-1]
    return compared(
        f"{name}: the mean share of zeros changes in training",
        "share of zeros, mean over ReLUs",
        (f"at step {last}", [_all(run, layers, last) for run in every]),
        (f"at step {first}", [_all(run, layers, first) for run in every]),
        0,
    )


def dead(run: VariantRun, layer: str) -> tuple[int, int]:
    """The number of channels that were never above 0 at a recorded step, and of all channels."""
    activity = reduce(add, run.channels(run.outputs[layer]).values())
    return int(activity.dead.sum()), len(activity.dead)


def _dead(name: str, every: Sequence[VariantRun], layers: list[str]) -> Statement:
    counts = [dead(run, layer) for run in every for layer in layers]
    total_dead, total = sum(count for count, _ in counts), sum(size for _, size in counts)
    pictures = len(every[0].recorded) * every[0].settings.tutorial.batch_size
    return fact(
        f"{name}: no channel of a ReLU is dead",
        total_dead == 0,
        f"{total_dead} of {total} channels were 0 on all {pictures} pictures of the recorded"
        f" steps, {seeds(len(every))}",
        dead=total_dead,
        channels=total,
    )


def _table(name: str, every: Sequence[VariantRun], layers: list[str]) -> Grid:
    steps = every[0].recorded
    shown = [steps[0], steps[len(steps) // 2], steps[-1]]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            layer,
            *(over_seeds([100 * zeros(run, layer, step) for run in every]) for step in shown),
            sum(dead(run, layer)[0] for run in every),
            sum(dead(run, layer)[1] for run in every),
        )
        for layer in layers
    )
    columns = ("ReLU", *(f"step {step}" for step in shown), "dead", "of")
    return Grid(f"{name}: zeros in percent, mean ± standard deviation over seeds", columns, rows)


STUDY = Study(
    "sparsity",
    4,
    "How sparse are the ReLU outputs, and why is moderate sparsity useful?",
    (Variant(V1, {"ver": 1}), Variant(V2)),
    answer,
)
