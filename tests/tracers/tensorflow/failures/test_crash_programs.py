"""The crashes of small programs: frames, values, nodes, layers, variables and batches.

The expected lines and shapes are counted in the programs by hand.
"""

from __future__ import annotations

import msgspec
import pytest

from resnet_inspect.graph.crash import Crash, Node, NodeKind, Value, ValueKind
from tests.tracers.tensorflow.failures.conftest import CrashOf

FIT = """\
import keras
import numpy as np
x = np.ones((22, 5), "float32")
goals = np.ones((22, 2), "float32")
"""


def named_node(crash: Crash, name: str) -> Node:
    nodes = [node for node in crash.nodes if node.name == name]
    assert len(nodes) == 1, [node.name for node in crash.nodes]
    return nodes[0]


def node_of(crash: Crash, value: Value) -> Node:
    assert value.node >= 0
    return crash.nodes[value.node]


def lines(sites: tuple[object, ...]) -> list[int]:
    return [site.line for site in sites]  # type: ignore[attr-defined]


def values_of(crash: Crash, at: int = -1) -> dict[str, Value]:
    return dict(crash.frames[at].values)


def test_frames_that_keras_removes_are_kept(crash_of: CrashOf) -> None:
    crash = crash_of(
        """\
        import keras
        def encoder(wide, narrow, size=6):
            both = keras.layers.Concatenate(axis=1, name="both")
            return both([wide, narrow])
        a = keras.Input((4, 6), name="a")
        b = keras.layers.Dense(7, name="scale")(keras.Input((4, 3), name="b"))
        model = keras.Model([a], encoder(a, b))
        """
    )
    assert (crash.kind, crash.bases) == ("ValueError", ("Exception",))
    assert [(f.site.file, f.site.line, f.site.function) for f in crash.frames] == [
        ("train.py", 7, "<module>"),
        ("train.py", 4, "encoder"),
    ]
    assert (crash.frames[1].site.column, crash.frames[1].site.end_column) == (11, 31)
    assert crash.frames[1].parameters == ("wide", "narrow", "size")
    assert crash.frames[1].site.values == {"size": 6}
    values = values_of(crash)
    assert [values[name].shape for name in ("wide", "narrow")] == [(None, 4, 6), (None, 4, 7)]
    scale = node_of(crash, values["narrow"])
    assert (scale.kind, scale.name, scale.shapes) == (NodeKind.LAYER, "scale", ((None, 4, 7),))
    (source,) = (crash.nodes[number] for number in scale.inputs)
    assert (source.kind, source.name, source.shapes) == (NodeKind.INPUT, "b", ((None, 4, 3),))
    layer = crash.layers[scale.layer]
    assert (layer.settings["units"], lines(layer.created)) == (7, [6])
    assert layer.weights == {"kernel": (3, 7), "bias": (7,)}
    assert layer.weights_created == {}
    assert list(crash.files) == ["train.py"]
    assert crash.during == ""
    calls = [call for call in crash.calls if call.layer >= 0]
    assert {crash.layers[call.layer].name for call in calls} == {"both"}
    assert all(call.frame == 1 for call in calls)


def test_the_last_batch_has_its_number_of_examples(crash_of: CrashOf) -> None:
    crash = crash_of(
        FIT
        + """\
import tensorflow as tf
class Rows(keras.layers.Layer):
    def call(self, inputs):
        return inputs + tf.reduce_sum(tf.reshape(inputs, (8, 5)))
model = keras.Sequential([Rows(), keras.layers.Dense(2)])
model.compile("sgd", "mse")
model.fit(x, goals, batch_size=8, epochs=2, shuffle=False, verbose=0)
"""
    )
    assert (crash.during, crash.step) == ("fit", 2)
    batch = crash.batch
    assert batch is not None
    assert (batch.source, batch.step, batch.batches, batch.examples) == (
        "ArrayDataAdapter",
        2,
        3,
        6,
    )
    assert batch.spec is not None
    assert [value.shape for value in batch.spec.items.values()] == [(None, 5), (None, 2)]
    fit = next(call for call in crash.calls if call.function.endswith(".fit"))
    assert [fit.arguments[name].shape for name in "xy"] == [(22, 5), (22, 2)]
    assert [fit.arguments[name].text for name in ("batch_size", "epochs")] == ["8", "2"]


