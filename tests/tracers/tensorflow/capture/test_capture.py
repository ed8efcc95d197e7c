"""The captured graph is complete, without ops of the recorder, and equal to TensorFlow's graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from resnet_inspect.graph import Failure, Graph, Phase, TensorRef
from resnet_inspect.store.run import Run
from resnet_inspect.stored import failure_of
from tests.recordings import CRASHED, FOLDER, RECORDINGS, make
from tests.tracers.tensorflow.conftest import traced


@pytest.fixture(scope="module")
def graph() -> Graph:
    """The training graph of n=1, version 2."""
    return traced(steps=1).graph


def test_every_edge_begins_at_an_earlier_op(graph: Graph) -> None:
    seen: dict[str, int] = {}
    for op in graph.ops:
        for ref in op.inputs:
            assert ref.index < seen[ref.op], op.name
        assert op.name not in seen
        seen[op.name] = len(op.outputs)
    for op in graph.ops:
        assert set(op.control_inputs) <= set(seen)


def test_phases_contain_the_ops_of_each_part(graph: Graph) -> None:
    kinds = {phase: {op.type for op in graph.ops if op.phase == phase} for phase in Phase}
    assert "Conv2DBackpropFilter" in kinds[Phase.BACKWARD]
    assert "FusedBatchNormGradV3" in kinds[Phase.BACKWARD]
    assert {"ResourceApplyMomentum", "AssignSubVariableOp"} <= kinds[Phase.OPTIMIZER]
    assert "SparseSoftmaxCrossEntropyWithLogits" in kinds[Phase.OTHER]
    assert not any("Backprop" in kind or "Apply" in kind for kind in kinds[Phase.FORWARD])


def test_ops_of_taps_are_left_out(graph: Graph) -> None:
    assert not {op.type for op in graph.ops} & {"DenseBincount", "If", "StatelessIf"}
    assert not [op.name for op in graph.ops if op.name.startswith(("taps", "record"))]
    assert graph.functions == {}


def test_important_attributes_are_recorded(graph: Graph) -> None:
    conv = graph.op_by_name["conv_block_stage1/res10_branch2a/Conv2D"]
    assert conv.attrs["strides"] == [1, 2, 2, 1]
    assert conv.attrs["padding"] == "SAME"
    assert conv.attrs["data_format"] == "NHWC"
    mean = graph.op_by_name["Mean"]
    assert mean.attrs["keep_dims"] is True
    axes = graph.op_by_name[mean.inputs[1].op]
    assert axes.attrs["value"] == [1, 2]
    bn = graph.op_by_name["pre_activation_final_norm/FusedBatchNormV3"]
    assert bn.attrs["is_training"] is True
    assert bn.attrs["epsilon"] == pytest.approx(1e-3)


def test_every_op_has_the_users_line_and_a_device(graph: Graph) -> None:
    for op in graph.ops:
        if op.name not in ("images", "labels"):
            assert op.source, op.name
            files = {frame.file.rpartition("/")[2] for frame in op.source}
            assert files <= {"resnet.py", "recipe.py"}, op.name
        if op.type not in ("Placeholder", "ReadVariableOp"):  # on the device of the variable
            assert op.device.endswith("CPU:0"), op.name
    here = Path(__file__).parents[4]
    for name in ("Reshape", "conv1/Conv2D", "loss"):
        frame = graph.op_by_name[name].source[0]
        lines = (here / frame.file).read_text(encoding="utf-8").splitlines()
        assert lines[frame.line - 1].strip() == frame.text
        assert name.partition("/")[0] in frame.text


def test_variables_know_their_readers(graph: Graph) -> None:
    kernel = graph.variable_by_name["conv1/kernel"]
    readers = [graph.op_by_name[name] for name in kernel.readers]
    assert [op.type for op in readers] == [
        "ReadVariableOp",
        "ReadVariableOp",
        "ResourceApplyMomentum",
    ]
    assert graph.consumers[TensorRef(kernel.readers[0])][0] == "conv1/Conv2D"
    for variable in graph.variables:
        assert variable.handles
        assert variable.readers


def test_layers_have_their_ops_and_are_connected(graph: Graph) -> None:
    outputs = {layer.output for layer in graph.layers} | {graph.inputs["images"]}
    owner: dict[str, str] = {}
    for layer in graph.layers:
        assert set(layer.inputs) <= outputs
        assert layer.output.op in layer.ops
        assert graph.op_by_name[layer.main].type == layer.type
        for name in layer.ops:
            assert owner.setdefault(name, layer.name) == layer.name
    assert graph.layers[1].path == ("conv_block_stage0", "res00")


def test_nested_functions_become_graphs() -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.capture.construction import Construction
    from resnet_inspect.tracers.tensorflow.capture.graph_capture import capture

    made: list[Construction] = []

    def nested(x: Any) -> Any:
        made.append(Construction(0, {}))
        x = tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2, lambda: x - 1)
        body = lambda i, y: (i + 1, tf.cond(i > 1, lambda: tf.nn.relu(y), lambda: y))  # noqa: E731
        return tf.while_loop(lambda i, _: i < 3, body, (0, x))

    call = tf.function(nested, autograph=False)
    call.get_concrete_function(tf.TensorSpec([None, 4], name="x"))
    graph = capture(made[0], made[0].position(), {})
    loop = next(op for op in graph.ops if op.type.endswith("While"))
    branch = next(op for op in graph.ops if op.type.endswith("If"))
    for op, attr in ((loop, "body"), (loop, "cond"), (branch, "then_branch")):
        assert op.attrs[attr] in graph.functions
    assert len(graph.functions) == 6
    body = graph.functions[str(loop.attrs["body"])]
    inner = next(op for op in body.ops if op.type.endswith("If"))
    deepest = graph.functions[str(inner.attrs["then_branch"])]
    assert "Relu" in {op.type for op in deepest.ops}
    assert graph.spec(branch.inputs[1]).shape == (None, 4)
    assert {note.subject for note in graph.notes} == set(graph.functions)


def without_crash(run: Run) -> Failure | None:
    """The failure of a run without its crash."""
    failure = run.info.failure
    return None if failure is None else msgspec.structs.replace(failure, crash=None)


@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_a_new_recording_equals_the_committed_one(name: str, tmp_path: Path) -> None:
    with Run.open(make(name, tmp_path)) as fresh, Run.open(FOLDER / f"{name}.db") as kept:
        assert fresh.graph == kept.graph
        assert fresh.info.settings == kept.info.settings
        assert without_crash(fresh) == without_crash(kept)
        if name in CRASHED:  # other crashes contain the frames of the test
            facts, kept_facts = failure_of(fresh), failure_of(kept)
            assert facts is not None
            assert kept_facts is not None
            assert facts.explanation == kept_facts.explanation
        assert fresh.taps() == kept.taps()
        assert fresh.steps() == kept.steps()
        for step in fresh.recorded_steps():
            pairs = zip(fresh.summaries(step).items(), kept.summaries(step).items(), strict=True)
            for (name_a, a), (name_b, b) in pairs:
                assert (name_a, a.count) == (name_b, b.count)
                if all(not (summary.nan or summary.posinf or summary.neginf) for summary in (a, b)):
                    assert a.std == pytest.approx(b.std, rel=0.02)
                else:  # after an overflow, which elements are finite depends on the processor
                    assert name == "diverged"
