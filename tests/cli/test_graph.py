"""`graph` as a process: files, notes, errors, and a machine without Graphviz."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from resnet_inspect.cli.commands import graph
from resnet_inspect.store.run import Run
from tests.cli.conftest import Command
from tests.recordings import FOLDER

V2 = FOLDER / "v2.db"


@pytest.mark.parametrize(
    "words",
    [
        ["--level", "stage"],
        ["--level", "block", "--rankdir", "LR"],
        ["--scope", "res10", "--variables"],
        ["--path", "conv1", "add00"],
        ["--lineage", "Reshape:1"],
        ["--color-by", "zeros", "--histograms"],
        ["--color-by", "std", "--step", "0"],
        ["--color-by", "gradient"],
        ["--color-by", "update-ratio"],
        ["--color-by", "findings", "--histograms", "--step", "0"],
        ["--backward"],
        ["--level", "op"],
    ],
    ids=" ".join,
)
def test_pictures(command: Command, tmp_path: Path, words: list[str]) -> None:
    file = tmp_path / "a.svg"
    done = command("graph", V2, "-o", file, *words)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr.endswith(f"wrote {file}\n")
    ElementTree.fromstring(file.read_bytes())


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("a.PDF", b"%PDF")])
def test_other_files(command: Command, tmp_path: Path, name: str, start: bytes) -> None:
    file = tmp_path / name
    done = command("graph", V2, "-o", file, "--level", "block", "--histograms")
    assert done.returncode == 0
    assert file.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("words", "level"),
    [
        ([], "block"),
        (["--color-by", "zeros"], "block"),
        (["--histograms"], "layer"),
        (["--expand"], "layer"),
        (["--level", "layer"], "layer"),
        (["--scope", "conv1", "--histograms"], "op"),
    ],
    ids=" ".join,
)
def test_the_default_level_is_an_overview_unless_details_are_requested(
    recording: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch, words: list[str], level: str
) -> None:
    monkeypatch.setattr("resnet_inspect.analysis.diagram.drawing.READABLE", 10)
    parser = argparse.ArgumentParser()
    graph.configure(parser)
    made = graph._diagram(recording("v2"), parser.parse_args(words))
    assert made.level == level
    overview = [note for note in made.notes if "for an overview; use --level layer" in note]
    assert len(overview) == (level == "block")


@pytest.mark.parametrize("name", ["mean_axes", "filters"])
def test_a_failed_run_is_drawn(command: Command, tmp_path: Path, name: str) -> None:
    done = command("graph", FOLDER / f"{name}.db", "-o", tmp_path / "a.dot")
    assert done.returncode == 0
    assert "while building the network" in done.stderr
    assert 'class="refused refused"' in (tmp_path / "a.dot").read_text()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "`graph` needs an output file"),
        (["-o", "a.gif"], "the picture cannot have this file type"),
        (["-o", "a.gif"], "a file name that ends in .svg, .dot, .png or .pdf"),
        (["-o", "a.svg", "--limit", "0"], "--limit or --timeout is out of range"),
        (["-o", "a.svg", "--timeout", "nan"], "--limit or --timeout is out of range"),
        (["-o", "a.svg", "--timeout", "1e400"], "above 0 and up to 86400 seconds"),
        (["-o", "a.svg", "--json"], "--json draws no picture"),
        (["-o", "a.svg", "--step", "999"], "--step has no effect without recorded values"),
        (["-o", "a.svg", "--scope", ""], "--scope needs the name of a part of the network"),
        (["-o", "a.svg", "--lineage", ""], "there is no ''"),
        (["-o", "."], "got:      a folder"),
        (["-o", "a.svg", "--path", "nope", "add10"], "where:    --path"),
        (["-o", "a.svg", "--path", "gradients/dense1", "conv1"], "use --backward to show"),
        (
            ["-o", "a.svg", "--scope", "res20", "--path", "conv1", "add00"],
            "no part of 'res20' is on a path from 'conv1' to 'add00'",
        ),
        (["-o", "a.svg", "--scope", "nowhere"], "there is no stage, block, layer"),
        (["-o", "a.svg", "--path", "dense1", "conv1"], "swap the names"),
        (["-o", "a.svg", "--lineage", "nothing:1"], "there is no 'nothing'"),
        (["-o", "a.svg", "--color-by", "findings", "--step", "1"], "--step has no effect"),
        (["-o", "a.svg", "--color-by", "std", "--step", "9"], "step 9 was not recorded"),
        (["-o", "no/such/folder/a.dot"], "the picture cannot be written"),
    ],
    ids=" ".join,
)
def test_errors(command: Command, words: list[str], text: str) -> None:
    done = command("graph", V2, *words)
    assert done.returncode == 2
    assert text in done.stderr


def test_without_graphviz_the_text_is_written(command: Command, bare: str, tmp_path: Path) -> None:
    file = tmp_path / "a.svg"
    done = command("graph", V2, "-o", file, PATH=bare)
    assert done.returncode == 4
    assert "Graphviz is not installed" in done.stderr
    assert "apt install graphviz" in done.stderr
    assert not file.exists()
    assert file.with_suffix(".dot").read_text().startswith("digraph network {")


def slow(folder: Path) -> str:
    """A PATH on which `dot` hangs."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "dot"
    program.write_text("#!/bin/sh\nsleep 60\n")
    program.chmod(0o755)
    return os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])