def test_the_op_that_fails_when_it_runs_is_found(crash_of: CrashOf) -> None:
    crash = crash_of(
        FIT
        + """\
import tensorflow as tf
class Rows(keras.layers.Layer):
    def call(self, inputs):
        return tf.reshape(inputs, (4, 10))
model = keras.Sequential([Rows(), keras.layers.Dense(2)])
model.predict(x, batch_size=8, verbose=0)
"""
    )
    assert (crash.during, crash.step) == ("predict", None)
    assert crash.batch is not None
    assert (crash.batch.step, crash.batch.batches, crash.batch.examples) == (2, 3, 6)
    reshape = crash.nodes[crash.op_node]
    assert (reshape.type, reshape.shapes, lines(reshape.sites)) == ("Reshape", ((4, 10),), [8, 10])
    assert reshape.name == crash.op
    target = crash.nodes[reshape.inputs[1]]
    assert (target.kind, target.value) == (NodeKind.CONSTANT, "[4, 10]")
    rows = crash.layers[reshape.layer]
    assert (rows.type, rows.own, rows.settings, lines(rows.created)) == ("Rows", True, {}, [9])


@pytest.mark.parametrize(
    ("data", "source", "shapes", "examples"),
    [
        (
            "tf.data.Dataset.from_tensor_slices((x, goals)).shuffle(4).batch(8).prefetch(1)",
            "TFDatasetAdapter",
            [(None, 5), (None, 2)],
            6,
        ),
        ("batches()", "GeneratorDataAdapter", [(None, 5), (None, 2)], None),
    ],
    ids=["dataset", "generator"],
)
def test_the_shapes_of_other_data_are_known(
    crash_of: CrashOf,
    data: str,
    source: str,
    shapes: list[tuple[int | None, ...]],
    examples: int | None,
) -> None:
    crash = crash_of(
        FIT
        + f"""\
import tensorflow as tf
def batches():
    for start in (0, 8, 16):
        yield x[start:start + 8], goals[start:start + 8]
class Rows(keras.layers.Layer):
    def call(self, inputs):
        return inputs + tf.reduce_sum(tf.reshape(inputs, (8, 5)))
model = keras.Sequential([keras.Input((5,)), Rows(), keras.layers.Dense(2)])
model.compile("sgd", "mse")
model.fit({data}, verbose=0)
"""
    )
    assert crash.batch is not None
    assert (crash.batch.source, crash.batch.step, crash.step) == (source, 2, 2)
    assert crash.batch.examples == examples
    assert crash.batch.spec is not None
    assert [value.shape for value in crash.batch.spec.items.values()] == shapes


def test_ops_belong_to_the_layer_of_their_scope(crash_of: CrashOf) -> None:
    """TensorFlow numbers the scopes of the second call; here pool_1 is a scope of layer pool."""
    crash = crash_of(
        """\
        import keras, numpy as np
        from keras import layers
        model = keras.Sequential([
            layers.Conv1D(3, 3, name="conv"),
            layers.MaxPool1D(name="pool"),
            layers.MaxPool1D(name="pool_1"),
            layers.Dense(4, name="dense"),
            layers.Dense(6, name="dense_1"),
        ])
        model.compile("sgd", "mse")
        model.fit(np.ones((8, 16, 2)), np.ones((8, 3, 5)), batch_size=8, verbose=0)
        """
    )
    pooled = {
        node.shapes[0]: (crash.layers[node.layer].name, node.name.split("/")[1])
        for node in crash.nodes
        if node.type == "Squeeze" and node.layer >= 0
    }
    assert pooled[8, 7, 3] == ("pool", "pool_1")
    assert pooled[8, 3, 3] == ("pool_1", "pool_1_2")
    variables = [node for node in crash.nodes if node.kind is NodeKind.VARIABLE]
    assert {node.name: crash.layers[node.layer].name for node in variables} == {
        "sequential/conv/kernel": "conv",
        "sequential/conv/bias": "conv",
        "sequential/dense/kernel": "dense",
        "sequential/dense/bias": "dense",
        "sequential/dense_1/kernel": "dense_1",
        "sequential/dense_1/bias": "dense_1",
    }
    created = {layer.name: lines(layer.created) for layer in crash.layers}
    assert [created[name] for name in ("conv", "pool", "pool_1", "dense", "dense_1")] == [
        [4],
        [5],
        [6],
        [7],
        [8],
    ]


