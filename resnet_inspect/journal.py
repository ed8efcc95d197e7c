"""Names run files, and writes to them what a tracer records.

Only this module connects tracers with the store.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path, PurePath
from typing import Any

import msgspec

from resnet_inspect import paths
from resnet_inspect.config import Settings
from resnet_inspect.config.settings import TracedModel, Tutorial
from resnet_inspect.errors import OutputError
from resnet_inspect.graph import Failure
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import StepRecord
from resnet_inspect.store import catalogue
from resnet_inspect.store.info import RunInfo, Status, Writer
from resnet_inspect.store.writer import RunWriter, now
from resnet_inspect.tracers.contract import Environment, Outcome

NAMELESS = frozenset(("", "-c", "-m", "python", "ipykernel_launcher", "colab_kernel_launcher"))
ATTEMPTS = 100  # other programs may use the same name at the same time
_INHERITED: list[RunWriter] = []  # of the parent of a forked process; never closed in the child


class RunFiles:
    """Names the run files of a program: `out`, then `out` with the suffixes -2, -3 ….

    Without `out` the files are in runs/, with time, script and model in their names.

    Args:
        out: the first run file, or None.
        force: whether existing runs are replaced.
        folder: the folder of relative names, by default the current folder.
        number: returns an unused number from 1; required if several processes write.
        note: is called with the number and the file of each run.
    """

    def __init__(
        self,
        out: Path | None,
        *,
        force: bool = False,
        folder: Path | None = None,
        number: Callable[[], int] | None = None,
        note: Callable[[int, Path], None] = lambda _number, _path: None,
    ) -> None:
        counted = count(1)
        here = folder or Path.cwd()  # a program may change the current folder
        self._out = None if out is None else here / out
        self._folder = here / catalogue.FOLDER
        self._force = force
        self._number = number or (lambda: next(counted))
        self._note = note
        self._lock = threading.Lock()

    def create(self, info: RunInfo) -> RunWriter:
        """Create a run file. Raises OutputError if that is not possible."""
        with self._lock:
            for _ in range(ATTEMPTS):
                number = self._number()
                path = self._named(info.network, number)
                chosen_by_user = self._out is not None and number == 1
                if path.exists() and not (self._force or chosen_by_user):
                    continue
                try:
                    writer = RunWriter.create(path, info, force=self._force and bool(self._out))
                except OutputError:
                    if chosen_by_user or not path.exists():
                        raise
                else:
                    self._note(number, path)
                    return writer
        raise OutputError(
            "there is no unused name for a run file",
            where=str(path),
            expected=f"an unused name within {ATTEMPTS} attempts",
            fix="choose another file with -o",
        )

    def _named(self, network: str, number: int) -> Path:
        if self._out is None:
            return catalogue.fresh_name(network, self._folder)
        return self._out if number == 1 else _numbered(self._out, number)


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def run_name(target: str | None, model: str) -> str:
    """The name of a run: the script and the name of the model, if it has one.

    `train.py` and `generator` give `train: generator`. Without a script it is the model's name.
    """
    place = PurePath((target or "").removeprefix("-m "))
    script = place.name.removesuffix(".py").removesuffix(".ipynb")
    script = place.parent.name if script == "__main__" else script
    script = "" if script in NAMELESS else script
    return ": ".join(part for part in (script, model) if part) or "training"


class RunJournal:
    """Writes a run; see `contract.Journal`. The file is created at the first content.

    Args:
        files: names and creates the run file.
        network: the name of the run, by default made of script and model.
        watch: is called with the file and None at its creation, then with the file and each step.
        failed: is called with the file of a run that failed.
    """

    def __init__(
        self,
        files: RunFiles,
        *,
        network: str | None = None,
        watch: Callable[[Path, StepRecord | None], None] = lambda _path, _record: None,
        failed: Callable[[Path], None] = lambda _path: None,
    ) -> None:
        self._files = files
        self._failed = failed
        self._network = network
        self._watch = watch
        self._writer: RunWriter | None = None
        self._open = False
        self._steps = 0
        self._process = os.getpid()
        self._created = now()

    @property
    def path(self) -> Path | None:
        """The run file; None before its creation."""
        return self._writer.path if self._writer is not None else None

    @property
    def begun(self) -> bool:
        """Whether this process has created a run file."""
        if os.getpid() != self._process and self._writer is not None:
            _INHERITED.append(self._writer)
            self._writer, self._open, self._steps = None, False, 0
        self._process = os.getpid()
        return self._writer is not None

    def run_file(self) -> Path:
        """The run file. Raises RuntimeError before `begin`."""
        if self.path is None or not self.begun:
            raise RuntimeError("the run file does not exist: nothing was recorded")
        return self.path

    def begin(self, name: str, settings: Settings, environment: Environment) -> None:
        """Create the run file, or continue it."""
        settings = _portable(settings)
        if self.begun:
            self._resume(settings)
            return
        info = RunInfo(
            network=self._network or run_name(settings.target, name),
            settings=settings,
            device=environment.device,
            versions=environment.versions,
            created=self._created,
            writer=Writer.current(),
        )
        self._writer = self._files.create(info)
        self._open = True
        self._watch(self._writer.path, None)

    def _resume(self, settings: Settings | None = None) -> RunWriter:
        if not self.begun or self._writer is None:
            raise RuntimeError("begin() must be called before the run is written")
        if not self._open:
            self._writer = RunWriter.resume(self._writer)
            self._open = True
        if settings is not None:
            self._writer.plan(settings)
        return self._writer

    def built(self, outcome: Outcome, lineage: Lineage) -> None:
        """Write the graph of the step, replacing an earlier graph."""
        writer = self._resume()
        writer.graph(outcome.graph, outcome.seconds)
        writer.lineage(lineage)

    def step(self, record: StepRecord) -> None:
        """Write one step."""
        writer = self._resume()
        writer.step(record)
        self._steps += 1
        self._watch(writer.path, record)

    def end(self, reason: str = "", failure: Failure | None = None) -> None:
        """Write how the run ended, once. A complete run has as many planned steps as recorded."""
        if not self.begun or not self._open or self._writer is None:
            return
        writer, self._open = self._writer, False
        settings = writer.info.settings
        if failure is None and not reason and settings.fits:
            writer.plan(msgspec.structs.replace(settings, steps=self._steps))
        status = Status.FAILED if failure else Status.INTERRUPTED if reason else Status.COMPLETE
        writer.finish(status, reason=reason, failure=failure)
        if failure is not None:
            self._failed(writer.path)


def _portable(settings: Settings) -> Settings:
    """The settings as stored: without the path of the home folder."""
    subject = settings.subject
    changes: dict[str, Any] = {}
    if subject.target is not None:
        changes["target"] = paths.portable(subject.target)
    if isinstance(subject, Tutorial | TracedModel):
        kind, colon, file = subject.data.partition(":")
        changes["data"] = kind + colon + paths.portable(file)
    if isinstance(subject, Tutorial) and subject.checkpoint is not None:
        changes["checkpoint"] = paths.portable(subject.checkpoint)
    return msgspec.structs.replace(settings, subject=msgspec.structs.replace(subject, **changes))
