"""Records a program and its child processes, and reports run files and missed trainings."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from shlex import quote
from typing import Any

import msgspec

from resnet_inspect import paths
from resnet_inspect.api import check_recorder
from resnet_inspect.config.settings import Fit
from resnet_inspect.errors import InspectError
from resnet_inspect.failures import again, print_explanations
from resnet_inspect.journal import RunFiles, RunJournal
from resnet_inspect.program.ledger import Ledger
from resnet_inspect.program.messages import explanations, failed_training
from resnet_inspect.script.children import in_spawned_children
from resnet_inspect.script.imports import after_import
from resnet_inspect.tracers import registry
from resnet_inspect.tracers.contract import MissedTraining


class Plan(msgspec.Struct, frozen=True):
    """How to record a program; passed to its child processes.

    Attributes:
        program: the name of the program in its runs.
        out: the absolute path of the first run file, or None.
        folder: the working folder at the start.
        force: whether existing run files are replaced.
        settings: those of `api.Recorder`.
        ledger: the folder of the `Ledger`.
    """

    program: str
    out: str | None
    folder: str
    force: bool
    settings: dict[str, Any]
    ledger: str


class ProgramRecorder:
    """Records a process of a program. `start` is for the first process, `join` for children."""

    @classmethod
    def start(
        cls, program: str, out: Path | None, *, force: bool, settings: dict[str, Any]
    ) -> ProgramRecorder:
        """Start to record this process. Raises the errors of `api.check_recorder`."""
        check_recorder(out, force=force, **settings)
        plan = Plan(
            program=program,
            out=None if out is None else str(out.absolute()),
            folder=str(Path.cwd()),
            force=force,
            settings=settings,
            ledger=tempfile.mkdtemp(prefix="resnet-inspect-"),
        )
        recorder = cls(plan)
        in_spawned_children("resnet_inspect.program.recorder", "join", (msgspec.json.encode(plan),))
        return recorder

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ledger = Ledger(Path(plan.ledger))
        self._unrecorded: dict[MissedTraining, None] = {}
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._observer = registry.load_observer(self._runs, self._note_unrecorded)
        after_import("tensorflow", self._observer.tensorflow)
        after_import("keras", self._observer.keras)
        after_import("tf_keras", self._observer.legacy_keras)

    def _note_unrecorded(self, training: MissedTraining) -> None:
        with self._lock:
            self._unrecorded.setdefault(training)

    def _runs(self) -> Any:
        """Create the object that makes runs; called when the first training starts."""
        plan = self._plan
        settings = msgspec.structs.replace(
            check_recorder(None, force=plan.force, **plan.settings),
            subject=Fit(target=paths.portable(plan.program)),
        )
        out = None if plan.out is None else Path(plan.out)
        files = RunFiles(
            out,
            force=plan.force,
            folder=Path(plan.folder),
            number=self._ledger.number,
            note=self._ledger.note,
        )
        return registry.load_runs(settings, lambda: RunJournal(files))

    def ended(self, error: BaseException | None = None) -> None:
        """Report run files and missed trainings on stderr; `error` is what ended the program."""
        if os.getpid() != self._process:
            return  # a forked child that returned from the program
        if isinstance(error, Exception) and not isinstance(error, InspectError):
            self._observer.write_failure(error)
        files = self._ledger.paths()
        explained = print_explanations(files)
        for file in files:
            print(f"resnet-inspect: recorded in {quote(self._short(file))}", file=sys.stderr)
        for line in explanations(
            list(self._unrecorded), self._plan.program, recorded=bool(files), error=error
        ):
            print(f"resnet-inspect: {line}", file=sys.stderr)
        for file in files:
            if file in explained:
                print(again(file), file=sys.stderr)
                continue
            for line in failed_training(file, error):
                print(f"resnet-inspect: {line}", file=sys.stderr)
        shutil.rmtree(self._plan.ledger, ignore_errors=True)

    def _short(self, file: Path) -> str:
        """The path relative to the working folder at the start of the program."""
        folder = Path(self._plan.folder)
        inside = file.is_relative_to(folder)
        return str(file.relative_to(folder)) if inside else paths.portable(str(file))


def join(plan: bytes) -> None:
    """Record a spawned child process with the plan of its parent."""
    ProgramRecorder(msgspec.json.decode(plan, type=Plan))
