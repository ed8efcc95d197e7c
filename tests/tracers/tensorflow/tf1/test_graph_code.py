"""Several kinds of TensorFlow 1 functions, from unchanged files."""

from __future__ import annotations

import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect import api
from resnet_inspect.config import Settings
from resnet_inspect.errors import BuildError, ConfigError, UsageError
from resnet_inspect.graph import Phase
from resnet_inspect.store.run import Run

CODE = """
from __future__ import print_function
import helper
import tensorflow as tf
import tensorflow.compat.v1 as same
from tensorflow.compat.v1 import layers
from tensorflow.contrib.layers import xavier_initializer, l2_regularizer
from tensorflow.contrib import layers as contrib_layers
from tensorflow.python.ops import array_ops

assert same is tf and tf.layers.dense is layers.dense is helper.tf.layers.dense
assert array_ops.shape is not None and hasattr(tf, "Session") and not hasattr(tf, "bitcst")
tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)
tf.app.flags.DEFINE_integer("units", 7, "how many")
FLAGS = tf.app.flags.FLAGS

def own(width=4):
    x = tf.placeholder(tf.float32, [None, 6], name="x")
    keep = tf.placeholder_with_default(0.5, [], name="keep")
    with tf.variable_scope("fc1", reuse=tf.AUTO_REUSE):
        w = tf.get_variable("weights", [6, width], initializer=xavier_initializer(),
                            regularizer=l2_regularizer(1e-3))
        b = tf.get_variable("biases", [width], initializer=tf.constant_initializer(0.1))
        h = tf.nn.relu(tf.matmul(x, w) + b)
    h = tf.nn.dropout(h, keep_prob=keep)
    units = h.get_shape()[-1].value
    v = tf.Variable(tf.truncated_normal([units, 3], stddev=0.1), name="out_w")
    y = tf.nn.xw_plus_b(h, v, tf.Variable(tf.zeros([3]), name="out_b"), name="logits")
    tf.summary.scalar("mean", tf.reduce_mean(y))
    return {"y": y, "loss": tf.losses.get_regularization_loss()}

def towers(a, b, units=3):
    def net(x):
        with tf.variable_scope("tower", reuse=tf.AUTO_REUSE):
            x = tf.layers.dense(x, units, name="one", activation=tf.nn.relu)
            return tf.layers.dense(x, 2, name="two")
    return net(a), net(b)

def flags(x):
    return tf.layers.dense(x, FLAGS.units)

def convolutions(x):
    x = tf.layers.conv2d(x, 4, 3, activation=tf.nn.relu)
    x = tf.layers.max_pooling2d(x, 2, 2)
    x = tf.layers.dropout(tf.layers.flatten(x), 0.4, training=True)
    return tf.layers.dense(x, 10)

def recurrent(x):
    out, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(5), x, dtype=tf.float32)
    return out[:, -1]

def keras(x):
    layers = [tf.keras.layers.Dense(4), tf.keras.layers.ReLU(), tf.keras.layers.Dense(2)]
    return tf.keras.Sequential(layers)(x)

def trained(x, wait=True):
    y = tf.layers.batch_normalization(tf.layers.dense(x, 3, name="fc"), training=True, name="bn")
    loss = tf.reduce_mean(tf.square(y), name="loss")
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS) if wait else []
    with tf.control_dependencies(updates):
        return tf.train.GradientDescentOptimizer(0.1).minimize(loss), loss

def nested(x):
    with tf.variable_scope("net"):
        with tf.variable_scope("block1"):
            x = tf.nn.relu(tf.layers.dense(x, 4, name="fc1"))
        x = x * tf.get_variable("scale", [4])
        with tf.variable_scope("block1", reuse=True):
            kernel = tf.get_variable("fc1/kernel")
    return tf.matmul(x, kernel, transpose_b=True)

class Made(object):
    def __init__(self, units=3):
        self.units = units

    def __call__(self, x):
        return tf.layers.dense(x, self.units)

def adam(x):
    y = tf.layers.dense(x, 2, kernel_regularizer=tf.contrib.layers.l2_regularizer(0.1))
    loss = tf.losses.mean_squared_error(tf.zeros_like(y), y) + tf.losses.get_regularization_loss()
    optimizer = tf.train.AdamOptimizer(1e-3)
    clipped = [(tf.clip_by_norm(g, 1.0), v) for g, v in optimizer.compute_gradients(loss)]
    done = optimizer.apply_gradients(clipped, global_step=tf.train.get_or_create_global_step())
    with tf.control_dependencies([done]):
        done = tf.train.ExponentialMovingAverage(0.9).apply(tf.trainable_variables())
    tf.train.Saver(), tf.global_variables_initializer(), tf.summary.merge_all()
    return {"train": done, "mean": tf.metrics.mean(loss)[1]}

def slim(x):
    return tf.contrib.slim.fully_connected(x, 3)

def contrib_gone(x):
    return contrib_layers.batch_norm(x)

def rejected(x, units=3):
    a = tf.layers.dense(x, units, name="a")
    return tf.matmul(a, tf.layers.dense(x, 4, name="b"))

def at_run_time(x):
    return tf.reshape(x, [4, -1, 5])

def graph(x):
    with tf.Graph().as_default():
        return tf.constant(1.0)

def raises(x):
    raise RuntimeError("on purpose")

def nothing():
    tf.constant(1.0)

def made_by_contrib(x):
    draw = contrib_layers.variance_scaling_initializer
    kinds = [("he", draw()), ("out", draw(1.0, "FAN_OUT", uniform=True)),
             ("glorot", tf.contrib.layers.xavier_initializer_conv2d(uniform=False))]
    return [tf.get_variable(name, [5, 5, 40, 60], initializer=one) for name, one in kinds]
"""
HELPER = "import tensorflow as tf\n"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("tf_keras", reason="the extra tf1 is not installed")
    folder = tmp_path_factory.mktemp("code")
    (folder / "helper.py").write_text(HELPER)
    (folder / "old_code.py").write_text(CODE)
    return folder / "old_code.py"


