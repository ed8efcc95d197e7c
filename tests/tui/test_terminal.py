"""The program in a real terminal, with a TensorFlow that raises on import."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.frameworks import FAKES, PACKAGE
from tests.recordings import FOLDER

DEADLINE = 60.0


@pytest.mark.parametrize(
    ("columns", "rows", "names"), [(80, 24, ["v2"]), (200, 60, ["v2"]), (120, 36, ["v2", "v1"])]
)
def test_it_opens_draws_and_quits_without_tensorflow(
    tmp_path: Path, columns: int, rows: int, names: list[str]
) -> None:
    files = [str(FOLDER / f"{name}.db") for name in names]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    program = subprocess.Popen(
        [sys.executable, "-m", "resnet_inspect", "browse", *files],
        cwd=tmp_path,  # r writes the report here
        stdin=theirs, stdout=theirs, stderr=theirs,
        env=os.environ | {
            "PYTHONPATH": os.pathsep.join([str(FAKES), str(PACKAGE)]), "TERM": "xterm-256color",
        },
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        assert "conv_block_stage2" in _until(ours, "conv_block_stage2")
        if len(names) > 1:
            _until(ours, "only in A")
        os.write(ours, b"2")
        _until(ours, "scale")
        os.write(ours, b"wH4r5q")
        output = _until(ours, None)
        assert program.wait(timeout=DEADLINE) == 0
        assert "must not be imported" not in output
    finally:
        program.kill()
        os.close(ours)
    assert {file.name for file in tmp_path.iterdir()} <= {"v2.html"}


def _until(terminal: int, text: str | None) -> str:
    """Return the output without control sequences, up to a text or to the end."""
    end, output = time.monotonic() + DEADLINE, ""
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if not ready:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            return output
        if not part:
            return output
        output += re.sub(r"\x1b\[[0-9;?<=>]*[A-Za-z]", "", part.decode(errors="replace"))
        if text is not None and text in output:
            return output
    raise AssertionError(f"no {text!r} within {DEADLINE} s: {output[-500:]!r}")
