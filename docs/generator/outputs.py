"""Outputs of commands that pages quote, from the recordings of the tests."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from pathlib import Path

from resnet_inspect.cli.main import main

ROOT = Path(__file__).parents[2]
RUN = "tests/runs/v2.db"
# Quoted as `--8<-- "NAME"`. Each command line ends in the run file, which is left out.
OUTPUTS = {"why_reshape.txt": ("why", "Reshape:1")}
WIDTH = 92


def outputs() -> dict[str, str]:
    """The quoted outputs by file name."""
    return {name: output(*words, str(ROOT / RUN)) for name, words in OUTPUTS.items()}


def output(*words: str) -> str:
    """What a command prints to a file, in a fixed width and without colours."""
    before = {name: os.environ.get(name) for name in ("COLUMNS", "NO_COLOR")}
    os.environ |= {"COLUMNS": str(WIDTH), "NO_COLOR": "1"}
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    try:
        with redirect_stdout(stream):
            code = main(words)
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
    stream.flush()
    text = stream.buffer.getvalue().decode("utf-8")
    if code:
        raise RuntimeError(f"exit code {code} of {words}")
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
