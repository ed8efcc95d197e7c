"""No number is taken for the origin of a size because it is equal by chance."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from docs.networks.comparison import answer
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.store.run import Run

HERE = Path(__file__).parent
SCRIPT = HERE / "equal_literals.py"
LINES = SCRIPT.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a recording of the program."""
    file = tmp_path_factory.mktemp("equal") / "run.db"
    return recorded(file, "run", "-o", str(file), str(SCRIPT))


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a trace of the program's model."""
    file = tmp_path_factory.mktemp("equal") / "run.db"
    return recorded(file, "trace", f"{SCRIPT}:build", "-o", str(file))


def recorded(file: Path, *words: str) -> Run:
    """Return the run that a command writes."""
    command = [sys.executable, "-m", "resnet_inspect", *words]
    subprocess.run(command, check=True, cwd=HERE.parents[3], capture_output=True)
    return Run.open(file)


def at(expression: str, line: str) -> str:
    """Return an expression with the only line that has this text."""
    (number,) = (number for number, text in enumerate(LINES, 1) if line in text)
    return f"{expression}, {SCRIPT.name}:{number}"


SIZES = [
    # The kernel's 2, not the number of parts of tf.split.
    ("gate/conv1d/kernel:0", at("`window`", "self.both =")),
    ("gate/conv1d/kernel:2", at("`2 × width`", "self.both =")),
    # The factor 6 of a later line, the epochs and the batch size are not the number of channels.
    ("scale/scale:0", f"12 / 2: {at('`2 × width`', 'self.both =')}"),
    ("gate/layer_normalization_1/gamma:0", f"12 / 2: {at('`2 × width`', 'self.both =')}"),
    ("reshape:1", at("`4`", "ops.reshape")),
    ("reshape:3", at("`6`", "ops.reshape")),
    # Arguments of equal size.
    ("square/kernel:0", at("`side`", '"square"')),
    ("square/kernel:3", at("`filters`", '"square"')),
    # Sizes that Keras computes, next to an equal number of filters.
    ("same:1", f"2 × 4: {at('`4`', 'ops.reshape')}"),
    ("same:2", f"2 × 2: {at('`2`', 'ops.reshape')}"),
    ("same:3", at("`4`", 'name="same"')),
    ("groups:3", at("`4`", 'name="same"')),
    ("twice:3", at("`4`", '"valid"')),
    ("dense:1", at("`5`", "Dense(5)")),
]


@pytest.mark.parametrize(("name", "expected"), SIZES)
def test_origins_in_a_fit(fitted: Run, name: str, expected: str) -> None:
    assert explained(fitted, name) == expected


def explained(run: Run, name: str) -> str:
    """Return the origin of an axis."""
    target, axes = find(run.graph, name)
    return answer(why(run.graph, run.lineage, target, axes[-1]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [(name, expected) for name, expected in SIZES if name.startswith(("gate/conv1d", "s", "r"))],
)
def test_origins_in_a_trace(traced: Run, name: str, expected: str) -> None:
    # A setting of the traced function is named where it was passed on.
    passed = {
        at("`window`", "self.both ="): at("`window`", "x = Scale()(Gate(width, window)(x))"),
    }
    assert explained(traced, name) in (expected, passed.get(expected))


def test_both_parts_of_a_group_normalization(fitted: Run) -> None:
    layer = fitted.graph.layer_by_name["groups"]
    split = next(name for name in layer.ops if name.endswith("/Reshape"))
    assert explained(fitted, f"{split}:3") == at("`2`", "groups=2")
    assert explained(fitted, f"{split}:4") == "4 / 2: " + at("`4`", 'name="same"')


def test_a_transposed_convolution_without_padding(fitted: Run) -> None:
    parts = "2 × 4 of " + at("`4`", "ops.reshape"), at("`3`", '"valid"')
    assert explained(fitted, "valid:1") == f"(8 − 1) × 2 + 3: {'; '.join(parts)}"


def test_a_default_of_a_layer(fitted: Run) -> None:
    default = at("default `size=(2, 2)`", '"twice"')
    assert explained(fitted, "twice:1").endswith(f"; {default}")


def test_the_batch_stays_the_batch(fitted: Run) -> None:
    for layer in ("reshape", "same", "groups", "twice", "dense"):
        assert explained(fitted, f"{layer}:0") == "data:0 axis 0"
