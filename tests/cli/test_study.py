"""`study` from the command line: list, errors and output."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from resnet_inspect import commands, studies
from resnet_inspect.analysis.studies import STUDIES, Answer, Grid, Statement, Verdict
from resnet_inspect.render.screen import Screen
from resnet_inspect.render.studies.charts import study_charts
from resnet_inspect.render.studies.document import study_report
from resnet_inspect.render.studies.page import study_page
from resnet_inspect.store.run import Run
from tests.cli.conftest import Command
from tests.recordings import FOLDER

Golden = Callable[[str, str], None]


def test_list(command: Command) -> None:
    done = command("study", "--list")
    assert done.returncode == 0
    lines = done.stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == [
        "shapes", "batch-norm", "stem", "sparsity", "l2", "optimizers", "update-ops", "padding",
        "reuse", "axes",
    ]  # fmt: skip
    rows = json.loads(command("study", "--list", "--json").stdout)["studies"]
    assert [row["number"] for row in rows] == [*range(1, 10), 0]
    assert rows[4]["variants"] == ["with L2", "without L2"]


def test_errors(command: Command) -> None:
    for words, what in (
        (["l3"], "there is no study 'l3'"),
        ([], "NAME is missing"),
        (["l2", "--seeds", "0"], "a study needs at least 1 seed"),
        (["l2", "--steps", "many"], "invalid value for setting 'steps'"),
        (["l2", "-o", "page.txt"], "the page cannot have this file type"),
        (["l2", "-o", "none/page.html"], "the page cannot be written"),
        (["l2", "-o", "page.html", "--json"], "--json writes no page"),
    ):
        done = command("study", *words)
        assert done.returncode == 2
        assert what in done.stderr


@pytest.mark.tensorflow
def test_options_of_a_training_are_reported_where_nothing_is_trained(command: Command) -> None:
    words = ("study", "padding", "--steps", "4", "--seeds", "1", "--batch-size", "2")
    done = command(*words, real_tensorflow=True)
    assert done.returncode == 0
    assert "note: padding trains nothing; ignored: --steps and --seeds" in done.stderr
    assert "ignored" not in command(*words[:2], *words[-2:]).stderr  # its runs exist now


def test_page(
    golden: Golden, recording: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    runs = {f"version {ver}": [studies.read(recording(f"v{ver}"))] for ver in (1, 2)}
    study = STUDIES["sparsity"]
    study_page(Screen(out, width=100), study.question, "two recordings", study.answer(runs))
    out.seek(0)
    golden("study/sparsity.txt", out.read())


class _Texts(HTMLParser):
    """What a reader of a page sees, and the tags it is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def seen_of(page: str) -> _Texts:
    seen = _Texts()
    seen.feed(page)
    return seen


def test_the_page_contains_all_of_an_answer(recording: Callable[[str], Run]) -> None:
    runs = {f"version {ver}": [studies.read(recording(f"v{ver}"))] for ver in (1, 2)}
    study = STUDIES["sparsity"]
    answer = study.answer(runs)
    page = study_report(study.question, "two recordings", answer, {"version 1": ["a.db"]}, "it")
    seen = seen_of(page)
    for statement in answer.statements:
        at = seen.texts.index(statement.claim)
        assert seen.texts[at - 1] == statement.verdict
        assert statement.measured in seen.texts[at:]
    for grid in answer.tables:
        assert grid.title in seen.texts
        for cell in (*grid.columns, *(str(cell) for row in grid.rows for cell in row)):
            assert cell in seen.texts
    for text in (
        study.question,
        "two recordings",
        *answer.limits,
        *map(commands.spelled, answer.see),
        "a.db",
        "it",
    ):
        assert text in seen.texts
    assert "script" not in seen.tags
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert "prefers-color-scheme: dark" in page


def test_a_page_draws_seeds_and_their_mean() -> None:
    page = study_charts("Loss", {"a <b>": [[3.0, 1.0], [5.0, float("nan")]], "short": [[1.0]]})
    seen = seen_of(page)
    assert [seen.tags.count(tag) for tag in ("figure", "svg", "b")] == [1, 1, 1]
    assert "a <b>" in seen.texts
    # From 42 + 2 to 270 - 2 across; 5, the highest, at 4, and 1, the lowest, at 100.
    paths = re.findall(r'class="(seed|line)" d="([^"]*)"', page)
    assert paths == [("seed", "M44.0 52.0L268.0 100.0"), ("seed", "M44.0 4.0"),
                     ("line", "M44.0 28.0")]  # fmt: skip
    assert study_charts("Loss", {}) == ""
    assert study_charts("Loss", {"a": [[float("nan")] * 2]}) == ""


def test_names_on_a_page_are_text() -> None:
    hostile = "</style></title><script>alert(1)</script>&amp;"
    shown = commands.Command("why", (hostile,))
    answer = Answer(
        (Statement(hostile, Verdict.SHOWN, hostile),),
        (Grid(hostile, (hostile,), ((hostile,), (1.5,))),), (hostile,), (shown,),
    )  # fmt: skip
    seen = seen_of(study_report(hostile, hostile, answer, {hostile: [hostile]}, hostile))
    assert "script" not in seen.tags
    assert seen.texts.count(hostile) == 11
    assert commands.spelled(shown) in seen.texts


@pytest.mark.tensorflow
def test_it_continues_where_it_was_stopped(tmp_path: Path) -> None:
    words = ["study", "l2", "--seeds", "1", "--batch-size", "4", "--steps", "200"]
    begun = subprocess.Popen(
        [sys.executable, "-m", "resnet_inspect", *words],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert begun.stderr is not None
    heard = []
    for line in begun.stderr:
        heard.append(line)
        if "run 2 of 2" in line and "step" in line:
            begun.send_signal(signal.SIGINT)
            break
    out, rest = begun.communicate(timeout=60)
    assert out == ""
    assert begun.returncode == 130
    assert "1 of 2 runs are complete and kept; repeat the command to continue" in rest
    again = subprocess.run(
        [sys.executable, "-m", "resnet_inspect", *words, "--json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert "1 of 2 runs exist; running 1" in again.stderr
    document = json.loads(again.stdout)
    assert document["answer"]["limits"][0].startswith(
        "Claims about training are not decided with 1 seed"
    )
    assert [len(files) for files in document["runs"].values()] == [1, 1]
