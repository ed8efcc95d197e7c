"""Trials of programs without TensorFlow: endings, limits, and what a program cannot change."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resnet_inspect.program.trials.helper import Limits, Run, TrialHelper
from resnet_inspect.program.trials.helper_process import Preload
from resnet_inspect.program.trials.processes import machine_memory, processes
from resnet_inspect.program.trials.request import Ending, Invocation, TrialRequest
from resnet_inspect.program.trials.space import Spaces
from resnet_inspect.tracers.progress import CallPlace

pytestmark = pytest.mark.slow
LONG = Limits(60, 8 * 10**9)
Trials = Callable[..., list[Run]]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture
def trials(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trials]:
    """Runs programs, given as source, invocation or request; returns the runs in this order."""
    monkeypatch.chdir(here)
    spaces = Spaces(here, here)
    numbers = iter(range(1000))

    def run(*programs: str | Invocation, limits: Limits = LONG, at_once: int = 2) -> list[Run]:
        requests = []
        for program in programs:
            folder = Path(spaces.base, str(next(numbers)))
            folder.mkdir()
            invocation = program
            if isinstance(program, str):
                file = here / f"train{folder.name}.py"
                file.write_text(program)
                invocation = Invocation(file.name)
            assert isinstance(invocation, Invocation)
            requests.append((folder, TrialRequest(invocation, spaces.new(folder))))
        with TrialHelper(Preload(), Path(spaces.base, "log.txt")) as helper:
            ended = dict(helper.run(iter(requests), limits, at_once=at_once))
        return [ended[folder] for folder, _ in requests]

    yield run
    spaces.close()


def alive(text: str) -> list[int]:
    """The processes with a text in their command line."""
    with_text = []
    for number in processes():
        try:
            command = Path(f"/proc/{number}/cmdline").read_bytes()
        except OSError:
            continue
        if text.encode() in command:
            with_text.append(number)
    return with_text


def test_endings(trials: Trials) -> None:
    runs = trials(
        "print('a')",
        "import sys; print('b'); sys.exit(3)",
        "x = 1\nraise ValueError('of\\nlines')",
        "import os; os.kill(os.getpid(), 6)",
        "import os; os._exit(4)",
        "import sys; sys.exit('a text')",
        "x = (",
        "try:\n    exit()\nfinally:\n    print('c')",
    )
    results = [run.result for run in runs]
    assert [(result.ending, result.code) for result in results] == [
        (Ending.ENDED, 0),
        (Ending.EXITED, 3),
        (Ending.RAISED, 1),
        (Ending.DIED, -6),
        (Ending.EXITED, 4),
        (Ending.EXITED, 1),
        (Ending.RAISED, 1),
        (Ending.ENDED, 0),
    ]
    assert [run.output[-1] for run in runs if run.output] == [
        "a",
        "b",
        "lines",
        "a text",
        "SyntaxError: '(' was never closed",
        "c",
    ]
    crash = results[2].crash
    assert crash is not None
    assert (crash.kind, crash.cause, crash.message) == ("ValueError", "of", "of\nlines")
    assert crash.bases == ("Exception",)
    [frame] = crash.frames
    assert (frame.site.file, frame.site.line) == ("train2.py", 2)
    assert crash.files == {"train2.py": "x = 1\nraise ValueError('of\\nlines')\n"}
    wrong = results[6].crash
    assert wrong is not None
    assert [(frame.site.file, frame.site.line) for frame in wrong.frames] == [("train6.py", 1)]


def test_a_crash_in_another_folder_names_files_relative_to_the_first(trials: Trials) -> None:
    [run] = trials("import os; os.mkdir('out'); os.chdir('out')\nraise ValueError('x')")
    assert run.result.crash is not None
    assert [frame.site.file for frame in run.result.crash.frames] == ["train0.py"]


def test_stdin_is_empty_and_the_program_is_called_as_by_python(trials: Trials, here: Path) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "other.py").write_text("name = __name__")
    (here / "sub" / "train.py").write_text(
        "import os, sys, other\n"
        "print(sys.argv, __name__, other.name, os.getcwd(), sys.path[0])\n"
        "input()\n"
    )
    [run] = trials(Invocation("sub/train.py", ("--epochs", "3")))
    argv = "['sub/train.py', '--epochs', '3']"
    assert run.output[0] == f"{argv} __main__ other {here} {here}/sub"
    assert run.output[-1] == "EOFError: EOF when reading a line"


def test_files_of_the_folder_have_no_effect_on_the_helper(trials: Trials, here: Path) -> None:
    for name in ("msgspec", "wrapt", "selectors", "numpy", "colorsys"):
        (here / f"{name}.py").write_text("raise ImportError('of the user')")
    [run] = trials("import colorsys")
    assert run.output[-1] == "ImportError: of the user"


def test_a_module(trials: Trials, here: Path) -> None:
    (here / "package").mkdir()
    (here / "package" / "train.py").write_text("import sys; print(sys.argv[1:], __package__)")
    runs = trials(
        Invocation("package.train", ("a",), module=True), Invocation("package.no", module=True)
    )
    assert runs[0].output == ("['a'] package",)
    assert runs[1].result.ending is Ending.USAGE
    error = runs[1].result.error
    assert (error["what"], error["where"]) == ("the module cannot be run", "-m package.no")


@pytest.mark.parametrize("ignores", [False, True])
def test_the_time_limit_ends_the_whole_group(trials: Trials, here: Path, ignores: bool) -> None:
    """Also a program that ignores signals, and children that left its group."""
    ignoring = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if ignores else ""
    mark = f"mark-{here.parent.name}"
    program = (
        "import signal, subprocess, sys, time\n"
        f"{ignoring}"
        f"wait = [sys.executable, '-c', 'import time; time.sleep(99)', '{mark}']\n"
        "subprocess.Popen(wait)\n"
        "subprocess.Popen(wait, start_new_session=True)\n"
        "print('started', flush=True)\n"
        "time.sleep(99)\n"
    )
    started = time.monotonic()
    [run] = trials(program, limits=Limits(2, LONG.memory))
    assert (run.result.ending, run.output) == (Ending.TIME, ("started",))
    assert 2 <= run.seconds < 10
    assert time.monotonic() - started < 30
    assert alive(mark) == []


def test_children_of_a_program_that_ends_do_not_survive(trials: Trials, here: Path) -> None:
    mark = f"mark-{here.parent.name}"
    [run] = trials(
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)', '{mark}'])\n"
    )
    assert run.result.ending is Ending.ENDED
    assert alive(mark) == []


def test_a_forked_child_of_the_program_reports_nothing(trials: Trials) -> None:
    [run] = trials(
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    raise ValueError('of the child')\n"
        "os.wait(); time.sleep(0.2)\n"
    )
    assert run.result.ending is Ending.ENDED


def test_the_memory_limit_counts_all_processes(trials: Trials) -> None:
    size = 150_000_000
    program = (
        "import os, time\n"
        "children = [os.fork() for _ in range(2)] if {fork} else []\n"
        f"data = bytearray({size})\n"
        "data[::4096] = b'x' * len(data[::4096])\n"
        "time.sleep(3)\n"
    )
    limits = Limits(60, 300_000_000)
    alone, forks = trials(program.format(fork=False), program.format(fork=True), limits=limits)
    assert alone.result.ending is Ending.ENDED
    assert size < alone.memory < limits.memory
    assert forks.result.ending is Ending.MEMORY
    assert forks.memory > limits.memory


def test_the_output_is_limited(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resnet_inspect.program.trials.helper.MOST_OUTPUT", 1_000_000)
    [run] = trials("while True:\n    print('é' * 1000)\n")
    assert run.result.ending is Ending.OUTPUT
    assert set(run.output[-2]) == {"é"}


def test_two_trials_at_once_and_an_end_in_any_order(trials: Trials) -> None:
    program = "import time; time.sleep({}); print({})"
    runs = trials(*(program.format(wait, at) for at, wait in enumerate((1.0, 0.1, 0.1, 0.1))))
    assert [run.output for run in runs] == [("0",), ("1",), ("2",), ("3",)]
    assert runs[0].seconds > 1


def test_files_that_the_program_writes_are_new_in_each_trial(trials: Trials, here: Path) -> None:
    program = "import os; os.mkdir('out'); open('out/a', 'w'); open('data.txt', 'w').close()"
    (here / "data.txt").write_text("data")
    runs = trials(program, program)
    assert [run.result.ending for run in runs] == [Ending.ENDED, Ending.ENDED]
    assert (here / "data.txt").read_text() == "data"
    assert not (here / "out").exists()


def test_variables_that_the_program_sets(trials: Trials) -> None:
    [run] = trials(
        "import os\nos.environ.update(KERAS_BACKEND='jax', TF_CPP_MIN_LOG_LEVEL='3', OTHER='1')"
    )
    assert run.result.environment == {"KERAS_BACKEND": "jax"}
    assert run.result.frameworks == ()


def test_the_end_of_the_helper_ends_its_trials(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here)
    mark = f"mark-{here.parent.name}"
    (here / "train.py").write_text(
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', 'import time; time.sleep(99)', '{mark}'])\n"
    )
    spaces = Spaces(here, here)
    folder = Path(spaces.base, "1")
    folder.mkdir()
    request = TrialRequest(Invocation("train.py"), spaces.new(folder), failure=CallPlace())
    with TrialHelper(Preload(), Path(spaces.base, "log.txt")) as helper:
        running = helper.run(iter([(folder, request)]), Limits(2, 1))  # too little memory
        assert next(running)[1].result.ending is Ending.MEMORY
        helper.close()
    spaces.close()
    assert alive(mark) == []
    assert not Path(spaces.base).exists()


def test_the_memory_of_the_machine() -> None:
    assert 100_000_000 < machine_memory() <= os.sysconf("SC_PHYS_PAGES") * 4096 * 16
