"""Question 5: what the L2 term is, and what happens without it."""

from __future__ import annotations

import math

from resnet_inspect.analysis.studies.answer import Answer, Grid, Statement, fact
from resnet_inspect.analysis.studies.spread import (
    compared,
    decide,
    mean,
    over_seeds,
    seeds,
    told,
)
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRun, VariantRuns
from resnet_inspect.commands import Command
from resnet_inspect.stats import Update

WITH, WITHOUT = "with L2", "without L2"
# The term is added up in float32 over some 50 variables.
ROUNDING = 1e-4


def answer(runs: VariantRuns) -> Answer:
    """From the norms of all weights, and the scalars."""
    kept, left = runs[WITH], runs[WITHOUT]
    steps = kept[0].last_step + 1
    grown = {name: [growth(run) for run in runs[name]] for name in (WITH, WITHOUT)}
    ends = {name: [norm(run, run.recorded[-1]) for run in runs[name]] for name in (WITH, WITHOUT)}
    entropy = {name: [run.ending("cross_entropy") for run in runs[name]] for name in runs}
    growing = Statement(
        "Without the L2 term the weights grow",
        decide([factor - 1 for factor in grown[WITHOUT]]),
        f"‖w‖ of all weights together changes by a factor of {over_seeds(grown[WITHOUT], 5)} over"
        f" {steps} steps",
        {"factor": mean(grown[WITHOUT]), "seeds": len(left)},
    )
    table = Grid(
        f"Means over {seeds(len(kept))} ± standard deviation",
        ("", WITH, WITHOUT),
        (
            ("‖w‖ at the first step", *(_told([norm(r, r.recorded[0]) for r in runs[n]])
                                        for n in (WITH, WITHOUT))),
            ("‖w‖ at the last step", *(_told(ends[n]) for n in (WITH, WITHOUT))),
            ("L2 term at the last step", _told([r.ending("l2_loss", 1) for r in kept]), "0"),
            ("its share of the loss", _told([_share(r) for r in kept]), "0"),
            ("cross entropy, last 5 steps", *(_told(entropy[n]) for n in (WITH, WITHOUT))),
        ),
    )  # fmt: skip
    return Answer(
        statements=(
            _term(kept[0]),
            growing,
            compared(
                "They end larger without it than with it",
                f"‖w‖ before step {steps - 1}",
                (WITHOUT, ends[WITHOUT]),
                (WITH, ends[WITH]),
                1,
            ),
            compared(
                f"After {steps} steps the cross entropy is another one without it",
                "mean of the last 5 steps",
                (WITHOUT, entropy[WITHOUT]),
                (WITH, entropy[WITH]),
                0,
            ),
        ),
        tables=(table,),
        limits=(
            f"{steps} steps say nothing of generalization, for which weight decay is meant: no"
            " accuracy on other pictures was measured",
        ),
        see=(Command("diff", (runs[WITH][0].file, runs[WITHOUT][0].file)),),
    )


def norm(run: VariantRun, step: int) -> float:
    """The 2-norm of all trainable variables together, before a recorded step."""
    return Update.joined(run.updates.get(step, {}).values()).norm


def growth(run: VariantRun) -> float:
    """The norm before the last recorded step over that before the first."""
    first = norm(run, run.recorded[0])
    return norm(run, run.recorded[-1]) / first if first else math.nan


def _share(run: VariantRun) -> float:
    return run.ending("l2_loss", 1) / run.ending("loss", 1)


def _term(run: VariantRun) -> Statement:
    factor, step = run.settings.tutorial.weight_decay, run.recorded[-1]
    expected = factor * norm(run, step) ** 2 / 2
    seen = run.scalars["l2_loss"][step]
    return fact(
        "The term is weight_decay · ½ Σ w² over all trainable variables, biases and those of batch"
        " normalization among them",
        math.isclose(expected, seen, rel_tol=ROUNDING),
        f"{told(factor)} · ½ · {told(norm(run, step), 5)}² = {told(expected, 5)}; the graph gave"
        f" {told(seen, 5)} at step {step}, {told(100 * _share(run))} % of the loss",
        computed=expected,
        recorded=seen,
    )


def _told(values: list[float]) -> str:
    return over_seeds(values, 4)


STUDY = Study(
    "l2",
    5,
    "What is the L2 term, and what happens without it?",
    (Variant(WITH), Variant(WITHOUT, {"weight_decay": 0.0})),
    answer,
)
