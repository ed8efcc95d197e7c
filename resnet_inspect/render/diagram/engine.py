"""Runs Graphviz: the `dot` on this machine, else the engine inside the pygraphviz wheel.

Both run in a process of their own (`engine_program.py`): the packages that start them have no
timeout, and an engine that hangs or crashes takes nothing with it.
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
    """A picture as bytes, texts as UTF-8; `note` is what the engines complained about."""

    data: bytes
    note: str = ""

    @property
    def text(self) -> str:
        """The picture as text; only for svg, element and dot."""
        return self.data.decode()


def engines() -> list[tuple[str, list[str]]]:
    """Names and commands of the engines there are, best first; a command lacks the format."""
    there = {
        "dot": shutil.which("dot") is not None,
        "pygraphviz": find_spec("pygraphviz") is not None,
    }
    script = Path(__file__).with_name("engine_program.py")
    return [(name, [sys.executable, "-P", str(script), name]) for name in there if there[name]]


def drawn(
    text: str, form: str, *, timeout: float = TIMEOUT, holds: Collection[str] = ()
) -> Picture:
    """A picture of DOT text as svg, png or pdf, or where everything lies in it as json.

    Each engine has `timeout` seconds. An svg without all identifiers of `holds` is no picture.
    Raises RendererMissingError without an engine, RendererError where each fails.
    """
    known = engines()
    if not known:
        raise RendererMissingError(
            "no Graphviz to draw with",
            expected="the program `dot`, or the Python package pygraphviz",
            got="neither",
            fix=INSTALL,
        )
    complaints = []
    late = f"was not done after {timeout:g} seconds, and was stopped"
    for name, command in known:
        done = _run([*command, form], text.encode(), timeout)
        if done is None:
            complaints.append(f"{name} {late}")
            continue
        code, data, said = done
        complaint = (said.decode(errors="replace").strip().splitlines() or [""])[-1]
        lacking = _lacking(data, holds) if form == "svg" else ""
        if data.rstrip().endswith(ENDS[form]) and not lacking:
            notes = [f"{one}; {name} drew the picture" for one in complaints]
            if code:
                ended = f"{name} ended with code {code} but the picture is whole"
                notes.append(f"{ended}: {complaint}" if complaint else ended)
            return Picture(data, "; ".join(notes))
        reason = complaint or lacking or "no picture"
        complaints.append(f"{name} ended with code {code}: {reason}")
    if all(one.endswith(late) for one in complaints):
        raise RendererError(
            f"Graphviz {late}",
            expected="a picture",
            got="none yet",
            fix="draw less (--level block, --scope NAME), or wait longer: --timeout SECONDS",
        )
    raise RendererError(
        "Graphviz could not draw this",
        expected=f"a whole {form}",
        got="; ".join(complaints),
        fix="draw the .dot file by hand to see all it says",
    )


def _lacking(data: bytes, holds: Collection[str]) -> str:
    """What an svg lacks of these identifiers, in words; empty where it has all."""
    if not holds:
        return ""
    try:
        there = {element.get("id") for element in ElementTree.fromstring(data).iter()}
    except ElementTree.ParseError:
        return "half a picture" if data else "no picture"
    missing = len(set(holds) - there)
    return f"the picture lacks {missing} of {len(holds)} boxes" if missing else ""


def _run(command: list[str], given: bytes, timeout: float) -> tuple[int, bytes, bytes] | None:
    """Exit code, stdout and stderr of a process that is ended with all it started; None where it
    was not done in time.
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
        data, said = process.communicate(given, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.returncode is None:  # not waited for: its group cannot be another's yet
            with suppress(ProcessLookupError, PermissionError):  # none but the dead are left
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
    return process.returncode, data, said
