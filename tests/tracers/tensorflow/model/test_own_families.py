"""Well-known models have the layers and parameters that Keras reports: docs/models.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from resnet_inspect import api
from resnet_inspect.config import Settings

SCRIPT = Path(__file__).parents[4] / "docs" / "models.py"


@pytest.fixture(scope="module")
def models() -> Any:
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("docs_models", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "layers"), [("u_net", 11), ("lstm", 3), ("transformer_block", 7)])
def test_layers_and_parameters_equal_those_of_keras(
    models: Any, tmp_path: Path, name: str, layers: int
) -> None:
    import keras

    keras.backend.clear_session()
    model = getattr(models, name)()
    keras.backend.clear_session()
    row = models.compared(name, model, tmp_path / "run.db")
    assert f"| {layers} of {layers} | {model.count_params():,}, " in row
    table = (SCRIPT.parent / "how_it_works" / "models.md").read_text("utf-8")
    assert row.rpartition(" | ")[0].rpartition(" | ")[0] in table  # all but the seconds


def test_a_model_by_its_name_as_a_setting(models: Any, tmp_path: Path) -> None:
    import keras

    keras.backend.clear_session()
    model = models.application("MobileNetV3Small", 32.0)
    keras.backend.clear_session()
    given = "name=MobileNetV3Small", "size=32.0"
    row = models.compared("application", model, tmp_path / "run.db", *given)
    assert row.startswith("| MobileNetV3Small | ")
    assert "| 180 of 180 | 1,540,218, 1,528,106 |" in row


def test_a_package_that_is_not_installed_is_named(models: Any, tmp_path: Path) -> None:
    shipped = models.Shipped("some-package", "no_such_module_at_all", "model", "x=1")
    with pytest.raises(SystemExit, match="some-package is not installed"):
        models.shipped(shipped, tmp_path / "run.db")


def test_a_family_of_keras_applications_by_its_module(tmp_path: Path) -> None:
    import keras

    settings = Settings.of(
        {
            "target": "keras.applications:MobileNetV2",
            "set": ["weights=None", "alpha=0.35", "classes=7"],
            "input": "1,224,224,3",
        }
    )
    keras.backend.clear_session()
    with api.open_run(api.record(settings, out=tmp_path / "run.db")) as run:
        table = api.shapes(run)
    keras.backend.clear_session()
    model = keras.applications.MobileNetV2(weights=None, alpha=0.35, classes=7)
    own = {layer.name: (1, *layer.output.shape[1:]) for layer in model.layers}
    assert table.totals.params == model.count_params()
    shapes = {row.name: row.shape for row in table.rows}
    assert len(shapes) > 140
    assert {name: own[name] for name in shapes} == shapes
