"""`trace TARGET --batch-size 4 --steps 0` runs one batch of 4 examples of any model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect import api
from resnet_inspect.errors import ConfigError, InspectError, UsageError
from resnet_inspect.findings import check
from resnet_inspect.graph import spell_shape
from resnet_inspect.store.run import Run
from resnet_inspect.stored import measured_graph

STYLES = Path(__file__).parents[1] / "other_styles.py"
PICTURES = "x=?,8,8,3"


@pytest.fixture(autouse=True)
def _fresh_names() -> Iterator[None]:
    """Let Keras number layers from 0."""
    import keras

    keras.backend.clear_session()
    yield
    keras.backend.clear_session()


def traced(style: str, folder: Path, **settings: Any) -> Run:
    """Run one batch of 4 examples of a model."""
    wanted = {"batch_size": 4, "steps": 0} | settings
    return api.trace(target=f"{STYLES}:{style}", out=folder / "run.db", **wanted)


@pytest.mark.filterwarnings("ignore:`build\\(\\)` was called")  # of Keras, on a subclass
@pytest.mark.parametrize(
    ("style", "described", "shape"),
    [
        ("functional", None, "4×5"),
        ("compiled", None, "4×5"),
        ("with_loss", None, "4×5"),
        ("two_inputs", None, "4×2"),
        ("dict_inputs", None, "4×2"),
        ("dict_output", None, "4×2"),
        ("text", None, "4×1"),
        ("any_length", None, "4×1"),
        ("words", None, "4×3"),
        ("subclassed", PICTURES, "4×3"),
        ("subclassed_built", None, "4×3"),
        ("subclassed_called", None, "4×3"),
        ("imported", None, "4×3"),
        ("reads_a_dict", "ids=?,7:int32; mask=?,7", "4×7×2"),
        ("called_on_a_dict", None, "4×7×2"),
        ("called_on_two_arguments", None, "4×3"),
    ],
)
def test_a_model_of_each_style_runs_one_batch(
    tmp_path: Path, style: str, described: str | None, shape: str
) -> None:
    given = {} if described is None else {"input": described}
    with traced(style, tmp_path, **given) as run:
        assert (run.info.status, run.steps()) == ("complete", [0])
        table = api.shapes(run)
        row = next(row for row in table.rows if row.name == "last")
        assert spell_shape(row.shape) == shape
        elements = int(np.prod([int(size) for size in shape.split("×")]))
        assert row.memory == elements * 4
        assert table.totals.memory is not None
        sizes = {tap.layer: size for tap, size in run.sizes().items() if tap.kind == "activation"}
        assert sizes["last"] == elements
        assert run.summaries(0)["last"].count == elements
        assert {row.name for row in table.rows} == set(sizes)


def test_the_activations_are_those_of_the_batch(tmp_path: Path) -> None:
    # The batch is documented: normal numbers from the seed and the number of the batch.
    batch = np.random.default_rng([0, 2, 0]).standard_normal((4, 6), np.float32)
    with traced("doubled", tmp_path, input="x=?,6", taps="ops") as run:
        (tap,) = (tap for tap in run.taps() if tap.tensor == "last:0")
        summary = run.course(tap)[0]
    expected = np.maximum(2 * batch, 0)
    assert summary.count == 24
    assert summary.mean == pytest.approx(expected.mean(), rel=1e-6)
    assert summary.max == pytest.approx(expected.max(), rel=1e-6)
    assert summary.zeros == (expected == 0).sum()


def test_without_a_batch_size_the_batch_has_a_name_and_eight_examples(tmp_path: Path) -> None:
    with api.trace(target=f"{STYLES}:any_length", out=tmp_path / "run.db") as run:
        rows = {row.name: row for row in api.shapes(run).rows}
        assert spell_shape(rows["positions"].shape) == "batch×ids[1]×8"
        assert rows["positions"].memory == 8 * 9 * 8 * 4
        assert rows["last"].memory == 8 * 4
        assert run.batches()[0]["ids"].shape == (8, 9)


@pytest.mark.parametrize(
    ("style", "open_input", "closed_input"),
    [
        ("functional", PICTURES, "x=8,8,8,3"),
        ("dict_inputs", None, "left=8,4; right=8,4"),
        ("dict_output", "x=?,4", "x=8,4"),
        ("any_length", None, "ids=8,9:int32"),
        ("subclassed", PICTURES, "x=8,8,8,3"),
        ("reads_a_dict", "ids=?,9:int32; mask=?,9", "ids=8,9:int32; mask=8,9"),
    ],
)
def test_measured_sizes_equal_the_sizes_that_tensorflow_infers(
    tmp_path: Path, style: str, open_input: str | None, closed_input: str
) -> None:
    import keras

    given: dict[str, Any] = {} if open_input is None else {"input": open_input}
    target = f"{STYLES}:{style}"
    with api.trace(target=target, out=tmp_path / "open.db", **given) as run:
        measured, raw = measured_graph(run), run.graph
    keras.backend.clear_session()
    with api.trace(target=target, out=tmp_path / "closed.db", input=closed_input) as run:
        known = run.graph.op_by_name
    compared = 0
    for op, before in zip(measured.ops, raw.ops, strict=True):
        closed = known.get(op.name)  # with known sizes some ops are constants
        if closed is None or (closed.type, closed.inputs) != (op.type, op.inputs):
            continue
        for spec, open_spec, other in zip(op.outputs, before.outputs, closed.outputs, strict=True):
            shapes = zip(open_spec.shape or (), spec.shape or (), other.shape or (), strict=True)
            sizes = [(size, right) for unknown, size, right in shapes if unknown is None]
            sizes = [pair for pair in sizes if pair[0] is not None]
            assert all(size == right for size, right in sizes), (op.name, sizes)
            compared += len(sizes)
    assert compared > 2


@pytest.mark.parametrize("length", [12, None])
def test_the_row_of_an_own_layer_has_the_output_of_that_layer(
    tmp_path: Path, length: int | None
) -> None:
    from tests.tracers.tensorflow.other_styles import embedded

    saved = tmp_path / "embedded.py"
    saved.write_text(
        "from tests.tracers.tensorflow.other_styles import embedded\n"
        f"def build():\n    return embedded({length})\n"
    )
    with api.trace(target=f"{saved}:build", out=tmp_path / "run.db") as run:
        rows = {row.name: row for row in api.shapes(run, "block").rows}
        parts = {row.name: spell_shape(row.shape) for row in api.shapes(run).rows}
    embedding = embedded(length).layers[1]
    assert embedding.output.shape == (None, length, 8)
    size = "12" if length else "ids[1]"
    assert spell_shape(rows["embedded"].shape) == f"batch×{size}×8"
    assert (parts["words"], parts["places"]) == (f"batch×{size}×8", f"{size}×8")
    assert rows["embedded"].params == embedding.count_params()


def test_the_random_inputs_of_a_forward_pass_are_not_judged(tmp_path: Path) -> None:
    # All examples are equal: 0 or 1 for one feature. That says nothing about the user's data.
    with traced("doubled", tmp_path, input="x=?,1:int32", batch_size=64, taps="ops") as run:
        assert run.batches()[0]["x"].distinct == 2
        assert "input-constant" not in {finding.rule for finding in check(run)}


@pytest.mark.parametrize("suffix", [".keras", ""])
def test_a_saved_model_runs_one_batch(tmp_path: Path, suffix: str) -> None:
    from tests.tracers.tensorflow.other_styles import functional

    saved = tmp_path / f"saved{suffix}"
    model = functional()
    model.save(saved) if suffix else model.export(saved, verbose=False)
    with api.trace(target=str(saved), batch_size=4, steps=0, out=tmp_path / "run.db") as run:
        assert spell_shape(api.shapes(run).rows[-1].shape) == "4×5"


def test_a_training_has_the_batch_size_too(tmp_path: Path) -> None:
    with traced("with_loss", tmp_path, steps=2) as run:
        assert run.info.settings.values()["batch_size"] == 4
        assert {part.shape[0] for by in run.batches().values() for part in by.values()} == {4}


def refused(style: str, folder: Path, **settings: Any) -> InspectError:
    """Return the error of a trace."""
    with pytest.raises(InspectError) as caught:
        traced(style, folder, **settings)
    assert not (folder / "run.db").exists()
    return caught.value


@pytest.mark.parametrize(
    ("style", "settings", "got"),
    [
        ("fixed_batch", {}, "--batch-size 4 and the inputs x=8,4:float32:batch,channel"),
        (
            "fixed_batch",
            {"input": "y=2,4"},
            "--batch-size 4 and the inputs y=2,4:float32:batch,channel",
        ),
        ("doubled", {"input": "x="}, "--batch-size 4 and the inputs x=:float32"),
    ],
)
def test_another_batch_size_than_that_of_the_inputs_is_rejected(
    tmp_path: Path, style: str, settings: dict[str, str], got: str
) -> None:
    error = refused(style, tmp_path, **settings)
    assert isinstance(error, ConfigError)
    assert error.what == "the inputs have another batch size"
    assert error.where == f"target {STYLES}:{style}, setting 'batch_size'"
    assert error.expected.startswith("inputs with")
    assert error.got == got
    assert "leave out --batch-size" in error.fix


def test_the_batch_size_of_the_inputs_may_be_repeated(tmp_path: Path) -> None:
    with traced("fixed_batch", tmp_path, batch_size=8) as run:
        assert spell_shape(api.shapes(run).rows[-1].shape) == "8×2"


def test_a_model_that_was_never_called_needs_a_description_of_its_inputs(tmp_path: Path) -> None:
    error = refused("subclassed", tmp_path)
    assert error.what == "the shapes of the model's inputs are unknown"
    assert "describe the inputs with --input" in error.fix
    assert "call the model once on example data before you return it" in error.fix


def test_a_model_in_a_dictionary_is_rejected(tmp_path: Path) -> None:
    error = refused("in_a_dict", tmp_path)
    assert isinstance(error, UsageError)
    assert (error.what, error.got) == ("the returned value cannot be called", "dict")
