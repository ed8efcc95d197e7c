"""Question 3: whether version 2 needs a batch normalization after its first convolution.

He et al. (2016, arXiv 1603.05027) normalize and activate directly after conv1, before the first
block splits. The tutorial's version 2 does so only in the branch of the first block, so the output
of conv1 reaches the shortcut unchanged. The study compares both designs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from resnet_inspect.analysis.studies.answer import Answer, Grid, Statement, fact
from resnet_inspect.analysis.studies.spread import compared, over_seeds, rounded
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRun, VariantRuns
from resnet_inspect.commands import Command

V1, V2, MORE = "version 1", "version 2", "version 2 with bn_conv1"
FIRST, BRANCH, SUM = "bn00_branch2a", "res00_branch2a", "add00"


def answer(runs: VariantRuns) -> Answer:
    """Answer from the inputs and the output of the first block."""
    plain, more = runs[V2], runs[MORE]
    steps = plain[0].last_step + 1
    ends = {name: [run.ending("cross_entropy") for run in runs[name]] for name in (V2, MORE)}
    return Answer(
        statements=(
            _branch(plain),
            _twice(plain, more),
            _shortcut(plain, more),
            compared(
                f"A normalization after conv1 changes the cross entropy after {steps} steps",
                "mean of the last 5 steps",
                (MORE, ends[MORE]),
                (V2, ends[V2]),
                0,
            ),
        ),
        tables=(_table(runs),),
        limits=(
            f"Which design is better after more than {steps} steps was not measured.",
            "The 2016 paper normalizes and activates after conv1 for both shortcut and branch. No"
            " variant has this design.",
        ),
        see=(Command("hist", ("conv1", FIRST, runs[V2][0].file)),
             Command("diff", (runs[V2][0].file, runs[MORE][0].file))),
    )  # fmt: skip


def read_by(run: VariantRun, layer: str) -> str:
    """The layer whose output is the first input of the given layer."""
    made = {maker.output: maker.name for maker in run.graph.layers}
    return made[run.graph.layer_by_name[layer].inputs[0]]


def _branch(plain: Sequence[VariantRun]) -> Statement:
    run = plain[0]
    step = run.recorded[-1]
    before = read_by(run, FIRST)
    raw = [run.output("conv1")[step].std or 0.0 for run in plain]
    after = [run.output(FIRST)[step].std or 0.0 for run in plain]
    ends = f"{rounded(min(after))} to {rounded(max(after))}"
    return fact(
        "The branch of version 2's first block already normalizes the output of conv1",
        before == "conv1",
        f"{FIRST} reads {before}; standard deviation {over_seeds(raw)} before and {ends} after"
        f" {FIRST} at step {step}",
        before=before,
    )


def _twice(plain: Sequence[VariantRun], more: Sequence[VariantRun]) -> Statement:
    """While gamma is 1 and beta is 0, a second normalization has no effect."""
    difference = 0.0
    for runs in zip(plain, more, strict=True):
        step = runs[0].recorded[0]
        a, b = (run.output(FIRST)[step] for run in runs)
        pairs = ((a.mean, b.mean), (a.std, b.std), (a.min, b.min), (a.max, b.max))
        difference = max(difference, *(abs((x or 0.0) - (y or 0.0)) for x, y in pairs))
    largest = max(abs(run.output(FIRST)[run.recorded[0]].max or 0.0) for run in plain)
    return fact(
        "At the first step a normalization after conv1 hardly changes the input of the branch",
        difference < 0.02 * largest,
        f"mean, standard deviation, minimum and maximum of {FIRST}'s output differ by at most"
        f" {rounded(difference)}, for values up to {rounded(largest)}",
        largest=difference,
    )


def _shortcut(plain: Sequence[VariantRun], more: Sequence[VariantRun]) -> Statement:
    step = plain[0].recorded[-1]
    return compared(
        "A normalization after conv1 makes the channels of the shortcut more similar in size",
        f"spread of ln(standard deviation) over the channels of the shortcut of {SUM} at step"
        f" {step}",
        (MORE, [channel_spread(run) for run in more]),
        (V2, [channel_spread(run) for run in plain]),
        -1,
    )


def channel_spread(run: VariantRun) -> float:
    """The standard deviation over channels of ln(channel's standard deviation), first shortcut.

    The first block's normalization reads the same tensor.
    """
    by_step = run.normalizations(FIRST)
    variance = by_step[max(by_step)].batch_variance.astype(np.float64)
    return float(np.log(np.sqrt(np.maximum(variance, 1e-12))).std())


def _table(runs: VariantRuns) -> Grid:
    rows = []
    for name, layers in (
        (V1, ("conv1", "bn_conv1", "relu_conv1", BRANCH, SUM)),
        (V2, ("conv1", FIRST, "relu00_branch2a", BRANCH, SUM)),
        (MORE, ("conv1", "bn_conv1", FIRST, "relu00_branch2a", BRANCH, SUM)),
    ):
        every = runs[name]
        for layer in layers:
            cells = [name, layer]
            for step in (every[0].recorded[0], every[0].recorded[-1]):
                summaries = [run.output(layer)[step] for run in every]
                cells.append(over_seeds([summary.mean or 0.0 for summary in summaries]))
                cells.append(over_seeds([summary.std or 0.0 for summary in summaries]))
            rows.append(tuple(cells))
    columns = ("network", "layer", "first: mean", "std", "last: mean", "std")
    title = "From the first convolution to the first addition, first and last recorded step"
    return Grid(title, columns, tuple(rows))


STUDY = Study(
    "stem",
    3,
    "Why does version 2 need no batch normalization after `conv1`?",
    (Variant(V1, {"ver": 1}), Variant(V2), Variant(MORE, {"stem_bn": True})),
    answer,
)
