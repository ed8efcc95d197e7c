"""User's functions and modules are found, traced and run forward once, or rejected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import parse_inputs
from resnet_inspect.data import RandomInputs
from resnet_inspect.errors import BuildError, ConfigError, UsageError
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run

MODEL = """
import tensorflow as tf

class Net(tf.Module):
    def __init__(self):
        self.weights = tf.Variable(tf.eye(3, 7), name="weights")
        self.late = None

    def __call__(self, x):
        if self.late is None:
            self.late = tf.Variable(tf.ones([7]), name="weights")
        return tf.nn.relu(tf.matmul(x, self.weights) - self.late)

def direct(x, y):
    return tf.matmul(x, y)

def number():
    return 3

def broken():
    raise KeyError("no such weight")

def leaves():
    raise SystemExit(4)

def _hidden():
    return None
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "own_model.py"
    file.write_text(MODEL)
    return file


def traced(model: Path, name: str, given: str, out: Path) -> Run:
    settings = Settings.of({"target": f"{model}:{name}", "input": given})
    return api.open_run(api.record(settings, out=out))


def test_a_module_runs_forward_once_and_every_float_is_summarized(
    model: Path, tmp_path: Path
) -> None:
    run = traced(model, "Net", "x=5,3::batch,feature", tmp_path / "run.db")
    assert run.info.status == Status.COMPLETE
    assert run.info.network == "Net"
    assert {v.name: v.spec.shape for v in run.graph.variables} == {
        "weights": (3, 7),
        "weights_1": (7,),
    }
    (x,) = RandomInputs(parse_inputs("x=5,3"), seed=0).batch(0)
    wanted = np.maximum(x @ np.eye(3, 7, dtype=np.float32) - 1, 0)
    summary = run.summaries(0)["Relu"]
    assert summary.count == 35
    assert summary.zeros == int((wanted == 0).sum())
    assert summary.mean == pytest.approx(float(wanted.mean()), rel=1e-5)
    target, (axis,) = find(run.graph, "Relu:1")
    answer = why(run.graph, run.lineage, target, axis)
    assert (answer.size, answer.origin) == (7, "weights axis 1")
    assert answer.formula is not None
    assert answer.formula.source.text.startswith("self.weights = tf.Variable(tf.eye(3, 7)")
    run.close()


