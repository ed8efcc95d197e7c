"""`diff` on committed recordings: text, JSON, runs of every state, what is cut and said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import resnet_inspect
from resnet_inspect.store.info import Status
from tests.cli.conftest import Command
from tests.recordings import FOLDER, RECORDINGS
from tests.tui.writing import Replay, hostile_graph, write_graph

Golden = Callable[[str, str], None]


def file(name: str) -> str:
    return str(FOLDER / f"{name}.db")


def document(command: Command, *words: str) -> dict[str, Any]:
    done = command("diff", *words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    fields: dict[str, Any] = json.loads(done.stdout)
    assert fields["schema_version"] == 1
    return fields


def without_paths(text: str) -> str:
    """The page without the lines that show the paths of the recordings."""
    return "".join(line for line in text.splitlines(True) if not line.startswith(("A  ", "B  ")))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("versions", ["v1", "v2"]),
        ("bn_axis", ["v2", "bn_axis"]),
        ("mean_axes", ["v2", "mean_axes"]),
        ("no_l2", ["v2", "no_l2"]),
        ("no_l2_ops", ["v2", "no_l2", "--depth", "op"]),
        ("diverged", ["v2", "diverged"]),
        ("programs", ["fit", "composite"]),
    ],
)
def test_text(command: Command, golden: Golden, name: str, words: list[str]) -> None:
    done = command("diff", file(words[0]), file(words[1]), *words[2:], COLUMNS="100")
    assert (done.returncode, done.stderr) == (0, "")
    golden(f"diff/{name}.txt", without_paths(done.stdout))


def test_json_of_a_run_that_failed(command: Command, golden: Golden) -> None:
    fields = document(command, file("v2"), file("mean_axes"))
    assert (fields.pop("a"), fields.pop("b")) == (file("v2"), file("mean_axes"))
    text = json.dumps(fields, indent=1, ensure_ascii=False) + "\n"
    golden("diff/mean_axes.json", text.replace(f"{FOLDER}/", ""))


def test_json_of_version_1_against_2(command: Command) -> None:
    fields = document(command, file("v1"), file("v2"))
    assert fields["settings"] == [{"name": "ver", "a": 1, "b": 2}]
    assert [row["name"] for row in fields["graph"]["only_a"]] == [
        "bn_conv1", "relu_conv1", "relu00", "relu10", "relu20",
    ]  # fmt: skip
    assert fields["graph"]["only_a"][0]["params"] == 64
    seen = fields["distributions"]
    assert seen["steps"] == [0, 1, 2]
    kinds = {row["kind"] for row in seen["rows"]}
    assert kinds == {"activation", "gradient", "weight"}
    apart = [row["distance"] for row in seen["rows"]]
    assert apart == sorted(apart, reverse=True)
    assert {row["name"] for row in fields["scalars"]["rows"]} >= {"loss", "cross_entropy"}
    loss = next(row for row in fields["scalars"]["rows"] if row["name"] == "loss")
    gaps = [b - a for a, b in zip(loss["a"], loss["b"], strict=True)]
    assert loss["largest"] == max(gaps, key=abs)
    assert fields["findings"] == {"only_a": [], "only_b": []}


@pytest.mark.parametrize("name", sorted(RECORDINGS))
@pytest.mark.parametrize("depth", ["layer", "op"])
def test_a_run_does_not_differ_from_its_copy(
    name: str, depth: str, tmp_path: Path, command: Command
) -> None:
    copy = str(shutil.copy(file(name), tmp_path / "copy.db"))
    with resnet_inspect.open_run(file(name)) as a, resnet_inspect.open_run(copy) as b:
        differences = resnet_inspect.diff(a, b, depth)
    assert differences.empty
    assert differences.graph.aligned > 0
    if (name, depth) != ("v2", "layer"):
        return
    text = command("diff", file(name), copy)
    assert text.returncode == 0
    assert without_paths(text.stdout) == "\nno difference\n"
    answer = document(command, file(name), copy)
    assert answer["empty"] is True
    lists = [
        answer["facts"], answer["settings"], answer["averages"], answer["distributions"]["rows"],
        *(answer["graph"][key] for key in ("only_a", "only_b", "renamed", "changed", "totals")),
        *(answer["scalars"][key] for key in ("rows", "only_a", "only_b")),
    ]  # fmt: skip
    assert lists == [[]] * len(lists)


@pytest.mark.parametrize(
    "names", [("v1", "v2"), ("v2", "diverged"), ("own_model", "v2"), ("fit", "composite")]
)
@pytest.mark.parametrize("depth", ["layer", "op"])
def test_both_directions_agree(names: tuple[str, str], depth: str) -> None:
    first, second = (FOLDER / f"{name}.db" for name in names)
    with resnet_inspect.open_run(first) as a, resnet_inspect.open_run(second) as b:
        assert resnet_inspect.diff(a, b, depth).mirrored() == resnet_inspect.diff(b, a, depth)


def test_runs_that_have_nothing_yet(command: Command, tmp_path: Path) -> None:
    empty = str(write_graph(tmp_path / "empty.db", None, Status.INTERRUPTED))
    fields = document(command, file("v2"), empty)
    assert len(fields["graph"]["only_a"]) == 31
    facts = {row["name"]: (row["a"], row["b"]) for row in fields["facts"]}
    assert facts["status"] == ("complete", "interrupted")
    assert facts["steps done"] == (3, 0)
    assert document(command, empty, empty)["empty"] is True
    assert "31 only in A" in command("diff", file("v2"), empty).stdout
    odd = str(write_graph(tmp_path / "odd.db", hostile_graph(), Status.COMPLETE))
    page = command("diff", file("v2"), odd)
    assert page.returncode == 0
    assert "\x1b" not in page.stdout


def test_a_run_that_was_stopped_is_compared_as_far_as_it_came(
    command: Command, tmp_path: Path
) -> None:
    replay = Replay(tmp_path / "stopped.db")
    replay.step(0)
    replay.step(1)
    replay.writer.finish(Status.INTERRUPTED, reason="stopped by the user")
    fields = document(command, file("v2"), str(replay.path))
    assert fields["graph"]["changed"] == []
    assert fields["distributions"]["steps"] == [0, 1]
    assert fields["distributions"]["compared"] > 90
    assert fields["distributions"]["rows"] == fields["scalars"]["rows"] == []
    assert {row["name"] for row in fields["facts"]} == {
        "status", "reason", "steps done", "recorded steps",
    }  # fmt: skip


def test_cut_tables_say_so_and_all_of_them_can_be_had(command: Command) -> None:
    short = command("diff", file("v1"), file("v2")).stdout
    assert "… and " in short
    assert " more rows; --all" in short
    whole = command("diff", file("v1"), file("v2"), "--all").stdout
    assert "more rows; --all" not in whole
    rows = document(command, file("v1"), file("v2"))["distributions"]["rows"]
    for row in rows:
        assert row["layer_a"] in whole
    assert len(whole.splitlines()) > len(rows)
    assert len(short.splitlines()) < 120


def test_many_steps_are_compared_at_some_and_named(command: Command, tmp_path: Path) -> None:
    files = []
    for name, ahead in (("a", 0), ("b", 1)):  # both repeat the three steps of a recording
        replay = Replay(tmp_path / f"{name}.db", steps=20)
        for step in range(ahead, 20):
            replay.step(step)
        replay.step(20 + ahead)
        replay.writer.finish(Status.COMPLETE)
        files.append(str(replay.path))
    fields = document(command, *files)["distributions"]
    assert (fields["common"], fields["steps"]) == (19, [1, 2, 9, 10, 18, 19])
    text = " ".join(command("diff", *files).stdout.split())
    assert "(steps 1, 2, 9, 10, 18, 19 of 19 in common; --all compares all)" in text
    same = command("diff", files[0], files[0]).stdout
    assert "no difference\ndistributions compared at steps 0, 1, 10, 11, 19, 20 of 21" in same
    every = document(command, *files, "--all")["distributions"]
    assert every["steps"] == list(range(1, 20))


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_every_encoding(command: Command, encoding: str) -> None:
    done = command("diff", file("v1"), file("v2"), PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert done.returncode == 0
    assert done.stdout.isascii() == (encoding == "ascii")


def test_what_is_no_run_is_rejected(command: Command, tmp_path: Path) -> None:
    done = command("diff", file("v2"), "nowhere.db")
    assert done.returncode == 2
    assert "the run file does not exist" in done.stderr
    assert "nowhere.db" in done.stderr
    (tmp_path / "broken.db").write_bytes((FOLDER / "v2.db").read_bytes()[:100_000])
    assert command("diff", file("v2"), tmp_path / "broken.db").returncode == 5
    with resnet_inspect.open_run(file("v2")) as run, pytest.raises(ValueError, match="'stage'"):
        resnet_inspect.diff(run, run, "stage")
