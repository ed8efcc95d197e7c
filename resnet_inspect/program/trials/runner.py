"""Runs a program unchanged and with repairs, each time in a space of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from resnet_inspect.errors import UsageError
from resnet_inspect.program.trials.helper import Limits, Run, TrialHelper
from resnet_inspect.program.trials.helper_process import Preload
from resnet_inspect.program.trials.patched import PatchedProgram
from resnet_inspect.program.trials.request import (
    Ending,
    Invocation,
    Isolation,
    Space,
    TrialRequest,
)
from resnet_inspect.program.trials.space import Spaces, located

IMPORTS = re.compile(rb"""(?:^|["\s;])(?:import|from)[ \t]+(tensorflow|keras|tf_keras)\b""", re.M)
AT_ONCE = 2
GPU = Path("/dev/nvidiactl")


class Runner:
    """Runs a program; it removes everything that the runs left when the `with` statement ends.

    Args:
        program: the program.
        folder: the working folder.
        in_place: whether it runs in the folder itself.

    Raises:
        UsageError: the folder cannot be protected.
    """

    def __init__(self, program: Invocation, folder: Path, *, in_place: bool = False) -> None:
        self._program = program
        file = main_file(program, folder)
        self.spaces = Spaces(folder, folder if file is None else file.parent, in_place=in_place)
        self._numbers = count(1)
        self._preload = _guess(file)
        self._helper: TrialHelper | None = None
        self._memory = 0

    def __enter__(self) -> Self:
        """Return the runner."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all processes and remove their files."""
        self._restart(None)
        self.spaces.close()

    def first(self, limits: Limits) -> Run:
        """Run the unchanged program. Raises UsageError if it cannot be started."""
        run = self._once(limits)
        result = run.result
        if result.ending is Ending.USAGE:
            raise UsageError(**result.error)
        wanted = Preload(result.frameworks, result.environment)
        if wanted.environment and self._started.copies:
            # The program sets variables before it imports a framework that was imported already.
            self._restart(wanted)
            run = self._once(limits)
        elif wanted.frameworks and not self._started.copies:
            self._restart(wanted)
        self._memory = run.memory
        return run

    def trials(
        self, programs: Iterator[PatchedProgram], steps: int, limits: Limits
    ) -> Iterator[tuple[PatchedProgram, Run]]:
        """Run programs with repairs; yields each when it ended."""
        by_folder: dict[Path, PatchedProgram] = {}

        def requests() -> Iterator[tuple[Path, TrialRequest]]:
            for program in programs:
                folder, request = self._request(program, steps)
                by_folder[folder] = program
                yield folder, request

        for folder, run in self._started.run(requests(), limits, at_once=self._at_once(limits)):
            self.spaces.remove(folder)
            yield by_folder[folder], run

    def _at_once(self, limits: Limits) -> int:
        """How many trials run at once: one on a GPU, whose memory TensorFlow reserves."""
        gpu = GPU.exists() and os.environ.get("CUDA_VISIBLE_DEVICES") not in ("", "-1")
        shared = self.spaces.isolation is Isolation.NONE  # they write the same files
        fits = AT_ONCE * self._memory < limits.memory
        return AT_ONCE if fits and not (gpu or shared) else 1

    @property
    def _started(self) -> TrialHelper:
        if self._helper is None:
            log = Path(self.spaces.base, f"helper{next(self._numbers)}.txt")
            self._helper = TrialHelper(self._preload, log)
        return self._helper

    def _restart(self, preload: Preload | None) -> None:
        if self._helper is not None:
            self._helper.close()
            self._helper = None
        if preload is not None:
            self._preload = preload

    def _once(self, limits: Limits) -> Run:
        request = self._request(None, 0)
        [(folder, run)] = self._started.run(iter([request]), limits)
        self.spaces.remove(folder)
        return run

    def _request(self, patched: PatchedProgram | None, steps: int) -> tuple[Path, TrialRequest]:
        folder = Path(self.spaces.base, str(next(self._numbers)))
        folder.mkdir()
        space = self.spaces.new(folder)
        request = TrialRequest(_relocated(self._program, space), space)
        if patched is None:
            return folder, request
        marks = [
            msgspec.structs.replace(mark, file=located(space, mark.file))
            for mark in patched.landmarks
        ]
        return folder, TrialRequest(
            request.program,
            space,
            texts={
                file: text
                for path, text in patched.texts.items()
                for file in (path, located(space, path))
            },
            landmarks=tuple(marks),
            failure=patched.place,
            steps=steps,
        )


def main_file(program: Invocation, folder: Path) -> Path | None:
    """The file that runs as `__main__`; None for a module that is not in the working folder."""
    place = folder / (program.name.replace(".", os.sep) if program.module else program.name)
    choices = [
        place / "__main__.py",
        place.with_name(f"{place.name}.py") if program.module else place,
    ]
    return next((choice.resolve() for choice in choices if choice.is_file()), None)


def _guess(file: Path | None) -> Preload:
    """The frameworks that a program will import, from the text of its main file."""
    text = b"" if file is None else file.read_bytes()
    names = list(dict.fromkeys(match.decode() for match in IMPORTS.findall(text)))
    if not names:
        return Preload()
    others = [name for name in ("tensorflow", "keras") if name not in names]
    return Preload((*names, *others))


def _relocated(program: Invocation, space: Space) -> Invocation:
    """The program with the path of its script in the copy of the working folder."""
    if space.isolation is not Isolation.COPY or program.module:
        return program
    path = os.path.join(space.folder, program.name)  # noqa: PTH118 - keeps the name as written
    real = os.path.normpath(path)
    inside = Path(real).is_relative_to(space.folder)
    if not inside:
        return msgspec.structs.replace(program, name=real)
    relative = not os.path.isabs(program.name) and not program.name.startswith("..")  # noqa: PTH117
    return program if relative else msgspec.structs.replace(program, name=located(space, real))