def test_inputs_must_be_described(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        api.record(Settings.of({"target": f"{model}:Net"}), out=tmp_path / "run.db")
    assert "--input" in caught.value.fix
    assert not (tmp_path / "run.db").exists()


CASES: list[tuple[str, str, str]] = [
    ("Nut", "there is no 'Nut'", "one of Net, broken, direct, leaves, number"),
    ("_Net", "there is no '_Net'", "one of Net, broken, direct, leaves, number"),
    ("leaves", "calling 'leaves' without arguments raised SystemExit", "that returns a Keras"),
    ("number", "the returned value cannot be called", "a Keras model, a tf.Module"),
    ("broken", "calling 'broken' without arguments raised KeyError", "that returns a Keras"),
]


@pytest.mark.parametrize(("name", "what", "expected"), CASES)
def test_targets_that_cannot_be_built(
    model: Path, tmp_path: Path, name: str, what: str, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        traced(model, name, "x=5,3", tmp_path / "run.db")
    assert what in caught.value.what
    assert expected in caught.value.expected
    assert not (tmp_path / "run.db").exists()
    if name == "broken":
        assert caught.value.where.endswith("own_model.py:21")
    if name in ("Nut", "_Net"):
        assert caught.value.fix == "did you mean 'Net'?"


@pytest.mark.parametrize(
    ("place", "text", "what"),
    [
        ("missing.py", None, "the file does not exist"),
        (
            "wrong.py",
            "import no_such_package_at_all",
            "importing the module raised ModuleNotFoundError",
        ),
        ("wrong.py", "def f(:", "importing the module raised SyntaxError"),
        ("wrong.py", "raise SystemExit(4)", "importing the module raised SystemExit"),
        ("no.such.package", None, "importing the module raised ModuleNotFoundError"),
    ],
)
def test_files_that_cannot_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, text: str | None, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / place).write_text(text)
    with pytest.raises(UsageError) as caught:
        api.record(Settings.of({"target": f"{place}:f", "input": "x=3"}), out=tmp_path / "run.db")
    assert what in caught.value.what


def test_sizes_that_are_unknown_before_the_first_step() -> None:
    from resnet_inspect.tracers.contract import TrainingFailed
    from resnet_inspect.tracers.tensorflow.model.source import ModelSource

    folder = Path(__file__).parents[4] / "sample_configs"
    settings = Settings.of(
        {"target": f"{folder}/mistakes.py:flattened", "input": "images=?,?,40,3"}
    )
    session = ModelSource(settings, RandomInputs(parse_inputs(settings.values()["input"] or ""), 0))
    built = session.build()
    assert built.failure is None
    assert built.graph.inputs
    with pytest.raises(TrainingFailed) as caught:
        session.run()
    again = caught.value.again
    assert again is not None
    assert again.failure is not None
    assert again.failure.during == "running the model"
    mismatch = session.explain().mismatch
    assert mismatch is not None
    assert {(remedy.before, remedy.after) for remedy in mismatch.remedies} == {
        (1080, 3072),
        (3072, 1080),
    }


FAILING = """
import numpy as np
import tensorflow as tf

def forward(function):
    return lambda: function

def raises_key(x):
    raise KeyError("oops")

def raises_assertion(x):
    assert x.shape[1] == 5, "must be five"

def raises_attribute(x):
    return x.no_such_thing

def recurses(x):
    return recurses(x)

def leaves(x):
    raise SystemExit(7)

def gathers(x):
    return tf.gather(x, [0, 9], axis=1)

def slices(x):
    return tf.slice(x, [0, 2], [8, 4])

def asserts(x):
    tf.debugging.assert_greater(x, 100.0)
    return x * 2

def numpy_raises(x):
    def inside(a):
        raise ValueError("inside numpy")
    return tf.numpy_function(inside, [x], tf.float32)

def reshapes(x):
    return tf.reshape(x, [-1, 48])

@tf.function
def rewritten(x):
    return tf.matmul(x, tf.ones([5, 2]))

class Rewritten(tf.Module):
    def __init__(self):
        self.w = tf.Variable(tf.ones([5, 2]), name="w")

    @tf.function
    def __call__(self, x):
        return tf.matmul(x, self.w)

def sequential():
    return tf.keras.Sequential([tf.keras.layers.Conv2D(8, 3), tf.keras.layers.Dense(2)])

def functional():
    taken = tf.keras.Input((32, 32, 3))
    return tf.keras.Model(taken, tf.keras.layers.Flatten()(taken))

class Subclassed(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.one, self.other = tf.keras.layers.Dense(4), tf.keras.layers.Dense(5)

    def call(self, x):
        return tf.matmul(self.one(x), self.other(x))

def same(x):
    return x

def number(x):
    return 3

def array(x):
    return np.zeros((3, 4))

def texts(x):
    return tf.strings.join([tf.strings.as_string(x), "a"])

def complex_numbers(x):
    return tf.signal.fft(tf.cast(x, tf.complex64))

def integers(x):
    return tf.gather(tf.constant([1, 2]), [99]), x * 2.0
"""


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("models") / "failing.py"
    file.write_text(FAILING)
    return file


FAILURES: list[tuple[str, str, str, str, str]] = [
    ("raises_key", "8,4", "KeyError", "'oops'", 'raise KeyError("oops")'),
    ("raises_assertion", "8,4", "AssertionError", "must be five", "assert x.shape[1] == 5"),
    ("raises_attribute", "8,4", "AttributeError", "no_such_thing", "return x.no_such_thing"),
    ("recurses", "8,4", "RecursionError", "maximum recursion", "return recurses(x)"),
    ("leaves", "8,4", "SystemExit", "the program exited with code 7", "raise SystemExit(7)"),
    ("gathers", "8,4", "InvalidArgumentError", "indices[1] = 9 is not in [0, 4)", "return tf.g"),
    ("slices", "8,4", "InvalidArgumentError", "Expected size[1] in [0, 2]", "return tf.slice"),
    ("asserts", "8,4", "InvalidArgumentError", "assertion failed: [Cond", "tf.debugging.assert_"),
    ("numpy_raises", "8,4", "InvalidArgumentError", "ValueError: inside numpy", "return tf.numpy"),
    ("reshapes", "?,7", "ValueError", "divisible by 48 but is 56", "return tf.reshape(x, [-1"),
    ("integers", "8,4", "InvalidArgumentError", "indices[0] = 99", "return tf.gather("),
    ("rewritten", "8,4", "ValueError", "Dimensions must be equal", "return tf.matmul(x, tf.ones"),
    ("Rewritten", "8,4", "ValueError", "Dimensions must be equal", "return tf.matmul(x, self.w)"),
    ("sequential", "8,4", "ValueError", "expected min_ndim=4, found ndim=2", ""),
    ("functional", "8,28,28,1", "ValueError", "expected shape=(None, 32, 32, 3)", ""),
    ("Subclassed", "8,4", "ValueError", "Dimensions must be equal, but are 4", "return tf.matmul"),
]


@pytest.mark.parametrize(("name", "sizes", "kind", "message", "line"), FAILURES)
def test_any_exception_of_a_model_is_saved_as_a_failed_run(
    failing: Path, tmp_path: Path, name: str, sizes: str, kind: str, message: str, line: str
) -> None:
    with pytest.raises(BuildError) as caught:
        traced(failing, name, f"x={sizes}", tmp_path / "run.db")
    assert caught.value.exit_code == 3
    with api.open_run(tmp_path / "run.db") as run:
        assert run.info.status == Status.FAILED
        failure = run.info.failure
        assert "explanation" not in {note.subject for note in run.graph.notes}
    assert failure is not None
    assert failure.kind == kind
    assert message in failure.message
    assert "\x1b" not in failure.message
    if line:
        assert failure.source[0].text.startswith(line)
        assert "failing.py" in caught.value.where
    assert len(failure.source) < 4


def test_a_lack_of_memory_is_a_failed_run(
    failing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_self: RandomInputs, _number: int) -> None:
        raise MemoryError("Unable to allocate 7.45 GiB")

    monkeypatch.setattr(RandomInputs, "batch", none_left)
    with pytest.raises(BuildError) as caught:
        traced(failing, "same", "x=8,4", tmp_path / "run.db")
    assert caught.value.got == "Unable to allocate 7.45 GiB"
    with api.open_run(tmp_path / "run.db") as run:
        assert run.info.failure is not None
        assert run.info.failure.during == "generating the inputs"


def test_an_explanation_that_fails_leaves_a_note(
    failing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resnet_inspect.tracers.tensorflow.failures import postmortem

    def fails(*_: object) -> None:
        raise RuntimeError("cannot be called again")

    monkeypatch.setattr(postmortem, "examine", fails)
    with pytest.raises(BuildError):
        traced(failing, "rewritten", "x=8,4", tmp_path / "run.db")
    with api.open_run(tmp_path / "run.db") as run:
        notes = {note.subject: note.text for note in run.graph.notes}
        assert run.info.status == Status.FAILED
    text = "the failed call could not be analyzed, so no repair is suggested: RuntimeError"
    assert notes["explanation"] == text


@pytest.mark.parametrize("name", ["same", "number", "array", "texts", "complex_numbers"])
def test_a_model_without_numeric_outputs_is_complete(
    failing: Path, tmp_path: Path, name: str
) -> None:
    with traced(failing, name, "x=8,4", tmp_path / "run.db") as run:
        assert run.info.status == Status.COMPLETE
        notes = {note.subject: note.text for note in run.graph.notes}
    assert notes["summaries"].startswith("no values recorded: ")


def test_default_sizes_are_noted(failing: Path, tmp_path: Path) -> None:
    with traced(failing, "same", "x=?,?,3", tmp_path / "run.db") as run:
        texts = [note.text for note in run.graph.notes]
    sizes = "unknown sizes set by the program: x axis 0 is 8, x axis 1 is 9"
    assert f"{sizes}. Change them with --input" in texts


def test_the_target_may_be_the_model_itself(model: Path, tmp_path: Path) -> None:
    with traced(model, "direct", "x=8,4; y=4,2", tmp_path / "run.db") as run:
        assert run.graph.op_by_name["MatMul"].outputs[0].shape == (8, 2)
    with pytest.raises(UsageError) as caught:
        traced(model, "direct", "x=8,4", tmp_path / "other.db")
    assert caught.value.what == "wrong number of inputs for the model"
    assert caught.value.expected == "inputs for the signature (x, y)"
    assert caught.value.got == "1 inputs, x: missing a required argument: 'y'"
    assert not (tmp_path / "other.db").exists()


def test_a_product_with_an_unknown_size_is_traced_to_the_line_of_its_width(
    tmp_path: Path,
) -> None:
    target = f"{Path(__file__).parents[4]}/sample_configs/mistakes.py"
    run = traced(Path(target), "flattened", "images=?,32,32,3", tmp_path / "run.db")
    assert run.lineage.untraced == {}
    product, _ = find(run.graph, "MatMul:1")
    answer = why(run.graph, run.lineage, product, 1)
    assert (answer.size, answer.origin) == (10, "kernel axis 1")
    assert answer.formula is not None
    assert "tf.zeros([3072, 10])" in answer.formula.source.text
    kernel, _ = find(run.graph, "kernel")
    # The size has its own literal, although it must equal the size of the input.
    assert why(run.graph, run.lineage, kernel, 0).origin == "kernel axis 0"
    run.close()