def traced(code: Path, name: str, out: Path, given: str | None = None, *settings: str) -> Run:
    values: dict[str, Any] = {"target": f"{code}:{name}", "tf1": True, "set": settings}
    values |= {"input": given} if given else {}
    return api.open_run(api.record(Settings.of(values), out=out, force=True))


def rows(run: Run) -> list[tuple[str, str, tuple[int | None, ...] | None]]:
    return [(row.name, row.type, row.shape) for row in api.shapes(run).rows]


def notes(run: Run) -> dict[str, str]:
    return {note.subject: note.text for note in run.graph.notes}


def test_a_placeholder_without_a_shape_takes_the_sizes_of_the_input(tmp_path: Path) -> None:
    code = tmp_path / "rated.py"
    code.write_text(
        "import tensorflow as tf\n"
        "def rated(units=3):\n"
        "    x = tf.placeholder(tf.float32, [None, 6], name='x')\n"
        "    rate = tf.placeholder(tf.float32, name='rate')\n"
        "    return tf.layers.dense(x * rate, units)\n"
    )
    with traced(code, "rated", tmp_path / "run.db", "x=8,6; rate=") as run:
        assert run.info.settings.values()["input"] == ("x=8,6:float32:batch,channel; rate=:float32")
        assert rows(run)[-1] == ("dense", "MatMul", (8, 3))
        assert [v.setting for v in run.lineage.variations] == ["units"]
    with pytest.raises(UsageError, match="the input 'rate' cannot be filled"):
        traced(code, "rated", tmp_path / "other.db")


def test_placeholders_of_the_function_are_fed(code: Path, tmp_path: Path) -> None:
    with traced(code, "own", tmp_path / "run.db") as run:
        assert run.info.settings.values()["input"] == "x=?,6:float32:batch,channel"
        assert rows(run) == [
            ("fc1", "MatMul", (8, 4)),
            ("dropout", "SelectV2", (8, 4)),
            ("logits", "MatMul", (8, 3)),
        ]
        assert run.graph.layer_by_name["fc1"].variables == ("fc1/weights", "fc1/biases")
        assert api.shapes(run).totals.params == 6 * 4 + 4 + 4 * 3 + 3
        assert set(run.scalars()) == {"total_regularization_loss"}
        assert [v.name for v in run.graph.variables] == [
            "fc1/weights",
            "fc1/biases",
            "out_w",
            "out_b",
        ]
        (varied,) = run.lineage.variations
        assert varied.shapes["fc1/weights"] == (6, 5)
        assert run.summaries(0)["logits"].count == 8 * 3
    with traced(code, "own", tmp_path / "run.db", "x=5,6") as run:
        assert run.summaries(0)["logits"].count == 5 * 3


