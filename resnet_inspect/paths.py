"""How paths are written where others may read them: run files, pages, lists.

A machine may have no home folder, and the current folder may be gone; neither is an error here.
"""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote


def user_folder(variable: str, usual: str) -> str | None:
    """The folder that XDG_CACHE_HOME or the like names, else `usual` in the home folder; None where
    there is none. One that is relative is ignored, as the XDG rule wants.
    """
    named = os.environ.get(variable, "")
    if Path(named).is_absolute():
        return named
    return f"{folder}/{usual}" if (folder := home()) is not None else None


def home() -> str | None:
    """The home folder, or None where there is none."""
    try:
        return str(Path.home())
    except RuntimeError:
        return None


def current() -> str | None:
    """The current folder, or None where it is gone."""
    try:
        return str(Path.cwd())
    except OSError:
        return None


def portable(path: str) -> str:
    """A path with the home folder as ~."""
    folder = home()
    if folder is None or folder == "/":
        return path
    return "~" + path.removeprefix(folder) if path.startswith(folder + "/") else path


def short(path: str) -> str:
    """A path relative to the current folder where it lies in it, else with the home folder as ~."""
    folder = current()
    if folder is not None:
        for start in (folder + "/", portable(folder) + "/"):
            if start != "/" and path.startswith(start):
                return path.removeprefix(start)
    return portable(path)


def typed(path: str) -> str:
    """A short path as it is typed in a shell, which only expands a ~ that is not quoted.

    A path that begins with - gets ./ before it, since a command takes it for a flag.
    """
    told = short(path)
    if told.startswith("~/"):
        return "~/" + quote(told[2:])
    return quote(f"./{told}" if told.startswith("-") else told)


def printable(text: str) -> str:
    """Text without control characters or bytes that are no text: they are shown as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
