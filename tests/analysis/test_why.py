"""`why`, its names, dangers and explanations of shape errors, on the recordings."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import msgspec
import pytest

from resnet_inspect.analysis.sizes.dangers import dangers
from resnet_inspect.analysis.sizes.disagreement import postmortem
from resnet_inspect.analysis.sizes.meanings import Meaning, Meanings
from resnet_inspect.analysis.sizes.moves import settings_moves
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.paths import ChainStep, spell_origin
from resnet_inspect.analysis.sizes.why import Agreement, why
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import AxisRef, TensorRef
from resnet_inspect.graph.lineage import FromAxis, Lineage, Link, Relation
from resnet_inspect.render.pages.why_page import danger, how_made, origin_lines
from resnet_inspect.store.run import Run
from tests.analysis.flat_networks import Network

Open = Callable[[str], Run]


@pytest.mark.parametrize(
    ("text", "name", "axes"),
    [
        ("Reshape:1", "Reshape:0", (1,)),
        ("Reshape", "Reshape:0", (0, 1)),
        ("Reshape:-1", "Reshape:0", (1,)),
        ("conv1", "conv1/BiasAdd:0", (0, 1, 2, 3)),
        ("conv1/Conv2D:3", "conv1/Conv2D:0", (3,)),
        ("conv1/kernel:-2", "conv1/kernel", (2,)),
        ("pre_act:3", "pre_activation_final_norm/FusedBatchNormV3:0", (3,)),
        ("pre_activation_final_norm:1:0", "pre_activation_final_norm/FusedBatchNormV3:1", (0,)),
        ("res10_branch2a/Conv2D:1", "conv_block_stage1/res10_branch2a/Conv2D:0", (1,)),
        ("loss", "loss:0", ()),
    ],
)
def test_names_and_axes(recording: Open, text: str, name: str, axes: tuple[int, ...]) -> None:
    target, selected = find(recording("v2").graph, text)
    assert (target.name, selected) == (name, axes)


def test_a_group_is_named_by_its_path(recording: Open) -> None:
    graph = recording("composite").graph
    target, axes = find(graph, "encoder (call 2)/residual:1")
    assert (target.name, axes) == ("pair_1/encoder_3/residual_1/add:0", (1,))
    assert find(graph, "Encoder") == find(graph, "encoder")
    with pytest.raises(UsageError, match="'residual' is ambiguous: 2 names match"):
        find(graph, "residual:1")


def test_an_unknown_name_may_be_close_to_a_group(recording: Open) -> None:
    with pytest.raises(UsageError) as caught:
        find(recording("composite").graph, "encodr")
    assert "encoder" in str(caught.value.fix)
    assert caught.value.expected == "a layer, group, op or variable of the run, then :AXIS"


def test_names_without_the_model_or_with_another_case(recording: Open) -> None:
    graph = recording("fit").graph
    assert find(graph, "conv/kernel:3")[0].name == "classifier/conv/kernel"
    assert find(graph, "Flat")[0] == find(graph, "flat")[0]


def test_an_origin_has_the_name_of_the_input(recording: Open) -> None:
    run = recording("fit")
    target, _ = find(run.graph, "conv:0")
    explanation = why(run.graph, run.lineage, target, 0)
    assert (explanation.origin, explanation.chain[-1].input) == ("data:0 axis 0", "pictures")
    assert {step.input for step in explanation.chain[:-1]} == {""}
    assert ("size", "?, from axis 0 of input pictures") in list(origin_lines(explanation))


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("Reshap3", "there is no 'Reshap3'", "did you mean Reshape"),
        ("res1", "'res1' is ambiguous: 3 names match", "did you mean res10_branch1 or"),
        ("Reshape:2", "'Reshape:0' has no axis 2", "its shape is [8, 64]"),
        ("Reshape:-3", "'Reshape:0' has no axis -3", "its shape is [8, 64]"),
        ("Reshape:1:0", "'Reshape' has no output 1", "write NAME:AXIS"),
        ("", "there is no ''", "`resnet-inspect shapes` lists layers"),
    ],
)
def test_invalid_names(recording: Open, text: str, what: str, fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(recording("v2").graph, text)
    assert caught.value.what == what
    assert fix in str(caught.value)


def test_image_and_batch_size_do_not_change_the_64(recording: Open) -> None:
    run = recording("v2")
    target, _ = find(run.graph, "Reshape")
    rows = {row.setting: row for row in why(run.graph, run.lineage, target, 1).proof}
    assert {name for name, row in rows.items() if row.moved} == {"filters"}
    assert (rows["filters"].size_before, rows["filters"].size_after) == (64, 68)
    assert "add00 fails (ignored to continue)" in rows["filters"].note
    assert rows["n"].note == "the graph changes, but not this size"
    assert set(rows) == {
        "filters",
        "n",
        "ver",
        "classes",
        "batch_size",
        "image height",
        "image width",
        "image channels",
    }


def test_image_channels_are_distinguished_from_kernel_sizes(recording: Open) -> None:
    run = recording("v2")
    target, _ = find(run.graph, "conv1/kernel")
    sizes = [why(run.graph, run.lineage, target, axis) for axis in range(4)]
    assert [size.formula and size.formula.text for size in sizes] == ["3", "3", None, "16"]
    assert [row.setting for row in sizes[2].proof if row.moved] == ["image channels"]


@pytest.mark.parametrize(
    ("text", "origin", "movers"),
    [
        ("res00_branch2a/Conv2D/ReadVariableOp:3", "res00_branch2a/kernel axis 3", ["filters"]),
        ("conv1/Conv2D/ReadVariableOp:2", "images:0 axis 3", ["image channels"]),
        ("conv1/kernel:2", "images:0 axis 3", ["image channels"]),
        ("images:0", "images:0 axis 0", ["batch_size"]),
        ("dense1/kernel:0", "Reshape/shape element 1", ["filters"]),
        ("bn20_branch2b/gamma:0", "res20_branch2a/kernel axis 3", ["filters"]),
    ],
)
def test_paths_pass_reads_inputs_and_fitted_variables(
    recording: Open, text: str, origin: str, movers: list[str]
) -> None:
    run = recording("v2")
    target, (axis,) = find(run.graph, text)
    explanation = why(run.graph, run.lineage, target, axis)
    assert explanation.origin == origin
    assert [row.setting for row in explanation.proof if row.moved] == movers


def test_the_gamma_of_a_normalized_height_is_the_height(recording: Open) -> None:
    run = recording("bn_axis")
    target, _ = find(run.graph, "bn00_branch2a/gamma")
    assert why(run.graph, run.lineage, target, 0).origin == "images:0 axis 1"


def test_a_number_that_appears_twice_is_explained_with_its_expression(recording: Open) -> None:
    run = recording("v2")
    target, _ = find(run.graph, "Reshape")
    lines = list(origin_lines(why(run.graph, run.lineage, target, 1)))
    assert ("must equal", "final_reduce_mean:0 axis 3") in lines
    assert ("comes from", "res20_branch1/kernel axis 3, 9 ops before") in lines
    (text,) = [text for label, text in lines if label == "danger"]
    assert text == (
        "64 appears a second time as filters × 2² in Reshape. With 65 in final_reduce_mean:0 axis 3"
        " and the recorded batch size 8, Reshape fails."
    )


def test_a_literal_that_appears_twice_has_no_expression() -> None:
    pair = Agreement("Reshape", "Reshape/shape element 1", "x:0 axis 1", 64, ((0, 128, 130),), "64")
    assert danger(pair) == (
        "64 appears a second time in Reshape. With 65 in x:0 axis 1, Reshape does not fail but"
        " silently changes axis 0 from 128 to 130."
    )


def test_an_op_with_the_name_of_its_layer_is_named_once() -> None:
    step = ChainStep(
        "Reshape:0 axis 1", "Reshape", "Reshape", "Reshape", literal=False, size=64,
        relation=None, rivals=()
    )  # fmt: skip
    before = msgspec.structs.replace(step, relation=Relation.SAME)
    assert how_made(step, before) == "Reshape"
    dense = msgspec.structs.replace(step, layer="dense", op_type="MatMul")
    assert how_made(dense, before) == "MatMul of dense"


def test_a_path_does_not_lead_through_the_mask_of_a_dropout() -> None:
    network = Network()
    dense = network.layer("Dense", "x", name="dense")
    mask = network.op("Greater", "x", name="mask", shape=(8, 4), dtype="bool")
    network.op("SelectV2", mask, dense, name="select", shape=(8, 4), dtype="float32")
    links = tuple(
        Link(FromAxis(AxisRef(TensorRef(name), 1)), Relation.SAME) for name in (mask, dense)
    )
    lineage = Lineage(links={"select:0/1": links})
    size = why(network.graph, lineage, find(network.graph, "select")[0], 1)
    assert [step.op for step in size.chain] == ["select", "dense"]


def test_sizes_after_a_failing_addition_are_unknown(recording: Open) -> None:
    run = recording("v2")
    target, _ = find(run.graph, "bn10_branch2a")
    explanation = why(run.graph, run.lineage, target, 3)
    assert explanation.formula is not None
    assert explanation.formula.text == "16"
    (row,) = [row for row in explanation.proof if row.setting == "filters"]
    assert row.moved is None
    assert row.note.startswith("unknown: this size comes after add00")


def test_an_op_without_outputs_lists_its_inputs(recording: Open) -> None:
    with pytest.raises(UsageError, match="has no output") as caught:
        find(recording("v2").graph, "Momentum/update_conv1/kernel")
    assert "Momentum/update_conv1/kernel/accum:0, learning_rate" in str(caught.value)


def test_gradients_and_optimizer_ops_have_origins(recording: Open) -> None:
    run = recording("v2")
    name = "gradients/conv1/Conv2D_grad/Conv2DBackpropFilter"
    target, _ = find(run.graph, name)
    explanation = why(run.graph, run.lineage, target, 3)
    assert explanation.origin == "conv1/kernel axis 3"
    assert {row.moved for row in explanation.proof} == {False}  # as for the kernel of the same size
    target, _ = find(run.graph, "dense1/kernel/Momentum")
    assert why(run.graph, run.lineage, target, 1).origin == "dense1/kernel axis 1"
    target, _ = find(run.graph, "labels")
    rows = why(run.graph, run.lineage, target, 0).proof
    assert [row.setting for row in rows if row.moved] == ["batch_size"]


def test_settings_and_axes_agree_on_changes(
    recording: Open,
) -> None:
    for name in ("v1", "v2", "bn_axis"):
        run = recording(name)
        for moves in settings_moves(run.graph, run.lineage):
            for moved in moves.axes:
                target, _ = find(run.graph, f"{moved.name}:{moved.axis}")
                rows = why(run.graph, run.lineage, target, moved.axis).proof
                assert next(row for row in rows if row.setting == moves.setting).moved, moved


def test_axes_that_each_setting_changes(recording: Open) -> None:
    run = recording("v2")
    moves = {row.setting: row for row in settings_moves(run.graph, run.lineage)}
    assert {(a.name, a.axis, a.after) for a in moves["classes"].axes} == {
        ("dense1/kernel", 1, 11),
        ("dense1/bias", 0, 11),
        ("dense1/MatMul:0", 1, 11),
        ("dense1/BiasAdd:0", 1, 11),
    }
    assert moves["n"].axes == ()
    assert {a.axis for a in moves["image width"].axes} == {2}


def test_axes_carry_their_meanings(recording: Open) -> None:
    run = recording("v2")
    meanings = Meanings(run.graph, run.lineage)
    spelled = {layer.name: meanings.spell(layer.output) for layer in run.graph.layers}
    assert spelled["conv1"] == "batch 8 × height 32 × width 32 × channel 16"
    assert spelled["add20"] == "batch 8 × height/4 8 × width/4 8 × channel 64"
    assert spelled["final_reduce_mean"] == "batch 8 × 1 × 1 × channel 64"
    assert spelled["Reshape"] == "batch 8 × channel 64"
    assert meanings.spell(TensorRef("labels")) == "batch 8"
    assert dangers(run.graph, run.lineage, meanings) == ()


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_a_correct_network_has_no_dangers(recording: Open, name: str) -> None:
    run = recording(name)
    assert dangers(run.graph, run.lineage, Meanings(run.graph, run.lineage)) == ()
    assert postmortem(run.graph, run.lineage) is None


def test_a_normalization_per_height_is_a_danger(recording: Open) -> None:
    run = recording("bn_axis")
    result = dangers(run.graph, run.lineage, Meanings(run.graph, run.lineage))
    normalizations = [layer for layer in run.graph.layers if layer.type == "FusedBatchNormV3"]
    assert [danger.layer for danger in result] == [layer.name for layer in normalizations]
    assert result[0].text == "batch normalization is per height (axis 1), not per channel"
    assert result[0].source is not None
    assert "net.batch_normalization" in result[0].source.text


def test_the_lost_batch_is_explained(recording: Open) -> None:
    run = recording("mean_axes")
    explanation = postmortem(run.graph, run.lineage)
    assert explanation is not None
    assert explanation.function == "sparse_softmax_cross_entropy_with_logits"
    assert dict(explanation.tensors)["dense1/BiasAdd:0"] == "batch·height/256 1 × channel 10"
    labels, logits = explanation.sides
    assert (labels.meaning, labels.size, labels.origin) == ("batch", 8, "labels:0 axis 0")
    assert (logits.meaning, logits.size) == ("batch·height/256", 1)
    ((after, before),) = logits.changes
    assert (before.place, before.size) == ("final_reduce_mean:0 axis 0", 8)
    assert (after.place, after.size) == ("Reshape:0 axis 0", 1)
    assert [danger.layer for danger in explanation.dangers] == ["final_reduce_mean", "Reshape"]
    assert [(c.setting, c.after) for c in explanation.corrections] == [("mean_axes", "1,2")]


def test_the_literal_16_of_the_stem_is_explained(recording: Open) -> None:
    run = recording("filters")
    explanation = postmortem(run.graph, run.lineage)
    assert explanation is not None
    assert explanation.function == "add"
    stem, branch = explanation.sides
    assert (stem.size, branch.size) == (16, 32)
    assert stem.formula is not None
    assert branch.formula is not None
    assert stem.formula.text == "16"
    assert 'name="conv1"' in stem.formula.source.text
    assert branch.formula.text == "filters × 2^stage"
    assert branch.formula.values == {"filters": 32, "stage": 0}
    assert [(spell_origin(r.place), r.after) for r in explanation.remedies] == [
        ("conv1/BiasAdd:0 axis 3", 32),
        ("conv_block_stage0/res00_branch2b/BiasAdd:0 axis 3", 16),
    ]
    assert [(c.setting, c.after) for c in explanation.corrections] == [("filters", "16")]


def test_settings_that_change_one_tensor(recording: Open) -> None:
    run = recording("v2")
    every = settings_moves(run.graph, run.lineage)
    target, axes = find(run.graph, "Reshape:1")
    moves = settings_moves(run.graph, run.lineage, target.name, axes)
    assert [row.setting for row in moves] == [row.setting for row in every]
    assert {(moved.name, moved.axis) for row in moves for moved in row.axes} == {("Reshape:0", 1)}


def test_a_size_that_is_no_fraction_of_several_axes_has_no_factor() -> None:
    axes = ("batch", "height", "channel")
    assert str(Meaning(axes, Fraction(1, 256))) == "batch·height·channel/256"
    assert str(Meaning(axes, Fraction(25, 18432))) == "part of batch·height·channel"
    assert str(Meaning(("height",), Fraction(5, 6))) == "height×5/6"
