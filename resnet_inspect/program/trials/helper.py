"""Runs trials with limits, through the helper process."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from resnet_inspect.errors import BuildError
from resnet_inspect.program.trials import request as files
from resnet_inspect.program.trials.helper_process import Change, Preload, Ready, python
from resnet_inspect.program.trials.processes import Family, processes
from resnet_inspect.program.trials.request import Ending, TrialRequest, TrialResult
from resnet_inspect.tracers.progress import Counts

TICK = 0.1  # seconds between two looks at time and memory
MOST_OUTPUT = 200_000_000  # bytes that a trial prints
TAIL = 20  # last lines that are reported
TAIL_BYTES = 16_384


class Limits(msgspec.Struct, frozen=True):
    """What a trial may use: seconds, and bytes of memory."""

    seconds: float
    memory: int


class Run(msgspec.Struct, frozen=True):
    """A trial that ended.

    Attributes:
        result: what its process reported, or what is known if it was killed.
        seconds: how long it ran.
        memory: the most memory that it used, in bytes.
        output: the last lines that it printed.
    """

    result: TrialResult
    seconds: float
    memory: int
    output: tuple[str, ...] = ()


class _Running:
    """A trial that runs."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self.limits = limits
        self.family: Family | None = None
        self.started = time.monotonic()
        self.exceeded: Ending | None = None

    def exceeds(self) -> Ending | None:
        """The limit that it exceeds, if any."""
        if time.monotonic() - self.started > self.limits.seconds:
            return Ending.TIME
        if self.family is not None:
            memory = self.family.memory(processes(), self.limits.memory)
            if memory > self.limits.memory:
                return Ending.MEMORY
        with suppress(OSError):
            if (self.folder / files.OUTPUT).stat().st_size > MOST_OUTPUT:
                return Ending.OUTPUT
        return None

    def kill(self, ending: Ending) -> None:
        """Kill its processes because of a limit."""
        self.exceeded = self.exceeded or ending
        if self.family is not None:
            self.family.kill()


class TrialHelper:
    """The helper process; it starts with the first trial and ends with the `with` statement."""

    def __init__(self, preload: Preload, log: Path) -> None:
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            python("helper_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C reaches this process only, which ends the helper
        )
        self._rest = b""
        self._ready = False
        self._running: dict[str, _Running] = {}
        self.copies = False
        self._send(msgspec.json.encode(preload))

    def __enter__(self) -> Self:
        """Return the helper."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the helper and all trials."""
        self.close()

    def close(self) -> None:
        """End the helper and all trials."""
        for running in self._running.values():
            running.kill(Ending.DIED)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(OSError):
                stream.close()
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def run(
        self, trials: Iterator[tuple[Path, TrialRequest]], limits: Limits, *, at_once: int = 1
    ) -> Iterator[tuple[Path, Run]]:
        """Run trials, each in its own folder; yields each when it ended.

        The next trial is taken from `trials` when it can start.
        """
        while True:
            for folder, request in islice(trials, at_once - len(self._running)):
                files.write(folder, files.REQUEST, request)
                self._running[str(folder)] = _Running(folder, limits)
                self._send(str(folder).encode())
            if not self._running:
                return
            for message in self._messages():
                yield from self._note(message)
            for running in self._running.values():
                ending = running.exceeds() if running.family is not None else None
                if ending is not None:
                    running.kill(ending)

    def _note(self, change: Change) -> Iterator[tuple[Path, Run]]:
        running = self._running[change.folder]
        if change.status is None:
            running.family = Family(change.process)
            running.started = time.monotonic()
            return
        del self._running[change.folder]
        assert running.family is not None
        running.family.kill()  # what left its group
        yield running.folder, _run(running, running.family, change.status)

    def _messages(self) -> Iterator[Change]:
        """Messages of the helper, after a wait of at most `TICK`."""
        stream = self._process.stdout
        assert stream is not None
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            if not selector.select(TICK):
                return
        data = os.read(stream.fileno(), 1 << 16)
        if not data:
            raise self._ended()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._ready:
                yield msgspec.json.decode(line, type=Change)
            else:
                self.copies = msgspec.json.decode(line, type=Ready).copies
                self._ready = True

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise self._ended() from None

    def _ended(self) -> BuildError:
        lines = _last_lines(Path(self._log.name))
        return BuildError(
            "the process that starts the trials ended",
            got=lines[-1] if lines else f"exit code {self._process.wait()}",
            fix="close other programs if memory is scarce, then repeat the command",
        )


def _run(running: _Running, family: Family, status: int) -> Run:
    folder = running.folder
    result = files.read(folder, files.RESULT, TrialResult)
    if result is None:
        counts = files.read(folder, files.COUNTS, Counts) or Counts()
        ending = running.exceeded or (Ending.DIED if status < 0 else Ending.EXITED)
        result = TrialResult(ending, status, counts=counts)
    seconds = time.monotonic() - running.started
    return Run(result, seconds, family.most, _last_lines(folder / files.OUTPUT))


def _last_lines(output: Path) -> tuple[str, ...]:
    try:
        with output.open("rb") as stream:
            stream.seek(max(0, output.stat().st_size - TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ()
    return tuple(text.splitlines()[-TAIL:])
