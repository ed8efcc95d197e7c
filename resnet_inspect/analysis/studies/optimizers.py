"""Question 6: the effect of other momenta, plain gradient descent or Adam early in training."""

from __future__ import annotations

import math

from resnet_inspect.analysis.studies.answer import Answer, Grid, Statement, Verdict, fact
from resnet_inspect.analysis.studies.spread import (
    FEWEST,
    compared,
    mean,
    over_seeds,
    rounded,
    seeds,
)
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRun, VariantRuns
from resnet_inspect.commands import Command
from resnet_inspect.stats import Update, relative_updates

USUAL = "momentum 0.9"
NONE, SGD, LONG = "momentum 0", "sgd", "sgd at rate 1"
VARIANTS = (
    Variant(NONE, {"momentum": 0.0}),
    Variant("momentum 0.5", {"momentum": 0.5}),
    Variant(USUAL),
    Variant("momentum 0.99", {"momentum": 0.99}),
    Variant(SGD, {"optimizer": "sgd"}),
    # With momentum m each gradient moves a weight by rate / (1 − m) in total.
    Variant(LONG, {"optimizer": "sgd", "learning_rate": 1.0}),
    Variant("adam at rate 0.001", {"optimizer": "adam", "learning_rate": 0.001}),
)
WINDOW = 5


def answer(runs: VariantRuns) -> Answer:
    """Answer from the losses, and from how far each optimizer moved the weights."""
    steps = runs[USUAL][0].last_step + 1
    ends = {name: [run.ending("cross_entropy", WINDOW) for run in runs[name]] for name in runs}
    others = [name for name in runs if name not in (USUAL, SGD)]
    statements = [_same(runs)]
    statements += [
        compared(
            f"After {steps} steps the cross entropy differs with {name} in place of {USUAL}",
            f"mean of the last {WINDOW} steps",
            (name, ends[name]),
            (USUAL, ends[USUAL]),
            0,
        )
        for name in others
    ]
    statements.append(
        compared(
            f"A step changes the weights more with {USUAL} than with {NONE}",
            "‖Δw‖/‖w‖ of all weights, mean over recorded steps",
            (USUAL, [relative_update(run) for run in runs[USUAL]]),
            (NONE, [relative_update(run) for run in runs[NONE]]),
            1,
        )
    )
    statements.append(_order(ends))
    rows = tuple(
        (
            variant.name,
            over_seeds(ends[variant.name]),
            over_seeds([_worst(run) for run in runs[variant.name]]),
            over_seeds([run.ending("accuracy", WINDOW) for run in runs[variant.name]]),
            over_seeds([relative_update(run) for run in runs[variant.name]]),
        )
        for variant in VARIANTS
    )
    columns = ("", f"cross entropy, last {WINDOW}", "highest", f"accuracy, last {WINDOW}",
               "‖Δw‖/‖w‖ per step")  # fmt: skip
    title = f"{steps} steps, mean ± standard deviation over {seeds(len(runs[USUAL]))}"
    return Answer(
        statements=tuple(statements),
        tables=(Grid(title, columns, rows),),
        limits=(
            "Each optimizer ran at one rate, 0.1 unless its name shows another. The optimizers were"
            " not compared at their best rates.",
            f"The best optimizer after {steps} steps may not be the best after long training.",
            "Accuracy is measured on training batches.",
            "Momentum 0.99 averages over about 100 gradients"
            + (f", more than these {steps} steps." if steps < 100 else "."),
        ),
        see=(Command("diff", (runs[USUAL][0].file, runs[SGD][0].file)),),
    )


def relative_update(run: VariantRun) -> float:
    """‖Δw‖/‖w‖ of all weights together, mean over recorded steps."""
    steps = (Update.joined(updates.values()) for updates in run.updates.values())
    return mean(relative_updates(steps))


def _worst(run: VariantRun) -> float:
    values = list(run.scalars["cross_entropy"].values())
    return max(values) if all(map(math.isfinite, values)) else math.nan


def _same(runs: VariantRuns) -> Statement:
    """Two implementations of the same update may differ by rounding, which training amplifies."""
    largest = first = 0.0
    for momentum, sgd in zip(runs[NONE], runs[SGD], strict=True):
        losses = (run.scalars["loss"].values() for run in (momentum, sgd))
        gaps = [abs(a - b) for a, b in zip(*losses, strict=True)]
        first = max(first, *gaps[:2])
        largest = max(largest, *gaps)
    measured = (
        f"the losses of all steps are equal, with {seeds(len(runs[NONE]))}"
        if largest == 0
        else f"the losses differ by at most {rounded(first)} after the first update, and by at most"
        f" {rounded(largest)} at any step"
    )
    return fact(
        "Momentum 0 is plain gradient descent",
        first < 1e-5,
        measured,
        first=first,
        largest=largest,
    )


def _order(ends: dict[str, list[float]]) -> Statement:
    """Whether the same variant has the lowest loss with every seed; SGD equals momentum 0."""
    finite = [name for name in ends if name != SGD and all(map(math.isfinite, ends[name]))]
    best = [min(finite, key=lambda name: ends[name][seed]) for seed in range(len(ends[USUAL]))]
    seeds_of = {
        name: [seed for seed, winner in enumerate(best) if winner == name] for name in {*best}
    }
    same = len(seeds_of) == 1
    listed = "; ".join(
        f"{name} with seed{'s' * (len(won) > 1)} {', '.join(map(str, won))}"
        for name, won in sorted(seeds_of.items(), key=lambda pair: pair[1])
    )
    return Statement(
        "The same variant is best with every seed",
        Verdict.SHOWN if same and len(best) >= FEWEST else Verdict.NOT_DECIDED,
        f"lowest cross entropy: {listed}",
        {"lowest": best[0] if same else None},
    )


STUDY = Study(
    "optimizers",
    6,
    "What is the effect of other momenta, plain gradient descent or Adam?",
    VARIANTS,
    answer,
)
