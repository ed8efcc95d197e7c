"""Protects the files of the working folder from the program of a trial.

Where Linux allows it, an overlay file system above the folder takes all changes, and the program
sees its folder at the usual path. Otherwise it runs in a copy of the folder. Folders beside it are
not protected.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from resnet_inspect.errors import UsageError
from resnet_inspect.program.trials.request import Isolation, Space

MEGABYTE = 1_000_000
MOST_COPIED = 50 * MEGABYTE
MOST_FILES = 5_000
OUTSIDE = 2  # folders above a copied folder whose entries are linked: paths such as ../data
MOST_LINKS = 1_000
LINKED = (".git", ".hg", ".svn", "node_modules")  # not copied
LEFT_OUT = ("__pycache__",)
CLONE_NEWNS, CLONE_NEWUSER = 0x0002_0000, 0x1000_0000
MS_REC, MS_PRIVATE = 0x4000, 0x4_0000
UNSUPPORTED = ",:\\"  # have a meaning in the options of an overlay


class Spaces:
    """Makes the space of each trial of a program.

    Args:
        folder: the working folder.
        script: the folder of the script.
        in_place: whether trials run in the folder itself.

    Raises:
        UsageError: the folder cannot be protected.
    """

    def __init__(self, folder: Path, script: Path, *, in_place: bool = False) -> None:
        self._folder = folder
        self._layered = _outermost((folder, script))
        self.base = tempfile.mkdtemp(prefix="resnet-inspect-fix-", dir=_outside(self._layered))
        self.isolation = Isolation.NONE if in_place else self._choice()

    def new(self, trial: Path) -> Space:
        """Make the space of a trial in its own folder."""
        run_folder = self._folder
        if self.isolation is Isolation.COPY:
            run_folder = copied(self._folder, trial / "tree")
        return Space(self.isolation, str(self._folder), str(run_folder), self._layered)

    def remove(self, trial: Path) -> None:
        """Remove the folder of a trial."""
        for at in range(len(self._layered)):
            with suppress(OSError):  # the kernel makes it without permissions
                (trial / f"layer{at}" / "work" / "work").chmod(0o700)
        shutil.rmtree(trial, ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        for trial in Path(self.base).iterdir():
            self.remove(trial)
        shutil.rmtree(self.base, ignore_errors=True)

    def _choice(self) -> Isolation:
        trial = Path(self.base, "probe")
        trial.mkdir()
        works = can_layer(trial, self._layered)
        self.remove(trial)
        if works:
            return Isolation.LAYER
        size, files = measured(self._folder)
        if size <= MOST_COPIED and files <= MOST_FILES:
            return Isolation.COPY
        shutil.rmtree(self.base, ignore_errors=True)
        raise UsageError(
            "the working folder cannot be protected from changes by the script",
            where=str(self._folder),
            expected=f"an overlay file system, or at most {MOST_COPIED // MEGABYTE} MB to copy",
            got="no permission to mount an overlay, and a larger folder",
            fix="run from a smaller folder, or with --in-place: SCRIPT may overwrite its outputs",
        )


def located(space: Space, file: str) -> str:
    """The path of a file as the trial sees it."""
    inside = Path(file).is_relative_to(space.folder)
    if space.isolation is not Isolation.COPY or not inside:
        return file
    return str(Path(space.run_folder) / Path(file).relative_to(space.folder))


def writable(space: Space, file: str) -> bool:
    """Whether a trial may write to a file without changing the user's."""
    if space.isolation is Isolation.COPY:
        return Path(file).is_relative_to(space.run_folder)
    layered = space.isolation is Isolation.LAYER
    return layered and any(Path(file).is_relative_to(folder) for folder in space.layered)


def enter(trial: Path, space: Space) -> None:
    """Protect the folders of a space and go into its working folder."""
    if space.isolation is Isolation.LAYER:
        _layer(trial, space.layered)
    os.chdir(space.run_folder)


