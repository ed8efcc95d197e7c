"""Compares the tutorial's TensorFlow 1 code with the built-in network, op by op and in values.

docs/reference/tf1.md describes the differences that `KINDS` lists. The tests check that there are
no others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.shapes import shapes
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.config import Settings
from resnet_inspect.graph import Graph, Phase
from resnet_inspect.store.run import Run
from tests.reference import expected_network as expected
from tests.tracers.tensorflow.conftest import session
from tests.tracers.tensorflow.tf1.graph_comparison import Difference, differences, same_names

FILE = Path(__file__).parents[4] / "sample_configs" / "old_resnet.py"
IMAGES = "images=8,32,32,3"
BOTH = f"{IMAGES}; labels=8:int64"
BLOCK = r"(conv_block_stage\d/)?"
NORM = BLOCK + r"(bn\w+|pre_activation_final_norm)/"
UPDATE = r"Momentum/update_[\w/]+/(kernel|bias|gamma|beta)"
# Kinds of differences: the ops, and the fields ("only …" if one graph lacks the ops).
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "inputs of a normalization for moving averages during training": (
        NORM + r"(Const(_1)?|FusedBatchNormV3|FusedBatchNormV3/ReadVariableOp(_1)?(/resource)?)",
        ("only here", "only there", "inputs", "attrs", "outputs", "phase"),
    ),
    "form of 1 - momentum": (
        NORM + r"AssignMovingAvg(_1)?/(sub(_1)?|sub/x|mul(/y)?)",
        ("only here", "only there", "inputs", "outputs"),
    ),
    "op that captures a moving average, and control edges to its read": (
        NORM + r"AssignMovingAvg(_1)?/(ReadVariableOp(/resource)?|AssignSubVariableOp)",
        ("only here", "inputs", "control_inputs"),
    ),
    "gates of gradients": (
        r"gradients/.+/tuple/(control_dependency(_\d+)?|group_deps)",
        ("only there",),
    ),
    "control edges from the update ops": (r"gradients/.*", ("control_inputs",)),
    "names of the reads of the L2 term": (
        r"l2_loss/(Cast|L2Loss)(_\d+)?/ReadVariableOp|(gradients/)?l2_loss/L2Loss(_\d+)?(_grad/mul)?",
        ("only here", "only there", "inputs"),
    ),
    "names of the optimizer's ops": (
        UPDATE + r"(/accum|/ResourceApplyMomentum(/resource)?)?",
        ("only here", "only there"),
    ),
    "learning rate": (
        r"learning_rate/.*|PiecewiseConstant/.*|Cast(_\d+)?|Const(_\d+)?|ReadVariableOp(/resource)?",
        ("only here", "only there", "attrs", "outputs", "phase", "control_inputs"),
    ),
    "end of the step": (
        r"Momentum|Momentum/(update|momentum|Const|value)|AssignAddVariableOp",
        ("only here", "only there", "inputs", "control_inputs"),
    ),
    "accuracy": (r"accuracy/.*", ("only here",)),
}
SEED = 3
MARGIN = 1e-6  # minimum distance of ReLU inputs from 0, so that rounding cannot change a result
OF_INFERENCE = tuple(KINDS)[:3]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Return a function that traces a function of the file, once for each setting."""
    pytest.importorskip("tf_keras", reason="the extra tf1 is not installed")
    folder = tmp_path_factory.mktemp("old")
    made: dict[str, Path] = {}

    def trace(function: str, given: str, *settings: str) -> Run:
        key = f"{function} {given} {settings}"
        if key not in made:
            target = f"{FILE}:{function}"
            values = {"target": target, "tf1": True, "input": given, "set": settings}
            values |= {"taps": "dense1"}
            made[key] = api.record(Settings.of(values), out=folder / f"{len(made)}.db")
        return api.open_run(made[key])

    return trace


def built_in(**changes: Any) -> Graph:
    return session(gradients=False, **changes).build().graph


