"""The reading commands, as processes, without TensorFlow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resnet_inspect import paths
from resnet_inspect.cli.parser import COMMANDS
from tests.cli.conftest import Command
from tests.frameworks import PACKAGE
from tests.recordings import FOLDER, RECORDINGS, TRAINED
from tests.reference import expected_network as expected

Golden = Callable[[str, str], None]
V2 = FOLDER / "v2.db"


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A folder with two runs: of more than ten, `runs` says on stderr that it checks them."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in ("v1", "v2"):
        shutil.copy(FOLDER / f"{name}.db", folder)
    return folder


@pytest.mark.slow
def test_reading_commands_never_load_tensorflow(command: Command, few: Path) -> None:
    lines: list[tuple[str | Path, ...]] = [
        ("--help",),
        ("--version",),
        ("runs", few),
        ("runs", few, "--json"),
        ("config", "show"),
        ("config", "show", "--json"),
    ]
    lines += [("why", "Reshape:1", V2), ("why", "Reshape", V2, "--json")]
    lines += [("hist", V2), ("hist", "conv1", V2, "--json")]
    units = FOLDER / "units.db"
    lines += [("explain", units), ("explain", units, "--json"), ("check", units)]
    lines += [("check", V2), ("check", V2, "--json"), ("check", "--explain", "all")]
    lines += [("diff", V2, FOLDER / "v1.db"), ("diff", V2, V2, "--json", "--depth", "op")]
    lines += [("study", "--list"), ("study", "--list", "--json")]
    lines += [("graph", V2, "--json"), ("graph", V2, "--json", "--lineage", "Reshape:1")]
    for depth in ("stage", "block", "layer", "op"):
        lines += [("shapes", V2, "--depth", depth), ("shapes", V2, "--depth", depth, "--json")]
    for words in lines:
        done = command(*words, fresh=True)
        assert (done.returncode, done.stderr) == (0, ""), words
        assert done.stdout
    done = command("report", V2, "-o", "report.html", fresh=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("wrote report.html (0.")
    names = {str(words[0]) for words in lines} | {"report"}
    # In a terminal of its own: tests/tui/test_terminal.py
    assert names >= set(COMMANDS) - {"trace", "run", "fix", "browse"}


def test_trace_does_load_it_and_says_what_is_missing(command: Command) -> None:
    done = command("trace", "--n", "1", "--batch-size", "8", "-o", "run.db")
    assert done.returncode == 2
    assert done.stdout == ""
    message = done.stderr.partition("resnet-inspect: ")[2]
    assert message.startswith("TensorFlow cannot be imported\n")
    assert "got:      this TensorFlow is a fake that must not be imported\n" in message
    assert "do:       pip install 'resnet-inspect[cpu]'" in message


@pytest.mark.parametrize("ver", [1, 2])
def test_shapes_json_agrees_with_the_specification(command: Command, ver: int) -> None:
    done = command("shapes", FOLDER / f"v{ver}.db", "--depth", "op", "--json")
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    forward = [row for row in document["rows"] if row["phase"] == "forward"]
    types = Counter(row["type"] for row in forward)
    wanted = expected.op_counts(1, ver)
    assert {kind: types[kind] for kind in wanted} == wanted
    assert {row["phase"] for row in document["rows"]} == {
        "forward",
        "backward",
        "optimizer",
        "other",
    }
    totals = expected.totals(1, ver)
    assert document["totals"]["trainable_params"] == totals.trainable_params == 78_378
    assert document["totals"]["params"] == totals.params
    assert document["totals"]["macs"] == totals.macs
    layers = json.loads(command("shapes", FOLDER / f"v{ver}.db", "--json").stdout)["rows"]
    assert [(row["name"], tuple(row["shape"])) for row in layers] == [
        (layer.name, layer.output) for layer in expected.layers(1, ver, 8)
    ]
    fields = {"name", "type", "phase", "shape", "dtype", "trainable_params", "params", "macs"}
    assert all(fields <= set(row) for row in layers)


@pytest.mark.parametrize("depth", ["stage", "block", "layer"])
def test_shape_tables(command: Command, golden: Golden, depth: str) -> None:
    golden(f"shapes/{depth}.txt", command("shapes", V2, "--depth", depth).stdout)


@pytest.mark.parametrize(
    ("name", "axis"), [("fit", "flat:1"), ("loop", "hidden:1"), ("composite", "score:0")]
)
def test_pages_of_recorded_programs(command: Command, golden: Golden, name: str, axis: str) -> None:
    run = FOLDER / f"{name}.db"
    pages = {"shapes": ["shapes", run, "--axes"], "why": ["why", axis, "--run", run]}
    for page, words in pages.items():
        done = command(*words)
        assert (done.returncode, done.stderr) == (0, "")
        golden(f"{page}/{name}.txt", done.stdout)


def test_why_json_has_the_documented_fields(command: Command) -> None:
    row = json.loads(command("why", "Reshape:1", V2, "--json").stdout)
    wanted = {"tensor", "axis", "size", "formula", "origin", "chain", "proof", "couplings"}
    assert wanted <= set(row)
    assert (row["tensor"], row["axis"], row["size"]) == ("Reshape:0", 1, 64)
    assert row["formula"]["text"] == "filters × 2²"
    sizes = {part["setting"]: (part["size_before"], part["size_after"]) for part in row["proof"]}
    assert sizes["filters"] == (64, 68)
    every = json.loads(command("why", "Reshape", V2, "--json").stdout)
    assert [axis["size"] for axis in every["axes"]] == [8, 64]
    moves = json.loads(command("why", "--settings", V2, "--json").stdout)
    assert moves["settings"][0]["setting"] == "filters"


@pytest.mark.parametrize("words", [["Reshape:1"], ["Reshape:1", "--full"], ["--settings"]])
def test_why_pages(command: Command, golden: Golden, words: list[str]) -> None:
    name = "_".join(word.strip("-").replace(":", "_") for word in words)
    golden(f"why/{name}.txt", command("why", *words, V2).stdout)


def test_shapes_with_axes(command: Command, golden: Golden) -> None:
    golden("shapes/axes.txt", command("shapes", V2, "--axes").stdout)
    lines = command("shapes", FOLDER / "bn_axis.db", "--axes").stdout
    assert "bn00_branch2a: batch normalization is per height (axis 1), not per channel" in lines


def test_one_phase_only(command: Command) -> None:
    done = command("shapes", V2, "--depth", "op", "--phase", "backward", "--json")
    assert {row["phase"] for row in json.loads(done.stdout)["rows"]} == {"backward"}


def test_a_terminal_without_unicode_gets_ascii(command: Command) -> None:
    done = command("shapes", V2, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "8x32x32x3 > 8x32x32x16" in done.stdout


def test_the_newest_run_is_the_default(command: Command, tmp_path: Path) -> None:
    done = command("shapes")
    assert done.returncode == 2
    assert "there is no run yet" in done.stderr
    assert "no runs in runs/" in command("runs").stdout
    (tmp_path / "here" / "runs").mkdir()
    shutil.copy(V2, tmp_path / "here" / "runs" / "a.db")
    done = command("shapes")
    assert done.stdout == command("shapes", V2).stdout
    assert done.stderr == "reading runs/a.db (newest run)\n"
    assert "the folder does not exist" in command("runs", "elsewhere").stderr


def test_runs_lists_each_file_with_its_state(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "here" / "runs"
    folder.mkdir()
    for name in ("v1", "mean_axes"):
        shutil.copy(FOLDER / f"{name}.db", folder / f"{name}.db")
    (folder / "broken.db").write_text("no run at all, but long enough to look at" * 30)
    rows = {row["file"]: row for row in json.loads(command("runs", "--json").stdout)["runs"]}
    assert rows["runs/v1.db"]["status"] == "complete"
    assert rows["runs/v1.db"]["steps"] == 3
    assert rows["runs/mean_axes.db"]["status"] == "failed"
    assert "labels.shape" in rows["runs/mean_axes.db"]["reason"]
    assert rows["runs/broken.db"]["status"] == "unreadable"
    assert rows["runs/broken.db"]["findings"] is None
    assert set(rows["runs/v1.db"]["findings"].values()) == {0}
    findings = json.loads(command("check", "runs/mean_axes.db", "--json").stdout)["findings"]
    errors = sum(finding["severity"] == "error" for finding in findings)
    assert rows["runs/mean_axes.db"]["findings"]["error"] == errors > 0
    text = command("runs").stdout
    assert all(word in text for word in ("runs/v1.db", "failed", "unreadable", "damaged"))
    assert f"{errors} errors" in text
    assert "none" in text


def test_runs_lists_every_recording(command: Command) -> None:
    rows = json.loads(command("runs", FOLDER, "--json").stdout)["runs"]
    assert {Path(row["file"]).stem for row in rows} == set(RECORDINGS)
    by_name = {Path(row["file"]).stem: row for row in rows}
    described = {name: (by_name[name]["network"], by_name[name]["steps"]) for name in TRAINED}
    assert described == {
        "fit": ("fit: classifier", 6),
        "loop": ("loop: regressor", 4),
        "composite": ("composite: pair", 3),
    }
    for name in TRAINED:
        assert by_name[name]["status"] == "complete"
        assert set(by_name[name]["findings"].values()) == {0}


def test_config_show_says_where_each_value_comes_from(command: Command, tmp_path: Path) -> None:
    (tmp_path / "here" / "my.toml").write_text("n = 3\nver = 1\nsteps = 7\n")
    done = command(
        "config", "show", "--json", "--config", "my.toml", "--steps", "9", RESNET_INSPECT_VER="2"
    )
    document = json.loads(done.stdout)
    values = {n: (document["settings"][n], document["origins"][n]) for n in document["origins"]}
    assert values["n"] == (3, "my.toml")
    assert values["ver"] == (2, "RESNET_INSPECT_VER")
    assert values["steps"] == (9, "flag --steps")
    assert values["mean_axes"] == ([1, 2], "default")


READERS: list[list[str]] = [
    ["--version"],
    ["runs", "FEW"],
    ["shapes", str(V2), "--depth", "op"],
    ["shapes", str(V2), "--json"],
    ["config", "show"],
    ["diff", str(V2), str(FOLDER / "v1.db")],
]


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_closed_pipe_is_no_error(words: list[str], few: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = run_with(words, few, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_full_device_is_reported_in_one_line(words: list[str], few: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = run_with(words, few, stdout=full)
    assert done.returncode == 2
    assert done.stderr.startswith(b"resnet-inspect: the output cannot be written\n")
    assert b"Traceback" not in done.stderr


def test_closed_streams_are_no_error() -> None:
    line = f"{sys.executable} -m resnet_inspect shapes {V2} >&- 2>&-"
    assert subprocess.run(["bash", "-c", line], cwd=PACKAGE, check=False).returncode == 0


def run_with(words: list[str], few: Path, stdout: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a command with that stdout."""
    given = [str(few) if word == "FEW" else word for word in words]
    return subprocess.run(
        [sys.executable, "-m", "resnet_inspect", *given],
        cwd=PACKAGE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )


