"""Question 6: what other momenta, plain gradient descent or Adam change, so early in training."""

from __future__ import annotations

import math

from resnet_inspect.analysis.studies.answer import Answer, Grid, Statement, Verdict, fact
from resnet_inspect.analysis.studies.spread import FEWEST, compared, mean, over_seeds, seeds, told
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
    # Momentum m moves a weight by rate / (1 − m) for each gradient in the end.
    Variant(LONG, {"optimizer": "sgd", "learning_rate": 1.0}),
    Variant("adam at rate 0.001", {"optimizer": "adam", "learning_rate": 0.001}),
)
WINDOW = 5


def answer(runs: VariantRuns) -> Answer:
    """From the losses, and how far each optimizer moved the weights."""
    steps = runs[USUAL][0].last_step + 1
    ends = {name: [run.ending("cross_entropy", WINDOW) for run in runs[name]] for name in runs}
    others = [name for name in runs if name not in (USUAL, SGD)]
    statements = [_same(runs)]
    statements += [
        compared(
            f"In place of {USUAL}, {name} comes to another cross entropy in {steps} steps",
            f"mean of the last {WINDOW} steps",
            (name, ends[name]),
            (USUAL, ends[USUAL]),
            0,
        )
        for name in others
    ]
    statements.append(
        compared(
            f"With {USUAL} a step moves the weights further than with {NONE}",
            "‖Δw‖/‖w‖ of all weights, mean over recorded steps",
            (USUAL, [moved(run) for run in runs[USUAL]]),
            (NONE, [moved(run) for run in runs[NONE]]),
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
            over_seeds([moved(run) for run in runs[variant.name]]),
        )
        for variant in VARIANTS
    )
    columns = ("", f"cross entropy, last {WINDOW}", "highest", f"accuracy, last {WINDOW}",
               "‖Δw‖/‖w‖ a step")  # fmt: skip
    title = f"{steps} steps, mean ± standard deviation over {seeds(len(runs[USUAL]))}"
    return Answer(
        statements=tuple(statements),
        tables=(Grid(title, columns, rows),),
        limits=(
            "each optimizer ran at one rate (0.1 unless its name says another): that one is better"
            " than another at the rate that suits it best was not measured",
            f"what leads after {steps} steps need not lead at the end of a training; accuracy is of"
            " training batches",
            f"momentum 0.99 adds up some 100 gradients, more than {steps} steps have"
            if steps < 100
            else "momentum 0.99 adds up some 100 gradients",
        ),
        see=(Command("diff", (runs[USUAL][0].file, runs[SGD][0].file)),),
    )


def moved(run: VariantRun) -> float:
    """‖Δw‖/‖w‖ of all weights together, mean over recorded steps."""
    steps = (Update.joined(updates.values()) for updates in run.updates.values())
    return mean(relative_updates(steps))


def _worst(run: VariantRun) -> float:
    values = list(run.scalars["cross_entropy"].values())
    return max(values) if all(map(math.isfinite, values)) else math.nan


def _same(runs: VariantRuns) -> Statement:
    """Two ways to write the same update may differ by rounding, which training then magnifies."""
    far = first = 0.0
    for one, other in zip(runs[NONE], runs[SGD], strict=True):
        pairs = list(zip(one.scalars["loss"].values(), other.scalars["loss"].values(), strict=True))
        first = max(first, *(abs(a - b) for a, b in pairs[:2]))
        far = max(far, *(abs(a - b) for a, b in pairs))
    measured = (
        f"the losses of all steps are equal, with {seeds(len(runs[NONE]))}"
        if far == 0
        else f"the losses differ by at most {told(first)} after the first update and {told(far)} at"
        " any step"
    )
    return fact(
        "Momentum 0 is plain gradient descent",
        first < 1e-5,
        measured,
        first=first,
        largest=far,
    )


def _order(ends: dict[str, list[float]]) -> Statement:
    """Whether the same variant is lowest with every seed; of both ways to write momentum 0, one."""
    asked = [name for name in ends if name != SGD and all(map(math.isfinite, ends[name]))]
    best = [min(asked, key=lambda name: ends[name][seed]) for seed in range(len(ends[USUAL]))]
    led = {name: [seed for seed, one in enumerate(best) if one == name] for name in {*best}}
    alone = len(led) == 1
    told_ = "; ".join(
        f"of {name} with seed{'s' * (len(of) > 1)} {', '.join(map(str, of))}"
        for name, of in sorted(led.items(), key=lambda pair: pair[1])
    )
    return Statement(
        "One of them is ahead of all others with every seed",
        Verdict.SHOWN if alone and len(best) >= FEWEST else Verdict.NOT_DECIDED,
        f"the lowest cross entropy is that {told_}",
        {"lowest": best[0] if alone else None},
    )


STUDY = Study(
    "optimizers",
    6,
    "What do other momenta, plain gradient descent or Adam change?",
    VARIANTS,
    answer,
)
