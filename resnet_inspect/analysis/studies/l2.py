"""Question 5: what the L2 term is, and what happens without it."""

from __future__ import annotations

import math

from resnet_inspect.analysis.studies.answer import Answer, Grid, Statement, fact
from resnet_inspect.analysis.studies.spread import (
    compared,
    decide,
    mean,
    over_seeds,
    rounded,
    seeds,
)
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRun, VariantRuns
from resnet_inspect.commands import Command
from resnet_inspect.stats import Update

WITH, WITHOUT = "with L2", "without L2"
# TensorFlow sums the term in float32 over about 50 variables.
ROUNDING = 1e-4


def answer(runs: VariantRuns) -> Answer:
    """Answer from the norms of all weights, and from the scalars."""
    with_l2, without_l2 = runs[WITH], runs[WITHOUT]
    steps = with_l2[0].last_step + 1
    grown = {name: [growth(run) for run in runs[name]] for name in (WITH, WITHOUT)}
    ends = {name: [norm(run, run.recorded[-1]) for run in runs[name]] for name in (WITH, WITHOUT)}
    entropy = {name: [run.ending("cross_entropy") for run in runs[name]] for name in runs}
    growing = Statement(
        "Without the L2 term the weights grow",
        decide([factor - 1 for factor in grown[WITHOUT]]),
        f"‖w‖ of all weights changes by a factor of {over_seeds(grown[WITHOUT], 5)} in {steps}"
        " steps",
        {"factor": mean(grown[WITHOUT]), "seeds": len(without_l2)},
    )
    table = Grid(
        f"Means over {seeds(len(with_l2))} ± standard deviation",
        ("", WITH, WITHOUT),
        (
            ("‖w‖ at the first step", *(_rounded([norm(r, r.recorded[0]) for r in runs[n]])
                                        for n in (WITH, WITHOUT))),
            ("‖w‖ at the last step", *(_rounded(ends[n]) for n in (WITH, WITHOUT))),
            ("L2 term at the last step", _rounded([r.ending("l2_loss", 1) for r in with_l2]), "0"),
            ("its share of the loss", _rounded([_share(r) for r in with_l2]), "0"),
            ("cross entropy, last 5 steps", *(_rounded(entropy[n]) for n in (WITH, WITHOUT))),
        ),
    )  # fmt: skip
    return Answer(
        statements=(
            _term(with_l2[0]),
            growing,
            compared(
                "The weights end larger without the term than with it",
                f"‖w‖ before step {steps - 1}",
                (WITHOUT, ends[WITHOUT]),
                (WITH, ends[WITH]),
                1,
            ),
            compared(
                f"After {steps} steps the cross entropy differs without the term",
                "mean of the last 5 steps",
                (WITHOUT, entropy[WITHOUT]),
                (WITH, entropy[WITH]),
                0,
            ),
        ),
        tables=(table,),
        limits=(
            f"{steps} steps show nothing about generalization, the purpose of weight decay."
            " Accuracy on other pictures was not measured.",
        ),
        see=(Command("diff", (runs[WITH][0].file, runs[WITHOUT][0].file)),),
    )


def norm(run: VariantRun, step: int) -> float:
    """The 2-norm of all trainable variables together, before the update of a recorded step."""
    return Update.joined(run.updates.get(step, {}).values()).norm


def growth(run: VariantRun) -> float:
    """The ratio of the norms before the last and before the first recorded step."""
    first = norm(run, run.recorded[0])
    return norm(run, run.recorded[-1]) / first if first else math.nan


def _share(run: VariantRun) -> float:
    return run.ending("l2_loss", 1) / run.ending("loss", 1)


def _term(run: VariantRun) -> Statement:
    factor, step = run.settings.tutorial.weight_decay, run.recorded[-1]
    expected = factor * norm(run, step) ** 2 / 2
    recorded = run.scalars["l2_loss"][step]
    return fact(
        "The term is weight_decay · ½ Σ w² over all trainable variables, including biases and batch"
        " normalization",
        math.isclose(expected, recorded, rel_tol=ROUNDING),
        f"{rounded(factor)} · ½ · {rounded(norm(run, step), 5)}² = {rounded(expected, 5)}; in the"
        f" graph {rounded(recorded, 5)} at step {step}, which is {rounded(100 * _share(run))} % of"
        " the loss",
        computed=expected,
        recorded=recorded,
    )


def _rounded(values: list[float]) -> str:
    return over_seeds(values, 4)


STUDY = Study(
    "l2",
    5,
    "What is the L2 term, and what happens without it?",
    (Variant(WITH), Variant(WITHOUT, {"weight_decay": 0.0})),
    answer,
)
