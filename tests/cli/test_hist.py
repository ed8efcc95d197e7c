"""`hist` on committed recordings: text, JSON, CSV, SVG and errors."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from resnet_inspect.store.run import Run
from tests.cli.conftest import Command
from tests.recordings import FOLDER, outputs

V2 = str(FOLDER / "v2.db")
Golden = Callable[[str, str], None]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fit", ["--run", str(FOLDER / "fit.db"), "--pair", "bn"]),
        ("loop", ["--run", str(FOLDER / "loop.db"), "--pair", "gradient", "hidden"]),
        ("composite", ["--run", str(FOLDER / "composite.db"), "project*"]),
        ("overview", []),
        ("relu", ["relu20_branch2b"]),
        ("pair_bn", ["--pair", "bn", "bn20_branch2b"]),
        ("gradient", ["--pair", "gradient", "add10"]),
        ("weight", ["conv1/kernel"]),
        ("heat", ["--heat", "add10"]),
        ("step", ["--step", "1", "dense1"]),
    ],
)
def test_text(command: Command, golden: Golden, name: str, arguments: list[str]) -> None:
    done = command("hist", "--run", V2, *arguments, COLUMNS="100")
    assert done.returncode == 0, done.stderr
    golden(f"hist/{name}.txt", done.stdout)


def test_what_is_not_finite_is_shown(command: Command, golden: Golden) -> None:
    done = command("hist", "--run", str(FOLDER / "diverged.db"), "res20_branch2a", COLUMNS="100")
    assert done.returncode == 0
    golden("hist/diverged.txt", done.stdout)


def test_narrow_and_ascii(command: Command) -> None:
    done = command("hist", "--run", V2, "relu20_branch2b", COLUMNS="80", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.isascii()
    pictures = done.stdout.split("step  ")[0].splitlines()
    assert max(map(len, pictures)) <= 80


def test_json_agrees_with_the_run(command: Command) -> None:
    done = command(
        "hist", "--run", V2, "--json", "relu20_branch2b", "bn20_branch2b", "conv1/kernel"
    )
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert document["origin"] is None
    rows = document["rows"]
    assert [(row["layer"], row["kind"], row["step"]) for row in rows] == [
        (layer, kind, step)
        for layer, kind in (
            ("relu20_branch2b", "activation"),
            ("bn20_branch2b", "activation"),
            ("conv1", "weight"),
        )
        for step in range(3)
    ]
    with Run.open(V2) as run:
        kept = outputs(run, "relu20_branch2b")
        averages = run.normalizations("bn20_branch2b")[2]
        update = run.updates()[1]["conv1/kernel"]
    for row, (step, summary) in zip(rows[:3], kept.items(), strict=True):
        assert row["step"] == step
        for name in ("count", "min", "max", "mean", "std", "zeros"):
            assert row[name] == getattr(summary, name)
        assert sum(row["counts"]) == summary.count
        assert row["quantiles"][0][1] >= summary.min
        assert row["quantiles"][-1][1] <= summary.max
        assert len(row["channels"]["active_share"]) == 64
        assert row["channels"]["dead"] == []
    assert rows[5]["normalization"]["moving_mean"] == pytest.approx(averages.moving_mean.tolist())
    assert rows[7]["update"]["ratio"] == pytest.approx(update.change / update.norm)


def test_csv_is_a_line_for_each_tensor_and_step(command: Command) -> None:
    done = command("hist", "--run", V2, "--csv", "--kind", "activation,gradient")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    # 31 layers and the cross entropies at the last step, and gradients of the layers.
    assert len(rows) == 32 + 31
    assert {row["kind"] for row in rows} == {"activation", "gradient"}
    for row in rows:
        quantiles = [float(row[f"q{share:g}"]) for share in (0, 0.01, 0.25, 0.5, 0.75, 0.99, 1)]
        assert np.all(np.diff(quantiles) >= 0)
        assert float(row["min"]) <= float(row["mean"]) <= float(row["max"])


def test_svg(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "pair.svg"
    done = command("hist", "--run", V2, "--pair", "bn", "bn20_branch2b", "--svg", str(file))
    assert done.returncode == 0
    assert done.stdout == ""
    text = "".join(ET.parse(file).getroot().itertext())
    assert "res20_branch2a, before normalization" in text
    assert "bn20_branch2b, after normalization" in text
    failed = command("hist", "--run", V2, "dense1", "-o", str(tmp_path / "no" / "x.svg"))
    assert failed.returncode == 2
    assert "the picture cannot be written" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing_like_it"], "no recorded tensor is named 'nothing_like_it'"),
        (["--kind", "colour"], "unknown kind of tensor 'colour'"),
        (["--step", "9", "conv1"], "step 9 was not recorded"),
        (["--pair", "bn", "dense1"], "none of the selected layers normalizes"),
        (["--json", "--csv"], ""),
    ],
)
def test_errors(command: Command, arguments: list[str], message: str) -> None:
    done = command("hist", "--run", V2, *arguments)
    if message:
        assert done.returncode == 2
        assert message in done.stderr
        assert done.stdout == ""
