"""Question 2: distributions of layer inputs and their movement, with and without batch norm.

Movement is measured between recorded steps, so it includes the change of the batch. With equal
seeds both variants see the same batches. Internal covariate shift is defined as by Ioffe and
Szegedy (2015, arXiv 1502.03167). Santurkar et al. (2018, arXiv 1805.11604) found that batch
normalization does not always reduce it, so this study assumes no direction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from resnet_inspect.analysis.studies.answer import Answer, Grid, Statement, Verdict, fact
from resnet_inspect.analysis.studies.spread import compared, decide, mean, over_seeds, rounded
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRun, VariantRuns
from resnet_inspect.commands import Command
from resnet_inspect.stats import TensorSummary, drift

RATES = (0.01, 0.1)
WITH, WITHOUT = "with BN", "without BN"
VARIANTS = tuple(
    Variant(f"{name}, rate {rate}", {"learning_rate": rate} | changed)
    for rate in RATES
    for name, changed in ((WITH, {}), (WITHOUT, {"batch_norm": False}))
)


def answer(runs: VariantRuns) -> Answer:
    """Answer from the inputs of convolutions and of the last layer at each recorded step."""
    layers = inputs(runs[f"{WITHOUT}, rate {RATES[0]}"][0])
    statements = [_normalized(runs[f"{WITH}, rate {RATES[0]}"][0])]
    tables = []
    for rate in RATES:
        with_bn, without_bn = runs[f"{WITH}, rate {rate}"], runs[f"{WITHOUT}, rate {rate}"]
        statements += _moving(rate, with_bn, without_bn, layers)
        tables.append(_table(rate, with_bn, without_bn, layers))
    tables.append(_around(runs[f"{WITH}, rate {RATES[-1]}"]))
    return Answer(
        statements=tuple(statements),
        tables=tuple(tables),
        limits=(
            "A distance covers all values of a layer together. It does not detect channels that"
            " move in opposite directions.",
            "Movement is measured together with the loss, not as its cause. These runs do not"
            " decide whether movement makes training slower.",
        ),
        see=(
            Command("hist", (runs[VARIANTS[0].name][0].file,), ("--pair", "bn")),
            Command("diff", tuple(runs[variant.name][0].file for variant in VARIANTS[:2])),
        ),
    )


def inputs(run: VariantRun) -> dict[str, str]:
    """The layer that each convolution and the last layer read; the first convolution is left out.

    Pass a run without normalizations, whose other layers are the same.
    """
    made = {layer.output: layer.name for layer in run.graph.layers}
    return {
        layer.name: made[layer.inputs[0]]
        for layer in run.graph.layers
        if layer.type in ("Conv2D", "MatMul") and layer.inputs and layer.inputs[0] in made
    }


def movement(course: Mapping[int, TensorSummary]) -> float:
    """Mean earth mover's distance between neighbouring recorded steps, in standard deviations."""
    steps = sorted(course)
    pairs = pairwise(steps)
    return mean([_distance(course[a], course[b]) for a, b in pairs])


def displacement(course: Mapping[int, TensorSummary]) -> float:
    """The distance from the first recorded step to the last, in standard deviations."""
    return _distance(course[min(course)], course[max(course)])


def _distance(a: TensorSummary, b: TensorSummary) -> float:
    broken = a.finite < a.count or b.finite < b.count
    return math.nan if broken or not a.count else drift(a.sketch, b.sketch)


def _normalized(run: VariantRun) -> Statement:
    step, error, count = run.recorded[0], 0.0, 0
    for layer in run.graph.layers:
        course = run.output(layer.name) if layer.normalizes else {}
        if step in course:
            summary, count = course[step], count + 1
            error = max(error, abs(summary.mean or 0.0), abs((summary.std or 0.0) - 1))
    return fact(
        "Before the first update the output of every normalization has about mean 0 and standard"
        " deviation 1",
        count > 0 and error < 0.1,
        f"means and standard deviations of {count} layers deviate by at most {rounded(error)} at"
        f" step {step}, measured on a sample of each tensor",
        largest=error,
    )


def _finite(run: VariantRun) -> bool:
    return all(math.isfinite(value) for value in run.scalars["loss"].values())