def unexplained(
    listed: list[Difference], kinds: tuple[str, ...]
) -> tuple[list[Difference], set[str]]:
    """Return the differences that match no kind, and the kinds that occurred."""
    seen: set[str] = set()
    odd = []
    for difference in listed:
        fits = [
            kind
            for kind in kinds
            if re.fullmatch(KINDS[kind][0], difference.name) and difference.field in KINDS[kind][1]
        ]
        seen |= set(fits[:1])
        odd += [] if fits else [difference]
    return odd, seen


@pytest.mark.parametrize("ver", [1, 2])
def test_inference_has_the_same_ops_as_the_built_in_network(
    traced: Callable[..., Run], ver: int
) -> None:
    there = built_in(ver=ver, mode="eval")
    settings = (f"ver={ver}", "n=1", "is_training=false")
    with traced("inference", IMAGES, *settings) as run:
        here = run.graph
    assert list(differences(there, here, (Phase.FORWARD,))) == []
    renamed = same_names(there, here)
    assert {there.op_by_name[name].type for name in renamed.values()} == {"Relu", "AddV2"}
    assert len(renamed) == Counter(op.type for op in here.ops)["Relu"] + 3
    assert {v.name: v.spec for v in here.variables} == {
        v.name: v.spec for v in there.variables if v.name != "global_step"
    }
    assert [op.name for op in here.ops if op.phase is not Phase.FORWARD] == ["images"]


@pytest.mark.parametrize("ver", [1, 2])
def test_training_differs_only_in_moving_averages(traced: Callable[..., Run], ver: int) -> None:
    there = built_in(ver=ver)
    with traced("inference", IMAGES, f"ver={ver}", "n=1") as run:
        here = run.graph
    listed = list(differences(there, here, (Phase.FORWARD,)))
    odd, seen = unexplained(listed, OF_INFERENCE)
    assert odd == []
    assert seen == {OF_INFERENCE[0]}
    layers = expected.op_counts(1, ver)["FusedBatchNormV3"]
    fields = Counter(difference.field for difference in listed)
    # Two reads with their handles replace two constants. One constant has the other's name.
    assert fields == {"only here": 2 * layers, "only there": 4 * layers, "inputs": layers}


def test_the_training_graph_has_only_the_listed_differences(
    traced: Callable[..., Run],
) -> None:
    there = built_in(ver=2)
    with traced("train", BOTH, "n=1") as run:
        here = run.graph
    odd, seen = unexplained(list(differences(there, here, tuple(Phase))), tuple(KINDS))
    assert odd == []
    assert seen == set(KINDS)
    assert {v.name for v in here.variables} == {v.name for v in there.variables}


def test_the_optimizer_has_the_same_inputs_as_in_the_built_in_network(
    traced: Callable[..., Run],
) -> None:
    there = built_in(ver=2)
    with traced("train", BOTH, "n=1") as run:
        here = run.graph
    updates = {op.name: op for op in there.ops if op.type == "ResourceApplyMomentum"}
    assert updates
    for name, op in updates.items():
        same = here.op_by_name[f"{name}/ResourceApplyMomentum"]
        assert (same.type, same.attrs["use_nesterov"]) == (op.type, op.attrs["use_nesterov"])
        assert [here.spec(ref) for ref in same.inputs] == [there.spec(ref) for ref in op.inputs]
    # Some op before the updates has a control edge from each update op.
    waited = {name for op in here.ops for name in op.control_inputs}
    updates_of_averages = [op.name for op in here.ops if op.type == "AssignSubVariableOp"]
    assert len(updates_of_averages) == 2 * expected.op_counts(1, 2)["FusedBatchNormV3"]
    assert set(updates_of_averages) <= waited


def test_layers_shapes_and_parameters_equal_the_specification(
    traced: Callable[..., Run],
) -> None:
    with traced("inference", IMAGES, "ver=2", "n=1") as run:
        table = shapes(run.graph)
    there = shapes(built_in(ver=2))
    assert [row.shape for row in table.rows] == [row.shape for row in there.rows]
    assert [row.type for row in table.rows] == [row.type for row in there.rows]
    named = [(row.name, row.params) for row in table.rows if row.type not in ("Relu", "AddV2")]
    assert named == [
        (row.name, row.params) for row in there.rows if row.type not in ("Relu", "AddV2")
    ]
    totals = [table.totals.params, table.totals.trainable_params, table.totals.macs]
    assert totals == [there.totals.params, there.totals.trainable_params, there.totals.macs]


