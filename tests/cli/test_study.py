"""`study` from the command line: what is listed, refused, printed."""

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
    told = json.loads(command("study", "--list", "--json").stdout)["studies"]
    assert [one["number"] for one in told] == [*range(1, 10), 0]
    assert told[4]["variants"] == ["with L2", "without L2"]


def test_refusals(command: Command) -> None:
    for words, what in (
        (["l3"], "there is no study 'l3'"),
        ([], "no study is named"),
        (["l2", "--seeds", "0"], "a study needs a seed"),
        (["l2", "--steps", "many"], "setting 'steps' has a value it cannot take"),
        (["l2", "-o", "page.txt"], "there is no such kind of page"),
        (["l2", "-o", "none/page.html"], "the page cannot be written"),
        (["l2", "-o", "page.html", "--json"], "either a page or JSON"),
    ):
        done = command("study", *words)
        assert done.returncode == 2
        assert what in done.stderr


@pytest.mark.tensorflow
def test_flags_about_training_are_told_where_nothing_is_trained(command: Command) -> None:
    words = ("study", "padding", "--steps", "4", "--seeds", "1", "--batch-size", "2")
    done = command(*words, real_tensorflow=True)
    assert done.returncode == 0
    said = "padding trains nothing and needs no seeds: --steps and --seeds unheeded"
    assert said in done.stderr
    assert "unheeded" not in command(*words[:2], *words[-2:]).stderr  # which is there by now


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


def test_the_page_holds_all_of_an_answer(recording: Callable[[str], Run]) -> None:
    runs = {f"version {ver}": [studies.read(recording(f"v{ver}"))] for ver in (1, 2)}
    study = STUDIES["sparsity"]
    answer = study.answer(runs)
    page = study_report(study.question, "two recordings", answer, {"version 1": ["a.db"]}, "it")
    seen = seen_of(page)
    for one in answer.statements:
        at = seen.texts.index(one.claim)
        assert seen.texts[at - 1] == one.verdict
        assert one.measured in seen.texts[at:]
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
    told = commands.Command("why", (hostile,))
    answer = Answer(
        (Statement(hostile, Verdict.SHOWN, hostile),),
        (Grid(hostile, (hostile,), ((hostile,), (1.5,))),), (hostile,), (told,),
    )  # fmt: skip
    seen = seen_of(study_report(hostile, hostile, answer, {hostile: [hostile]}, hostile))
    assert "script" not in seen.tags
    assert seen.texts.count(hostile) == 11
    assert commands.spelled(told) in seen.texts


@pytest.mark.tensorflow
def test_it_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
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
    assert "1 of 2 runs are complete and kept; the same command goes on from there" in rest
    again = subprocess.run(
        [sys.executable, "-m", "resnet_inspect", *words, "--json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert "1 of 2 runs are there; running 1" in again.stderr
    found = json.loads(again.stdout)
    assert found["answer"]["limits"][0].startswith(
        "Claims about training are not decided with 1 seed"
    )
    assert [len(files) for files in found["runs"].values()] == [1, 1]
