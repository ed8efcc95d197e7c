"""Question 2: how layers' inputs are distributed and move, with and without batch normalization.

What moves is measured between recorded steps, so it holds the change of the batch too; with equal
seeds that is the same change in both variants. Internal covariate shift is meant as Ioffe and
Szegedy (2015, arXiv 1502.03167) defined it; Santurkar et al. (2018, arXiv 1805.11604) found that
batch normalization need not lessen it, so no direction is taken for granted here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from resnet_inspect.analysis.studies.answer import Answer, Grid, Statement, Verdict, fact
from resnet_inspect.analysis.studies.spread import compared, decide, mean, over_seeds, told
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
    """From what convolutions and the last layer read at each recorded step."""
    layers = inputs(runs[f"{WITHOUT}, rate {RATES[0]}"][0])
    statements = [_normalized(runs[f"{WITH}, rate {RATES[0]}"][0])]
    tables = []
    for rate in RATES:
        kept, left = runs[f"{WITH}, rate {rate}"], runs[f"{WITHOUT}, rate {rate}"]
        statements += _moving(rate, kept, left, layers)
        tables.append(_table(rate, kept, left, layers))
    tables.append(_around(runs[f"{WITH}, rate {RATES[-1]}"]))
    return Answer(
        statements=tuple(statements),
        tables=tuple(tables),
        limits=(
            "distances are of all of a layer's numbers together; channels that move against one"
            " another are not seen by them",
            "movement is measured beside the loss, not as its cause: whether it is what makes"
            " training slower is not decided by these runs",
        ),
        see=(
            Command("hist", (runs[VARIANTS[0].name][0].file,), ("--pair", "bn")),
            Command("diff", tuple(runs[one.name][0].file for one in VARIANTS[:2])),
        ),
    )


def inputs(run: VariantRun) -> dict[str, str]:
    """For each convolution and the last layer, but the first one, the layer whose output it reads
    (in the network without normalizations, which has the same layers otherwise).
    """
    made = {layer.output: layer.name for layer in run.graph.layers}
    return {
        layer.name: made[layer.inputs[0]]
        for layer in run.graph.layers
        if layer.type in ("Conv2D", "MatMul") and layer.inputs and layer.inputs[0] in made
    }


def movement(course: Mapping[int, TensorSummary]) -> float:
    """Mean earth mover's distance from one recorded step to the next, in standard deviations."""
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
    step, far, held = run.recorded[0], 0.0, 0
    for layer in run.graph.layers:
        course = run.output(layer.name) if layer.normalizes else {}
        if step in course:
            one, held = course[step], held + 1
            far = max(far, abs(one.mean or 0.0), abs((one.std or 0.0) - 1))
    return fact(
        "Before the first update every normalization hands on numbers of about mean 0 and standard"
        " deviation 1",
        held > 0 and far < 0.1,
        f"means and standard deviations of {held} layers are off by at most {told(far)} at step"
        f" {step}, read from a sample of each tensor",
        largest=far,
    )


def _finite(run: VariantRun) -> bool:
    return all(math.isfinite(value) for value in run.scalars["loss"].values())


def _moving(
    rate: float, kept: Sequence[VariantRun], left: Sequence[VariantRun], layers: Mapping[str, str]
) -> list[Statement]:
    lost = [sum(not _finite(run) for run in every) for every in (kept, left)]
    claim = f"At rate {rate} the loss stays a finite number, with BN and without"
    broken = (
        f"it became NaN or infinite in {lost[0]} of {len(kept)} runs with BN and in {lost[1]} of"
        f" {len(left)} without"
    )
    found = [fact(claim, not any(lost), broken)]
    if any(lost):
        text = f"At rate {rate} layer inputs move less with BN"
        told_ = "without a finite loss there is nothing to compare"
        return [*found, Statement(text, Verdict.NOT_DECIDED, told_)]
    found.append(_learns(rate, left))
    read = list(dict.fromkeys(layers.values()))
    for title, of, sign in (
        ("from each recorded step to the next", movement, -1),
        ("from the first recorded step to the last", displacement, -1),
    ):
        values = [
            [mean([of(run.output(name)) for name in read]) for run in e] for e in (kept, left)
        ]
        found.append(
            compared(
                f"At rate {rate} layer inputs move less with BN {title}",
                "earth mover's distance in standard deviations, mean over layers",
                (WITH, values[0]),
                (WITHOUT, values[1]),
                sign,
            )
        )
    ends = [[run.ending("cross_entropy") for run in every] for every in (kept, left)]
    steps = kept[0].last_step + 1
    found.append(
        compared(
            f"At rate {rate} the cross entropy after {steps} steps is lower with BN",
            "mean of the last 5 steps",
            (WITH, ends[0]),
            (WITHOUT, ends[1]),
            -1,
        )
    )
    return found


def _learns(rate: float, left: Sequence[VariantRun]) -> Statement:
    """A network that only guesses has inputs that move for other reasons than learning."""
    classes = left[0].settings.tutorial.classes
    ends = [run.ending("cross_entropy") for run in left]
    return Statement(
        f"At rate {rate} the network without BN comes to do better than to guess evenly",
        decide([math.log(classes) - end for end in ends]),
        f"cross entropy, mean of the last 5 steps: {over_seeds(ends)}; guessing evenly among"
        f" {classes} classes has ln {classes} = {told(math.log(classes))}",
        {"cross_entropy": mean(ends), "guessing": math.log(classes)},
    )


def _around(every: Sequence[VariantRun]) -> Grid:
    """Before and behind each normalization."""
    first = every[0]
    made = {layer.output: layer.name for layer in first.graph.layers}
    rows = []
    for layer in first.graph.layers:
        if layer.normalizes and layer.inputs[0] in made:
            cells = [layer.name, made[layer.inputs[0]]]
            for name in (made[layer.inputs[0]], layer.name):
                for step in (first.recorded[0], first.recorded[-1]):
                    held = [run.output(name)[step] for run in every]
                    cells.append(
                        f"{told(mean([_number(one.mean) for one in held]), 2)}, "
                        f"{told(mean([_number(one.std) for one in held]), 2)}"
                    )
            rows.append(tuple(cells))
    columns = ("normalization", "reads", "before: first", "last", "behind: first", "last")
    title = f"Rate {RATES[-1]}, with BN: mean, standard deviation (means over seeds)"
    return Grid(title, columns, tuple(rows))


def _table(
    rate: float, kept: Sequence[VariantRun], left: Sequence[VariantRun], layers: Mapping[str, str]
) -> Grid:
    rows = []
    for layer, source in layers.items():
        cells = [layer, source]
        for every in (kept, left):
            courses = [run.output(source) for run in every]
            first = [course[min(course)] for course in courses]
            last = [course[max(course)] for course in courses]
            cells += [
                f"{over_seeds([_number(one.mean) for one in first])} → "
                f"{over_seeds([_number(one.mean) for one in last])}",
                f"{over_seeds([_number(one.std) for one in first])} → "
                f"{over_seeds([_number(one.std) for one in last])}",
                over_seeds([movement(course) for course in courses]),
            ]
        rows.append(tuple(cells))
    columns = ("layer", "reads", "BN: mean", "std", "moves", "no BN: mean", "std", "moves")
    title = f"Rate {rate}: inputs of layers, first → last recorded step, ± over seeds"
    return Grid(title, columns, tuple(rows))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


STUDY = Study(
    "batch-norm",
    2,
    "What do layers' outputs look like before and after batch normalization, and how do they move?",
    VARIANTS,
    answer,
)