def test_lines_that_create_variables_are_known(crash_of: CrashOf) -> None:
    crash = crash_of(
        """\
        import keras
        import tensorflow as tf
        class Scale(keras.layers.Layer):
            def __init__(self, width):
                super().__init__()
                self.width = width
            def build(self, shape):
                self.scale = self.add_weight(
                    shape=(self.width,), name="scale")
        def offsets(count):
            return tf.Variable(tf.zeros([count]), name="offsets")
        layer = Scale(4)
        layer.build((None, 3))
        shift = offsets(3)
        @tf.function
        def scaled(rows):
            return (rows + shift) * layer.scale
        scaled(tf.ones((2, 3)))
        """
    )
    assert crash.during == "function"
    scale = named_node(crash, "scale/scale")
    assert (scale.kind, scale.shapes, lines(scale.sites)) == (
        NodeKind.VARIABLE,
        ((4,),),
        [8, 13],
    )
    assert (scale.sites[0].end_line, scale.sites[0].values["self.width"]) == (9, 4)
    owner = crash.layers[scale.layer]
    assert (owner.type, owner.settings, lines(owner.weights_created["scale"])) == (
        "Scale",
        {"width": 4},
        [8, 13],
    )
    shift = named_node(crash, "offsets")
    assert (shift.shapes, lines(shift.sites), shift.sites[0].function) == (
        ((3,),),
        [11, 14],
        "offsets",
    )
    values = values_of(crash)
    assert [node_of(crash, values[name]).name for name in ("shift", "layer.scale")] == [
        "offsets",
        "scale/scale",
    ]
    rows = node_of(crash, values["rows"])
    assert (rows.kind, rows.name, rows.shapes) == (NodeKind.INPUT, "rows", ((2, 3),))


def test_lines_of_a_function_that_autograph_rewrites_are_its_own(crash_of: CrashOf) -> None:
    crash = crash_of(
        """\
        import tensorflow as tf
        def joined(rows, times):
            total = rows
            for at in range(times):
                if at == 2:
                    total = tf.concat([total, tf.zeros((3, 4))], axis=1)
            return total
        @tf.function
        def run(rows):
            return joined(rows, times=4)
        run(tf.ones((2, 5)))
        """
    )
    places = [(f.site.function, f.site.line) for f in crash.frames]
    assert places == [("<module>", 11), ("run", 10), ("joined", 6)]
    assert {f.site.file for f in crash.frames} == {"train.py"}
    values = values_of(crash)
    assert values["total"].shape == (2, 5)
    assert [values[name].text for name in ("times", "at")] == ["4", "2"]
    assert crash.calls[-1].frame == len(crash.frames) - 1
    assert any(call.function == "concat" for call in crash.calls)


TF1 = """\
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
clips = tf.placeholder(tf.float32, [None, 12], name="clips")
rate = tf.placeholder(tf.float32, name="rate")
with tf.variable_scope("net"):
    mix = tf.get_variable("mix", [12, 5])
scores = tf.matmul(clips, mix) * rate
"""


def test_feeds_of_a_session_are_named_by_their_placeholders(crash_of: CrashOf) -> None:
    crash = crash_of(
        TF1
        + """\
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run([scores], {clips: np.zeros((3, 4, 3)), rate: 0.5})
"""
    )
    assert (crash.during, crash.op) == ("session", "")
    run = next(call for call in crash.calls if call.function == "BaseSession.run")
    fed = run.arguments["feed_dict"].items
    assert {name: (value.kind, value.shape) for name, value in fed.items()} == {
        "clips": (ValueKind.ARRAY, (3, 4, 3)),
        "rate": (ValueKind.NUMBER, None),
    }
    clips, rate = named_node(crash, "clips"), named_node(crash, "rate")
    assert (clips.kind, clips.shapes, lines(clips.sites)) == (
        NodeKind.PLACEHOLDER,
        ((None, 12),),
        [4],
    )
    assert (rate.shapes, lines(rate.sites)) == ((None,), [5])
    mix = named_node(crash, "net/mix")
    assert (mix.kind, mix.shapes, lines(mix.sites)) == (NodeKind.VARIABLE, ((12, 5),), [7])


