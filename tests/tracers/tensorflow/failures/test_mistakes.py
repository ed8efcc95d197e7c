"""The explanations of the sample mistakes and of small rejected calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_inspect import api
from resnet_inspect.analysis.sizes.disagreement import Postmortem, postmortem
from resnet_inspect.config import Settings, resolve
from resnet_inspect.errors import BuildError
from resnet_inspect.render.pages.postmortem_page import postmortem_lines
from resnet_inspect.store.info import Status

NAMES = (
    "kernel_channels",
    "labels_batch",
    "transposed",
    "concatenated",
    "swapped",
    "flattened",
)


FOLDER = Path(__file__).parents[4] / "sample_configs"


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Postmortem]:
    """Return a function that explains the failed run of a sample configuration."""
    folder = tmp_path_factory.mktemp("runs")

    def explain(name: str) -> Postmortem:
        file = folder / f"{name}.db"
        settings = resolve({}, {}, FOLDER / f"{name}_mistake.toml").settings
        if not file.exists():
            with pytest.raises(BuildError) as caught:
                api.record(settings, out=file)
            assert caught.value.exit_code == 3
            assert "sample_configs/mistakes.py:" in caught.value.where
        with api.open_run(file) as run:
            assert run.info.status == Status.FAILED
            explanation = postmortem(run.graph, run.lineage)
        assert explanation is not None
        return explanation

    return explain


@pytest.mark.parametrize("name", NAMES)
def test_the_explanation(
    examined: Callable[[str], Postmortem], name: str, golden: Callable[[str, str], None]
) -> None:
    lines = [f"{label:<10} {text}".rstrip() for label, text in postmortem_lines(examined(name))]
    golden(f"mistake/{name}.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("kernel_channels", {3, 4}),
        ("labels_batch", {64, 128}),
        ("transposed", {32, 3}),
        ("swapped", {10, 8}),
        ("flattened", {4800, 3072}),
    ],
)
def test_the_two_sizes_that_disagree(
    examined: Callable[[str], Postmortem], name: str, sizes: set[int]
) -> None:
    assert {side.size for side in examined(name).sides} == sizes


def test_changes_that_help_are_listed(examined: Callable[[str], Postmortem]) -> None:
    assert "axis=3" in examined("concatenated").others
    assert "a and b swapped" in examined("swapped").others
    assert any("transposed" in hint for hint in examined("transposed").hints)
    flat = examined("flattened")
    assert dict(flat.tensors)["Reshape:0"] == "batch 8 × height·width·channel 4800"


SMALL = """
import tensorflow as tf

def adds(x, y):
    return x + y

def multiplies(x, y):
    return x @ y

def indexes(x):
    return x[:, :3, 7]

def branches(x):
    wrong = lambda: tf.matmul(x, tf.ones([3, 4]))
    return tf.cond(tf.reduce_sum(x) > 0, wrong, lambda: x * 2)

def tiles(x):
    return tf.tile(x, [1, 2, 3])

def fives(x):
    return tf.reshape(x, [-1, 5])

def flattens(x):
    return tf.reshape(x, [-1, 11])

def convolves(x):
    return tf.nn.conv2d(x, tf.ones([3, 3, 32, 4]), 1, "SAME")

@tf.function
def inner(x, y):
    return tf.matmul(x, y)

def nests(x, y):
    return inner(x, y)
"""


def explained(folder: Path, name: str, given: str) -> Postmortem | None:
    (folder / "small.py").write_text(SMALL)
    settings = Settings.of({"target": f"{folder}/small.py:{name}", "input": given})
    with pytest.raises(BuildError):
        api.record(settings, out=folder / "run.db")
    with api.open_run(folder / "run.db") as run:
        return postmortem(run.graph, run.lineage)


@pytest.mark.parametrize(
    ("name", "given", "called"),
    [
        ("adds", "x=8,4; y=8,5", "+"),
        ("multiplies", "x=8,4; y=8,5", "@"),
        ("indexes", "x=8,4,5", "indexing"),
        ("tiles", "x=3,4", "Tile"),
        ("nests", "x=8,4; y=8,5", "inner"),
    ],
)
def test_a_call_has_the_name_in_the_source(
    tmp_path: Path, name: str, given: str, called: str
) -> None:
    explanation = explained(tmp_path, name, given)
    assert explanation is not None
    assert explanation.function == called


@pytest.mark.parametrize(("name", "given"), [("adds", "x=8,4; y=8,4:int32"), ("branches", "x=8,4")])
def test_a_failure_that_no_shape_would_fix_has_no_explanation(
    tmp_path: Path, name: str, given: str
) -> None:
    assert explained(tmp_path, name, given) is None


@pytest.mark.parametrize(("sizes", "tried"), [("8,4", ()), ("8,4,6", ("shape=[-1, 24]",))])
def test_a_reshape_to_its_own_shape_is_no_remedy(
    tmp_path: Path, sizes: str, tried: tuple[str, ...]
) -> None:
    explanation = explained(tmp_path, "fives", f"x={sizes}")
    assert explanation is not None
    assert explanation.others == tried


def test_a_reshape_is_explained_by_the_elements_of_an_example(tmp_path: Path) -> None:
    explanation = explained(tmp_path, "flattens", "images=8,4,6:float32:batch,height,width")
    assert explanation is not None
    lines = [(label, text) for label, text in postmortem_lines(explanation) if label]
    assert lines == [
        ("call", "reshape rejected these shapes"),
        ("disagree", "4 × 6 = 24 elements per example against Reshape/shape element 1 (11)"),
        ("the 11", "a literal, via Reshape/shape element 1"),
        ("tried", "the call passes with shape=[-1, 24]"),
    ]


@pytest.mark.parametrize(
    ("sizes", "hints"),
    [("8,32,16,3", 1), ("8,32,32,3", 0), ("32,8,8,3", 0)],
)
def test_a_transposition_is_suggested_only_if_it_would_pass(
    tmp_path: Path, sizes: str, hints: int
) -> None:
    explanation = explained(tmp_path, "convolves", f"x={sizes}")
    assert explanation is not None
    assert len(explanation.hints) == hints


def test_a_size_that_is_equal_by_chance_gives_no_hint(tmp_path: Path) -> None:
    explanation = explained(tmp_path, "adds", "x=8,6,6; y=8,6,8")
    assert explanation is not None
    assert explanation.remedies
    assert explanation.hints == ()
