"""`study` from the command line: what is listed, refused, printed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from resnet_inspect import studies
from resnet_inspect.analysis.studies import STUDIES
from resnet_inspect.render.screen import Screen
from resnet_inspect.render.study_page import study_page
from resnet_inspect.store.run import Run
from tests.cli.conftest import Command

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
    ):
        done = command("study", *words)
        assert done.returncode == 2
        assert what in done.stderr


def test_page(golden: Golden, recording: Callable[[str], Run]) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    runs = {f"version {ver}": [studies.read(recording(f"v{ver}"))] for ver in (1, 2)}
    study = STUDIES["sparsity"]
    study_page(Screen(out, width=100), study.question, "two recordings", study.answer(runs))
    out.seek(0)
    golden("study_sparsity.txt", out.read())
