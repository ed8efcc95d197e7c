"""`report A B` as a process: output, notes and errors. TensorFlow cannot be imported."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import resnet_inspect
from resnet_inspect import reports
from resnet_inspect.render.report.drawing import drawing
from resnet_inspect.store.run import Run
from tests.cli.conftest import Command
from tests.cli.test_report import Parts, facts_of
from tests.recordings import FOLDER, RECORDINGS

pytestmark = pytest.mark.slow


def file(name: str) -> Path:
    return FOLDER / f"{name}.db"


def written(tmp_path: Path) -> str:
    return (tmp_path / "here" / "both.html").read_text(encoding="utf-8")


def test_the_page_contains_the_numbers_of_diff(command: Command, tmp_path: Path) -> None:
    done = command("report", file("v1"), file("v2"), "-o", "both.html")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("wrote both.html (")
    page = written(tmp_path)
    facts = facts_of(page)
    document = json.loads(command("diff", file("v1"), file("v2"), "--all", "--json").stdout)
    rows = document["distributions"]["rows"]
    assert [row["values"] for row in facts["courses"]] == [row["distances"] for row in rows]
    scalars = {row["name"]: row["curves"] for row in facts["scalars"]}
    for row in document["scalars"]["rows"]:
        assert [curve["values"] for curve in scalars[row["name"]]] == [row["a"], row["b"]]
    marks = [row[0]["text"] for row in facts["pairs"]["rows"]]
    assert marks.count("A only") == len(document["graph"]["only_a"])
    assert marks.count("≠ changed") + marks.count("→ rewired") == len(document["graph"]["changed"])


def test_it_is_one_file_that_asks_for_nothing(command: Command, tmp_path: Path) -> None:
    command("report", file("v1"), file("v2"), "-o", "both.html")
    page = written(tmp_path)
    parts = Parts()
    parts.feed(page)
    for tag, attributes in parts.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    script = page.rpartition("<script>")[2].replace('"http://www.w3.org/2000/svg"', "")
    forbidden = ("innerHTML", "insertAdjacent", "document.write", "eval(", "fetch(", "http")
    assert [word for word in forbidden if word in script] == []
    command("report", file("v1"), file("v2"), "-o", "again.html")
    assert (tmp_path / "here" / "again.html").read_text(encoding="utf-8") == page


@pytest.mark.parametrize("other", sorted(set(RECORDINGS) - {"v2"}))
def test_runs_of_every_kind_can_be_compared(
    command: Command, tmp_path: Path, other: str, recording: Callable[[str], Run]
) -> None:
    done = command("report", file("v2"), file(other), "-o", "both.html")
    assert done.returncode == 0
    common = {*recording("v2").recorded_steps()} & {*recording(other).recorded_steps()}
    said = "no step was recorded in both runs" in done.stderr
    assert said == (not common)
    assert facts_of(written(tmp_path))["recorded"] == sorted(common)


def test_the_same_from_python(command: Command, tmp_path: Path) -> None:
    for name in ("v2", "no_l2"):  # a page shows paths as its user types them
        shutil.copy(file(name), tmp_path / "here" / f"{name}.db")
    command("report", "v2.db", "no_l2.db", "-o", "both.html")
    folder = tmp_path / "here"
    with Run.open(folder / "v2.db") as a, Run.open(folder / "no_l2.db") as b:
        made = facts_of(resnet_inspect.report(a, b))
    assert made["series"] == facts_of(written(tmp_path))["series"]
    assert made["pairs"] == facts_of(written(tmp_path))["pairs"]


def test_without_graphviz_it_says_so_once(command: Command, bare: str, tmp_path: Path) -> None:
    done = command("report", file("v1"), file("v2"), "-o", "both.html", PATH=bare)
    assert done.returncode == 0
    notes = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert len(notes) == 1
    assert "the page has no diagram: Graphviz is not installed" in notes[0]
    closing = facts_of(written(tmp_path))["closing"]
    section = next(part for part in closing if part["name"] == "not-observed")
    assert section["blocks"][0]["rows"][0][0] == "diagram"


def test_a_diagram_that_only_one_run_lacks_is_reported(
    recording: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_of_a(*given: Any, prefix: str = "", **how: Any) -> Any:
        timeout = 20.0 if prefix else 1e-6
        return drawing(*given, prefix=prefix, timeout=timeout, **how)

    monkeypatch.setattr(reports, "drawing", slow_of_a)
    notes: list[str] = []
    facts = facts_of(resnet_inspect.report(recording("v1"), recording("v2"), note=notes.append))
    assert [note.partition(":")[0] for note in notes] == ["the page has no diagram of A"]
    section = next(part for part in facts["closing"] if part["name"] == "not-observed")
    assert section["blocks"][0]["rows"][0][0] == "diagram of A"


def test_a_picture_of_two_runs_is_rejected(command: Command, tmp_path: Path) -> None:
    done = command("report", file("v1"), file("v2"), "-o", "both.svg")
    assert done.returncode == 2
    assert "a picture shows one run, and two are given" in done.stderr
    assert "expected: a file name that ends in .html for two runs" in done.stderr
    assert not (tmp_path / "here" / "both.svg").exists()


def test_no_run_is_written_over_and_nothing_half(command: Command, tmp_path: Path) -> None:
    here = tmp_path / "here"
    mine = here / "mine.html"
    shutil.copy(file("v1"), mine)
    before = mine.read_bytes()
    done = command("report", mine, file("v2"), "-o", mine)
    assert done.returncode == 2
    assert "the report cannot be written over a run" in done.stderr
    assert mine.read_bytes() == before
    (here / "old.html").write_text("an older page")
    done = command("report", file("v1"), here / "missing.db", "-o", "old.html")
    assert done.returncode == 2
    assert (here / "old.html").read_text() == "an older page"
    assert sorted(path.name for path in here.iterdir()) == ["mine.html", "old.html"]


def test_damage_of_the_second_run_is_reported(command: Command, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(file("v2").read_bytes()[:40_000])
    done = command("report", file("v1"), damaged, "-o", "both.html")
    assert done.returncode == 5
    assert str(damaged) in done.stderr


def test_paths_of_both_runs_are_shortened_and_quoted(command: Command, tmp_path: Path) -> None:
    here = tmp_path / "here"
    shutil.copy(file("v1"), here / "a run.db")
    done = command("report", "a run.db", file("v2"), "-o", "both.html", HOME=str(FOLDER.parent))
    assert done.returncode == 0
    facts: dict[str, Any] = facts_of(written(tmp_path))
    text = json.dumps(facts["closing"])
    assert "report 'a run.db' -o a.html" in text
    assert str(FOLDER) not in json.dumps(facts["sections"]) + text
