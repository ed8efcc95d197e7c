"""The process of a trial: runs the program and reports how it ended."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import msgspec

from resnet_inspect.errors import UsageError
from resnet_inspect.graph.crash import Crash
from resnet_inspect.program.trials import request as files
from resnet_inspect.program.trials.plain_crash import plain_crash
from resnet_inspect.program.trials.request import Ending, TrialRequest, TrialResult
from resnet_inspect.program.trials.space import enter, writable
from resnet_inspect.script import launch
from resnet_inspect.script.imports import after_import
from resnet_inspect.script.landmark import Span, landmark
from resnet_inspect.script.replacements import replace_sources
from resnet_inspect.tracers import registry
from resnet_inspect.tracers.crash_hooks import hook_keras, hook_tensorflow
from resnet_inspect.tracers.progress import Progress, place_of
from resnet_inspect.tracers.progress_hooks import ProgressHooks

FRAMEWORKS = ("tensorflow", "keras", "tf_keras")
PREFIXES = ("KERAS_", "TF_", "XLA_")  # variables that the frameworks read when they are imported
WITHOUT_EFFECT = ("TF_CPP_MIN_LOG_LEVEL", "TF_CPP_MAX_VLOG_LEVEL")
PAUSE = 0.2  # seconds between two writes of the counts
PR_SET_PDEATHSIG = 1


def main(folder: str) -> NoReturn:
    """Run the trial in a folder. The process ends here, without functions registered at exit."""
    code = 1
    try:
        prepare(Path(folder))
        code = Trial(Path(folder)).run()
    except BaseException:
        traceback.print_exc()  # shown as the last output of the trial
    finally:
        leave(code)


def prepare(folder: Path) -> None:
    """Make this process the first of a new group, without input and with output into a file."""
    if os.getpgrp() != os.getpid():
        os.setsid()
    with suppress(OSError, AttributeError):  # Linux: end with the helper, and before other programs
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        Path("/proc/self/oom_score_adj").write_text("1000")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(folder / files.OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, number)
    for source in (nothing, output):
        os.close(source)


def leave(code: int) -> NoReturn:
    """End the process at once; the threads of frameworks may wait forever."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)


class Trial:
    """A run of a program with other texts."""

    def __init__(self, folder: Path) -> None:
        request = files.read(folder, files.REQUEST, TrialRequest)
        assert request is not None
        self._request = request
        self._folder = folder
        self._process = os.getpid()
        self._written = 0.0
        self._environment = dict(os.environ)
        self._progress = Progress(
            request.failure, request.steps, changed=self._changed, enough=self._enough
        )
        self._hooks = ProgressHooks(self._progress)

    def run(self) -> int:
        """Run the program; returns its exit code."""
        request = self._request
        enter(self._folder, request.space)
        os.environ.setdefault("MPLBACKEND", "Agg")  # windows would wait for the user
        spans: dict[str, list[Span]] = {}
        for mark in request.landmarks:
            spans.setdefault(mark.file, []).append((mark.start, mark.end))
        report = self._progress.landmark
        changes = {file: landmark(inside, report) for file, inside in spans.items()}
        replace_sources(request.texts, changes)
        for file, text in request.texts.items():
            if writable(request.space, file):  # for processes that the program starts
                Path(file).write_bytes(text)
        after_import("tensorflow", hook_tensorflow)
        after_import("keras", hook_keras)
        after_import("tensorflow", self._hooks.tensorflow)
        after_import("keras", self._hooks.keras)
        after_import("tf_keras", self._hooks.keras)
        if not sys.flags.safe_path:
            sys.path.insert(0, "")  # replaced by the folder of the script
        error: BaseException | None = None
        code = 0
        try:
            program = launch.program_of(
                request.program.name, module=request.program.module, say=print
            )
            code, error = launch.run(program, request.program.arguments)
        except SystemExit as raised:
            code = _exit_code(raised)
        except UsageError as raised:
            names = ("what", "where", "expected", "got", "fix")
            error_texts = {name: str(getattr(raised, name)) for name in names}
            self._write(TrialResult(Ending.USAGE, raised.exit_code, error=error_texts))
            return raised.exit_code
        if error is not None:
            self._write(self._failed(error))
        else:
            self._write(self._result(Ending.EXITED if code else Ending.ENDED, code))
            if not code:
                self._measure(Ending.ENDED)
        return code

    def _failed(self, error: BaseException) -> TrialResult:
        with suppress(OSError):  # files are named relative to this folder
            os.chdir(self._request.space.run_folder)
        place = place_of(error)
        crash = self._crash(error, place.steps if place.kind == "fit" else None)
        return msgspec.structs.replace(self._result(Ending.RAISED, 1), place=place, crash=crash)

    def _crash(self, error: BaseException, step: int | None) -> Crash:
        if "tensorflow" in sys.modules:
            try:
                return registry.load_crash_recorder()(error, step)
            except Exception as failure:  # the error of the program is more important
                print(f"the crash cannot be recorded: {failure!r}", file=sys.stderr)
        return plain_crash(error)

    def _enough(self) -> None:
        """Report success, then measure the batch, which may take long and fail."""
        if os.getpid() != self._process:
            return
        self._write(self._result(Ending.ENOUGH))
        self._measure(Ending.ENOUGH)
        leave(0)

    def _measure(self, ending: Ending) -> None:
        if self._request.failure is not None and self._progress.counts.keeps_batch is None:
            with suppress(Exception):
                self._hooks.measure_batch()
                self._write(self._result(ending))

    def _changed(self) -> None:
        now = time.monotonic()
        if now - self._written > PAUSE and os.getpid() == self._process:
            self._written = now
            files.write(self._folder, files.COUNTS, self._progress.counts)

    def _write(self, result: TrialResult) -> None:
        if os.getpid() == self._process:  # not a child that the program forked
            files.write(self._folder, files.RESULT, result)

    def _result(self, ending: Ending, code: int = 0) -> TrialResult:
        changed = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(PREFIXES)
            and name not in WITHOUT_EFFECT
            and self._environment.get(name) != value
        }
        return TrialResult(
            ending,
            code,
            counts=self._progress.counts,
            frameworks=tuple(name for name in FRAMEWORKS if name in sys.modules),
            environment=changed,
        )


def _exit_code(raised: SystemExit) -> int:
    if raised.code is None or isinstance(raised.code, int):
        return int(raised.code or 0)
    print(raised.code, file=sys.stderr)
    return 1
