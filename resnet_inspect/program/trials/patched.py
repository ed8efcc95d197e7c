"""A program with repairs applied to the text of its files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.patches import edited, grouped, moved
from resnet_inspect.analysis.explain.proof import FileChange
from resnet_inspect.errors import PatchError
from resnet_inspect.graph.crash import Crash, Site
from resnet_inspect.program.trials.request import Landmark
from resnet_inspect.script.landmark import statement_at
from resnet_inspect.tracers.progress import FIT, CallPlace
from resnet_inspect.tracers.progress_hooks import KERAS_CALLS as OTHER_CALLS

KERAS_CALLS = (FIT, *OTHER_CALLS)


class PatchedProgram(msgspec.Struct, frozen=True):
    """A program whose files may have other texts.

    Attributes:
        folder: the working folder, to which names of files are relative.
        crash: its last known failure, and `place` the call that failed.
        originals: the bytes of each file before the first change, by path.
        texts: the changed texts by path.
        repairs: the repairs so far.
        landmarks: the statements that failed, in its text, the outermost first.
    """

    folder: Path
    crash: Crash
    place: CallPlace
    originals: dict[str, bytes] = {}
    texts: dict[str, bytes] = {}
    repairs: tuple[Repair, ...] = ()
    landmarks: tuple[Landmark, ...] = ()

    @classmethod
    def unchanged(cls, folder: Path, crash: Crash, place: CallPlace) -> PatchedProgram:
        """The program that failed."""
        return cls(folder, crash, place)

    @property
    def key(self) -> tuple[tuple[str, bytes], ...]:
        """Its changed texts: programs with the same texts behave alike."""
        texts = self.texts.items()
        return tuple(sorted((path, text) for path, text in texts if text != self.originals[path]))

    def with_repair(self, repair: Repair) -> PatchedProgram:
        """The program with another repair. Raises PatchError if it cannot be applied."""
        texts, originals = dict(self.texts), dict(self.originals)
        by_path = {self.path(name): edits for name, edits in grouped(repair.edits).items()}
        for path, edits in by_path.items():
            before = self._text(path)
            originals.setdefault(path, before)
            texts[path] = edited(before, edits)
        return msgspec.structs.replace(
            self,
            texts=texts,
            originals=originals,
            repairs=(*self.repairs, repair),
            landmarks=tuple(self._landmarks(by_path)),
        )

    def failed_again(self, crash: Crash, place: CallPlace) -> PatchedProgram:
        """The same program with its next failure."""
        return msgspec.structs.replace(self, crash=crash, place=place, landmarks=())

    def changes(self) -> tuple[FileChange, ...]:
        """The changed files."""
        names = {self.path(name): name for name in self.crash.files}
        return tuple(
            FileChange(self._name(path, names), path, self.originals[path], text)
            for path, text in self.texts.items()
        )

    def path(self, name: str) -> str:
        """The path of a file from its name in a crash."""
        return os.path.realpath(self.folder / Path(name).expanduser())

    def _name(self, path: str, names: Mapping[str, str]) -> str:
        folder = os.path.realpath(self.folder)
        inside = path.startswith(f"{folder}{os.sep}")
        return os.path.relpath(path, folder) if inside else names.get(path, path)

    def _text(self, path: str) -> bytes:
        if path in self.texts:
            return self.texts[path]
        if ".ipynb, cell " in path:
            raise PatchError("cells of a notebook are not changed; export it as a script")
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise PatchError("the file cannot be read", got=error.strerror or "") from error

    @property
    def failed_call(self) -> str:
        """What failed: a call of Keras, or the line of the program that failed."""
        if self.place.kind in KERAS_CALLS or not self._sites:
            return self.place.kind
        calls = [site for site in self._sites if not self._raises(site)]
        return f"line {(calls or self._sites)[-1].line}"

    @property
    def _sites(self) -> list[Site]:
        """The program's lines above the first call of a framework, the outermost first.

        Lines below it may run as a graph, without their text.
        """
        crash = self.crash
        inner = crash.calls[0].frame if crash.calls and crash.calls[0].frame >= 0 else None
        frames = crash.frames if inner is None else crash.frames[: inner + 1]
        return [frame.site for frame in frames]

    def _raises(self, site: Site) -> bool:
        lines = self.crash.files.get(site.file, "").splitlines()[site.line - 1 : site.line]
        return any(line.lstrip().startswith("raise") for line in lines)

    def _landmarks(self, edits: Mapping[str, Sequence[Edit]]) -> Iterator[Landmark]:
        """The statements that failed, after edits. None if a call failed, which is counted."""
        for site in self._sites if not self.place.kind else ():
            path = self.path(site.file)
            try:
                text = self._text(path)
                span = statement_at(text, site.line, site.column if site.end_line else None)
                if span is not None:
                    yield Landmark(path, *moved(text, edits.get(path, ()), *span))
            except PatchError:
                continue
