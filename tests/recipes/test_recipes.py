"""The recipes run as Python runs them, and what is recorded is what Keras and NumPy come to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import resnet_inspect
from resnet_inspect.stats import TensorSummary
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run

pytestmark = pytest.mark.tensorflow
HERE = Path(__file__).parent
SCRIPTS = HERE.parents[1] / "docs" / "recipes"
RECIPES = tuple(sorted(script.stem for script in SCRIPTS.glob("*.py")))
TIMES = re.compile(r"\b[0-9.]+m?s(/step)?\b")
# Second calls of layers, by the names and numbers of calls that the witness counts.
SECOND_CALLS = {"siamese": {"dense (call 2)": "dense/1", "dense_1 (call 2)": "dense_1/1"}}
Array = NDArray[Any]
Recorded = Callable[[str], "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """What a script printed without us and with us, what its witness saw, and the run."""

    plain: str
    ours: str
    seen: dict[str, Array]
    run: Path

    def held(self, kind: str) -> dict[str, Array]:
        """What the witness saw of the first model."""
        start = f"{kind}/0/"
        found = self.seen.items()
        return {name.removeprefix(start): one for name, one in found if name.startswith(start)}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Runs a recipe, once, beside its witness and by the program."""
    folder = tmp_path_factory.mktemp("recipes")

    @cache
    def ran(name: str) -> Recipe:
        script = str(SCRIPTS / f"{name}.py")
        plain = _python(folder, str(HERE / "witness.py"), script, f"{name}.npz")
        words = ("run", "--every", "1", "--sample", "16384", "-o", f"{name}.db", script)
        ours = _python(folder, "-m", "resnet_inspect", *words)
        with np.load(folder / f"{name}.npz") as seen:
            return Recipe(plain, ours, dict(seen), folder / f"{name}.db")

    return ran


