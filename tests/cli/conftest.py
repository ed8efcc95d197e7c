"""Runs the command line as a process, in which TensorFlow raises on import by default."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.preloaded import Preloaded
from tests.frameworks import FAKES, PACKAGE

Command = Callable[..., subprocess.CompletedProcess[str]]
# Commands that run user code or TensorFlow, and variables that change the start of Python.
FRESH_COMMANDS = {"run", "fix", "trace", "study"}
FRESH_VARIABLES = ("PYTHON", "LC_")


@pytest.fixture(scope="session")
def preloaded() -> Iterator[Preloaded]:
    """The process that most commands are forked from."""
    started = Preloaded()
    yield started
    started.close()


@pytest.fixture
def command(tmp_path: Path, preloaded: Preloaded) -> Command:
    """Runs `python -m resnet_inspect …` in an empty folder and returns the finished process."""
    here, site = tmp_path / "here", tmp_path / "site"
    here.mkdir()

    def run(
        *given: str | Path, real_tensorflow: bool = False, fresh: bool = False, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        words = [str(word) for word in given]
        kept = {n: v for n, v in os.environ.items() if not n.startswith("RESNET_INSPECT_")}
        kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
        places = [str(PACKAGE)] if real_tensorflow else [str(FAKES), str(PACKAGE)]
        if site.exists():
            places.insert(0, str(site))
        whole = kept | {"PYTHONPATH": os.pathsep.join(places)} | environment
        chosen = any(name.startswith(FRESH_VARIABLES) for name in environment)
        apart = real_tensorflow or site.exists() or (words[:1] and words[0] in FRESH_COMMANDS)
        if not (fresh or chosen or apart):
            return preloaded.run(words, here, whole)
        return subprocess.run(
            [sys.executable, "-m", "resnet_inspect", *words],
            cwd=here,
            env=whole,
            capture_output=True,
            text=True,
            encoding=environment.get("PYTHONIOENCODING"),
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A PATH without Graphviz; `command` finds no pygraphviz either."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'pygraphviz' else real(name, *a)\n"
    )
    return str(Path(sys.executable).parent)
