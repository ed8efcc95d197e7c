"""Runs the examples of a page, in order, in a folder of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import ROOT, Block, blocks, recording

SMALL = {"RESNET_INSPECT_N": "1", "RESNET_INSPECT_STEPS": "3", "RESNET_INSPECT_BATCH_SIZE": "8"}
CLONE = ("sample_configs", "docs/recipes", "docs/tutorial")  # parts of a clone that pages use
# Lines that TensorFlow prints on some processors when it is imported.
FRAMEWORK = re.compile(
    r"^(WARNING: All log messages before absl|[IW]\d{4} \d\d:\d\d:).*\n", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Printed:
    """What a block printed, and its exit code."""

    block: Block
    out: str
    err: str
    code: int


class Folder:
    """A folder in which pages are run.

    Args:
        path: an empty folder.
        small: trace the tutorial's network with small settings where a command names no others.
        run: the run file of the pages that read the tutorial's run.
    """

    def __init__(self, path: Path, *, small: bool = True, run: Path | None = None) -> None:
        self.path = path
        self.small = small
        self.run = run
        for part in CLONE:
            if (ROOT / part).exists():
                (path / part).parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(ROOT / part, path / part)
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "FORCE_COLOR"},
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "COLUMNS": "100",
            "XDG_CACHE_HOME": str(path / ".cache"),
        }

    def execute(self, page: str) -> Iterator[Printed]:
        """Write the files of a page and run its other blocks."""
        name = recording(page)
        if name is not None:
            target = self.path / "runs" / "resnet32.db"
            target.parent.mkdir(exist_ok=True)
            shutil.copy(self.run or ROOT / "tests" / "runs" / f"{name}.db", target)
        for block in blocks(page):
            if block.mark == "file":
                file = self.path / block.value
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text, encoding="utf-8")
            elif block.runs:
                yield self._execute(block)

    def _execute(self, block: Block) -> Printed:
        if block.language == "python":
            words = [sys.executable, "-c", block.text]
        else:
            text = block.value if block.mark == "instead" else block.text
            words = ["bash", "-e", "-c", "\n".join(map(self._line, text.splitlines()))]
        done = subprocess.run(
            words,
            cwd=self.path,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Printed(block, done.stdout, FRAMEWORK.sub("", done.stderr), done.returncode)

    def _line(self, line: str) -> str:
        words = line.split()
        if words[:2] == ["resnet-inspect", "browse"]:  # needs a terminal
            return ""
        tutorial = words[:2] == ["resnet-inspect", "trace"] and (
            len(words) == 2 or words[2].startswith(("-", "#"))
        )
        if not (self.small and tutorial):
            return line
        return " ".join(f"{name}={value}" for name, value in SMALL.items()) + f" {line}"
