"""Shortens paths for run files, pages and lists.

A missing home folder or a deleted current folder is no error here.
"""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote


def user_folder(variable: str, usual: str) -> str | None:
    """The folder in an XDG variable such as XDG_CACHE_HOME, or `usual` in the home folder.

    Relative paths in the variable are ignored, as the XDG specification requires. None without a
    home folder.
    """
    named = os.environ.get(variable, "")
    if Path(named).is_absolute():
        return named
    return f"{folder}/{usual}" if (folder := home()) is not None else None


def home() -> str | None:
    """The home folder, or None without one."""
    try:
        return str(Path.home())
    except RuntimeError:
        return None


def current() -> str | None:
    """The current folder, or None if it was deleted."""
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
    """A path relative to the current folder if inside it, otherwise with the home folder as ~."""
    folder = current()
    if folder is not None:
        for start in (folder + "/", portable(folder) + "/"):
            if start != "/" and path.startswith(start):
                return path.removeprefix(start)
    return portable(path)


def typed(path: str) -> str:
    """A short path quoted for a shell. A leading ~ stays unquoted, so that the shell expands it.

    A path that begins with - gets the prefix ./ because a command would read it as an option.
    """
    shortened = short(path)
    if shortened.startswith("~/"):
        return "~/" + quote(shortened[2:])
    return quote(f"./{shortened}" if shortened.startswith("-") else shortened)


def printable(text: str) -> str:
    """Text with escapes in place of control characters and undecodable bytes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
