"""The sentences about two runs, against the values in the runs."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.diff.differences import DistributionsDiff
from resnet_inspect.render.diff.numbers import tensor_name
from resnet_inspect.render.diff.words import distributions, sentences, training
from resnet_inspect.store.run import Run


def words(a: Run, b: Run) -> dict[str, str]:
    diff = api.diff(a, b, every_step=True)
    return dict(sentences(diff, a.scalars(), b.scalars()))


def test_version_1_against_2(recording: Callable[[str], Run]) -> None:
    a, b = recording("v1"), recording("v2")
    lines = words(a, b)
    assert lines["settings"] == "ver 1 in A, 2 in B"
    assert lines["layers"] == (
        "26 in both, 4 of them changed, 16 with other inputs only, 5 only in A, 5 only in B"
    )
    loss = a.scalars()["loss"][2], b.scalars()["loss"][2]
    gap = loss[1] - loss[0]
    line = lines["training"].splitlines()[0]
    assert line.startswith(f"loss {loss[0]:.4g} in A, {loss[1]:.4g} in B at step 2 (")
    assert float(line.partition("(")[2].strip(")").replace("−", "-")) == pytest.approx(
        gap, rel=5e-3
    )
    rows = api.diff(a, b, every_step=True).distributions.rows
    outputs = {row.layer_a: row.distance or 0 for row in rows if row.kind == "activation"}
    furthest = max(outputs, key=lambda name: outputs[name])
    assert f"deviations: {furthest} {outputs[furthest]:.2g}" in lines["distributions"]
    beyond = sum(bool(row.beyond) for row in rows)
    assert f"{beyond} of them differ more between A and B than between" in lines["distributions"]


def test_sizes_show_the_difference(recording: Callable[[str], Run]) -> None:
    lines = words(recording("v2"), recording("bn_axis"))
    # 64 channels of three stages against heights of 32, 16, 8: computed from the shape tables.
    assert "params 79,050 in A, 78,378 in B (−672)" in lines["sizes"]
    assert lines["findings"] == "only in B: 1 error"


def test_a_failed_run_says_what_cannot_be_compared(recording: Callable[[str], Run]) -> None:
    lines = words(recording("v2"), recording("mean_axes"))
    assert lines["training"] == "not compared: B recorded no scalar"
    assert lines["distributions"] == "not compared: the runs have no recorded step in common"


def test_equal_runs(recording: Callable[[str], Run]) -> None:
    run = recording("v2")
    lines = words(run, run)
    assert lines["settings"] == "all equal"
    assert lines["layers"] == "31 in both, all equal"
    assert lines["sizes"].endswith("are equal")
    assert lines["training"].startswith("loss 2.233 in both at step 2")
    assert lines["distributions"] == "all 100 tensors are equal (3 steps in common)"
    assert "runs" not in lines


def test_results_of_trainings_of_unequal_length_and_of_what_is_not_finite() -> None:
    a = {"mine": {0: 1.0, 4: 2.0}, "loss": {0: 1.0, 4: math.nan}}
    b = {"loss": {0: 3.0, 4: 2.0, 9: 1.0}, "mine": {0: 1.0, 4: 2.5}}
    assert training(a, b).splitlines() == [
        "loss NaN in A, 2.000 in B at step 4",
        "mine 2.000 in A, 2.500 in B at step 4 (+0.500)",
        "the last step is 4 in A, 9 in B",
    ]
    assert training({"loss": {0: 1.0}}, {"loss": {1: 1.0}}).endswith("no scalar has a common step")


def test_tensors_that_are_not_finite_in_one_run(recording: Callable[[str], Run]) -> None:
    diff = api.diff(recording("v2"), recording("diverged")).distributions
    bad = [row for row in diff.rows if not row.not_finite_a and row.not_finite_b]
    assert bad
    line = f"{len(bad)} tensors are not finite in only one run: first {tensor_name(bad[0])} in B"
    assert line in distributions(diff)
    no_tensor = distributions(DistributionsDiff(1, (0,), 0, ()))
    assert no_tensor == "not compared: the runs have no recorded tensor in common"
    nothing = msgspec.structs.replace(diff, rows=())
    assert distributions(nothing).startswith(f"all {diff.compared} tensors are equal")
