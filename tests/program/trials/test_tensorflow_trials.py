"""Trials of programs with TensorFlow: copies of one process, calls, steps, losses, batches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from resnet_inspect.analysis.explain.proof import Outcome, Verdict
from resnet_inspect.program.trials.helper import Limits, Run, TrialHelper
from resnet_inspect.program.trials.helper_process import Preload
from resnet_inspect.program.trials.request import Ending, Invocation, TrialRequest, TrialResult
from resnet_inspect.program.trials.runner import Runner
from resnet_inspect.program.trials.search import Options, Search
from resnet_inspect.program.trials.space import Spaces
from resnet_inspect.tracers.progress import CallPlace
from tests.program.trials.replacing import explaining

pytestmark = pytest.mark.tensorflow
LIMITS = Limits(120, 8 * 10**9)
START = """\
import keras
import numpy as np
import tensorflow as tf
from keras import layers
keras.utils.set_random_seed(1)
x = np.random.rand(70, 6, 6, 1).astype("float32")
y = np.random.randint(0, 3, 70)
def made():
    model = keras.Sequential([layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model
"""
TRAINS = START + (
    "model = made()\n"
    "model.fit(x, y, batch_size=16, epochs=2, verbose=0)\n"
    "print(sum(float(tf.reduce_sum(w)) for w in model.weights))\n"
)
PROGRAMS = {
    "fit": START
    + "made().fit(x, y, batch_size=16, verbose=0)\n"
    + "made().fit(x, y[:, None].repeat(2, 1), batch_size=16, verbose=0)\n",
    "predict": START + "model = made()\nmodel.fit(x, y, verbose=0)\nmodel.predict(x[0])\n",
    "batches": START
    + "model = made()\n"
    + "for at in (0, 8, 16):\n    model.train_on_batch(x[at:at + 8], y[at:at + 8])\n"
    + "model.train_on_batch(x[:8], y[:7])\n",
    "function": START
    + "w = tf.Variable(tf.ones([36, 3]))\noptimizer = keras.optimizers.SGD()\n"
    + "@tf.function\ndef step(a):\n"
    + "    with tf.GradientTape() as tape:\n"
    + "        loss = tf.reduce_mean(tf.matmul(tf.reshape(a, [16, 36]), w))\n"
    + "    optimizer.apply_gradients([(tape.gradient(loss, w), w)])\n"
    + "    return loss\n"
    + "for at in range(0, 70, 16):\n    step(tf.constant(x[at:at + 16]))\n",
    "eager": START
    + "w = tf.Variable(tf.ones([36, 3]))\noptimizer = keras.optimizers.SGD()\n"
    + "for at in range(0, 70, 16):\n"
    + "    with tf.GradientTape() as tape:\n"
    + "        loss = tf.reduce_mean(tf.matmul(tf.reshape(x[at:at + 16], [16, 36]), w))\n"
    + "    optimizer.apply_gradients([(tape.gradient(loss, w), w)])\n",
    "session": "import numpy as np\n"
    "import tensorflow.compat.v1 as tf\n"
    "tf.disable_v2_behavior()\n"
    "x = tf.placeholder(tf.float32, [None, 4])\n"
    "w = tf.get_variable('w', [4, 3])\n"
    "loss = tf.reduce_mean(tf.matmul(x, w))\n"
    "train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)\n"
    "with tf.Session() as session:\n"
    "    session.run(tf.global_variables_initializer())\n"
    "    for size in (4, 4, 5):\n"
    "        session.run([train, loss], {x: np.ones([2, size])})\n",
    "building": START + "layers.Dense(3)(keras.Input((2,)))\ntf.matmul(tf.ones([2, 3]), x)\n",
}

ODD = START + (
    "class Odd(keras.Model):\n"
    "    def __init__(self):\n"
    "        super().__init__()\n"
    "        self.inner = made()\n"
    "    def train_step(self, data):\n"
    "        return {'loss': tf.reduce_mean(self.inner(data[0]), 1)}\n"
    "model = Odd()\n"
    "model.compile('sgd')\n"
    "model.fit(x, y, batch_size=35, verbose=0)\n"
    "made().train_on_batch(x, y, return_dict=True)\n"
    "with tf.GradientTape() as tape:\n"
    "    w = tf.Variable([1.0, 2.0])\n"
    "    total = tf.reduce_sum(w * w) * [1.0, 1.0]\n"
    "print(tape.gradient(total, w).numpy())\n"
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """Runs of all programs, and twice of one without failure, from one helper."""
    here = tmp_path_factory.mktemp("here")
    spaces = Spaces(here, here)
    programs = PROGRAMS | {"odd": ODD, "trains": TRAINS, "trains again": TRAINS}
    folders: dict[Path, str] = {}
    requests = []
    for name, source in programs.items():
        (here / f"{name}.py").write_text(source)
        folder = Path(spaces.base, name)
        folder.mkdir()
        folders[folder] = name
        requests.append((folder, TrialRequest(Invocation(f"{name}.py"), spaces.new(folder))))
    log = Path(spaces.base, "log.txt")
    with TrialHelper(Preload(("tensorflow", "keras")), log) as helper:
        ended = {
            folders[folder]: run for folder, run in helper.run(iter(requests), LIMITS, at_once=2)
        }
        assert helper.copies
    yield ended
    spaces.close()


@pytest.mark.parametrize(
    ("name", "place", "steps"),
    [
        ("fit", CallPlace("fit", 2, 0), 5),
        ("predict", CallPlace("predict", 1, 0), 3),
        ("batches", CallPlace("train_on_batch", 4, 0), 3),
        ("function", CallPlace("function", 5, 0), 4),
        ("eager", CallPlace(), 4),
        ("session", CallPlace("session", 4, 0), 2),
        ("building", CallPlace(), 0),
    ],
)
def test_the_place_of_a_failure(
    runs: dict[str, Run], name: str, place: CallPlace, steps: int
) -> None:
    result = runs[name].result
    assert result.ending is Ending.RAISED, runs[name].output
    assert result.crash is not None
    assert (result.place, result.counts.steps) == (place, steps)
    assert result.crash.frames[0].site.file == f"{name}.py"
    assert not result.counts.passed


def test_losses_are_those_of_keras_or_of_the_tape(runs: dict[str, Run]) -> None:
    for name in ("fit", "batches", "eager"):
        counts = runs[name].result.counts
        assert counts.first_loss is not None
        assert counts.last_loss is not None
        assert 0 < counts.first_loss != counts.last_loss > 0
    assert runs["function"].result.counts.first_loss is None


def test_losses_that_are_no_number_do_not_stop_the_program(runs: dict[str, Run]) -> None:
    run = runs["odd"]
    assert run.result.ending is Ending.ENDED, run.output
    assert run.output[-1] == "[4. 8.]"
    assert run.result.counts.steps == 3
    assert run.result.counts.last_loss is not None


def test_copies_train_as_a_process_of_their_own(
    runs: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(TRAINS)
    with Runner(Invocation("train.py"), tmp_path) as runner:
        runner._preload = Preload()
        alone = runner.first(LIMITS)
    assert [runs[name].result.ending for name in ("trains", "trains again")] == [Ending.ENDED] * 2
    assert runs["trains"].output == runs["trains again"].output == alone.output[-1:]
    assert math.isfinite(float(alone.output[-1]))


def test_a_step_in_the_middle_of_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fixed batch fails at the fifth step; a repair must run to the eighth."""
    monkeypatch.chdir(tmp_path)
    source = START + (
        "class Rows(layers.Layer):\n"
        "    def call(self, a):\n"
        "        return tf.reshape(a, [16, 36])\n"
        "model = keras.Sequential([Rows(), layers.Dense(3)])\n"
        "model.compile('sgd', keras.losses.SparseCategoricalCrossentropy(from_logits=True))\n"
        "model.fit(x, y, batch_size=16, epochs=9, verbose=0, shuffle=False)\n"
        "open('weights.txt', 'w').write('after the training')\n"
    )
    (tmp_path / "train.py").write_text(source)
    program = Invocation("train.py")
    explain = explaining(
        ("[16, 36]", "[-1, 36]"), ("[16, 36]", "[-1, 18]"), ("[16, 36]", "[6, 36]")
    )
    with Runner(program, tmp_path) as runner:
        report = Search(runner, Options(3, LIMITS), explain, print).report(program, tmp_path)
    assert (report.verdict, report.steps) == (Verdict.REPAIRED, 4)
    [offered] = report.offered
    assert offered.title == "[16, 36] → [-1, 36]"
    evidence = offered.evidence
    assert (evidence.passed, evidence.steps, evidence.keeps_batch) == ("fit", 7, True)
    assert evidence.finite
    assert not evidence.ended
    assert {attempt.outcome for attempt in report.others} == {Outcome.FAILED}
    assert (tmp_path / "train.py").read_text() == source
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["train.py"]


def test_lost_batches_and_losses_that_are_not_finite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss without labels accepts predictions of another number of examples."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(
        START
        + "class Rows(layers.Layer):\n"
        + "    def call(self, a):\n"
        + "        return tf.reshape(a, [-1, 35])\n"
        + "model = keras.Sequential([Rows(), layers.Dense(5)])\n"
        + "model.compile('sgd', lambda labels, out: tf.reduce_mean(out))\n"
        + "model.fit(x, y, batch_size=14, verbose=0)\n"
    )
    program = Invocation("train.py")
    explain = explaining(*(("35])", new) for new in ("12])", "36]) / 0.0", "36])")))
    with Runner(program, tmp_path) as runner:
        report = Search(runner, Options(3, LIMITS), explain, print).report(program, tmp_path)
    assert [(attempt.title, attempt.evidence.finite) for attempt in report.offered] == [
        ("35]) → 36])", True),
        ("35]) → 36]) / 0.0", False),
    ]
    [lost] = report.others
    assert (lost.outcome, lost.evidence.keeps_batch) == (Outcome.PASSED, False)


def test_variables_that_are_set_before_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras reads its folder when it is imported, which the helper did before."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    (home / "keras.json").write_text('{"floatx": "float64", "backend": "tensorflow"}')
    (tmp_path / "train.py").write_text(
        "import os\n"
        f"os.environ['KERAS_HOME'] = {str(home)!r}\n"
        "import keras, tensorflow as tf\n"
        "tf.matmul(tf.ones([2, 3]), tf.ones([2 if keras.config.floatx() == 'float64' else 3, 1]))\n"
    )
    with Runner(Invocation("train.py"), tmp_path) as runner:
        result: TrialResult = runner.first(LIMITS).result
        assert runner._started.copies
    assert result.ending is Ending.RAISED
    assert result.environment == {}
