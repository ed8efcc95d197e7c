"""Measured sizes in place of unknown ones: their names, numbers and texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.analysis.sizes.measured import has_unknown_sizes, measured_graph, measured_sizes
from resnet_inspect.analysis.sizes.shapes import Depth, shapes
from resnet_inspect.graph import (
    AxisRef,
    Graph,
    MeasuredSize,
    Op,
    TensorRef,
    TensorSpec,
    spell_shape,
)
from resnet_inspect.graph.lineage import FromAxis, Lineage, Link, Relation, axis_key
from resnet_inspect.graph.tensors import Shape
from resnet_inspect.render.documents import json_document
from resnet_inspect.store.run import Run
from resnet_inspect.stored import measured_graph as measured_graph_of

RUNS = Path(__file__).parents[1] / "runs"


def op(name: str, shape: Shape, *inputs: str) -> Op:
    """An op with one float32 output."""
    outputs = (TensorSpec(shape, "float32"),)
    return Op(name, "Op", inputs=tuple(map(TensorRef, inputs)), outputs=outputs)


def same(*pairs: tuple[str, str, int]) -> Lineage:
    """A lineage in which an axis of an op is that of another op."""
    return Lineage(
        {
            axis_key(TensorRef(name), axis): (
                Link(FromAxis(AxisRef(TensorRef(of), axis)), Relation.SAME),
            )
            for name, of, axis in pairs
        }
    )


def text_graph(*, axes: tuple[str, ...] = ("batch", "channel")) -> tuple[Graph, Lineage]:
    """A text [batch, length] that is embedded, then reduced to [batch, 8]; one size is unknown."""
    ops = (
        op("ids", (None, None)),
        op("embed", (None, None, 8), "ids"),
        op("mean", (None, 8), "embed"),
        op("words", (None, 8), "embed"),
    )
    graph = Graph(ops, inputs={"ids": TensorRef("ids")}, axes={"ids": axes})
    return graph, same(("embed", "ids", 0), ("embed", "ids", 1), ("mean", "embed", 0))


def spelled(graph: Graph) -> dict[str, str]:
    """The shape of each op as text."""
    return {known.name: spell_shape(known.outputs[0].shape) for known in graph.ops}


def test_unknown_sizes_get_the_names_of_the_axes_of_the_inputs() -> None:
    graph, lineage = text_graph()
    measured = measured_graph(graph, lineage, [{"ids": (4, 12)}, {"ids": (4, 7)}], {})
    assert spelled(measured) == {
        "ids": "batch×ids[1]",
        "embed": "batch×ids[1]×8",
        "mean": "batch×8",
        "words": "?×8",
    }
    assert measured.op_by_name["embed"].outputs[0].shape == (4, 12, 8)
    assert measured.op_by_name["embed"].outputs[0].bytes == 4 * 12 * 8 * 4
    assert measured.op_by_name["words"].outputs[0].bytes is None
    sizes = measured_sizes(known.outputs[0].shape for known in measured.ops)
    assert [size.text for size in sizes] == ["batch (4 here)", "ids[1] (12 here, 7 in the last)"]


def test_a_size_without_a_known_origin_is_measured_from_the_number_of_elements() -> None:
    graph, lineage = text_graph()
    for steps, text in ((1, "48×8"), (2, "?×8")):  # another step may have another size
        inputs = [{"ids": (4, 12)}] * steps
        measured = measured_graph(graph, lineage, inputs, {"words:0": 48 * 8})
        assert measured.op_by_name["words"].outputs[0].shape == (48, 8)
        assert measured.op_by_name["words"].outputs[0].bytes == 48 * 8 * 4
        assert spelled(measured)["words"] == text


def test_a_counted_size_is_that_of_all_tensors_with_the_same_size() -> None:
    # A convolution of a text is squeezed and biased; only the last tensor was recorded.
    ops = (
        op("ids", (None, None)),
        op("conv", (None, 1, None, 6), "ids"),
        op("squeeze", (None, None, 6), "conv"),
        op("bias", (None, None, 6), "squeeze"),
        op("relu", (None, None, 6), "squeeze"),
    )
    graph = Graph(ops, inputs={"ids": TensorRef("ids")}, axes={"ids": ("batch", "channel")})
    lineage = same(("conv", "ids", 0), ("squeeze", "conv", 0), ("bias", "squeeze", 0))
    lineage = Lineage(
        lineage.links
        | same(("bias", "squeeze", 1), ("relu", "squeeze", 0), ("relu", "squeeze", 1)).links
        | {"squeeze:0/1": (Link(FromAxis(AxisRef(TensorRef("conv"), 2)), Relation.SAME),)}
    )
    inputs = [{"ids": (4, 12)}, {"ids": (4, 9)}]
    measured = measured_graph(graph, lineage, inputs, {"bias:0": 4 * 5 * 6})
    shapes_by_op = {known.name: known.outputs[0].shape for known in measured.ops}
    assert shapes_by_op["conv"] == (4, 1, 5, 6)
    assert shapes_by_op["squeeze"] == shapes_by_op["relu"] == (4, 5, 6)
    assert spelled(measured)["conv"] == "batch×1×?×6"


def test_without_origins_a_first_axis_of_the_size_of_the_batch_is_the_batch() -> None:
    graph, _ = text_graph()
    elements = {"mean:0": 4 * 8, "words:0": 48 * 8}
    measured = measured_graph(graph, Lineage(), [{"ids": (4, 12)}] * 2, elements)
    assert spelled(measured) == {
        "ids": "batch×ids[1]",
        "embed": "?×?×8",
        "mean": "batch×8",
        "words": "?×8",
    }


def test_two_inputs_share_a_name_only_if_their_sizes_are_equal() -> None:
    ops = (op("a", (None, 3)), op("b", (None, 3)), op("c", (None, 3)))
    inputs = {name: TensorRef(name) for name in "abc"}
    graph = Graph(ops, inputs=inputs, axes=dict.fromkeys("abc", ("batch", "channel")))
    steps = [{"a": (8, 3), "b": (8, 3), "c": (16, 3)}, {"a": (5, 3), "b": (5, 3), "c": (16, 3)}]
    measured = measured_graph(graph, Lineage(), steps, {})
    assert spelled(measured) == {"a": "batch×3", "b": "batch×3", "c": "c[0]×3"}
    sizes = measured_sizes(known.outputs[0].shape for known in measured.ops)
    assert [size.text for size in sizes] == ["batch (8 here, 5 in the last)", "c[0] (16 here)"]


def test_an_input_that_was_not_measured_has_a_batch_without_a_number() -> None:
    graph, lineage = text_graph()
    assert measured_graph(graph, lineage, [], {}) == graph


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_the_text_names_every_size_that_ran(batches: list[int]) -> None:
    graph, lineage = text_graph()
    steps = [{"ids": (batch, 12)} for batch in batches]
    shape = measured_graph(graph, lineage, steps, {}).op_by_name["mean"].outputs[0].shape
    assert shape is not None
    batch = shape[0]
    assert isinstance(batch, MeasuredSize)
    assert batch == batches[0]
    if len(set(batches)) == 1:
        assert batch.steps == f"{batches[0]} here"
    elif set(batches) == {batches[0], batches[-1]}:
        assert batch.steps == f"{batches[0]} here, {batches[-1]} in the last"
    else:
        assert batch.steps == f"{batches[0]} here, {min(batches)} to {max(batches)} in all"


def test_a_measured_size_is_a_number_in_json_and_a_name_in_text() -> None:
    size = MeasuredSize(8, "batch", "8 here")
    assert (f"{size}", str(size), f"{size:,}", size * 2) == ("batch", "batch", "8", 16)
    assert json.loads(json_document(shape=(size, None, 3)))["shape"] == [8, None, 3]


@pytest.mark.parametrize("name", ["v2", "own"])
def test_a_graph_with_known_sizes_is_unchanged(name: str) -> None:
    with Run.open(RUNS / f"{name}.db") as run:
        assert not has_unknown_sizes(run.graph)
        assert measured_graph_of(run) is run.graph


def test_a_recorded_fit_has_the_memory_of_its_first_batch() -> None:
    # 20 pictures of 8×8 in batches of 8: a convolution of 3×3 with 4 filters, then a pooling.
    with Run.open(RUNS / "fit.db") as run:
        table = shapes(measured_graph_of(run), Depth.LAYER)
    rows = {row.name: row for row in table.rows}
    assert spell_shape(rows["conv"].shape) == "batch×6×6×4"
    assert rows["conv"].memory == 8 * 6 * 6 * 4 * 4
    assert spell_shape(rows["flat"].shape) == "batch×36"
    assert rows["logits"].memory == 8 * 3 * 4
    assert table.totals.memory == 4 * 8 * (3 * 6 * 6 * 4 + 3 * 3 * 4 + 36 + 3)
    (batch,) = measured_sizes(row.shape for row in table.rows)
    assert batch.text == "batch (8 here, 4 in the last)"
