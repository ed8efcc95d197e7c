"""The recipes give the same output with recording, and records equal Keras' and NumPy's values."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import resnet_inspect
from docs.networks.calls import Account
from docs.networks.comparison import Agreement, compared
from docs.networks.expected import NETWORKS
from docs.networks.page import PAGE, compared_in, differences, row, section_of
from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.origins import OriginKind
from resnet_inspect.analysis.sizes.why import ExplanationCache, why
from resnet_inspect.graph import Phase, TensorRef
from resnet_inspect.stats import TensorSummary
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run

pytestmark = pytest.mark.tensorflow
HERE = Path(__file__).parent
SCRIPTS = HERE.parents[1] / "docs" / "recipes"
RECIPES = tuple(sorted(script.stem for script in SCRIPTS.glob("*.py")))
TIMES = re.compile(r"\b[0-9.]+m?s(/step)?\b")
# Second calls of layers, by the names and call numbers that the witness uses.
SECOND_CALLS = {"siamese": {"dense (call 2)": "dense/1", "dense_1 (call 2)": "dense_1/1"}}
Array = NDArray[Any]
Recorded = Callable[[str], "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """A script's output without and with recording, what its witness wrote, and the run."""

    plain: str
    ours: str
    witnessed: dict[str, Array]
    account: Path
    run: Path

    def arrays(self, kind: str) -> dict[str, Array]:
        """Return the witness' arrays of this kind for the first model."""
        start = f"{kind}/0/"
        arrays = self.witnessed.items()
        return {name.removeprefix(start): array for name, array in arrays if name.startswith(start)}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Return a function that runs a recipe with its witness and with recording, once each."""
    folder = tmp_path_factory.mktemp("recipes")

    @cache
    def ran(name: str) -> Recipe:
        script = str(SCRIPTS / f"{name}.py")
        witness = str(HERE / "witness.py"), script, f"{name}.npz", f"{name}.json"
        plain = _python(folder, *witness)
        words = ("run", "--every", "1", "--sample", "16384", "-o", f"{name}.db", script)
        ours = _python(folder, "-m", "resnet_inspect", *words)
        with np.load(folder / f"{name}.npz") as witnessed:
            arrays = dict(witnessed)
        return Recipe(plain, ours, arrays, folder / f"{name}.json", folder / f"{name}.db")

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
    """Return whether a summary describes exactly these values."""
    wide = values.astype(np.float64)
    recorded_moments = summary.mean, summary.std, summary.min, summary.max
    expected = wide.mean(), wide.std(), wide.min(), wide.max()
    zeros = abs(summary.zeros / summary.count - float(np.mean(values == 0)))
    return (
        summary.count == values.size
        and zeros < 1e-3
        and recorded_moments == pytest.approx(expected, rel=1e-4, abs=1e-5)
    )


@pytest.mark.parametrize("name", RECIPES)
def test_output_and_weights_are_the_same_with_recording(recorded: Recorded, name: str) -> None:
    recipe = recorded(name)
    # The last line is a digest of the weights.
    assert re.fullmatch("[0-9a-f]{64}", recipe.plain.splitlines()[-1])
    assert recipe.ours == recipe.plain
    with Run.open(recipe.run) as run:
        assert run.info.status == Status.COMPLETE
        assert not [note for note in run.graph.notes if "the recorder failed" in note.text]


@pytest.mark.parametrize("name", RECIPES)
def test_parameters_equal_those_of_keras(recorded: Recorded, name: str) -> None:
    recipe = recorded(name)
    with Run.open(recipe.run) as run:
        totals = resnet_inspect.shapes(run).totals
    assert [totals.params, totals.trainable_params] == list(recipe.witnessed["parameters/0"])


@pytest.mark.parametrize("name", RECIPES)
def test_layers_have_the_values_of_eager_keras(recorded: Recorded, name: str) -> None:
    recipe = recorded(name)
    start, outputs = int(recipe.witnessed["start/0"]), recipe.arrays("output")
    second = SECOND_CALLS.get(name, {})
    with Run.open(recipe.run) as run:
        summaries, sizes = run.summaries(start), run.sizes()
        taps = {tap.layer: tap for tap in run.taps() if tap.output and tap.kind == "activation"}
        made = {layer.name: layer.output for layer in run.graph.layers}
        # A group has a summary if its output is not that of its last layer.
        made |= {group.name: group.output for group in run.graph.groups if group.name in summaries}
        last = {name: run.graph.spec(ref).shape for name, ref in made.items()}
    assert len(summaries) == len(last) > 3
    for layer, summary in summaries.items():
        values = outputs[second.get(layer, f"{layer}/0")]
        assert sizes[taps[layer]] == values.size
        assert len(last[layer] or ()) == values.ndim
        if summary.count == values.size:
            assert same(summary, values), layer
        else:  # a sample, whose mean differs by at most 5 standard errors
            tolerance = 5 * values.std() / summary.count**0.5
            assert summary.mean == pytest.approx(float(values.mean()), abs=tolerance), layer


@pytest.mark.parametrize("name", RECIPES)
def test_weights_have_their_values_before_each_step(recorded: Recorded, name: str) -> None:
    recipe = recorded(name)
    with Run.open(recipe.run) as run:
        taps = {tap.tensor: tap for tap in run.taps() if tap.kind == "weight"}
        courses = {path: run.course(tap) for path, tap in taps.items()}
    compared = 0
    for name_, values in recipe.arrays("weight").items():
        step, _, path = name_.partition("/")
        summary = courses.get(path, {}).get(int(step))
        if summary is not None and summary.count == values.size:
            assert same(summary, values), (path, step)
            compared += 1
    assert compared > 3 * len(courses) > 0


def test_a_perceptron_in_numpy(recorded: Recorded) -> None:
    # Dense with ReLU, LeakyReLU and softmax, from the weights before the second step.
    recipe = recorded("mlp")
    outputs = recipe.arrays("output")
    path = "weight/0/1/sequential/"
    w = {
        name.removeprefix(path): v for name, v in recipe.witnessed.items() if name.startswith(path)
    }
    features = np.random.default_rng(1).normal(size=(96, 5)).astype("float32")[16:32]
    hidden = np.maximum(features @ w["dense/kernel"] + w["dense/bias"], 0)
    low = outputs["dropout/0"] @ w["dense_1/kernel"] + w["dense_1/bias"]
    leaky = np.where(low > 0, low, 0.1 * low)
    logits = leaky @ w["dense_2/kernel"] + w["dense_2/bias"]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    with Run.open(recipe.run) as run:
        summaries = run.summaries(1)
    assert same(summaries["dense"], hidden)
    assert summaries["dense"].zeros == int((hidden == 0).sum())
    assert same(summaries["dense_1"], low)
    assert same(summaries["leaky_re_lu"], leaky)
    assert same(summaries["dense_2"], powers / powers.sum(axis=1, keepdims=True))


def test_convolution_and_normalization_in_numpy(recorded: Recorded) -> None:
    recipe = recorded("cnn")
    weights = recipe.arrays("weight")
    pictures = recipe.arrays("output")["rescaling/0"]
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    convolved = np.einsum("bhwcij,ijco->bhwo", windows, weights["0/conv2d/kernel"])
    mean, variance = convolved.mean(axis=(0, 1, 2)), convolved.var(axis=(0, 1, 2))
    normal = (convolved - mean) / np.sqrt(variance + 1e-3)
    rectified = np.maximum(normal, 0)
    pooled = rectified.reshape(8, 8, 2, 8, 2, 8).max(axis=(2, 4))
    with Run.open(recipe.run) as run:
        summaries = run.summaries(0)
    assert same(summaries["conv2d"], convolved)
    assert same(summaries["batch_normalization"], normal)
    assert same(summaries["activation"], rectified)
    assert same(summaries["max_pooling2d"], pooled)


def test_recurrence_in_numpy(recorded: Recorded) -> None:
    # An LSTM in both directions over sentences padded at the end: a masked step is 0.
    recipe = recorded("text")
    weights, embedded = recipe.arrays("weight"), recipe.arrays("output")["embedding/0"]
    start = int(recipe.witnessed["start/0"])
    lengths = [len(sentence) for sentence in _sentences()][8 * start : 8 * start + 8]

    def kernels(direction: str) -> list[Array]:
        prefix, part = f"{start}/", f"/{direction}_lstm"
        return [v for name, v in weights.items() if name.startswith(prefix) and part in name]

    both = []
    for direction, order in (("forward", 1), ("backward", -1)):
        kernel, recurrent, bias = kernels(direction)
        outputs = np.zeros((*embedded.shape[:2], 6))
        state = memory = np.zeros((len(embedded), 6))
        for step in list(range(embedded.shape[1]))[::order]:
            gates = np.split(embedded[:, step] @ kernel + state @ recurrent + bias, 4, axis=1)
            take, keep, _, give = (1 / (1 + np.exp(-gate)) for gate in gates)
            fresh = keep * memory + take * np.tanh(gates[2])
            unmasked = (step < np.array(lengths))[:, None]
            memory = np.where(unmasked, fresh, memory)
            state = np.where(unmasked, give * np.tanh(fresh), state)
            outputs[:, step] = np.where(unmasked, state, 0)
        both.append(outputs)
    with Run.open(recipe.run) as run:
        assert same(run.summaries(start)["bidirectional"], np.concatenate(both, axis=2))


def _sentences() -> Iterator[Array]:
    random = np.random.default_rng(3)
    for _ in range(48):
        yield random.integers(1, 50, random.integers(3, 11))


# Forward ops through which sizes are not traced: the generator's key and counter have fixed sizes,
# and the op accepts only seeds of 2 elements.
NOT_TRACED = {"StatelessRandomGetKeyCounter"}


@pytest.mark.parametrize("name", RECIPES)
def test_every_axis_of_the_forward_graph_has_an_origin(name: str, recorded: Recorded) -> None:
    run = Run.open(recorded(name).run)
    graph, ways = run.graph.whole, ExplanationCache()
    kinds: Counter[OriginKind] = Counter()
    ends: set[str] = set()
    for op in graph.ops:
        for index, spec in enumerate(op.outputs if op.phase is Phase.FORWARD else ()):
            target = Target.of(graph, TensorRef(op.name, index))
            for axis in range(len(spec.shape or ())):
                explanation = why(graph, run.lineage, target, axis, ways)
                kinds[explanation.kind] += 1
                last = explanation.chain[-1]
                if explanation.kind is OriginKind.UNTRACED:
                    ends.add(last.op_type)
                if explanation.kind is OriginKind.ARGUMENT:
                    assert last.size == 1 or last.op_type in FIXED, explanation
    assert ends <= NOT_TRACED
    assert kinds[OriginKind.INPUT] >= 10
    assert kinds[OriginKind.VARIABLE] >= 10
    assert not any(key.partition(":")[0] in graph.layer_by_name for key in run.lineage.untraced)


# Ops whose vectors have as many elements as a tensor has axes, as there are tensors, or as the
# state of a random generator has.
FIXED = {"Shape", "ShapeN", "Pack", "TensorListElementShape", "StatelessRandomGetKeyCounter"}


def test_both_parts_of_a_concat_of_the_u_net_are_shown(recorded: Recorded) -> None:
    run = Run.open(recorded("u_net").run)
    target = Target.of(run.graph, run.graph.layer_by_name["concatenate"].output)
    computed = why(run.graph, run.lineage, target, 3).computed
    assert computed is not None
    assert computed.text == "16 + 8"
    formulas = [term.formula for term in computed.terms]
    assert [formula and (formula.text, formula.values) for formula in formulas] == [
        ("filters", {"filters": 16}),
        ("filters", {"filters": 8}),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_the_row_of_a_recipe_in_the_documentation_is_true(recorded: Recorded, name: str) -> None:
    recipe = recorded(name)
    with Run.open(recipe.run) as run:
        agreements = compared(run, Account.read(recipe.account), NETWORKS[name])
    assert_listed(name, agreements)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NETWORKS) - set(RECIPES)))
def test_the_row_of_a_network_in_the_documentation_is_true(tmp_path: Path, name: str) -> None:
    assert_listed(name, compared_in(tmp_path, name))


def assert_listed(name: str, agreements: dict[str, Agreement]) -> None:
    """Assert that docs/how_it_works/models.md contains exactly these results of a network."""
    section = section_of(PAGE.read_text("utf-8")).splitlines()
    assert [line for line in section if line.startswith(f"| {name} |")] == [row(name, agreements)]
    listed = [line for line in section if line.startswith(f"- {name}, ")]
    assert listed == list(differences(name, agreements))
