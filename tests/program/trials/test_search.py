"""The search for repairs of programs without TensorFlow, with suggested replacements."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_inspect.analysis.explain.explanation import Explanation, Repair
from resnet_inspect.analysis.explain.proof import Attempt, Evidence, FixReport, Outcome, Verdict
from resnet_inspect.graph.crash import Crash
from resnet_inspect.program.trials import space as spaces
from resnet_inspect.program.trials.helper import Limits
from resnet_inspect.program.trials.request import Invocation
from resnet_inspect.program.trials.runner import Runner
from resnet_inspect.program.trials.search import Options, Search
from tests.program.trials.replacing import explaining, explanation, replacement

pytestmark = pytest.mark.slow
Explain = Callable[[Crash], Explanation]
LIMITS = Limits(30, 8 * 10**9)
BUILD = """\
size = 4
def build(n):
    if n != 3:
        raise ValueError(f"shapes (3,) and ({n},)")
    return n
"""
FAILS = BUILD + "build(size)\nprint('done')\n"
TWICE = BUILD + "build(size)\nother = 5\nbuild(other)\n"


def search(
    source: str,
    explain: Explain,
    *,
    limits: Limits = LIMITS,
    every: bool = False,
    said: list[str] | None = None,
) -> FixReport:
    """Search repairs of train.py in the working folder."""
    here = Path.cwd()
    Path("train.py").write_text(source)
    program = Invocation("train.py")
    say = [] if said is None else said
    with Runner(program, here) as runner:
        report = Search(runner, Options(3, limits, every), explain, say.append).report(
            program, here
        )
    assert Path("train.py").read_text() == source
    assert not Path(runner.spaces.base).exists()
    return report


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def outcomes(attempts: tuple[Attempt, ...]) -> dict[str, tuple[Outcome, str]]:
    return {attempt.title: (attempt.outcome, attempt.reason) for attempt in attempts}


def test_repairs_that_pass_are_offered_in_their_order() -> None:
    said: list[str] = []
    explain = explaining(("4", "5"), ("size)\n", "3)\n"), ("4", "3"), ("4", "3)"), ("4", "4"))
    report = search(FAILS, explain, said=said)
    assert (report.verdict, report.program) == (Verdict.REPAIRED, "train.py")
    assert [attempt.title for attempt in report.offered] == ["size)\n → 3)\n", "4 → 3"]
    assert outcomes(report.others) == {
        "4 → 5": (Outcome.FAILED, "line 4 raises ValueError: shapes (3,) and (5,)"),
        "4 → 3)": (
            Outcome.UNUSABLE,
            "the result is not valid Python: unmatched ')' (<unknown>, line 1)",
        ),
    }
    best = report.offered[0]
    assert best.evidence == Evidence(passed="line 6", ended=True)
    [change] = best.changes
    assert (change.name, change.path) == ("train.py", str(Path("train.py").resolve()))
    assert change.before.decode() == FAILS
    assert change.after.decode() == FAILS.replace("size)\n", "3)\n")
    assert best.output == ("done",)
    assert said[0] == "running train.py ..."
    assert "4 → 3: passes" in said
    assert "4 → 5: line 4 raises ValueError: shapes (3,) and (5,)" in said


def test_the_search_ends_when_enough_repairs_passed() -> None:
    pairs = [("4", f"3 + {zero}") for zero in ("0", "00", "0 * 1", "0 * 2", "0 * 3", "0 * 4")]
    some, every = (search(FAILS, explaining(*pairs), every=flag) for flag in (False, True))
    assert 3 <= len(some.offered) <= 4  # two run at once
    assert len(every.offered) == 6


def test_a_program_without_failure() -> None:
    report = search("print('done')\n", explaining())
    assert (report.verdict, report.steps, report.note) == (Verdict.NOTHING, 0, "")


def test_a_program_that_runs_longer_than_the_limit() -> None:
    report = search("import time; time.sleep(99)", explaining(), limits=Limits(1, LIMITS.memory))
    assert (report.verdict, report.note) == (Verdict.NOTHING, "stopped after 1 s")


@pytest.mark.parametrize(
    ("source", "note"),
    [
        ("import sys; sys.exit('no data')", "exited with code 1, last output: no data"),
        ("import os; os.abort()", "ended by SIGABRT"),
        ("a = b'x' * 10**9; import time; time.sleep(9)", "stopped above 0.4 GB of memory"),
    ],
)
def test_a_program_that_ends_without_an_exception(source: str, note: str) -> None:
    report = search(source, explaining(), limits=Limits(30, 400_000_000))
    assert (report.verdict, report.note) == (Verdict.OTHER, note)


def test_other_exceptions_and_shape_errors_without_a_repair() -> None:
    other = search("open('none.txt')", explaining(("not in it", "other")))
    assert other.verdict is Verdict.OTHER
    assert other.explanation is not None
    assert other.explanation.cause == "[Errno 2] No such file or directory: 'none.txt'"
    assert search(FAILS, explaining()).verdict is Verdict.UNREPAIRED


def test_no_repair_passes() -> None:
    report = search(FAILS, explaining(("4", "5"), ("4", "6")))
    assert report.verdict is Verdict.UNREPAIRED
    assert [attempt.outcome for attempt in report.others] == [Outcome.FAILED] * 2


def test_two_mistakes_need_two_repairs() -> None:
    report = search(TWICE, explaining(("4", "3"), ("5", "3")))
    [offered] = report.offered
    assert offered.title == "4 → 3, then 5 → 3"
    assert offered.changes[0].before.decode() == TWICE
    assert offered.changes[0].after.decode() == TWICE.replace("4", "3").replace("5", "3")
    assert outcomes(report.others) == {
        "4 → 3": (
            Outcome.FURTHER,
            "line 6 passes, then line 4 raises ValueError: shapes (3,) and (5,)",
        ),
        "5 → 3": (Outcome.FAILED, "line 4 raises ValueError: shapes (3,) and (4,)"),
    }


def test_a_later_error_of_the_machine_is_a_note() -> None:
    source = FAILS + "open('none.txt')\n"
    [offered] = search(source, explaining(("4", "3"))).offered
    assert offered.evidence.note == (
        "line 8 raises FileNotFoundError: [Errno 2] No such file or directory: 'none.txt', "
        "which is not a shape error"
    )
    assert not offered.evidence.ended


def test_a_repair_that_runs_longer_than_the_limit_passes_only_past_the_failed_line() -> None:
    before, after = (
        BUILD + "import time\ntime.sleep(99 if size == 3 else 0)\nbuild(size)\n",
        BUILD + "import time\nbuild(size)\ntime.sleep(99)\n",
    )
    limits = Limits(2, LIMITS.memory)
    [late] = search(before, explaining(("4", "3")), limits=limits).others
    assert (late.outcome, late.reason[:14]) == (Outcome.STOPPED, "stopped after ")
    [passed] = search(after, explaining(("4", "3")), limits=limits).offered
    assert passed.evidence.note.startswith("stopped after ")
    assert passed.evidence.passed == "line 7"


def test_inserted_lines_move_the_failed_line() -> None:
    source = BUILD + "import time\nif True:\n    build(size)\ntime.sleep(99)\n"
    pair = ("    build(size)", "    size = 1\n    size = 3\n    build(size)")
    [passed] = search(source, explaining(pair), limits=Limits(2, LIMITS.memory)).offered
    assert passed.evidence.note.startswith("stopped after ")


@pytest.mark.parametrize("overlay", [True, False])
def test_a_module_of_the_program_is_repaired(
    here: Path, monkeypatch: pytest.MonkeyPatch, overlay: bool
) -> None:
    """In a process that the program starts, too, which reads the patched file."""
    if not overlay:
        monkeypatch.setattr(spaces, "can_layer", lambda *_: False)
    (here / "models").mkdir()
    module = here / "models" / "net.py"
    module.write_text(BUILD.replace("\n", "\r\n"), newline="")
    before = module.read_bytes()
    source = (
        "import subprocess, sys\n"
        "from models import net\n"
        "net.build(net.size)\n"
        "code = 'from models import net; net.build(net.size); print(net.__file__)'\n"
        "subprocess.run([sys.executable, '-c', code], check=True)\n"
    )
    [offered] = search(source, explaining(("4", "3"))).offered
    [change] = offered.changes
    assert (change.name, change.path) == ("models/net.py", str(module))
    assert change.after == before.replace(b"4", b"3", 1)
    assert module.read_bytes() == before
    assert offered.output[0].endswith("models/net.py")


def test_a_module_outside_of_the_working_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path_factory.mktemp("library")
    (place / "outside.py").write_text(BUILD)
    monkeypatch.setenv("PYTHONPATH", str(place), prepend=":")
    [offered] = search(
        "import outside\noutside.build(outside.size)\n", explaining(("4", "3"))
    ).offered
    assert offered.changes[0].path == str(place / "outside.py")
    assert (place / "outside.py").read_text() == BUILD


def test_repairs_that_lose_the_batch_are_offered_only_without_others() -> None:
    def explain(crash: Crash) -> Explanation:
        repairs: list[Repair] = [
            replacement(crash, "4", "3 + 0", 0, batch=False),
            replacement(crash, "4", "3", 1),
        ]
        return explanation(crash, repairs)

    report = search(FAILS, explain)
    assert [attempt.title for attempt in report.offered] == ["4 → 3"]
    [lost] = report.others
    assert (lost.outcome, lost.keeps_batch) == (Outcome.PASSED, False)


def test_cells_of_a_notebook_are_not_changed(here: Path) -> None:
    cell = {"cell_type": "code", "source": FAILS}
    (here / "net.ipynb").write_text(json.dumps({"cells": [cell]}))
    program = Invocation("net.ipynb")
    with Runner(program, here) as runner:
        options = Options(3, LIMITS)
        report = Search(runner, options, explaining(("4", "3")), print).report(program, here)
    [attempt] = report.others
    assert attempt.reason == "cells of a notebook are not changed; export it as a script"