def test_layers_that_share_variables_are_listed(code: Path, tmp_path: Path) -> None:
    with traced(code, "towers", tmp_path / "run.db", "a=4,6; b=2,6") as run:
        assert rows(run) == [
            ("tower/one", "MatMul", (4, 3)),
            ("tower/two", "MatMul", (4, 2)),
            ("tower_1/one", "MatMul", (2, 3)),
            ("tower_1/two", "MatMul", (2, 2)),
        ]
        assert run.graph.layer_by_name["tower/one"].path == ("tower",)
        shared = api.summarize(run).shared
        assert [variable.variable for variable in shared] == [v.name for v in run.graph.variables]
        assert shared[0].variable == "tower/one/kernel"
        assert shared[0].readers == (
            "tower/one/MatMul/ReadVariableOp",
            "tower_1/one/MatMul/ReadVariableOp",
        )
        assert api.shapes(run).totals.params == 6 * 3 + 3 + 3 * 2 + 2


LAYERS: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("flags", "x=4,6", [("dense", "MatMul")]),
    ("keras", "x=4,6", [("dense", "MatMul"), ("re_lu", "Relu"), ("dense_1", "MatMul")]),
    ("recurrent", "x=4,3,6", [("rnn", "While")]),
    (
        "convolutions",
        "x=4,8,8,3",
        [
            ("conv2d", "Conv2D"),
            ("max_pooling2d", "MaxPool"),
            ("flatten", "Reshape"),
            ("dropout", "SelectV2"),
            ("dense", "MatMul"),
        ],
    ),
]


@pytest.mark.parametrize(("name", "given", "layers"), LAYERS)
def test_layers_are_named_by_their_calls(
    code: Path, tmp_path: Path, name: str, given: str, layers: list[tuple[str, str]]
) -> None:
    with traced(code, name, tmp_path / "run.db", given) as run:
        assert [(row.name, row.type) for row in api.shapes(run).rows[: len(layers)]] == layers
        variables = {v for layer in run.graph.layers for v in layer.variables}
        assert variables == {v.name for v in run.graph.variables}


def test_scopes_of_the_file_are_paths(code: Path, tmp_path: Path) -> None:
    with traced(code, "nested", tmp_path / "run.db", "x=4,3") as run:
        layers = [(layer.path, layer.name, layer.variables) for layer in run.graph.layers]
        (shared,) = api.summarize(run).shared
    assert layers == [
        (("net", "block1"), "fc1", ("net/block1/fc1/kernel", "net/block1/fc1/bias")),
        (("net", "block1"), "Relu", ()),
        (("net",), "mul", ("net/scale",)),
        ((), "MatMul", ("net/block1/fc1/kernel",)),
    ]
    assert (shared.variable, shared.layers) == ("net/block1/fc1/kernel", ("fc1", "MatMul"))


def test_a_class_is_instantiated_and_called(code: Path, tmp_path: Path) -> None:
    with traced(code, "Made", tmp_path / "run.db", "x=4,3", "units=5") as run:
        assert rows(run) == [("dense", "MatMul", (4, 5))]
        (varied,) = run.lineage.variations
        assert varied.shapes["dense/kernel"] == (3, 6)


def test_other_optimizers_averages_and_metrics(code: Path, tmp_path: Path) -> None:
    with traced(code, "adam", tmp_path / "run.db", "x=4,3") as run:
        names = {v.name for v in run.graph.variables}
        assert {"dense/kernel/Adam", "dense/kernel/Adam_1", "beta1_power"} <= names
        assert "dense/kernel/ExponentialMovingAverage" in names
        assert [row[0] for row in rows(run)][:1] == ["dense"]
        assert run.scalars()["mean/update_op"][0] > 0
        phases = {op.type: op.phase for op in run.graph.ops}
        assert phases["ResourceApplyAdam"] is Phase.OPTIMIZER


def test_a_file_that_creates_ops_when_it_is_imported(code: Path, tmp_path: Path) -> None:
    file = tmp_path / "module_level.py"
    file.write_text(
        "import tensorflow as tf\n"
        "bias = tf.Variable(tf.ones([3]), name='bias')\n"
        "images = tf.placeholder(tf.float32, [4, 3], name='given/images')\n"
        "def build(times=2):\n    return images + bias * float(times)\n"
    )
    assert code.is_file()
    with traced(file, "build", tmp_path / "run.db") as run:
        assert run.info.settings.values()["input"] == "given_images=4,3:float32:batch,channel"
        assert [v.name for v in run.graph.variables] == ["bias"]
        assert run.summaries(0)["add"].mean == pytest.approx(2, abs=1)
        assert notes(run)["settings"] == (
            "sizes that depend on times are unknown: the file creates ops when it is imported. "
            "Create them in the function"
        )
        assert run.lineage.variations == ()


