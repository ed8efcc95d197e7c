"""Explanations that are printed behind a traceback, and those that are not printed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from resnet_inspect import failures
from resnet_inspect.store.run import Run
from tests.crashes import EXAMPLES, write_run
from tests.frameworks import FAKES, PACKAGE
from tests.recordings import FOLDER

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def run_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A failed run in the current folder."""
    monkeypatch.chdir(tmp_path)
    yield write_run(Path("failed.db"), EXAMPLES["dtype"].failure)
    failures._WAITING.clear()


def test_the_page_is_between_empty_lines(run_file: Path, capsys: Capture) -> None:
    assert failures.print_explanations([run_file, run_file]) == [run_file, run_file]
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert shown.out == ""
    assert lines[0] == lines[2] == lines[-1] == ""
    assert lines[1].startswith("resnet-inspect: ")
    assert max(map(len, lines)) <= 100


def test_the_command_that_prints_it_again(run_file: Path, capsys: Capture) -> None:
    failures.print_recorded(run_file)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "resnet-inspect: to read this again: resnet-inspect explain failed.db"


@pytest.mark.parametrize("target", ["units.py", "-m package.units"])
def test_the_command_that_tests_repairs_has_the_arguments_of_the_program(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["units.py", "--epochs", "a b"])
    with Run.open(FOLDER / "units.db") as run:
        failure = run.info.failure
    assert failure is not None
    file = write_run(Path("failed.db"), failure, target=target)
    failures.print_explanations([file])
    line = f"\ntest        resnet-inspect fix {target} --epochs 'a b'\n"
    assert line in capsys.readouterr().err


@pytest.mark.parametrize("name", ["v2.db", "absent.db"])
def test_other_runs_print_nothing(name: str, capsys: Capture) -> None:
    assert failures.print_explanations([FOLDER / name]) == []
    failures.print_recorded(FOLDER / name)
    assert capsys.readouterr() == ("", "")


def test_without_an_exception_it_is_printed_at_once(run_file: Path, capsys: Capture) -> None:
    failures.announce(run_file)
    assert "explain failed.db" in capsys.readouterr().err
    assert failures._WAITING == []


SCRIPT = """\
import sys
from pathlib import Path
from resnet_inspect import failures

def fit():
    try:
        raise TypeError("first")
    except TypeError:
        failures.announce(Path("failed.db"))
        raise

{body}
"""
CAUGHT = "try:\n    fit()\nexcept TypeError:\n    pass"
WRAPPED = "try:\n    fit()\nexcept TypeError as error:\n    raise ValueError('second') from error"


@pytest.mark.parametrize(
    ("body", "last_error"),
    [
        ("fit()", "TypeError: first"),
        (WRAPPED, "ValueError: second"),
        (CAUGHT, ""),
        (f"{CAUGHT}\nraise OSError('other')", ""),
        ("try:\n    fit()\nexcept TypeError:\n    sys.exit(3)", ""),
    ],
)
def test_it_follows_the_traceback_that_ends_the_program(
    run_file: Path, body: str, last_error: str
) -> None:
    run_file.with_name("script.py").write_text(SCRIPT.format(body=body), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "script.py"],
        env={"PYTHONPATH": f"{FAKES}:{PACKAGE}", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    traceback, _, page = done.stderr.partition("\n\nresnet-inspect: ")
    assert bool(page) == bool(last_error)
    if last_error:
        assert traceback.splitlines()[-1] == last_error
        assert page.splitlines()[-1].endswith("explain failed.db")
        assert done.stderr.count("to read this again") == 1


class Shell:
    """IPython's shell, as far as this package uses it."""

    def __init__(self) -> None:
        self.callbacks: dict[str, Callable[[Any], None]] = {}
        self.events = SimpleNamespace(register=self.callbacks.__setitem__)


def test_in_a_notebook_it_follows_the_traceback_of_the_cell(
    run_file: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, module = Shell(), ModuleType("IPython")
    module.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    ended: list[BaseException] = []
    failures.after_failed_cells(ended.append)
    cell_ended = shell.callbacks["post_run_cell"]
    first, second = TypeError("first"), TypeError("second")
    try:
        raise first
    except TypeError:
        failures.announce(run_file)
    assert capsys.readouterr().err == ""
    cell_ended(SimpleNamespace(error_in_exec=first))
    assert "explain failed.db" in capsys.readouterr().err
    try:
        raise second
    except TypeError:
        failures.announce(run_file)
    cell_ended(SimpleNamespace(error_in_exec=None))
    assert failures._WAITING == []
    assert (capsys.readouterr().err, ended) == ("", [first])


def test_without_ipython_no_cell_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    ended: list[BaseException] = []
    failures.after_failed_cells(ended.append)
    module = ModuleType("IPython")
    module.get_ipython = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    failures.after_failed_cells(ended.append)
    assert ended == []


RECORDED = """\
import keras
import numpy as np
import resnet_inspect

model = keras.Sequential([keras.layers.Dense(4)])
model.compile("sgd", "mse")
recorder = resnet_inspect.Recorder("failed.db")
x, y = np.ones((8, 2)), np.ones((8, 3))
{fit}
"""
FIT = "model.fit(x, y, batch_size=4, verbose=0, callbacks=[recorder])"
CONTINUED = f"try:\n    {FIT}\nexcept Exception:\n    print('continued')"


@pytest.mark.tensorflow
@pytest.mark.parametrize("fit", [FIT, CONTINUED])
def test_a_recorder_explains_the_fit_that_ended_a_script(tmp_path: Path, fit: str) -> None:
    (tmp_path / "train.py").write_text(RECORDED.format(fit=fit), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "train.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PACKAGE), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    traceback, _, page = done.stderr.partition("\n\nresnet-inspect: ")
    if fit == CONTINUED:
        assert (done.returncode, done.stdout, page) == (0, "continued\n", "")
        return
    assert done.returncode == 1
    assert traceback.splitlines()[-1].startswith("ValueError: Dimensions must be equal")
    assert "train.py:9" in page
    assert page.splitlines()[-1].endswith(" explain failed.db")
    with Run.open(tmp_path / "failed.db") as run:
        assert run.info.failure is not None
        assert run.info.failure.crash is not None
