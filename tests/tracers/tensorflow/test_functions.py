"""Models of one's own: found, traced forward once, refused where they must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.names import find
from resnet_inspect.analysis.why import why
from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import parse_inputs
from resnet_inspect.data import RandomInputs
from resnet_inspect.errors import ConfigError, UsageError
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

def needs(argument):
    return None

def number():
    return 3

def broken():
    raise KeyError("no such weight")
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
    found = run.summaries(0)["Relu"]
    assert found.count == 35
    assert found.zeros == int((wanted == 0).sum())
    assert found.mean == pytest.approx(float(wanted.mean()), rel=1e-5)
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
    ("Nut", "there is no 'Nut'", "one of Net, broken, needs, number"),
    ("needs", "calling it with nothing raised TypeError", "needs no arguments"),
    ("number", "what 'number' returns cannot be called", "a function of the inputs"),
    ("broken", "calling it with nothing raised KeyError", "needs no arguments"),
]


@pytest.mark.parametrize(("name", "what", "expected"), CASES)
def test_targets_that_cannot_be_made(
    model: Path, tmp_path: Path, name: str, what: str, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        traced(model, name, "x=5,3", tmp_path / "run.db")
    assert what in caught.value.what
    assert expected in caught.value.expected
    assert not (tmp_path / "run.db").exists()
    if name == "broken":
        assert caught.value.where.endswith("own_model.py:21")


@pytest.mark.parametrize(
    ("place", "text", "what"),
    [
        ("missing.py", None, "there is no such file"),
        ("wrong.py", "import no_such_package_at_all", "importing it raised ModuleNotFoundError"),
        ("wrong.py", "def f(:", "importing it raised SyntaxError"),
        ("no.such.package", None, "importing it raised ModuleNotFoundError"),
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


def test_sizes_that_are_known_only_at_the_first_step() -> None:
    from resnet_inspect.tracers.contract import TrainingFailed
    from resnet_inspect.tracers.tensorflow.functions import FunctionSession

    folder = Path(__file__).parents[3] / "sample_configs"
    settings = Settings.of(
        {"target": f"{folder}/mistakes.py:flattened", "input": "images=?,?,40,3"}
    )
    session = FunctionSession(settings, RandomInputs(parse_inputs(settings.input or ""), 0))
    built = session.build()
    assert built.failure is None
    assert built.graph.inputs
    steps: list[Any] = []
    with pytest.raises(TrainingFailed) as caught:
        session.run(steps.append)
    again = caught.value.again
    assert again is not None
    assert again.failure is not None
    assert again.failure.during == "running it"
    assert steps == []
    mismatch = session.explain().mismatch
    assert mismatch is not None
    assert {(one.before, one.after) for one in mismatch.remedies} == {(960, 3072), (3072, 960)}


def test_a_product_of_unknown_sizes_is_followed_to_the_line_that_says_its_width(
    tmp_path: Path,
) -> None:
    target = f"{Path(__file__).parents[3]}/sample_configs/mistakes.py"
    run = traced(Path(target), "flattened", "images=?,32,32,3", tmp_path / "run.db")
    assert run.lineage.opaque == ()
    found, _ = find(run.graph, "MatMul:1")
    answer = why(run.graph, run.lineage, found, 1)
    assert (answer.size, answer.origin) == (10, "kernel axis 1")
    assert answer.formula is not None
    assert "tf.zeros([3072, 10])" in answer.formula.source.text
    taken, _ = find(run.graph, "kernel")
    # Its own literal, though the product wants it to equal what flows in.
    assert why(run.graph, run.lineage, taken, 0).origin == "kernel axis 0"
    run.close()
