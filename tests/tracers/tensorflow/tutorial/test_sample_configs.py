"""Every file in sample_configs is traced on a small network and does what its comment says."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from resnet_inspect import api
from resnet_inspect.config import Settings, resolve
from resnet_inspect.errors import BuildError
from resnet_inspect.graph import Phase
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run

FOLDER = Path(__file__).parents[4] / "sample_configs"
# Files for user models are tested in test_mistakes.py.
OWN = ("kernel_channels", "labels_batch", "transposed", "concatenated", "swapped", "flattened")
FILES = sorted(
    file.stem for file in FOLDER.glob("*.toml") if file.stem.removesuffix("_mistake") not in OWN
)


def small(name: str) -> Settings:
    """The settings of a sample file on a network that traces in a second."""
    values = resolve({}, {}, FOLDER / f"{name}.toml").values
    return Settings.of(values | {"n": 1, "batch_size": 8, "steps": 2})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The runs of all sample files, including failed runs."""
    folder = tmp_path_factory.mktemp("runs")
    by_name = {}
    for name in FILES:
        file = folder / f"{name}.db"
        with contextlib.suppress(BuildError):
            api.record(small(name), out=file)
        by_name[name] = api.open_run(file)
    return by_name


def test_the_settings_of_each_file() -> None:
    expected: dict[str, dict[str, Any]] = {
        "tutorial": {},
        "resnet20_v1": {"n": 3, "ver": 1},
        "resnet110_v2": {"n": 18},
        "mean_axes_mistake": {"mean_axes": (2, 3)},
        "bn_axis_mistake": {"bn_axis": 1},
        "filters_32_mistake": {"filters": 32},
        "no_l2": {"weight_decay": 0.0},
        "no_update_ops": {"update_ops": False},
        "sgd": {"optimizer": "sgd"},
        "adam": {"optimizer": "adam", "learning_rate": 0.001},
    }
    assert sorted(expected) == FILES
    for name, changes in expected.items():
        settings = resolve({}, {}, FOLDER / f"{name}.toml").settings
        assert settings == Settings.of(changes), name


@pytest.mark.parametrize("name", FILES)
def test_how_each_run_ends(runs: dict[str, Run], name: str) -> None:
    run = runs[name]
    fails = name in ("mean_axes_mistake", "filters_32_mistake")
    assert run.info.status == (Status.FAILED if fails else Status.COMPLETE)
    assert run.steps() == ([] if fails else [0, 1])
    assert run.graph.layers


def test_mean_over_wrong_axes_fails_at_the_loss(runs: dict[str, Run]) -> None:
    run = runs["mean_axes_mistake"]
    failure = run.info.failure
    assert failure is not None
    assert failure.kind == "ValueError"
    assert "labels.shape=(8,) and logits.shape=(1, 10)" in failure.message
    assert failure.source[0].file.endswith("recipe.py")
    shapes = {layer.name: run.graph.spec(layer.output).shape for layer in run.graph.layers}
    assert shapes["final_reduce_mean"] == (8, 8, 1, 1)
    assert shapes["Reshape"] == (1, 64)


def test_more_filters_fail_at_the_first_addition(runs: dict[str, Run]) -> None:
    run = runs["filters_32_mistake"]
    failure = run.info.failure
    assert failure is not None
    assert failure.op == "conv_block_stage0/add00"
    assert failure.message.startswith("Dimensions must be equal, but are 16 and 32")
    assert [frame.function for frame in failure.source] == ["block_v2", "inference"]
    assert "net.add(shortcut, x" in failure.source[0].text
    assert run.graph.layers[-1].name == "res00_branch2b"


def test_normalizing_the_height_gives_gamma_its_size(runs: dict[str, Run]) -> None:
    shapes = {v.name: v.spec.shape for v in runs["bn_axis_mistake"].graph.variables}
    assert shapes["bn00_branch2a/gamma"] == (32,)
    assert shapes["bn10_branch2b/gamma"] == (16,)
    assert shapes["bn20_branch2b/moving_mean"] == (8,)


def test_optimizers_use_their_own_ops(runs: dict[str, Run]) -> None:
    for name, kind in (
        ("tutorial", "ResourceApplyMomentum"),
        ("sgd", "ResourceApplyGradientDescent"),
        ("adam", "ResourceApplyAdam"),
    ):
        graph = runs[name].graph
        used = [op for op in graph.ops if op.phase == Phase.OPTIMIZER and "Apply" in op.type]
        assert {op.type for op in used} == {kind}
        assert len(used) == sum(v.trainable for v in graph.variables)
