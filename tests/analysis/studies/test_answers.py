"""Answers from synthetic and committed recordings, against numbers derived by hand."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from resnet_inspect import studies
from resnet_inspect.analysis.studies import STUDIES, Answer, Statement, VariantRun, Verdict
from resnet_inspect.analysis.studies.batch_norm import displacement, inputs, movement
from resnet_inspect.analysis.studies.l2 import growth, norm
from resnet_inspect.analysis.studies.optimizers import VARIANTS, relative_update
from resnet_inspect.analysis.studies.padding import valid_size
from resnet_inspect.analysis.studies.reuse import users_of
from resnet_inspect.analysis.studies.stem import channel_spread
from resnet_inspect.analysis.studies.update_ops import evaluated, waiting
from resnet_inspect.graph import Note
from resnet_inspect.stats import Normalization, TensorSummary
from resnet_inspect.store.run import Run
from tests.analysis.studies.made import made

Open = Callable[[str], Run]


def about(answer: Answer, words: str) -> Statement:
    (statement,) = [row for row in answer.statements if words in row.claim]
    return statement


def test_the_64_of_the_reshape(recording: Open) -> None:
    answer = STUDIES["shapes"].answer({"tutorial": [studies.read(recording("v2"))]})
    assert [row.verdict for row in answer.statements] == [Verdict.SHOWN] * 4
    assert "64 is `filters × 2²` with filters = 16" in answer.statements[0].measured
    assert "res20_branch1/kernel axis 3" in answer.statements[1].measured
    assert "filters 16 → 17 makes it 68" in answer.statements[2].measured
    changing = ["conv1", "res10_branch1", "res10_branch2a", "res20_branch1", "res20_branch2a",
                "final_reduce_mean", "Reshape", "dense1"]  # fmt: skip
    assert [row[0] for row in answer.tables[0].rows] == changing


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "given"),
    [(32, 3, 1, 30), (32, 3, 2, 15), (16, 3, 2, 7), (32, 1, 2, 16), (2, 3, 1, 0), (3, 3, 2, 1)],
)
def test_what_valid_gives(size: int, kernel: int, stride: int, given: int) -> None:
    assert valid_size(size, kernel, stride) == given
    # Counted, not computed: the places at which a window lies inside.
    assert len([at for at in range(0, size, stride) if at + kernel <= size]) == given


def test_padding_of_every_convolution(recording: Open) -> None:
    answer = STUDIES["padding"].answer({"tutorial": [studies.read(recording("v2"))]})
    assert answer.tables[0].rows == (
        ("conv1", 32, 3, 1, 1, 1, 32, 30, 0),
        ("res00_branch2a", 32, 3, 1, 1, 1, 32, 30, 0),
        ("res00_branch2b", 32, 3, 1, 1, 1, 32, 30, 0),
        ("res10_branch1", 32, 1, 2, 0, 0, 16, 16, 1),
        ("res10_branch2a", 32, 3, 2, 0, 1, 16, 15, 1),
        ("res10_branch2b", 16, 3, 1, 1, 1, 16, 14, 0),
        ("res20_branch1", 16, 1, 2, 0, 0, 8, 8, 1),
        ("res20_branch2a", 16, 3, 2, 0, 1, 8, 7, 1),
        ("res20_branch2b", 8, 3, 1, 1, 1, 8, 6, 0),
    )
    assert [row.verdict for row in answer.statements] == [Verdict.SHOWN] * 4
    # 32 → 30 in the stem; two more convolutions in the branch.
    assert "heights 30 (shortcut) and 26" in about(answer, "VALID").measured


def test_readers_of_variables(recording: Open) -> None:
    run = studies.read(recording("v2"))
    answer = STUDIES["reuse"].answer({"one training step": [run]})
    assert [row.verdict for row in answer.statements] == [Verdict.SHOWN] * 3
    # n=1: 9 convolutions and a dense layer with 2 each, 9 normalizations with 2 + 2.
    assert about(answer, "belongs to one layer").numbers == {"variables": 56, "shared": 0}
    assert about(answer, "Every weight").numbers == {"weights": 38}
    assert about(answer, "use the moving averages").numbers == {"averages": 18}
    used = users_of(run.graph, run.graph.variable_by_name["dense1/bias"])
    assert {"dense1/BiasAdd", "Momentum/update_dense1/bias"} <= {*used}


def test_a_shared_variable_is_reported(recording: Open) -> None:
    run = studies.read(recording("v2"))
    first, *others = run.graph.layers
    borrowed = dataclasses.replace(run, graph=_sharing(run, "conv1/kernel", "dense1"))
    answer = STUDIES["reuse"].answer({"one training step": [borrowed]})
    assert (first.name, len(others)) == ("conv1", 30)
    assert about(answer, "belongs to one layer").verdict == Verdict.CONTRADICTED
    assert about(answer, "belongs to one layer").numbers["shared"] == 1


def _sharing(run: VariantRun, name: str, layer: str) -> Any:
    """The graph with a variable that an op of another layer reads too."""
    import msgspec

    reader = run.graph.layer_by_name[layer].main
    variables = [
        msgspec.structs.replace(variable, readers=(*variable.readers, reader))
        if variable.name == name
        else variable
        for variable in run.graph.variables
    ]
    return msgspec.structs.replace(run.graph, variables=tuple(variables))


def weights(first: float, last: float, entropy: float, factor: float = 2e-4) -> VariantRun:
    """Two variables whose norms are 3/5 and 4/5 of the given norms at steps 0 and 9."""
    scale = {0: first, 9: last}
    l2 = [factor * last**2 / 2] * 10
    return made(
        scalars={
            "cross_entropy": [entropy] * 10,
            "l2_loss": l2,
            "loss": [entropy + term for term in l2],
        },
        norms={step: {"a": 0.6 * size, "b": 0.8 * size} for step, size in scale.items()},
        weight_decay=factor,
    )


def test_l2_by_hand() -> None:
    kept = [weights(10, 11, 2.0), weights(10, 11.1, 2.1), weights(10, 10.9, 1.9)]
    left = [weights(10, 12, 2.2, 0), weights(10, 12.1, 1.9, 0), weights(10, 11.9, 2.0, 0)]
    assert norm(kept[0], 9) == pytest.approx(11)
    assert growth(kept[0]) == pytest.approx(1.1)
    answer = STUDIES["l2"].answer({"with L2": kept, "without L2": left})
    term = about(answer, "The term is")
    assert term.verdict == Verdict.SHOWN
    assert term.numbers["computed"] == pytest.approx(2e-4 * 121 / 2)
    assert about(answer, "weights grow").verdict == Verdict.SHOWN
    assert about(answer, "weights grow").numbers["factor"] == pytest.approx(1.2)
    larger = about(answer, "end larger")
    assert larger.verdict == Verdict.SHOWN
    assert larger.numbers["difference"] == pytest.approx(1.0)
    # Differences 0.2, −0.2, 0.1 are not decided.
    assert about(answer, "cross entropy").verdict == Verdict.NOT_DECIDED


def test_an_l2_term_of_another_size_is_contradicted() -> None:
    run = weights(10, 11, 2.0)
    off = dataclasses.replace(
        run, scalars={**run.scalars, "l2_loss": dict.fromkeys(range(10), 0.1)}
    )
    answer = STUDIES["l2"].answer({"with L2": [off], "without L2": [weights(10, 12, 2.0, 0)]})
    assert about(answer, "The term is").verdict == Verdict.CONTRADICTED
    assert about(answer, "grow").verdict == Verdict.NOT_DECIDED  # one seed


def normalized(mean: float, variance: float, moving: tuple[float, float]) -> Normalization:
    """Statistics of two equal channels."""
    values = [np.full(2, value, np.float32) for value in (mean, variance, *moving)]
    return Normalization(*values)


def test_what_evaluation_makes_of_a_batch() -> None:
    run = made(scalars={"loss": [1.0]})
    by_step = {0: normalized(1.0, 4.0, (0.0, 1.0))}
    run = dataclasses.replace(run, normalizations=lambda _: by_step)
    size, rms = evaluated(run, "bn")
    assert size == pytest.approx(1 / math.sqrt(1.001), rel=1e-6)
    assert rms == pytest.approx(math.sqrt(5 / 1.001), rel=1e-6)


def test_update_ops_on_a_recording(recording: Open) -> None:
    kept = studies.read(recording("v2"))
    stuck = {
        layer.name: {
            step: Normalization(
                seen.batch_mean, seen.batch_variance,
                np.zeros_like(seen.moving_mean), np.ones_like(seen.moving_variance),
            )
            for step, seen in kept.normalizations(layer.name).items()
        }
        for layer in kept.graph.layers
        if layer.normalizes
    }  # fmt: skip
    left = dataclasses.replace(kept, normalizations=lambda name: stuck[name])
    answer = STUDIES["update-ops"].answer({"with update ops": [kept], "without update ops": [left]})
    updates, waiters = waiting(kept.graph)
    assert len(updates) == 18  # 9 normalizations, two averages each
    assert len([name for name in waiters if "update_" in name]) == 38
    assert about(answer, "by 1 %").verdict == Verdict.SHOWN
    assert about(answer, "stay 0").verdict == Verdict.SHOWN
    assert about(answer, "losses are equal").verdict == Verdict.SHOWN
    # The second graph is the first graph, which has update ops.
    assert about(answer, "by control edges").verdict == Verdict.CONTRADICTED
    swapped = STUDIES["update-ops"].answer(
        {"with update ops": [left], "without update ops": [kept]}
    )
    assert about(swapped, "by 1 %").verdict == Verdict.CONTRADICTED
    assert about(swapped, "stay 0").verdict == Verdict.CONTRADICTED
    assert "on test pictures" in about(answer, "In evaluation after").measured
    noted = dataclasses.replace(kept, graph=kept.graph.noting(Note("evaluate", "no others")))
    answer = STUDIES["update-ops"].answer(
        {"with update ops": [noted], "without update ops": [left]}
    )
    assert "on training pictures" in about(answer, "In evaluation after").measured


def test_movement_in_standard_deviations() -> None:
    values = np.random.default_rng(0).normal(0.0, 1.0, 4000)
    course = {step: TensorSummary.of(values + step / 10) for step in (0, 10, 20)}
    assert movement(course) == pytest.approx(1.0, abs=0.05)
    assert displacement(course) == pytest.approx(2.0, abs=0.1)
    course[20] = TensorSummary.of(np.array([1.0, np.nan]))
    assert math.isnan(movement(course))


def test_inputs_of_layers(recording: Open) -> None:
    read = inputs(studies.read(recording("v2")))
    assert "conv1" not in read  # its input are the pictures
    assert read["res00_branch2a"] == "relu00_branch2a"
    assert read["res10_branch1"] == "relu10_branch2a"
    assert read["dense1"] == "Reshape"


def test_the_sparsity_of_a_recording(recording: Open) -> None:
    runs = {f"version {ver}": [studies.read(recording(f"v{ver}"))] for ver in (1, 2)}
    answer = STUDIES["sparsity"].answer(runs)
    first = answer.tables[1].rows[0]
    run = recording("v2")
    share = run.summaries(2)["relu00_branch2a"].zero_fraction
    assert first[0] == "relu00_branch2a"
    assert first[3] == f"{100 * share:.1f}"
    assert first[5] == 16
    assert about(answer, "version 2: the mean share").verdict == Verdict.NOT_DECIDED


def test_optimizers_by_hand() -> None:
    def run(entropy: float) -> VariantRun:
        return made(
            scalars={name: [entropy] * 6 for name in ("cross_entropy", "loss", "accuracy")},
            norms={0: {"w": 3.0, "b": 4.0}},
        )

    ends = {name.name: 3.0 + at for at, name in enumerate(VARIANTS)}
    ends["sgd"] = ends["momentum 0"]
    ends["momentum 0.5"] = 1.0
    noise = (0.0, 0.1, -0.1)
    runs = {name: [run(end + more) for more in noise] for name, end in ends.items()}
    answer = STUDIES["optimizers"].answer(runs)
    assert relative_update(run(1.0)) == pytest.approx(0.1)
    assert about(answer, "Momentum 0 is").verdict == Verdict.SHOWN
    assert about(answer, "best with every seed").verdict == Verdict.SHOWN
    assert about(answer, "best with every seed").numbers == {"lowest": "momentum 0.5"}
    half = about(answer, "differs with momentum 0.5 in place")
    assert half.numbers["difference"] == pytest.approx(1.0 - ends["momentum 0.9"])


def test_spread_of_channels() -> None:
    run = made(scalars={"loss": [1.0]})
    variances = np.array([1.0, math.e**2], np.float32)  # standard deviations 1 and e
    by_step = {0: Normalization(variances, variances, variances, variances)}
    run = dataclasses.replace(run, normalizations=lambda _: by_step)
    assert channel_spread(run) == pytest.approx(0.5, rel=1e-5)


def test_the_axis_mistakes(recording: Open) -> None:
    answer = STUDIES["axes"].answer(
        {
            "right axes": [studies.read(recording("v2"))],
            "BN over axis 1": [studies.read(recording("bn_axis"))],
            "mean over axes 2,3": [studies.read(recording("mean_axes"))],
        }
    )
    verdicts = [row.verdict for row in answer.statements]
    assert verdicts == [Verdict.SHOWN] * 4 + [Verdict.NOT_DECIDED]
    # 8 pictures of 8×8×64: the mean leaves 8×8×1×1, 64 numbers, one row of 64.
    assert about(answer, "from the batch").numbers == {"pictures": 8, "rows": 1}
    assert answer.tables[0].rows == (
        ("final_reduce_mean", "8×1×1×64", "8×8×1×1"),
        ("Reshape", "8×64", "1×64"),
        ("dense1", "8×10", "1×10"),
    )
    assert ("bn10_branch2b", "8×16×16×32", "32", "16") in answer.tables[1].rows
