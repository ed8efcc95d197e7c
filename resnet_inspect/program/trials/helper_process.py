"""The helper process: imports TensorFlow once, then starts each trial as a copy of itself.

It reads a line for each trial from stdin and writes a line for each start and end to stdout. If
copies would not be safe, it starts a new Python for each trial. It ends when stdin ends.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import subprocess
import sys
import threading
import warnings
from contextlib import suppress
from typing import NoReturn

import msgspec

from resnet_inspect.program.trials import trial
from resnet_inspect.script.children import PARENT
from resnet_inspect.script.imports import after_import
from resnet_inspect.tracers import registry
from resnet_inspect.tracers.crash_hooks import hook_keras, hook_tensorflow

PAUSE = 0.02  # seconds between two looks at the trials that run
# Without the current folder on the path, whose files may have names of other modules.
CODE = """\
import sys
if not sys.flags.safe_path:
    sys.path.pop(0)
try:
    import resnet_inspect
except ImportError:
    sys.path.append({place!r})
from resnet_inspect.program.trials.{module} import main
main(*sys.argv[1:])
"""


class Preload(msgspec.Struct, frozen=True):
    """The first line: frameworks to import, and variables to set before."""

    frameworks: tuple[str, ...] = ()
    environment: dict[str, str] = {}


class Ready(msgspec.Struct, frozen=True):
    """The first answer: whether trials are copies of this process."""

    copies: bool


class Change(msgspec.Struct, frozen=True):
    """The start of a trial, or with a status its end."""

    folder: str
    process: int
    status: int | None = None


def main() -> NoReturn:
    """Serve until stdin ends, then kill the trials that still run."""
    helper = Helper()
    try:
        helper.serve()
    finally:
        helper.close()
        os._exit(0)


class Helper:
    """Starts and ends the processes of trials."""

    def __init__(self) -> None:
        self._copies = False
        self._running: dict[int, str] = {}
        self._rest = b""

    def serve(self) -> None:
        """Answer each line until stdin ends."""
        first = True
        while True:
            wait = PAUSE if self._running else None
            if select.select([0], [], [], wait)[0]:
                data = os.read(0, 1 << 16)
                if not data:
                    return
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    if first:
                        self._preload(msgspec.json.decode(line, type=Preload))
                        first = False
                    else:
                        self._start(line.decode())
            self._reap()

    def close(self) -> None:
        """Kill the trials that still run."""
        for process in self._running:
            with suppress(OSError):
                os.killpg(process, signal.SIGKILL)

    def _preload(self, preload: Preload) -> None:
        os.environ.update(preload.environment)
        after_import("tensorflow", hook_tensorflow)
        after_import("keras", hook_keras)
        try:
            for name in preload.frameworks:
                importlib.import_module(name)
            if preload.frameworks:
                registry.load_crash_recorder()
        except Exception:  # the program will raise it too
            self._copies = False
        else:
            self._copies = bool(preload.frameworks) and _is_fresh()
        _write(Ready(self._copies))

    def _start(self, folder: str) -> None:
        process = self._copy(folder) if self._copies else _spawned(folder)
        self._running[process] = folder
        _write(Change(folder, process))

    def _copy(self, folder: str) -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # threads of NumPy, which stop for a fork
            process = os.fork()
        if process == 0:
            trial.main(folder)
        return process

    def _reap(self) -> None:
        for process in list(self._running):
            ended = os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                continue
            with suppress(OSError):  # before its number can belong to another process
                os.killpg(process, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            _write(Change(self._running.pop(process), process, status))


def _is_fresh() -> bool:
    """Whether no op ran, which starts threads and devices that a copy would lack."""
    context = sys.modules.get("tensorflow.python.eager.context")
    started = getattr(getattr(context, "_context", None), "_context_handle", None)
    return started is None and threading.active_count() == 1


def python(module: str, *words: str) -> list[str]:
    """The command that runs `main` of a module in this package with the same Python."""
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    code = CODE.format(place=PARENT, module=module)
    return [sys.executable, *flags, "-c", code, *words]


def _spawned(folder: str) -> int:
    command = python("trial", folder)
    return os.posix_spawn(command[0], command, os.environ, setsid=True)


def _write(message: msgspec.Struct) -> None:
    data = msgspec.json.encode(message) + b"\n"
    os.write(1, data)
