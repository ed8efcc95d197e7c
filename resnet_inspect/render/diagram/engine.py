"""Runs Graphviz: the program `dot` if installed, else the engine inside the pygraphviz wheel.

Each engine runs in a separate process (`engine_program.py`): the Python packages offer no timeout,
and an engine that hangs or crashes must not stop this program.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from resnet_inspect.errors import RendererError, RendererMissingError

TIMEOUT = 60.0
ENDS = {"svg": b"</svg>", "png": b"IEND\xaeB`\x82", "pdf": b"%%EOF", "json": b"}"}
INSTALL = "apt install graphviz (Debian, Ubuntu), brew install graphviz, or pip install pygraphviz"


class Picture(NamedTuple):
    """A picture as bytes, text formats in UTF-8; `note` reports failures of the engines."""

    data: bytes
    note: str = ""

    @property
    def text(self) -> str:
        """The picture as text; only for the forms svg, element and dot."""
        return self.data.decode()


def engines() -> list[tuple[str, list[str]]]:
    """Names and commands of the installed engines, best first.

    The output format must be appended to a command.
    """
    installed = {
        "dot": shutil.which("dot") is not None,
        "pygraphviz": find_spec("pygraphviz") is not None,
    }
    script = Path(__file__).with_name("engine_program.py")
    return [
        (name, [sys.executable, "-P", str(script), name]) for name in installed if installed[name]
    ]


def drawn(
    text: str, form: str, *, timeout: float = TIMEOUT, required: Collection[str] = ()
) -> Picture:
    """Draw DOT text.

    Args:
        text: the DOT text.
        form: svg, png, pdf, or json for the positions of all parts.
        timeout: seconds for each engine.
        required: ids that an svg must contain; without all of them the engine counts as failed.

    Raises:
        RendererMissingError: no engine is installed.
        RendererError: every engine failed.
    """
    available = engines()
    if not available:
        raise RendererMissingError(
            "Graphviz is not installed",
            expected="the program `dot` or the Python package pygraphviz",
            got="neither",
            fix=INSTALL,
        )
    complaints = []
    timed_out = f"timed out after {timeout:g} seconds"
    for name, command in available:
        result = _run([*command, form], text.encode(), timeout)
        if result is None:
            complaints.append(f"{name} {timed_out}")
            continue
        code, data, stderr = result
        complaint = (stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
        missing = _missing(data, required) if form == "svg" else ""
        if data.rstrip().endswith(ENDS[form]) and not missing:
            notes = [f"{failure}; {name} drew the picture" for failure in complaints]
            if code:
                exit_note = f"{name} exited with code {code} but the picture is complete"
                notes.append(f"{exit_note}: {complaint}" if complaint else exit_note)
            return Picture(data, "; ".join(notes))
        reason = complaint or missing or "no picture"
        complaints.append(f"{name} exited with code {code}: {reason}")
    if all(failure.endswith(timed_out) for failure in complaints):
        raise RendererError(
            f"Graphviz {timed_out}",
            expected="a picture",
            got="none",
            fix="draw fewer boxes with --level block or --scope NAME, or raise --timeout SECONDS",
        )
    raise RendererError(
        "Graphviz could not draw the diagram",
        expected=f"a complete {form} file",
        got="; ".join(complaints),
        fix="run `dot` on the .dot file to see all messages",
    )


def _missing(data: bytes, required: Collection[str]) -> str:
    """How many of the required ids an svg lacks, as text; empty if it has all of them."""
    if not required:
        return ""
    try:
        ids = {element.get("id") for element in ElementTree.fromstring(data).iter()}
    except ElementTree.ParseError:
        return "incomplete picture" if data else "no picture"
    count = len(set(required) - ids)
    return f"the picture lacks {count} of {len(required)} boxes" if count else ""


def _run(command: list[str], stdin: bytes, timeout: float) -> tuple[int, bytes, bytes] | None:
    """Exit code, stdout and stderr of a command; None after a timeout.

    The command and all processes that it started are ended.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return 127, b"", str(error).encode()
    try:
        data, errors = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.returncode is None:  # not reaped yet, so its group id cannot be reused
            with suppress(ProcessLookupError, PermissionError):  # all processes have ended
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
    return process.returncode, data, errors
