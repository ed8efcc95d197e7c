"""User's models that declare their inputs: Keras models and functions, with settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resnet_inspect import api
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.config import Settings
from resnet_inspect.errors import BuildError, ConfigError, UsageError
from resnet_inspect.graph import Graph
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run

MODEL = """
import tensorflow as tf
import keras
from keras import layers

print_count = []

def build(units=4, depth=1, rate=0.5, name="net"):
    x = images = keras.Input((8, 8, 3), name="images")
    for _ in range(depth):
        x = layers.Conv2D(units, 3, padding="same", activation="relu")(x)
        x = layers.BatchNormalization()(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, layers.Dense(10)(layers.Dropout(rate)(x)), name=name)

def frozen():
    model = build()
    model.layers[1].trainable = False
    return model

def trio():
    return build(), keras.losses.MeanSquaredError(), keras.optimizers.Adam()

def two():
    a, b = keras.Input((8,), name="a"), keras.Input((4,), name="b", dtype="int32")
    embedded = layers.Flatten()(layers.Embedding(10, 3)(b))
    return keras.Model({"b": b, "a": a}, layers.Dense(2)(layers.Concatenate()([a, embedded])))

class Subclassed(keras.Model):
    def __init__(self, units=3):
        super().__init__()
        self.dense = layers.Dense(units)

    def call(self, x):
        return self.dense(x)

class Module(tf.Module):
    def __init__(self, width=4):
        self.w = tf.Variable(tf.ones((3, width)), name="w")

    @tf.function(input_signature=[tf.TensorSpec([None, 3], name="taken")])
    def __call__(self, x):
        if tf.reduce_sum(x) > 0:
            x = x + 1.0
        return x @ self.w

class Equal(tf.Module):
    def __init__(self, width=4):
        self.second = tf.Variable(tf.ones((width, 2)), name="w")
        self.first = tf.Variable(tf.ones((3, width)), name="w")
        self.late = None
        print("made", width)

    def __call__(self, x):
        if self.late is None:
            self.late = tf.Variable(tf.ones((2, 5)), name="w")
        return x @ self.first @ self.second @ self.late

@tf.function(input_signature=[{"left": tf.TensorSpec([2, 3]), "right": tf.TensorSpec([2, 3])}])
def nested(pair):
    return pair["left"] - pair["right"]

def rejects(units=3):
    if units != 3:
        raise ValueError("three it must be")
    return lambda: Module(units)

def values(units=3):
    kernel = tf.ones([4, units])
    kernel.numpy()
    return tf.function(lambda x: x @ kernel, input_signature=[tf.TensorSpec([2, 4])])

def picky(units=3):
    if units != 3:
        raise ValueError("three it must be")
    return Module(units)

def direct(x, units=2):
    return tf.matmul(x, tf.ones([4, units]))

class Needs:
    def __init__(self, units):
        self.units = units

def ragged():
    return tf.function(lambda x: x, input_signature=[tf.RaggedTensorSpec([None, None])])

def texts():
    return keras.Sequential([keras.Input((1,), dtype="string"), layers.Identity()])

def complex_numbers():
    return tf.function(lambda x: x, input_signature=[tf.TensorSpec([2], "complex64", "z")])

def any_rank():
    return tf.function(lambda x: x, input_signature=[tf.TensorSpec(None)])

def unbuilt():
    return keras.Sequential([layers.Dense(2)])

class Unequal(keras.Model):
    def __init__(self, units=4):
        super().__init__()
        self.one, self.other = layers.Dense(units), layers.Dense(5)

    def call(self, x):
        return self.one(x) + self.other(x)

class Holding(layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(4)

    def build(self, shape):
        self.scale = self.add_weight(shape=(4,), name="scale")

    def call(self, x):
        return self.dense(x) * self.scale

def holding():
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(2)(Holding()(x)))
    model.unused = layers.Dense(7)
    model.unused.build((None, 3))
    return model

def sized(side=6, window=2):
    images = keras.Input((side, side, 3))
    return keras.Model(images, layers.Conv2D(4, window, strides=2, name="conv")(images))

def imports():
    import no_such_package_at_all