def _moving(
    rate: float,
    with_bn: Sequence[VariantRun],
    without_bn: Sequence[VariantRun],
    layers: Mapping[str, str],
) -> list[Statement]:
    diverged = [sum(not _finite(run) for run in every) for every in (with_bn, without_bn)]
    claim = f"At rate {rate} the loss stays finite, with BN and without"
    measured = (
        f"the loss became NaN or infinite in {diverged[0]} of {len(with_bn)} runs with BN, and in"
        f" {diverged[1]} of {len(without_bn)} without"
    )
    statements = [fact(claim, not any(diverged), measured)]
    if any(diverged):
        claim = f"At rate {rate} layer inputs move less with BN"
        reason = "not compared, because a loss is not finite"
        return [*statements, Statement(claim, Verdict.NOT_DECIDED, reason)]
    statements.append(_learns(rate, without_bn))
    read = list(dict.fromkeys(layers.values()))
    for title, of, sign in (
        ("between recorded steps", movement, -1),
        ("from the first recorded step to the last", displacement, -1),
    ):
        values = [
            [mean([of(run.output(name)) for name in read]) for run in e]
            for e in (with_bn, without_bn)
        ]
        statements.append(
            compared(
                f"At rate {rate} layer inputs move less with BN {title}",
                "earth mover's distance in standard deviations, mean over layers",
                (WITH, values[0]),
                (WITHOUT, values[1]),
                sign,
            )
        )
    ends = [[run.ending("cross_entropy") for run in every] for every in (with_bn, without_bn)]
    steps = with_bn[0].last_step + 1
    statements.append(
        compared(
            f"At rate {rate} the cross entropy after {steps} steps is lower with BN",
            "mean of the last 5 steps",
            (WITH, ends[0]),
            (WITHOUT, ends[1]),
            -1,
        )
    )
    return statements


def _learns(rate: float, without_bn: Sequence[VariantRun]) -> Statement:
    """Whether training does better than chance: otherwise inputs move, but not by learning."""
    classes = without_bn[0].settings.tutorial.classes
    ends = [run.ending("cross_entropy") for run in without_bn]
    return Statement(
        f"At rate {rate} the network without BN becomes better than chance level",
        decide([math.log(classes) - end for end in ends]),
        f"cross entropy, mean of the last 5 steps: {over_seeds(ends)}; chance level for"
        f" {classes} classes is ln {classes} = {rounded(math.log(classes))}",
        {"cross_entropy": mean(ends), "guessing": math.log(classes)},
    )


def _around(every: Sequence[VariantRun]) -> Grid:
    """Means and standard deviations before and after each normalization."""
    first = every[0]
    made = {layer.output: layer.name for layer in first.graph.layers}
    rows = []
    for layer in first.graph.layers:
        if layer.normalizes and layer.inputs[0] in made:
            cells = [layer.name, made[layer.inputs[0]]]
            for name in (made[layer.inputs[0]], layer.name):
                for step in (first.recorded[0], first.recorded[-1]):
                    summaries = [run.output(name)[step] for run in every]
                    cells.append(
                        f"{rounded(mean([_number(summary.mean) for summary in summaries]), 2)}, "
                        f"{rounded(mean([_number(summary.std) for summary in summaries]), 2)}"
                    )
            rows.append(tuple(cells))
    columns = (
        "normalization", "input from", "before: first step", "last", "after: first step", "last"
    )  # fmt: skip
    title = f"Rate {RATES[-1]}, with BN: mean, standard deviation (means over seeds)"
    return Grid(title, columns, tuple(rows))


def _table(
    rate: float,
    with_bn: Sequence[VariantRun],
    without_bn: Sequence[VariantRun],
    layers: Mapping[str, str],
) -> Grid:
    rows = []
    for layer, source in layers.items():
        cells = [layer, source]
        for every in (with_bn, without_bn):
            courses = [run.output(source) for run in every]
            first = [course[min(course)] for course in courses]
            last = [course[max(course)] for course in courses]
            cells += [
                f"{over_seeds([_number(summary.mean) for summary in first])} → "
                f"{over_seeds([_number(summary.mean) for summary in last])}",
                f"{over_seeds([_number(summary.std) for summary in first])} → "
                f"{over_seeds([_number(summary.std) for summary in last])}",
                over_seeds([movement(course) for course in courses]),
            ]
        rows.append(tuple(cells))
    columns = (
        "layer", "input from", "BN: mean", "std", "per step", "no BN: mean", "std", "per step"
    )  # fmt: skip
    title = (
        f"Rate {rate}: layer inputs, first → last recorded step, ± over seeds; per step: distance"
        " between recorded steps"
    )
    return Grid(title, columns, tuple(rows))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


STUDY = Study(
    "batch-norm",
    2,
    "How are layer outputs distributed before and after batch normalization, and how do they move?",
    VARIANTS,
    answer,
)