def test_update_ops_are_recorded_with_their_control_edges(code: Path, tmp_path: Path) -> None:
    with traced(code, "trained", tmp_path / "run.db", "x=8,4") as run:
        graph = run.graph
        updates = [op for op in graph.ops if op.type == "AssignSubVariableOp"]
        assert [op.phase for op in updates] == [Phase.OPTIMIZER] * 2
        waited = {name for op in graph.ops for name in op.control_inputs}
        assert {op.name for op in updates} <= waited
        assert graph.op_by_name["GradientDescent"].phase is Phase.OPTIMIZER
        assert {op.phase for op in graph.ops if op.name.startswith("gradients/")} == {
            Phase.BACKWARD
        }
        assert [row.name for row in api.shapes(run).rows[:2]] == ["fc", "bn"]
        assert run.scalars()["loss"][0] == pytest.approx(1.0, abs=0.1)
        assert "update ops" not in notes(run)
    with traced(code, "trained", tmp_path / "run.db", "x=8,4", "wait=false") as run:
        assert notes(run)["update ops"] == (
            "2 of 2 update ops were not run, such as bn/AssignMovingAvg/AssignSubVariableOp. "
            "Moving averages keep their initial values. To update them, make the train op depend "
            "on tf.GraphKeys.UPDATE_OPS"
        )


def test_initializers_of_contrib_can_be_used(code: Path, tmp_path: Path) -> None:
    with traced(code, "made_by_contrib", tmp_path / "run.db", "x=1") as run:
        variables = {v.name: v for v in run.graph.variables}
    assert {name: v.spec.shape for name, v in variables.items()} == dict.fromkeys(
        ("he", "out", "glorot"), (5, 5, 40, 60)
    )


def test_initializers_of_contrib_have_the_expected_deviation() -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.tf1.contrib import LAYERS

    fan_in, fan_out = 25 * 40, 25 * 60
    draw, xavier = LAYERS["variance_scaling_initializer"], LAYERS["xavier_initializer"]
    cut = 0.87962566  # standard deviation of a unit normal distribution truncated at ±2
    for initialize, deviation, largest in (
        (draw(seed=1), cut * np.sqrt(1.3 * 2 / fan_in), 2 * np.sqrt(1.3 * 2 / fan_in)),
        (draw(1.0, "FAN_OUT", uniform=True, seed=1), np.sqrt(1 / fan_out), np.sqrt(3 / fan_out)),
        (xavier(seed=1), np.sqrt(2 / (fan_in + fan_out)), np.sqrt(6 / (fan_in + fan_out))),
    ):
        values = np.asarray(initialize([5, 5, 40, 60], tf.float32))
        assert values.std() == pytest.approx(deviation, rel=0.02)
        assert 0.99 * largest < np.abs(values).max() <= largest * (1 + 1e-6)
    weights = tf.constant([[1.0, -2.0], [3.0, 0.0]])
    assert float(LAYERS["l2_regularizer"](0.5)(weights)) == pytest.approx(0.5 * 14 / 2)
    assert float(LAYERS["l1_regularizer"](0.5)(weights)) == pytest.approx(0.5 * 6)
    assert LAYERS["l2_regularizer"](0.0)(weights) is None
    with pytest.raises(ValueError, match="FAN_MOST"):
        draw(mode="FAN_MOST")


REMOVED = [
    ("slim", "'tensorflow.contrib.slim' is not in TensorFlow", "tf.contrib.slim.fully"),
    ("contrib_gone", "'tensorflow.contrib.layers.batch_norm' is not", "contrib_layers.batch"),
]


@pytest.mark.parametrize(("name", "what", "line"), REMOVED)
def test_a_removed_api_is_reported_with_name_and_line(
    code: Path, tmp_path: Path, name: str, what: str, line: str
) -> None:
    with pytest.raises(UsageError) as caught:
        traced(code, name, tmp_path / "run.db", "x=4,6")
    assert caught.value.what.startswith(what)
    number = next(n for n, text in enumerate(CODE.splitlines(), 1) if line in text)
    assert caught.value.where.endswith(f"old_code.py:{number}")
    assert not (tmp_path / "run.db").exists()


