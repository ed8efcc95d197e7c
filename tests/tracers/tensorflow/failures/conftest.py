"""Runs programs that fail, and returns their crashes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from resnet_inspect.graph.crash import Crash
from resnet_inspect.store.run import Run
from tests.cli.preloaded import Preloaded
from tests.frameworks import PACKAGE

CrashOf = Callable[..., Crash]


@pytest.fixture
def crash_of(tmp_path: Path, tensorflow_process: Preloaded) -> CrashOf:
    """Return a function that runs a program, `train.py`, with the command `run`.

    It returns the crash in the newest run file. Further files of the program are keyword arguments.
    """

    def crash(text: str, **others: str) -> Crash:
        for name, content in ({"train": text} | others).items():
            (tmp_path / f"{name}.py").write_text(dedent(content))
        words = ["run", "-o", "train.db", "train.py"]
        environment = dict(os.environ) | {"PYTHONPATH": str(PACKAGE), "HOME": str(tmp_path.parent)}
        done = tensorflow_process.run(words, tmp_path, environment)
        files = sorted(tmp_path.glob("*.db"), key=lambda file: file.stat().st_mtime_ns)
        assert files, done.stderr
        with Run.open(files[-1]) as run:
            failure = run.info.failure
        assert failure is not None, done.stderr
        assert failure.crash is not None
        return failure.crash

    return crash
