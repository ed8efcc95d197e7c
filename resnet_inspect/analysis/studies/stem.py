"""Question 3: whether version 2 needs a batch normalization behind its first convolution.

He et al. (2016, arXiv 1603.05027) normalize and activate right after conv1, before the first block
splits; the tutorial's version 2 does so inside the first block's branch alone, so its shortcut
carries what conv1 gave. The study looks at both ways.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from resnet_inspect.analysis.studies.answer import Answer, Grid, Statement, fact
from resnet_inspect.analysis.studies.spread import compared, over_seeds, told
from resnet_inspect.analysis.studies.study import Study, Variant
from resnet_inspect.analysis.studies.variant_run import VariantRun, VariantRuns
from resnet_inspect.commands import Command

V1, V2, MORE = "version 1", "version 2", "version 2 with bn_conv1"
FIRST, BRANCH, SUM = "bn00_branch2a", "res00_branch2a", "add00"


def answer(runs: VariantRuns) -> Answer:
    """From what the first block reads and what it adds up to."""
    plain, more = runs[V2], runs[MORE]
    steps = plain[0].last_step + 1
    ends = {name: [run.ending("cross_entropy") for run in runs[name]] for name in (V2, MORE)}
    return Answer(
        statements=(
            _own(plain),
            _twice(plain, more),
            _shortcut(plain, more),
            compared(
                f"A normalization behind conv1 changes the cross entropy after {steps} steps",
                "mean of the last 5 steps",
                (MORE, ends[MORE]),
                (V2, ends[V2]),
                0,
            ),
        ),
        tables=(_table(runs),),
        limits=(
            f"{steps} steps: whether one of them ends better was not measured",
            "the 2016 paper normalizes and activates behind conv1 for shortcut and branch; that"
            " arrangement is not among the variants",
        ),
        see=(Command("hist", ("conv1", FIRST, runs[V2][0].file)),
             Command("diff", (runs[V2][0].file, runs[MORE][0].file))),
    )  # fmt: skip


def read_by(run: VariantRun, layer: str) -> str:
    """The layer whose output another one reads first."""
    made = {one.output: one.name for one in run.graph.layers}
    return made[run.graph.layer_by_name[layer].inputs[0]]


def _own(plain: Sequence[VariantRun]) -> Statement:
    run = plain[0]
    step = run.recorded[-1]
    before = read_by(run, FIRST)
    raw = [one.output("conv1")[step].std or 0.0 for one in plain]
    seen = [one.output(FIRST)[step].std or 0.0 for one in plain]
    gamma_of = f"{told(min(seen))} to {told(max(seen))}"
    return fact(
        "The branch of version 2's first block normalizes conv1's output itself",
        before == "conv1",
        f"{FIRST} reads {before}; standard deviation {over_seeds(raw)} before it and {gamma_of}"
        f" behind it at step {step}",
        before=before,
    )


def _twice(plain: Sequence[VariantRun], more: Sequence[VariantRun]) -> Statement:
    """Normalized twice is what is normalized once, as long as gamma and beta are 1 and 0."""
    far = 0.0
    for one, other in zip(plain, more, strict=True):
        step = one.recorded[0]
        a, b = (run.output(FIRST)[step] for run in (one, other))
        pairs = ((a.mean, b.mean), (a.std, b.std), (a.min, b.min), (a.max, b.max))
        far = max(far, *(abs((x or 0.0) - (y or 0.0)) for x, y in pairs))
    largest = max(abs(one.output(FIRST)[one.recorded[0]].max or 0.0) for one in plain)
    return fact(
        "At the first step a normalization behind conv1 changes next to nothing of what the branch"
        " gets",
        far < 0.02 * largest,
        f"mean, standard deviation, minimum and maximum of what {FIRST} hands on differ by at most"
        f" {told(far)}, of values up to {told(largest)}",
        largest=far,
    )


def _shortcut(plain: Sequence[VariantRun], more: Sequence[VariantRun]) -> Statement:
    step = plain[0].recorded[-1]
    return compared(
        "It changes what the shortcut carries: channels become more alike in size",
        f"spread of ln(standard deviation) over the channels of the shortcut of {SUM} at step"
        f" {step}",
        (MORE, [channel_spread(run) for run in more]),
        (V2, [channel_spread(run) for run in plain]),
        -1,
    )


def channel_spread(run: VariantRun) -> float:
    """How unlike in size the channels are that reach the first shortcut, which is what the first
    block's normalization reads: the standard deviation over channels of ln(each one's own).
    """
    held = run.normalizations(FIRST)
    variance = held[max(held)].batch_variance.astype(np.float64)
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
                held = [run.output(layer)[step] for run in every]
                cells.append(over_seeds([one.mean or 0.0 for one in held]))
                cells.append(over_seeds([one.std or 0.0 for one in held]))
            rows.append(tuple(cells))
    columns = ("network", "layer", "first: mean", "std", "last: mean", "std")
    title = "From the first convolution to the first addition, first and last recorded step"
    return Grid(title, columns, tuple(rows))


STUDY = Study(
    "stem",
    3,
    "Why needs version 2 no batch normalization after `conv1`?",
    (Variant(V1, {"ver": 1}), Variant(V2), Variant(MORE, {"stem_bn": True})),
    answer,
)
