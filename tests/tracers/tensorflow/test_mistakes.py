"""What is said of each mistake, word by word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_inspect import api
from resnet_inspect.analysis.postmortem import Postmortem, postmortem
from resnet_inspect.config import resolve
from resnet_inspect.errors import BuildError
from resnet_inspect.render.postmortem_page import postmortem_lines
from resnet_inspect.store.info import Status

NAMES = (
    "kernel_channels",
    "labels_batch",
    "transposed",
    "concatenated",
    "swapped",
    "flattened",
)


FOLDER = Path(__file__).parents[3] / "sample_configs"


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Postmortem]:
    """The explanation in the run that the sample configuration of a mistake leaves."""
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
            found = postmortem(run.graph, run.lineage)
        assert found is not None
        return found

    return explain


@pytest.mark.parametrize("name", NAMES)
def test_the_explanation(
    examined: Callable[[str], Postmortem], name: str, golden: Callable[[str, str], None]
) -> None:
    lines = [f"{label:<10} {text}".rstrip() for label, text in postmortem_lines(examined(name))]
    golden(f"mistake_{name}.txt", "\n".join(lines) + "\n")


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


def test_what_would_help_was_tried(examined: Callable[[str], Postmortem]) -> None:
    assert "axis=3" in examined("concatenated").others
    assert "a and b swapped" in examined("swapped").others
    assert any("transposed" in hint for hint in examined("transposed").hints)
    flat = examined("flattened")
    assert dict(flat.tensors)["Reshape:0"] == "batch 8 × height·width·channel 4800"
