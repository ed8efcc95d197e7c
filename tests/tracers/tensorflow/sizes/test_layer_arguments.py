"""Sizes that an argument of a Keras layer gives have its expression and line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.why import Explanation, why
from resnet_inspect.cli.main import main
from resnet_inspect.graph import Phase
from resnet_inspect.store.run import Run

HERE = Path(__file__).parent
SCRIPT = HERE / "layer_arguments.py"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a recording of the program."""
    file = tmp_path_factory.mktemp("arguments") / "run.db"
    words = ["-m", "resnet_inspect", "run", "-o", str(file), str(SCRIPT)]
    subprocess.run([sys.executable, *words], check=True, cwd=HERE.parents[3])
    return Run.open(file)


def explained(run: Run, text: str) -> Explanation:
    """Explain the last axis that `text` names."""
    target, axes = find(run.graph.whole, text)
    return why(run.graph, run.lineage, target, axes[-1])


@pytest.mark.parametrize(
    ("name", "text", "values", "line"),
    [
        ("sequential/embedding/embeddings:0", "50", {}, "layers.Embedding(50"),
        (
            "sequential/embedding/embeddings:1",
            "config['width']",
            {"config['width']": 16},
            "layers.Embedding(50",
        ),
        (
            "sequential/block/multi_head_attention/query/kernel:1",
            "config['heads']",
            {"config['heads']": 2},
            "self.attention =",
        ),
        (
            "sequential/block/multi_head_attention/query/kernel:2",
            "width // 2",
            {"width": 16},
            "self.attention =",
        ),
        ("sequential/block/dense/kernel", "self.width × 4", {"self.width": 16}, "self.wide ="),
        ("sequential/block/dense/bias", "self.width × 4", {"self.width": 16}, "self.wide ="),
        ("sequential/block/dense_1/kernel", "width", {"width": 16}, "self.narrow ="),
        ("sequential/lstm/lstm_cell/kernel", "4 × 7", {}, "layers.LSTM(7)"),
        ("sequential/dense_2/kernel", "24", {}, "layers.Dense("),
        ("reshape:2", "6", {}, "layers.Reshape((4, 6))"),
        ("flatten:1", "24", {}, "layers.Dense("),  # split by Reshape and joined again
        ("dense_3", "3", {}, "layers.Dense(3)"),
    ],
)
def test_the_expression_of_a_size(
    run: Run, name: str, text: str, values: dict[str, int], line: str
) -> None:
    explanation = explained(run, name)
    assert explanation.formula is not None
    assert (explanation.formula.text, explanation.formula.values) == (text, values)
    source = explanation.formula.source
    assert source.file.endswith("layer_arguments.py")
    assert line in SCRIPT.read_text(encoding="utf-8").splitlines()[source.line - 1]


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("sequential/block/dense/kernel:0", "sequential/embedding/embeddings axis 1"),
        ("sequential/dense_2/kernel:0", "sequential/lstm/lstm_cell/kernel axis 1"),
        ("lstm:0", "data:0 axis 0"),
    ],
)
def test_a_size_that_fits_the_input_comes_from_the_input(run: Run, name: str, origin: str) -> None:
    assert explained(run, name).origin == origin


def test_computed_sizes_name_all_their_parts(run: Run) -> None:
    units = explained(run, "lstm:1")
    assert units.computed is not None
    assert units.computed.text == "28 / 4"
    assert any("/while/body/" in step.place for step in units.chain)
    (term,) = units.computed.terms
    assert term.formula is not None
    assert term.formula.text == "4 × 7"


def test_a_size_inside_of_a_loop_is_explained_by_the_command(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    name = next(
        op.name
        for op in run.graph.whole.ops
        if "/while/body/" in op.name and op.type == "MatMul" and op.phase is Phase.FORWARD
    )
    assert main(["why", f"{name}:1", str(run.path)]) == 0
    assert "28 = 4 × 7" in capsys.readouterr().out
