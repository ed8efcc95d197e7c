"""Records programs in children of a process that imported TensorFlow.

Use `python -m tests.silent.recording FOLDER`. Standard input is a JSON list of paths. Each program
becomes a run FOLDER/NAME.db. A program whose docstring begins with `trace` is traced with that
command; other programs are run unchanged.
"""

from __future__ import annotations

import ast
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]


def record(programs: Sequence[Path], folder: Path) -> None:
    """Record programs in a folder; what the program writes goes to files NAME.txt."""
    subprocess.run(
        [sys.executable, "-m", "tests.silent.recording", str(folder)],
        input=json.dumps([str(program.relative_to(ROOT)) for program in programs]),
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )


def words(program: Path, run: Path) -> list[str]:
    """Return the command line that records a program in a run."""
    docstring = ast.get_docstring(ast.parse(program.read_text(encoding="utf-8"))) or ""
    if not docstring.startswith("trace "):
        return ["run", "-o", str(run), str(program)]
    command, target, *options = shlex.split(docstring)
    return [command, str(program.with_name(target)), "-o", str(run), *options]


def main() -> None:
    """Import TensorFlow, then record each program in a forked process."""
    folder = Path(sys.argv[1])
    for name in ("tensorflow", "keras", "tf_keras.api._v1.keras"):
        import_module(name)
    command = import_module("resnet_inspect.cli.main").main
    for name in json.load(sys.stdin):
        program = Path(name)
        child = os.fork()
        if not child:
            with (folder / f"{program.stem}.txt").open("w", encoding="utf-8") as text:
                for stream in (1, 2):
                    os.dup2(text.fileno(), stream)
                try:
                    command(words(program, folder / f"{program.stem}.db"))
                finally:
                    sys.stdout.flush()
                    os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