def inner():
    return imports()
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("models") / "declaring.py"
    file.write_text(MODEL)
    return file


def traced(model: Path, name: str, out: Path, **changes: Any) -> Run:
    settings = Settings.of({"target": f"{model}:{name}", **changes})
    return api.open_run(api.record(settings, out=out, force=True))


def rejection(model: Path, name: str, out: Path, **changes: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        traced(model, name, out, **changes)
    assert not out.exists()
    return caught.value


def notes(graph: Graph) -> dict[str, str]:
    return {note.subject: note.text for note in graph.notes}


def test_inputs_layers_and_parameters_of_a_keras_model_are_recorded(
    model: Path, tmp_path: Path
) -> None:
    import keras

    keras.backend.clear_session()  # else layer names continue the numbers of other tests
    with traced(model, "build", tmp_path / "run.db", set=["units=6", "depth=2"]) as run:
        table = api.shapes(run)
        given = run.info.settings.values()["input"]
    namespace: dict[str, Any] = {}
    exec(MODEL, namespace)
    keras.backend.clear_session()
    same = namespace["build"](units=6, depth=2)
    assert given == "images=?,8,8,3:float32:batch,height,width,channel"
    assert table.totals.params == same.count_params()
    trainable = sum(weight.shape.num_elements() for weight in same.trainable_weights)
    assert table.totals.trainable_params == trainable
    wanted = {layer.name: layer.output.shape for layer in same.layers if layer.name != "images"}
    kinds = {layer.name: type(layer).__name__ for layer in same.layers}
    for row in table.rows:
        name = row.name.removesuffix("_1") if row.name.removesuffix("_1") in wanted else row.name
        assert row.type == kinds[name]
    assert (
        [row.shape for row in table.rows]
        == [  # of a batch of 8
            (8, *shape[1:]) for name, shape in wanted.items() if not name.startswith("dropout")
        ]
    )


def test_parameters_outside_of_layers_are_counted_and_noted(model: Path, tmp_path: Path) -> None:
    with traced(model, "holding", tmp_path / "run.db") as run:
        for depth in ("op", "layer", "block", "stage"):
            assert api.shapes(run, depth).totals.params == 3 * 4 + 4 + 4 + 4 * 2 + 2 + 3 * 7 + 7
        notes_by_subject = {note.subject: note.text for note in api.summarize(run).notes}
    assert notes_by_subject["parameters"].startswith("32 are outside all called layers: ")
    assert "/scale" in notes_by_subject["parameters"]


def test_frozen_parameters_are_not_trainable(model: Path, tmp_path: Path) -> None:
    with traced(model, "frozen", tmp_path / "run.db") as run:
        totals = api.shapes(run).totals
    convolution = 3 * 3 * 3 * 4 + 4
    assert totals.params - (totals.trainable_params or 0) == convolution + 2 * 4


def test_the_seed_determines_the_weights(model: Path, tmp_path: Path) -> None:
    def mean(number: int, seed: int) -> float | None:
        with traced(model, "build", tmp_path / f"{number}.db", seed=seed) as run:
            (last,) = (s for name, s in run.summaries(0).items() if name.startswith("dense"))
        return last.mean

    first, again, other = mean(0, 3), mean(1, 3), mean(2, 4)
    assert first == again != other


def test_integer_settings_are_proved_by_re_traces(model: Path, tmp_path: Path) -> None:
    with traced(model, "build", tmp_path / "run.db", set=["units=6"]) as run:
        (kernel,) = (
            v.name
            for v in run.graph.variables
            if v.name.startswith("dense") and len(v.spec.shape or ()) == 2
        )
        target, _ = find(run.graph, kernel)
        answer = why(run.graph, run.lineage, target, 0)
    assert (answer.size, answer.formula and answer.formula.text) == (6, "units")
    proved = {row.setting: (row.size_before, row.size_after, row.moved) for row in answer.proof}
    assert proved == {"units": (6, 7, True), "depth": (6, 6, False)}


def test_a_setting_may_give_the_size_of_an_input(model: Path, tmp_path: Path) -> None:
    with traced(model, "sized", tmp_path / "run.db") as run:
        target, _ = find(run.graph, "conv")
        proof = why(run.graph, run.lineage, target, 1).proof
    # The side is doubled: with 7 the convolution has 3 positions as well.
    assert {row.setting: (row.after, row.size_before, row.size_after) for row in proof} == {
        "side": (12, 3, 6),
        "window": (3, 3, 2),
    }


def test_variables_are_matched_by_their_order_of_creation(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with traced(model, "Equal", tmp_path / "run.db", input="8,3") as run:
        shapes = {v.name: v.spec.shape for v in run.graph.variables}
        assert shapes == {"w": (4, 2), "w_1": (3, 4), "w_2": (2, 5)}
        (varied,) = run.lineage.variations
    assert {n: s for n, s in varied.shapes.items() if n in shapes} == {"w": (5, 2), "w_1": (3, 5)}
    assert varied.conflicts == ()
    assert capsys.readouterr().out.count("made") == 1


def test_a_setting_that_the_model_rejects_is_noted(model: Path, tmp_path: Path) -> None:
    with traced(model, "picky", tmp_path / "run.db") as run:
        (varied,) = run.lineage.variations
        assert (varied.setting, varied.after, varied.ended) == ("units", 4, True)
        assert varied.conflicts == ("the model",)
    with traced(model, "values", tmp_path / "other.db") as run:
        assert run.lineage.variations == ()
        assert notes(run.graph)["settings"] == (
            "sizes that depend on units are unknown: the model cannot be traced without values"
        )


def test_a_model_with_loss_and_optimizer_is_run_forward_for_no_steps(
    model: Path, tmp_path: Path
) -> None:
    with traced(model, "trio", tmp_path / "run.db", steps=0) as run:
        note = notes(run.graph)["training"]
        assert len(api.shapes(run).rows) == 4
        assert not any("adam" in variable.name for variable in run.graph.variables)
    assert note.startswith("only run forward, not trained. Unused: MeanSquaredError, Adam. ")


def test_several_inputs_are_passed_in_the_right_order(model: Path, tmp_path: Path) -> None:
    with traced(model, "two", tmp_path / "run.db") as run:
        shapes = {name: run.graph.spec(ref) for name, ref in run.graph.inputs.items()}
        assert {n: (s.shape, s.dtype) for n, s in shapes.items()} == {
            "a": ((None, 8), "float32"),
            "b": ((None, 4), "int32"),
        }
        (flat,) = (layer for layer in run.graph.layers if layer.type == "Concatenate")
        assert run.graph.spec(flat.output).shape == (None, 20)


def test_input_overrides_the_declared_inputs(model: Path, tmp_path: Path) -> None:
    with traced(model, "build", tmp_path / "run.db", input="x=2,8,8,3") as run:
        assert api.shapes(run).rows[0].shape == (2, 8, 8, 4)
    with traced(model, "Subclassed", tmp_path / "run.db", input="4,5", set=["units=7"]) as run:
        (row,) = api.shapes(run).rows
        assert (row.type, row.shape, row.params) == ("Dense", (4, 7), 42)


def test_a_function_with_a_signature_is_traced_with_autograph(model: Path, tmp_path: Path) -> None:
    with traced(model, "Module", tmp_path / "run.db", set=["width=5"]) as run:
        assert run.info.settings.values()["input"] == "taken=?,3:float32:batch,channel"
        types = {op.type for op in run.graph.ops}
        assert {"MatMul", "StatelessIf"} <= types
        assert [v.spec.shape for v in run.graph.variables] == [(3, 5)]
    with traced(model, "nested", tmp_path / "run.db") as run:
        assert [
            spec.rpartition("=")[0] for spec in str(run.info.settings.values()["input"]).split("; ")
        ] == [
            "input0",
            "input1",
        ]
        assert run.graph.op_by_name["sub"].outputs[0].shape == (2, 3)


def test_a_function_of_the_inputs_accepts_settings(model: Path, tmp_path: Path) -> None:
    with traced(model, "direct", tmp_path / "run.db", set=["units=9"], input="x=8,4") as run:
        assert run.graph.op_by_name["MatMul"].outputs[0].shape == (8, 9)
        assert [variation.setting for variation in run.lineage.variations] == ["units"]


def test_a_failure_in_a_custom_model_is_explained(model: Path, tmp_path: Path) -> None:
    import keras

    with pytest.raises(BuildError):
        traced(model, "Unequal", tmp_path / "run.db", input="8,3")
    with api.open_run(tmp_path / "run.db") as run:
        mismatch = run.lineage.mismatch
        assert [layer.type for layer in run.graph.layers] == ["Dense", "Dense"]
    assert mismatch is not None
    assert mismatch.function == "+"
    assert {(remedy.before, remedy.after) for remedy in mismatch.remedies} == {(4, 5), (5, 4)}
    assert keras.config.is_traceback_filtering_enabled()
    with traced(model, "Unequal", tmp_path / "run.db", input="8,3", set=["units=5"]) as run:
        assert [variation.ended for variation in run.lineage.variations] == [True]


def test_a_model_that_cannot_be_built_is_a_failed_run(tmp_path: Path) -> None:
    code = tmp_path / "skips.py"
    code.write_text(
        "import keras\n"
        "def build(units=4):\n"
        "    a, b = keras.Input((8, 3)), keras.Input((6, 3))\n"
        "    wide = keras.layers.Dense(units)(a)\n"
        "    return keras.Model([a, b], keras.layers.Concatenate()([wide, b]))\n"
    )
    out = tmp_path / "run.db"
    with pytest.raises(BuildError, match="ValueError while building the model") as caught:
        traced(code, "build", out)
    assert caught.value.run == str(out)
    with Run.open(out) as run:
        failure = run.info.failure
        assert (run.info.status, run.info.network) == (Status.FAILED, "build")
    assert failure is not None
    assert failure.crash is not None
    assert [frame.site.line for frame in failure.crash.frames] == [5]
    assert failure.crash.frames[0].values["wide"].shape == (None, 8, 4)
    assert list(failure.crash.files) == [failure.crash.frames[0].site.file]


CASES: list[tuple[str, list[str], str, str]] = [
    (
        "build",
        ["unit=4"],
        "'build' does not accept these arguments: (units=4, depth=1, rate=0.5",
        "unit: got",
    ),
    (
        "Needs",
        [],
        "'Needs' needs more arguments: (units)",
        "nothing: missing a required argument: 'units'",
    ),
    ("ragged", [], "the input 'x' cannot be filled with random", "RaggedTensor, "),
    ("complex_numbers", [], "the input 'z", "complex64, "),
    ("any_rank", [], "the input 'x' cannot be filled with random", "unknown rank"),
    ("unbuilt", [], "the shapes of the model's inputs are unknown", "none"),
    ("direct", [], "the shapes of the model's inputs are unknown", "none, for (x, units=2)"),
    ("build", ["units=x"], "calling 'build' with units raised TypeError", "not supported"),
    (
        "inner",
        [],
        "calling 'inner' without arguments raised ModuleNotFoundError",
        "no_such_package_at_all",
    ),
    ("nested", ["a=3"], "'nested' is the model itself and takes no settings", "a"),
]


@pytest.mark.parametrize(("name", "given", "what", "got"), CASES)
def test_invalid_targets_are_rejected(
    model: Path, tmp_path: Path, name: str, given: list[str], what: str, got: str
) -> None:
    error = rejection(model, name, tmp_path / "run.db", set=given)
    assert error.what.startswith(what)
    assert got in error.got
    assert error.fix
    if name == "inner":
        assert error.where.count(", ") == 2
    if name == "unbuilt":
        assert isinstance(error, ConfigError)


def test_a_file_is_executed_once(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("WIDTH = 3\n")
    file = tmp_path / "counted.py"
    file.write_text(
        "import pathlib, beside, tensorflow as tf\n"
        f"with pathlib.Path({str(tmp_path / 'count')!r}).open('a') as f: f.write('x')\n"
        "def build(units=2):\n"
        "    return tf.function(lambda x: x @ tf.ones([beside.WIDTH, units]),\n"
        "                       input_signature=[tf.TensorSpec([4, 3])])\n"
    )
    with traced(file, "build", tmp_path / "run.db") as run:
        assert [variation.setting for variation in run.lineage.variations] == ["units"]
    assert (tmp_path / "count").read_text() == "x"