def test_integer_settings_are_proved_by_re_traces(traced: Callable[..., Run]) -> None:
    with traced("inference", IMAGES, "ver=2", "n=1") as run:
        answer = why(run.graph, run.lineage, *find(run.graph, "Reshape")[:1], 1)
    assert answer.size == 64
    assert answer.formula is not None
    assert answer.formula.text == "filters × 2²"
    proved = {row.setting: (row.size_before, row.size_after, row.moved) for row in answer.proof}
    assert proved["filters"] == (64, 68, True)
    assert proved["n"] == (64, 64, False)


def test_variables_that_are_read_twice_are_listed(traced: Callable[..., Run]) -> None:
    with traced("train_and_validate", f"{BOTH}; held_out=4,32,32,3") as run:
        shared = {
            shared_variable.variable: shared_variable
            for shared_variable in api.summarize(run).shared
        }
        layers = run.graph.layer_by_name
        assert api.shapes(run).totals.params == 79_050
    # All variables except moving averages, which no layer has during training.
    assert len(shared) == sum(1 for _ in expected.variables(1, 2))
    assert shared["conv1/kernel"].layers == ("conv1", "conv1_1")
    assert shared["conv1/kernel"].readers == (
        "conv1/Conv2D/ReadVariableOp",
        "conv1_1/Conv2D/ReadVariableOp",
    )
    assert layers["conv1_1"].variables == ("conv1/kernel", "conv1/bias")


def test_a_step_equals_an_independent_computation() -> None:
    # Compared are loss, logits and all variables after one run of the tensors `train` returns.
    pytest.importorskip("tf_keras", reason="the extra tf1 is not installed")
    from tests.reference.eager_network import Network, reference

    for seed in range(SEED, SEED + 10):  # which seed works depends on the processor's rounding
        before, after, results, (images, labels) = first_step(seed)
        wanted = reference(before, images, labels, Network(1, 2))
        if wanted.margin > MARGIN:
            break
    assert wanted.margin > MARGIN
    assert results["loss"] == pytest.approx(wanted.loss, rel=1e-5)
    assert np.allclose(
        results["dense1/BiasAdd"], wanted.activations["dense1"], rtol=1e-3, atol=1e-4
    )
    assert set(after) - set(wanted.variables) == {"global_step"}
    assert after["global_step"] == 1
    for name, value in wanted.variables.items():
        scale = np.abs(value).max() + 1e-3
        assert np.abs(after[name] - value).max() < 1e-3 * scale, name
        moved = np.abs(after[name] - before[name]).max()
        assert moved > 0 or name.endswith("/moving_variance"), name


def first_step(seed: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], tuple[Any, ...]]:
    """Return the variables before and after a step, its loss and logits, and its batch."""
    import tensorflow as tf

    from resnet_inspect.config.inputs import parse_inputs
    from resnet_inspect.data import RandomInputs
    from resnet_inspect.tracers import registry
    from resnet_inspect.tracers.tensorflow.tf1.graph_run import (
        OUTER_SCOPE,
        initialize,
        joined_graph,
    )

    target = f"{FILE}:train"
    settings = Settings.of({"target": target, "tf1": True, "set": ["n=1"], "seed": seed})
    feed = RandomInputs(parse_inputs(BOTH), seed)
    made: Any = registry.load("graph code")(settings, feed)
    assert made.build().failure is None
    trace = made._trace
    images, labels = made._inputs.batch(0)
    running = joined_graph(trace)
    with tf.compat.v1.Session(graph=running) as run:
        initialize(run, trace)
        reads = {
            name: f"{OUTER_SCOPE}/{v.name.removesuffix(':0')}/Read/ReadVariableOp:0"
            for name, v in trace.construction.variables.items()
        }
        before = run.run(reads)
        names = ["loss", "dense1/BiasAdd"]
        fed = {"images:0": images, "labels:0": labels}
        wanted = {name: f"{name}:0" for name in names}
        results, _ = run.run((wanted, [op.name for op in trace.operations]), fed)
        return before, run.run(reads), results, (images, labels)
