"""The sentences about two runs, against the numbers that the runs hold."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.diff.differences import DistributionsDiff
from resnet_inspect.render.diff.words import distributions, sentences, training
from resnet_inspect.store.run import Run


def words(a: Run, b: Run) -> dict[str, str]:
    found = api.diff(a, b, every_step=True)
    return dict(sentences(found, a.scalars(), b.scalars()))


def test_version_1_against_2(recording: Callable[[str], Run]) -> None:
    a, b = recording("v1"), recording("v2")
    told = words(a, b)
    assert told["settings"] == "ver 1 in A, 2 in B"
    assert told["layers"] == (
        "26 in both, 4 of them changed, 16 only take other inputs, 5 only in A, 5 only in B"
    )
    loss = a.scalars()["loss"][2], b.scalars()["loss"][2]
    gap = loss[1] - loss[0]
    line = told["training"].splitlines()[0]
    assert line.startswith(f"loss {loss[0]:.4g} in A, {loss[1]:.4g} in B at step 2 (")
    assert float(line.partition("(")[2].strip(")").replace("−", "-")) == pytest.approx(
        gap, rel=5e-3
    )
    rows = api.diff(a, b, every_step=True).distributions.rows
    outputs = {row.layer_a: row.distance or 0 for row in rows if row.kind == "activation"}
    furthest = max(outputs, key=lambda name: outputs[name])
    assert f"spreads: {furthest} {outputs[furthest]:.2g}" in told["distributions"]
    beyond = sum(bool(row.beyond) for row in rows)
    assert f"{beyond} of them by more than they move" in told["distributions"]


def test_sizes_tell_the_difference(recording: Callable[[str], Run]) -> None:
    told = words(recording("v2"), recording("bn_axis"))
    # 64 channels of three stages against heights of 32, 16, 8: worked out in the shape tables.
    assert "params 79,050 in A, 78,378 in B (−672)" in told["sizes"]
    assert told["findings"] == "only in B: 1 error"


def test_a_failed_run_says_what_cannot_be_compared(recording: Callable[[str], Run]) -> None:
    told = words(recording("v2"), recording("mean_axes"))
    assert (
        told["training"] == "no step of B tells a scalar, so results of training are not compared"
    )
    assert told["distributions"] == "not compared: no step was recorded in both"


def test_equal_runs(recording: Callable[[str], Run]) -> None:
    run = recording("v2")
    told = words(run, run)
    assert told["settings"] == "all the same"
    assert told["layers"] == "31 in both, all the same"
    assert told["sizes"].endswith("all the same")
    assert told["training"].startswith("loss 2.233 in both at step 2")
    assert told["distributions"] == "all 100 tensors held the same (3 steps in common)"
    assert "runs" not in told


def test_results_of_trainings_of_unequal_length_and_of_what_is_not_finite() -> None:
    a = {"mine": {0: 1.0, 4: 2.0}, "loss": {0: 1.0, 4: math.nan}}
    b = {"loss": {0: 3.0, 4: 2.0, 9: 1.0}, "mine": {0: 1.0, 4: 2.5}}
    assert training(a, b).splitlines() == [
        "loss NaN in A, 2.000 in B at step 4",
        "mine 2.000 in A, 2.500 in B at step 4 (+0.500)",
        "the last step of A is 4, of B 9",
    ]
    assert training({"loss": {0: 1.0}}, {"loss": {1: 1.0}}).startswith("no scalar has a step")


def test_what_is_not_finite_in_one_run_alone_is_told(recording: Callable[[str], Run]) -> None:
    found = api.diff(recording("v2"), recording("diverged")).distributions
    told = distributions(found)
    bad = [row for row in found.rows if not row.not_finite_a and row.not_finite_b]
    assert bad
    first = bad[0].layer_a
    lone = f"{len(bad)} with numbers that are not finite in one run alone"
    assert f"{lone}, the first in B: {first}" in told
    assert distributions(DistributionsDiff(1, (0,), 0, ())).startswith("not compared: no tensor")
    nothing = msgspec.structs.replace(found, rows=())
    assert distributions(nothing).startswith(f"all {found.compared} tensors held the same")