@pytest.mark.slow
def test_after_an_engine_that_hangs_the_next_one_draws(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("pygraphviz")
    words = ["-o", tmp_path / "a.svg", "--level", "stage", "--timeout", "8"]
    done = command("graph", V2, *words, PATH=slow(tmp_path))
    assert done.returncode == 0, done.stderr
    note = "note: dot timed out after 8 seconds; pygraphviz drew the picture"
    assert note in done.stderr
    ElementTree.parse(tmp_path / "a.svg")


def test_engines_that_all_hang(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.dot").write_text("of the user")
    words = ["-o", tmp_path / "a.svg", "--timeout", "0.01"]
    done = command("graph", V2, *words, PATH=slow(tmp_path))
    assert done.returncode == 4
    assert "Graphviz timed out after 0.01 seconds" in done.stderr
    assert f"the diagram is in {tmp_path / 'a-2.dot'}" in done.stderr
    assert (tmp_path / "a.dot").read_text() == "of the user"
    assert (tmp_path / "a-2.dot").read_text().startswith("digraph network {")


@pytest.mark.parametrize("name", ["run.svg", "run.dot", "run.png"])
def test_a_run_file_is_not_replaced(command: Command, tmp_path: Path, name: str) -> None:
    run, link = tmp_path / name, tmp_path / f"link.{name}"
    shutil.copy(V2, run)
    link.symlink_to(run)
    for out in (run, link):
        done = command("graph", V2, "-o", out)
        assert done.returncode == 2
        assert "got:      a run file" in done.stderr
    assert run.read_bytes() == V2.read_bytes()


def test_names_of_files_are_shown_without_control_characters(
    command: Command, tmp_path: Path
) -> None:
    done = command("graph", V2, "-o", tmp_path / "a\x1b[2J.dot", "--level", "stage")
    assert done.returncode == 0
    assert done.stderr.endswith("a\\x1b[2J.dot\n")
    assert "\x1b" not in done.stderr


def test_ends_of_a_path_are_whatever_a_scope_may_be(command: Command, tmp_path: Path) -> None:
    done = command("graph", V2, "-o", tmp_path / "a.dot", "--path", "res00", "res10")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "a.dot").read_text()
    assert 'id="layer-add10"' in text
    assert 'id="layer-res00_branch2a"' in text
    assert 'id="layer-add20"' not in text


def test_a_picture_that_is_there_is_replaced_whole_or_stays(
    command: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    real, file = folder / "real.svg", folder / "a.svg"
    real.write_text("old")
    file.symlink_to(real)
    assert command("graph", V2, "-o", file, "--scope", "nowhere").returncode == 2
    assert real.read_text() == "old"
    assert command("graph", V2, "-o", file, "--level", "stage").returncode == 0
    assert file.is_symlink()
    assert real.read_text().endswith("</svg>\n")
    assert sorted(folder.iterdir()) == [file, real]
    (folder / "b.svg").mkdir()
    failed = command("graph", V2, "-o", folder / "b.svg", "--level", "stage")
    assert failed.returncode == 2
    assert "the picture cannot be written" in failed.stderr
    assert [path.name for path in sorted(folder.iterdir())] == ["a.svg", "b.svg", "real.svg"]


def test_a_full_disk_leaves_the_picture_that_is_there(tmp_path: Path) -> None:
    """A limit on the size of files acts as a full disk: only a part can be written."""
    file = tmp_path / "a.dot"
    file.write_text("old")
    words = f"{sys.executable} -m resnet_inspect graph {V2} -o {file}"
    line = f"trap '' XFSZ; ulimit -f 4; exec {words}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "File too large" in done.stderr
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("name", "words", "text"),
    [
        ("v2", ["--color-by", "findings"], "no box is coloured: findings: no findings"),
        ("diverged", ["--color-by", "std"], "no finite std was recorded at this step"),
        ("diverged", ["--color-by", "std"], "8 boxes had NaN or infinities at this step"),
        ("diverged", ["--histograms"], "8 boxes had NaN or infinities at this step"),
        ("v2", ["--histograms", "--level", "stage"], "only boxes of layers have them"),
        ("v2", ["--lineage", "loss"], "--lineage has no effect: loss is a scalar and has no axes"),
        ("own", ["--backward"], "no gradients are shown: the run has no backward pass"),
        ("own", ["--histograms", "--level", "op"], "only boxes of layers have them"),
    ],
)
def test_what_no_box_has_is_reported(
    command: Command, tmp_path: Path, name: str, words: list[str], text: str
) -> None:
    done = command("graph", FOLDER / f"{name}.db", "-o", tmp_path / "a.dot", *words)
    assert done.returncode == 0
    assert any(text in line for line in done.stderr.splitlines() if line.startswith("note: "))
    assert text in (tmp_path / "a.dot").read_text()


def test_json_contains_what_boxes_are_coloured_by(command: Command) -> None:
    words = ["--color-by", "zeros", "--histograms", "--step", "0"]
    document = json.loads(command("graph", V2, "--json", *words).stdout)
    assert (document["step"], document["measured"]["name"]) == (0, "zeros")
    relu = document["measured"]["boxes"]["layer-relu_final"]
    assert 0.2 < relu["value"] == relu["low"] == relu["high"] < 0.8
    assert len(document["distributions"]["layer-conv1"]["heights"]) == 24
    broken = json.loads(command("graph", FOLDER / "diverged.db", "--json", "--histograms").stdout)
    assert broken["not_finite"]["layer-bn20_branch1"] == "all NaN"


def test_json(command: Command) -> None:
    document = json.loads(command("graph", V2, "--json", "--level", "block").stdout)
    assert document["schema_version"] == 1
    assert [node["name"] for node in document["diagram"]["nodes"]] == [
        "images", "stem", "res00", "res10", "res20", "head",
    ]  # fmt: skip
    assert {edge["way"] for edge in document["diagram"]["edges"]} == {"data"}
