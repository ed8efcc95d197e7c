"""Records the failures of the programs in crashes/: `python -m tests.explain.record [KEY ...]`.

Scripts are recorded by `run`, functions by `trace`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from resnet_inspect.graph import Failure
from resnet_inspect.store.run import Run
from tests.cli.preloaded import Preloaded
from tests.explain.answers import Answer, answers
from tests.explain.failures import write
from tests.frameworks import PACKAGE


def record(process: Preloaded, folder: Path, answer: Answer, source: str = "") -> Path:
    """Record a copy of a program in a folder; returns its run file, the newest of several.

    Raises RuntimeError if there is none.

    Args:
        process: runs the command.
        folder: where the program and its run files are.
        answer: the program.
        source: another text of the program.
    """
    copy = folder / f"{answer.key}.py"
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(source or answer.source, encoding="utf-8")
    environment = dict(os.environ) | {"PYTHONPATH": str(PACKAGE), "CUDA_VISIBLE_DEVICES": ""}
    words = words_for(answer, copy.name, f"{copy.stem}.db")
    done = process.run(words, copy.parent, environment)
    files = [copy.with_suffix(".db"), *copy.parent.glob(f"{copy.stem}-*.db")]
    written = [file for file in files if file.exists()]
    if not written:
        raise RuntimeError(f"{answer.key} was not recorded: {done.stderr}")
    return max(written, key=lambda file: file.stat().st_mtime_ns)


def words_for(answer: Answer, file: str, out: str) -> Sequence[str]:
    """The command that records a program in a file: `run` for a script, `trace` for a function."""
    if answer.target is None:
        return ["run", "-o", out, "--force", file]
    inputs = answer.inputs.replace(" ", "")
    return [
        *("trace", f"{file}:{answer.target}", "-o", out, "--force"),
        *(["--input", inputs] if inputs else []),
        *(["--tf1"] if answer.old else []),
    ]


def failure_in(file: Path) -> Failure | None:
    """The failure of a run; None if it did not fail."""
    with Run.open(file) as run:
        return run.info.failure


def main(*keys: str) -> None:
    """Record programs, by default all, and write their failures."""
    process = Preloaded(tensorflow=True)
    with TemporaryDirectory() as folder:
        for key in keys or answers():
            answer = answers()[key]
            failure = failure_in(record(process, Path(folder), answer))
            write(answer, failure, Path(folder))
            print(key, failure.kind if failure is not None else "did not fail", flush=True)
    process.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