IMPORTS = [
    ("import tensorflow.contrib.slim as slim", "'tensorflow.contrib.slim' is not in"),
    ("from tensorflow.contrib import slim", "'tensorflow.contrib.slim' is not in"),
    ("from tensorflow.contrib.framework import arg_scope", "'tensorflow.contrib.framework' is"),
    ("import tensorflow as tf\nx = tf.no_such_thing", "'tensorflow.no_such_thing' is not in"),
    ("import no_such_package", "importing the module raised ModuleNotFoundError"),
    ("print 'hello'", "importing the module raised SyntaxError"),
]


@pytest.mark.parametrize(("text", "what"), IMPORTS)
def test_failures_during_the_import(code: Path, tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "failing.py"
    file.write_text(f"{text}\ndef build(x):\n    return x\n")
    with pytest.raises(UsageError) as caught:
        traced(file, "build", tmp_path / "run.db", "x=4,6")
    assert caught.value.what.startswith(what)
    assert code.is_file()
    if "SyntaxError" not in what:
        assert "failing.py:" in caught.value.where


def test_rejected_calls_are_explained(code: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError):
        traced(code, "rejected", tmp_path / "run.db", "x=4,6")
    with api.open_run(tmp_path / "run.db") as run:
        failure, mismatch = run.info.failure, run.lineage.mismatch
        assert [row[0] for row in rows(run)] == ["a", "b"]
    assert failure is not None
    assert mismatch is not None
    assert (failure.op, mismatch.function) == ("MatMul", "matmul")
    assert failure.source[0].text == 'return tf.matmul(a, tf.layers.dense(x, 4, name="b"))'
    assert {(remedy.before, remedy.after) for remedy in mismatch.remedies} == {(3, 4), (4, 3)}
    with pytest.raises(BuildError):
        traced(code, "at_run_time", tmp_path / "run.db", "x=?,3")
    with api.open_run(tmp_path / "run.db") as run:
        assert run.info.failure is not None
        assert run.info.failure.during == "running the function"
        assert run.lineage.mismatch is not None
    with pytest.raises(BuildError, match=r"not in a new tf.Graph\(\)"):
        traced(code, "graph", tmp_path / "run.db", "x=4,6")
    with pytest.raises(BuildError, match="on purpose"):
        traced(code, "raises", tmp_path / "run.db", "x=4,6")


def test_invalid_inputs_are_rejected(code: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the function creates no placeholder 'z'"):
        traced(code, "own", tmp_path / "run.db", "z=4,6")
    with pytest.raises(UsageError, match="wrong number of inputs"):
        traced(code, "flags", tmp_path / "run.db", "x=4,6; y=4,6")
    with pytest.raises(ConfigError, match="inputs are unknown"):
        traced(code, "flags", tmp_path / "run.db")
    with pytest.raises(UsageError, match="'own' does not accept these arguments"):
        traced(code, "own", tmp_path / "run.db", None, "hight=3")
    with traced(code, "nothing", tmp_path / "run.db") as run:
        assert run.info.settings.values()["input"] is None
        assert "summaries" in notes(run)


def test_tensorflow_and_python_are_restored(code: Path, tmp_path: Path) -> None:
    import tensorflow as tf

    before = builtins.__import__, list(sys.argv), sys.modules["tensorflow"], tf.executing_eagerly()
    with traced(code, "flags", tmp_path / "run.db", "x=4,6"):
        pass
    with pytest.raises(BuildError):
        traced(code, "raises", tmp_path / "run.db", "x=4,6")
    after = builtins.__import__, list(sys.argv), sys.modules["tensorflow"], tf.executing_eagerly()
    assert after == before
    assert "tensorflow.contrib" not in sys.modules
    assert isinstance(tf.zeros([2, 3]).shape[0], int)
    assert not hasattr(tf, "layers")


def test_without_tf_keras_the_extra_is_named(code: Path, tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['tf_keras'] = None\n"
        "from resnet_inspect.cli.main import main\n"
        f"sys.exit(main(['trace', {f'{code}:flags'!r}, '--tf1', '--input', 'x=4,6', '--quiet',"
        f" '-o', {str(tmp_path / 'run.db')!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("resnet-inspect: TensorFlow 1 code needs the package tf_keras\n")
    assert "pip install 'resnet-inspect[tf1]'" in done.stderr
    assert not (tmp_path / "run.db").exists()
