"""Reading commands on runs of a user's model: complete, without numbers, failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_inspect.cli.main import main

pytestmark = pytest.mark.tensorflow

MODEL = """
import tensorflow as tf

def splits(x):
    return tf.split(x, 3, axis=1)

def multiplies(x, y):
    return tf.matmul(x, y)
"""


KERAS = """
import keras

def build(units=4):
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(units, name="only")])
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a complete run, whose file has no suffix, and a failed one."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "small.py").write_text(MODEL)
    for name, given, file, code in (
        ("splits", "x=?,6", "complete", 0),
        ("multiplies", "x=8,4; y=5,2", "failed.db", 3),
    ):
        target = f"{folder}/small.py:{name}"
        words = ["trace", target, "--input", given, "--quiet", "-o", str(folder / file)]
        assert main(words) == code
    return folder


def test_shapes_of_a_model_without_layers_are_those_of_its_ops(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shapes", str(runs / "complete"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["depth"] == "op"
    assert {row["name"]: row["shape"] for row in document["rows"]}["split"] == [8, 2]
    assert main(["shapes", str(runs / "complete"), "--axes"]) == 0
    page = capsys.readouterr().out
    assert "batch × channel 6" in page
    assert "batch (8 here). Sizes and memory are those of the first recorded step." in page


def test_the_page_names_the_command_that_works(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = f"{runs}/small.py:splits"
    main(["trace", target, "--input", "x=8,6", "--quiet", "-o", str(runs / "again.db"), "--force"])
    assert "every op's shape, padding, parameters, MACs" in capsys.readouterr().out


def test_no_setting_was_varied(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "--settings", "--run", str(runs / "complete")]) == 0
    assert capsys.readouterr().out == "no setting was varied: the model has no integer setting\n"


def test_a_setting_that_is_rejected_ends_its_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fixed.py").write_text(
        KERAS.replace("    return", "    assert units == 4\n    return")
    )
    words = ["trace", f"{tmp_path}/fixed.py:build", "--quiet", "-o", str(tmp_path / "run.db")]
    assert main(words) == 0
    capsys.readouterr()
    assert main(["why", "--settings", "--run", str(tmp_path / "run.db")]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("units 4 → 5: changes no size\n")
    assert shown.endswith("  the model rejects its inputs (the trace ends there)\n")


def test_another_output_is_named_as_its_tensor_is(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["why", "split:2", "--run", str(runs / "complete"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tensor"] == "split:2"
    assert main(["why", "split:3", "--run", str(runs / "complete")]) == 2
    assert "NAME:OUTPUT:AXIS" in capsys.readouterr().err


def test_the_failed_op_has_no_output(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "MatMul:1", "--run", str(runs / "failed.db")]) == 2
    assert capsys.readouterr().err == (
        "resnet-inspect: 'MatMul' failed, so it has no output\n"
        "  where:    MatMul:1\n"
        "  expected: a layer, group, op or variable of the run, then :AXIS\n"
        "  got:      ValueError while tracing the model\n"
        "  do:       name an input of it: x, y\n"
    )


def test_a_keras_model_with_a_setting_from_trace_to_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "made.py").write_text(KERAS)
    run = str(tmp_path / "run.db")
    words = ["trace", f"{tmp_path}/made.py:build", "--set", "units=5", "--quiet", "-o", run]
    assert main(words) == 0
    page = capsys.readouterr().out
    assert "random numbers: keras_tensor" in page
    assert "35 trainable of 35 parameters" in page
    assert main(["shapes", run, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["type"], row["shape"]) for row in document["rows"]] == [
        ("only", "Dense", [8, 5])
    ]
    assert main(["why", "only:1", "--run", run, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["proof"]
    assert (row["setting"], row["size_before"], row["size_after"]) == ("units", 5, 6)
    assert main([*words[:3], "unit=5", *words[4:], "--force"]) == 2
    assert "'build' does not accept these arguments: (units=4)" in capsys.readouterr().err


def test_runs_are_listed_by_their_content(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(runs), "--json"]) == 0
    rows = {Path(row["file"]).name: row for row in json.loads(capsys.readouterr().out)["runs"]}
    assert {"complete", "failed.db"} <= set(rows)
    assert "small.py" not in rows
    assert rows["complete"]["data"] == "random numbers"
    assert (rows["complete"]["steps"], rows["complete"]["planned"]) == (1, 1)
