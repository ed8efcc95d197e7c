"""A command line as a value: pages, findings and errors suggest commands, and nothing parses them.

Only `spelled` makes text of one.
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

    `arguments` are the positional ones: a name, or the Path of a file. `options` are flags and
    their values. `remark` is a comment for the reader.
    """

    command: str
    arguments: tuple[str | Path, ...] = ()
    options: tuple[str, ...] = ()
    remark: str = ""
    program: str = NAME

    def of(self, *files: Path) -> Command:
        """The same command with run files as its last arguments."""
        return msgspec.structs.replace(self, arguments=(*self.arguments, *files))


def called(words: Sequence[str]) -> str:
    """This program as its user types it in a shell.

    Args:
        words: `sys.orig_argv`, which no script that is run here changes.
    """
    there, beside = shutil.which(NAME), Path(sys.executable).with_name(NAME)
    if there is not None and beside.exists() and Path(there).samefile(beside):
        return NAME
    if len(words) > 1 and Path(words[1]).name == NAME:
        return typed(words[1])
    place = words.index("-m") + 1 if "-m" in words else len(words)
    if list(words[place : place + 1]) == [PACKAGE]:
        return " ".join(map(quote, words[: place + 1]))
    return NAME


def spelled(command: Command) -> str:
    """A command as it is typed in a shell; the program as it was called, if it is this one."""
    words = [
        called(sys.orig_argv) if command.program == NAME else quote(command.program),
        command.command,
        *(_word(one) for one in command.arguments),
        *map(quote, command.options),
    ]
    return " ".join(words) + (f"  # {command.remark}" if command.remark else "")


def _word(argument: str | Path) -> str:
    if isinstance(argument, str):
        return quote(argument)
    return typed(os.fsencode(argument).decode(errors="replace"))
