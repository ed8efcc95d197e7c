"""Suggested command lines as values. Pages, findings and errors create them; nothing parses them.

Only `spelled` converts a command to text.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

import msgspec

from resnet_inspect.paths import typed

NAME = "resnet-inspect"
PACKAGE = "resnet_inspect"


class Command(msgspec.Struct, frozen=True):
    """A command of a program with its arguments.

    Attributes:
        arguments: positional arguments, each a name or the Path of a file.
        options: flags and their values.
        remark: a shell comment for the reader.
    """

    command: str
    arguments: tuple[str | Path, ...] = ()
    options: tuple[str, ...] = ()
    remark: str = ""
    program: str = NAME

    def of(self, *files: Path) -> Command:
        """Return this command with run files added as its last arguments."""
        return msgspec.structs.replace(self, arguments=(*self.arguments, *files))


def called(words: Sequence[str]) -> str:
    """Return how the user calls this program in a shell.

    Args:
        words: `sys.orig_argv`. Scripts that run in this process do not change it.
    """
    on_path, beside = shutil.which(NAME), Path(sys.executable).with_name(NAME)
    if on_path is not None and beside.exists() and Path(on_path).samefile(beside):
        return NAME
    if len(words) > 1 and Path(words[1]).name == NAME:
        return typed(words[1])
    place = words.index("-m") + 1 if "-m" in words else len(words)
    if list(words[place : place + 1]) == [PACKAGE]:
        return " ".join(map(quote, words[: place + 1]))
    return NAME


def spelled(command: Command) -> str:
    """Return a command as shell text. This program is named as the user called it."""
    words = [
        called(sys.orig_argv) if command.program == NAME else quote(command.program),
        command.command,
        *(_word(argument) for argument in command.arguments),
        *map(quote, command.options),
    ]
    return " ".join(words) + (f"  # {command.remark}" if command.remark else "")


def _word(argument: str | Path) -> str:
    if isinstance(argument, str):
        return quote(argument)
    return typed(os.fsencode(argument).decode(errors="replace"))
