"""`run` on programs as people have them: import orders, ways to train, ways to start.

Each program is a process of its own. What is compared is what Python itself does with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from tests.cli.conftest import Command
from tests.cli.test_run import python

TRAINS = """
import numpy as np
{keras}.utils.set_random_seed(1)
model = {keras}.Sequential([{keras}.Input((4,)), {keras}.layers.Dense(1, name="score")])
model.compile("sgd", "mse")
model.fit(np.ones((64, 4)), np.ones((64, 1)), verbose=0)
print(model.get_weights()[0].tobytes().hex())
"""
IMPORTS = {
    "keras first": ("import keras\nimport tensorflow as tf\n", "keras"),
    "tensorflow first": ("import tensorflow as tf\nimport keras\n", "keras"),
    "tf.keras alone": ("import tensorflow as tf\n", "tf.keras"),
    "from tensorflow import keras": ("from tensorflow import keras\n", "keras"),
    "from tensorflow.keras": (
        "from tensorflow.keras.models import Sequential\n"
        "from tensorflow.keras import layers, Input, utils\n"
        "class keras: Sequential, layers, Input, utils = Sequential, layers, Input, utils\n",
        "keras",
    ),
    "in a function": ("def load():\n    import keras\n    return keras\nk = load()\n", "k"),
    "reloaded": ("import importlib, keras\nimportlib.reload(keras)\n", "keras"),
    "asked for its spec": (
        "from importlib.util import find_spec\nassert find_spec('keras') is not None\n"
        "assert find_spec('tensorflow').origin.endswith('__init__.py')\nimport tensorflow as tf\n"
        "import keras\n",
        "keras",
    ),
}


def script(name: str) -> str:
    """The text of a program in the folder beside."""
    return (Path(__file__).parent / "scripts" / f"{name}.py").read_text(encoding="utf-8")


@contextmanager
def opened(folder: Path, *names: str) -> Iterator[list[Run]]:
    """Runs by the names of their files."""
    with ExitStack() as stack:
        yield [stack.enter_context(Run.open(folder / name)) for name in names]


@pytest.mark.tensorflow
@pytest.mark.parametrize("order", IMPORTS)
def test_a_fit_is_recorded_whatever_is_imported_first(
    command: Command, tmp_path: Path, order: str
) -> None:
    imports, keras = IMPORTS[order]
    script = tmp_path / "here" / "train.py"
    script.write_text(imports + TRAINS.format(keras=keras))
    ours = command("run", "-o", "mine.db", "train.py", real_tensorflow=True)
    assert ours.returncode == 0, ours.stderr
    assert "resnet-inspect: recorded in mine.db" in ours.stderr.splitlines()
    with opened(script.parent, "mine.db") as (run,):
        assert (run.info.network, run.info.status) == ("train", Status.COMPLETE)
        assert run.recorded_steps() == [0, 1]
        assert [layer.name for layer in run.graph.layers] == ["score"]
        assert run.summaries(1, "gradient")


@pytest.mark.tensorflow
def test_keras_may_have_been_imported_before(command: Command, tmp_path: Path) -> None:
    """As by a plugin: a module that Python imports at its start."""
    here = tmp_path / "here"
    (here / "sitecustomize.py").write_text("import keras\n")
    (here / "train.py").write_text("import keras\n" + TRAINS.format(keras="keras"))
    alone = python("train.py", here=here)
    place = str(Path(__file__).parents[2])
    ours = command(
        "run", "-o", "mine.db", "train.py", real_tensorflow=True, PYTHONPATH=f"{here}:{place}"
    )
    assert (ours.returncode, ours.stdout) == (0, alone.stdout), ours.stderr
    with opened(here, "mine.db") as (run,):
        assert run.recorded_steps() == [0, 1]


MADE = ("batches", "slow", "two", "looped", "exported", "by_hand", "epochs")


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str, str]:
    """A program that trains in seven ways, run by Python and by `run`: its folder and outputs."""
    here = tmp_path_factory.mktemp("ways")
    (here / "ways.py").write_text(script("ways"))
    alone = python("ways.py", here=here)
    assert alone.returncode == 0, alone.stderr
    words = ("-m", "resnet_inspect", "run", "--every", "1", "-o", "way.db", "ways.py")
    ours = python(*words, here=here)
    assert ours.returncode == 0, ours.stderr
    return here, alone.stdout, ours.stdout, ours.stderr


def way(folder: Path, number: int) -> Path:
    return folder / ("way.db" if number == 1 else f"way-{number}.db")


@pytest.mark.tensorflow
def test_every_way_to_train_comes_to_the_same_weights(ways: tuple[Path, str, str, str]) -> None:
    here, alone, ours, said = ways
    assert ours == alone
    lines = [line for line in said.splitlines() if line.startswith("resnet-inspect: ")]
    files = [way(here, number).name for number in range(1, len(MADE) + 1)]
    assert lines == [f"resnet-inspect: recorded in {name}" for name in files]


@pytest.mark.tensorflow
@pytest.mark.parametrize("number", range(1, len(MADE) + 1), ids=MADE)
def test_every_way_to_train_is_recorded(ways: tuple[Path, str, str, str], number: int) -> None:
    steps = {"exported": 1, "epochs": 2}.get(MADE[number - 1], 3)
    with Run.open(way(ways[0], number)) as run:
        assert run.info.status == Status.COMPLETE
        assert run.steps() == run.recorded_steps() == list(range(steps))
        assert run.scalars()["loss"].keys() == set(range(steps))
        layers = [layer.name for layer in run.graph.layers]
        expected = ["a", "b"] if MADE[number - 1] == "two" else ["hidden"]
        assert layers[: len(expected)] == expected
        assert len(layers) == 2
        last = steps - 1
        assert run.summaries(last).keys() == run.summaries(last, "gradient").keys() == set(layers)
        assert run.updates()[last]
        assert "the recorder failed" not in " ".join(note.text for note in run.graph.notes)


@pytest.mark.tensorflow
def test_runs_inputs_optimizers_and_losses_have_their_authors_names(
    ways: tuple[Path, str, str, str],
) -> None:
    here = ways[0]
    with opened(here, *(way(here, n).name for n in range(1, len(MADE) + 1))) as runs:
        named = [run.info.network for run in runs]
        assert named == [
            *("ways: batches", "ways: slow", "ways: two", "ways: looped", "ways: exported"),
            *("ways: by_hand", "ways: epochs"),
        ]
        assert runs[2].info.settings.values()["optimizer"] == "Adam (one) and Adam (two)"
        assert {"batch_first_loss", "batch_second_loss"} <= set(runs[2].scalars())
        assert list(runs[3].graph.inputs) == ["features", "targets"]
        assert list(runs[5].graph.inputs) == ["inputs"]


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("legacy", "nothing was recorded: other.py trains a model of tf_keras (Keras 2)"),
        ("session", "nothing was recorded: other.py runs a TensorFlow 1 session"),
        ("hidden", "nothing was recorded: epoch at other.py:16 loops over batches inside one "),
        ("own", "nothing more was recorded: other.py uses its own Recorder"),
    ],
)
def test_what_is_not_recorded_is_said(
    command: Command, tmp_path: Path, word: str, said: str
) -> None:
    (tmp_path / "here" / "other.py").write_text(script("other"))
    ours = command("run", "-o", "mine.db", "other.py", word, real_tensorflow=True)
    assert ours.returncode == 0, ours.stderr
    assert f"resnet-inspect: {said}" in ours.stderr
    made = sorted(file.name for file in (tmp_path / "here").glob("*.db"))
    assert made == (["batches.db", "own.db"] if word == "own" else [])


def test_keras_on_another_backend_is_not_recorded(command: Command, tmp_path: Path) -> None:
    """A fake Keras on a backend that is not installed here."""
    here = tmp_path / "here"
    fake = here / "keras"
    fake.mkdir()
    (fake / "__init__.py").write_text("class backend:\n    backend = staticmethod(lambda: 'jax')\n")
    (here / "train.py").write_text("import keras\n")
    ours = command("run", "train.py", PYTHONPATH=f"{here}:{Path(__file__).parents[2]}")
    assert ours.returncode == 0
    assert "the Keras backend is jax; only TensorFlow is recorded" in ours.stderr