@pytest.mark.parametrize("words", [["--help"], ["trace", "--help"], ["shapes", str(V2)]])
def test_a_locale_without_unicode_is_no_error(command: Command, words: list[str]) -> None:
    done = command(*words, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()


def test_a_list_with_odd_files_in_it(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "here" / "runs"
    folder.mkdir()
    shutil.copy(V2, folder / "good.db")
    (folder / "dangling.db").symlink_to("nowhere")
    (folder / "folder.db").mkdir()
    shutil.copy(V2, os.fsdecode(os.fsencode(folder) + b"/bad\xff\x1b[31m.db"))
    assert command("shapes").returncode == 0
    document = json.loads(command("runs", "--json").stdout)
    states = {row["file"]: row["status"] for row in document["runs"]}
    assert states["runs/good.db"] == "complete"
    assert states["runs/dangling.db"] == states["runs/folder.db"] == "unreadable"
    assert "\x1b[31m.db" in command("runs").stdout.replace("\\x1b", "\x1b")
    assert "\x1b" not in command("runs").stdout


def test_a_deleted_current_folder_is_no_error(tmp_path: Path, few: Path) -> None:
    folder = tmp_path / "deleted"
    folder.mkdir()
    line = f"cd {folder}; rmdir {folder}; {sys.executable} -m resnet_inspect runs {few}"
    environment = os.environ | {"PYTHONPATH": str(PACKAGE)}
    done = subprocess.run(
        ["bash", "-c", line], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "v2.db" in done.stdout


def test_without_a_home_folder_paths_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert paths.short("/home/someone/x") == "/home/someone/x"
    monkeypatch.setattr(Path, "home", lambda: Path("/home/someone"))
    assert paths.short("/home/someone/x") == "~/x"
    assert paths.short("/home/someoneelse/x") == "/home/someoneelse/x"
    assert paths.short(f"{Path.cwd()}/x") == "x"