def can_layer(trial: Path, folders: Sequence[str]) -> bool:
    """Whether layers can be mounted above these folders, tried in a child process."""
    if any(sign in folder for folder in folders for sign in UNSUPPORTED) or _mounted_in(folders):
        return False
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _layer(trial, folders)
            code = 0 if all(os.access(folder, os.R_OK | os.X_OK) for folder in folders) else 1
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def _layer(trial: Path, folders: Sequence[str]) -> None:
    """Mount a layer above each folder, seen by this process and its children only."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    else:
        _checked(libc.unshare(CLONE_NEWNS))  # root may, without a namespace of users
    _checked(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    for at, folder in enumerate(folders):
        upper, work = (trial / f"layer{at}" / name for name in ("upper", "work"))
        for made in (upper, work):
            made.mkdir(parents=True)
        options = f"lowerdir={folder},upperdir={upper},workdir={work},userxattr"
        _checked(libc.mount(b"overlay", os.fsencode(folder), b"overlay", 0, os.fsencode(options)))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _mounted_in(folders: Sequence[str]) -> bool:
    """Whether another file system is mounted inside a folder: a layer would hide it."""
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return True
    points = [line.split(" ")[4] for line in lines]
    starts = [f"{folder}/".replace(" ", "\\040") for folder in folders]
    return any(point.startswith(start) for point in points for start in starts)


def _outermost(folders: Iterable[Path]) -> tuple[str, ...]:
    """The folders that are not inside another one."""
    every = sorted(
        {folder.resolve() for folder in folders}, key=lambda path: (len(path.parts), path)
    )
    outer: list[Path] = []
    for folder in every:
        if not any(folder.is_relative_to(other) for other in outer):
            outer.append(folder)
    return tuple(map(str, outer))


def _outside(folders: Sequence[str]) -> str:
    """A folder for temporary files that is in none of these folders, if there is one."""
    usual = tempfile.gettempdir()
    for place in (usual, "/var/tmp", "/dev/shm"):
        real = Path(place).resolve()
        if os.access(real, os.W_OK) and not any(real.is_relative_to(folder) for folder in folders):
            return str(real)
    return usual


def measured(folder: Path) -> tuple[int, int]:
    """The bytes and the number of files of a copy; counting ends above the limits."""
    size = files = 0
    waiting = [folder]
    while waiting and size <= MOST_COPIED and files <= MOST_FILES:
        for entry in os.scandir(waiting.pop()):
            files += 1
            if entry.is_symlink() or entry.name in LEFT_OUT or _is_linked(entry):
                continue
            if entry.is_dir():
                waiting.append(Path(entry.path))
            else:
                size += entry.stat().st_size
    return size, files


def copied(folder: Path, tree: Path) -> Path:
    """Copy a folder into `tree`, with links to the entries of the folders above it.

    Returns the copy.
    """
    target = tree
    target.mkdir(parents=True)
    inside = [folder, *list(folder.parents)[:OUTSIDE]]
    for inner, original in reversed(list(pairwise(inside))):
        target = target / original.name
        target.mkdir(exist_ok=True)
        _link_entries(original, target, without=inner.name)
    _Copy(folder, target / folder.name).add(folder.resolve())
    return target / folder.name


def _link_entries(original: Path, target: Path, *, without: str) -> None:
    with suppress(OSError):
        for entry in sorted(original.iterdir())[:MOST_LINKS]:
            if entry.name != without:
                (target / entry.name).symlink_to(entry)


class _Copy:
    """A copy of a folder. Links into the folder lead into the copy."""

    def __init__(self, root: Path, target: Path) -> None:
        self._root = root.resolve()
        self._target = target

    def add(self, folder: Path) -> None:
        """Copy a folder of the root, or the root."""
        target = self._target / folder.relative_to(self._root)
        target.mkdir()
        for entry in os.scandir(folder):
            new = target / entry.name
            if entry.name in LEFT_OUT:
                continue
            if entry.is_symlink():
                new.symlink_to(self._linked(Path(entry.path)))
            elif _is_linked(entry):
                new.symlink_to(entry.path)
            elif entry.is_dir():
                self.add(Path(entry.path))
            elif entry.is_file():
                shutil.copy2(entry.path, new)

    def _linked(self, link: Path) -> Path:
        real = Path(os.path.realpath(link))
        inside = real.is_relative_to(self._root)
        return self._target / real.relative_to(self._root) if inside else real


def _is_linked(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is linked instead of copied: a repository or a virtual environment."""
    environment = Path(entry.path, "pyvenv.cfg")
    return entry.name in LINKED or (entry.is_dir() and environment.exists())