def test_an_op_of_a_session_is_found(crash_of: CrashOf) -> None:
    crash = crash_of(
        TF1
        + """\
loss = tf.reduce_mean(scores - tf.placeholder_with_default(np.ones((2, 5), "f"), [None, 5]))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(train, {clips: np.zeros((3, 12)), rate: 0.5})
"""
    )
    assert crash.kind == "InvalidArgumentError"
    node = crash.nodes[crash.op_node]
    assert (node.name, node.type, lines(node.sites)) == ("sub", "Sub", [9])


def test_what_a_program_must_not_give_away(crash_of: CrashOf) -> None:
    crash = crash_of(
        """\
        import os
        import numpy as np
        import tensorflow as tf
        home = os.path.expanduser("~")
        environment = os.environ
        api_key = "sk-12345"
        settings = {"password": "hunter2", "width": 6, "folder": home + "/data"}
        rows = [list(range(40))] * 3000
        texts = "x" * 5000
        values = np.arange(12.0)
        def product(left, folder):
            print(api_key, environment, settings, rows, texts, values)
            return tf.matmul(left, tf.ones((5, 2)))
        product(tf.ones((3, 4)), home + "/models")
        """
    )
    text = msgspec.json.encode(msgspec.structs.replace(crash, files={})).decode()
    for secret in ("sk-12345", "hunter2", "PATH", "11.0"):
        assert secret not in text
    values = values_of(crash)
    assert values["environment"].items == {}
    assert values["folder"].text == "'~/models'"
    assert values["settings"].items["folder"].text == "'~/data'"
    assert values["settings"].items["width"].text == "6"
    assert values["rows"].shape == (3000, 40)
    assert values["rows"].items == {}
    assert len(values["texts"].text) <= 120
    assert (values["values"].shape, values["values"].text) == ((12,), "")
    assert len(text) < 20_000


def test_a_large_program_has_a_small_crash(crash_of: CrashOf) -> None:
    crash = crash_of(
        """\
        import keras
        from keras import layers
        taken = layers.Input((64, 64, 3), name="picture")
        here = taken
        for stage in range(60):
            there = layers.Conv2D(4, 3, padding="same", activation="relu")(here)
            there = layers.BatchNormalization()(there)
            here = layers.Add()([here, there]) if stage else there
        last = layers.GlobalAveragePooling2D()(here)
        layers.Add()([last, layers.Dense(7)(layers.Flatten()(taken))])
        """
    )
    assert crash.kind == "ValueError"
    assert len(msgspec.json.encode(crash)) < 100_000
    last = node_of(crash, crash.calls[0].arguments["args"].items["0"].items["0"])
    assert (last.type, last.shapes) == ("GlobalAveragePooling2D", ((None, 4),))
    assert all(number < at for at, node in enumerate(crash.nodes) for number in node.inputs)


def test_a_pickled_exception_does_not_have_its_frames(crash_of: CrashOf) -> None:
    """A pool of processes pickles the exceptions of its workers."""
    crash = crash_of(
        """\
        import pickle
        import keras
        try:
            keras.layers.Add()([keras.Input((2,)), keras.Input((3,))])
        except ValueError as error:
            copy = pickle.loads(pickle.dumps(error))
            assert type(copy) is ValueError and str(copy) == str(error)
            raise RuntimeError("the end") from error
        """
    )
    assert (crash.kind, crash.frames[0].site.line) == ("ValueError", 4)
    assert [crash.layers[call.layer].type for call in crash.calls if call.layer >= 0][:1] == ["Add"]


def test_an_exception_that_was_caught_before_is_not_part_of_the_crash(crash_of: CrashOf) -> None:
    crash = crash_of(
        """\
        import keras
        import tensorflow as tf
        try:
            keras.layers.Add()([keras.Input((2,)), keras.Input((3,))])
        except ValueError:
            tf.matmul(tf.ones((2, 3)), tf.ones((4, 5)))
        """
    )
    assert (crash.kind, [frame.site.line for frame in crash.frames]) == (
        "InvalidArgumentError",
        [6],
    )
    assert crash.layers == ()
    (product,) = [call for call in crash.calls if call.function == "matmul" and call.frame == 0][:1]
    assert [product.arguments[name].shape for name in "ab"] == [(2, 3), (4, 5)]
