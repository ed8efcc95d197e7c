"""Runs the command line as a process, where TensorFlow raises on import unless it is wanted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
PACKAGE = Path(__file__).parents[2]
FAKE = "raise ImportError('this TensorFlow is a fake that must not be imported')\n"


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs `python -m resnet_inspect …` in an empty folder and returns the finished process."""
    fakes = tmp_path / "fakes"
    for name in ("tensorflow", "keras"):
        (fakes / name).mkdir(parents=True)
        (fakes / name / "__init__.py").write_text(FAKE)
    here = tmp_path / "here"
    here.mkdir()

    def run(
        *words: str | Path, real_tensorflow: bool = False, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith("RESNET_INSPECT_")}
        kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
        places = [str(PACKAGE)] if real_tensorflow else [str(fakes), str(PACKAGE)]
        return subprocess.run(
            [sys.executable, "-m", "resnet_inspect", *map(str, words)],
            cwd=here,
            env=kept | {"PYTHONPATH": os.pathsep.join(places)} | environment,
            capture_output=True,
            text=True,
            encoding=environment.get("PYTHONIOENCODING"),
            timeout=300,
            check=False,
        )

    return run