def _python(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=dict(os.environ) | {"PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return TIMES.sub("", done.stdout)


def same(summary: TensorSummary, values: Array) -> bool:
    """Whether a summary is that of these values, all of them."""
    wide = values.astype(np.float64)
    held = summary.mean, summary.std, summary.min, summary.max
    told = wide.mean(), wide.std(), wide.min(), wide.max()
    zeros = abs(summary.zeros / summary.count - float(np.mean(values == 0)))
    return (
        summary.count == values.size
        and zeros < 1e-3
        and held == pytest.approx(told, rel=1e-4, abs=1e-5)
    )


@pytest.mark.parametrize("name", RECIPES)
def test_it_prints_and_comes_to_what_it_does_without_us(recorded: Recorded, name: str) -> None:
    """The last line of each is a digest of its weights."""
    recipe = recorded(name)
    assert re.fullmatch("[0-9a-f]{64}", recipe.plain.splitlines()[-1])
    assert recipe.ours == recipe.plain
    with Run.open(recipe.run) as run:
        assert run.info.status == Status.COMPLETE
        assert not [note for note in run.graph.notes if "not observed" in note.text]


@pytest.mark.parametrize("name", RECIPES)
def test_parameters_are_keras(recorded: Recorded, name: str) -> None:
    recipe = recorded(name)
    with Run.open(recipe.run) as run:
        totals = resnet_inspect.shapes(run).totals
    assert [totals.params, totals.trainable_params] == list(recipe.seen["parameters/0"])


@pytest.mark.parametrize("name", RECIPES)
def test_layers_held_what_keras_computes_eagerly(recorded: Recorded, name: str) -> None:
    recipe = recorded(name)
    start, outputs = int(recipe.seen["start/0"]), recipe.held("output")
    second = SECOND_CALLS.get(name, {})
    with Run.open(recipe.run) as run:
        summaries, sizes = run.summaries(start), run.sizes()
        taps = {tap.layer: tap for tap in run.taps() if tap.output and tap.kind == "activation"}
        last = {layer.name: run.graph.spec(layer.output).shape for layer in run.graph.layers}
    assert len(summaries) == len(last) > 3
    for layer, summary in summaries.items():
        values = outputs[second.get(layer, f"{layer}/0")]
        assert sizes[taps[layer]] == values.size
        assert len(last[layer] or ()) == values.ndim
        if summary.count == values.size:
            assert same(summary, values), layer
        else:  # a sample: its mean is as near as the mean of so many can be
            near = 5 * values.std() / summary.count**0.5
            assert summary.mean == pytest.approx(float(values.mean()), abs=near), layer


@pytest.mark.parametrize("name", RECIPES)
def test_weights_are_those_before_each_step(recorded: Recorded, name: str) -> None:
    recipe = recorded(name)
    with Run.open(recipe.run) as run:
        taps = {tap.tensor: tap for tap in run.taps() if tap.kind == "weight"}
        courses = {path: run.course(tap) for path, tap in taps.items()}
    compared = 0
    for name_, values in recipe.held("weight").items():
        step, _, path = name_.partition("/")
        summary = courses.get(path, {}).get(int(step))
        if summary is not None and summary.count == values.size:
            assert same(summary, values), (path, step)
            compared += 1
    assert compared > 3 * len(courses) > 0


def test_a_perceptron_in_numpy(recorded: Recorded) -> None:
    """Dense with ReLU, LeakyReLU and softmax, from the weights before the second step."""
    recipe = recorded("mlp")
    outputs = recipe.held("output")
    path = "weight/0/1/sequential/"
    w = {name.removeprefix(path): v for name, v in recipe.seen.items() if name.startswith(path)}
    features = np.random.default_rng(1).normal(size=(96, 5)).astype("float32")[16:32]
    hidden = np.maximum(features @ w["dense/kernel"] + w["dense/bias"], 0)
    low = outputs["dropout/0"] @ w["dense_1/kernel"] + w["dense_1/bias"]
    leaky = np.where(low > 0, low, 0.1 * low)
    logits = leaky @ w["dense_2/kernel"] + w["dense_2/bias"]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    with Run.open(recipe.run) as run:
        held = run.summaries(1)
    assert same(held["dense"], hidden)
    assert held["dense"].zeros == int((hidden == 0).sum())
    assert same(held["dense_1"], low)
    assert same(held["leaky_re_lu"], leaky)
    assert same(held["dense_2"], powers / powers.sum(axis=1, keepdims=True))


def test_convolution_and_normalization_in_numpy(recorded: Recorded) -> None:
    recipe = recorded("cnn")
    weights = recipe.held("weight")
    pictures = recipe.held("output")["rescaling/0"]
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    convolved = np.einsum("bhwcij,ijco->bhwo", windows, weights["0/conv2d/kernel"])
    mean, variance = convolved.mean(axis=(0, 1, 2)), convolved.var(axis=(0, 1, 2))
    normal = (convolved - mean) / np.sqrt(variance + 1e-3)
    rectified = np.maximum(normal, 0)
    pooled = rectified.reshape(8, 8, 2, 8, 2, 8).max(axis=(2, 4))
    with Run.open(recipe.run) as run:
        held = run.summaries(0)
    assert same(held["conv2d"], convolved)
    assert same(held["batch_normalization"], normal)
    assert same(held["activation"], rectified)
    assert same(held["max_pooling2d"], pooled)


def test_recurrence_in_numpy(recorded: Recorded) -> None:
    """An LSTM in both directions over sentences padded behind: a masked step is 0."""
    recipe = recorded("text")
    weights, embedded = recipe.held("weight"), recipe.held("output")["embedding/0"]
    start = int(recipe.seen["start/0"])
    lengths = [len(one) for one in _sentences()][8 * start : 8 * start + 8]

    def kernels(direction: str) -> list[Array]:
        found = [one for name, one in weights.items() if name.startswith(f"{start}/")]
        named = [name for name in weights if name.startswith(f"{start}/")]
        return [v for name, v in zip(named, found, strict=True) if f"/{direction}_lstm" in name]

    both = []
    for direction, order in (("forward", 1), ("backward", -1)):
        kernel, recurrent, bias = kernels(direction)
        told = np.zeros((*embedded.shape[:2], 6))
        state = memory = np.zeros((len(embedded), 6))
        for step in list(range(embedded.shape[1]))[::order]:
            gates = np.split(embedded[:, step] @ kernel + state @ recurrent + bias, 4, axis=1)
            take, keep, _, give = (1 / (1 + np.exp(-one)) for one in gates)
            fresh = keep * memory + take * np.tanh(gates[2])
            there = (step < np.array(lengths))[:, None]
            memory = np.where(there, fresh, memory)
            state = np.where(there, give * np.tanh(fresh), state)
            told[:, step] = np.where(there, state, 0)
        both.append(told)
    with Run.open(recipe.run) as run:
        assert same(run.summaries(start)["bidirectional"], np.concatenate(both, axis=2))


def _sentences() -> Iterator[Array]:
    random = np.random.default_rng(3)
    for _ in range(48):
        yield random.integers(1, 50, random.integers(3, 11))
