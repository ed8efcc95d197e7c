"""The positional SCRIPT of commands that run a program, with its arguments."""

from __future__ import annotations

import argparse
import sys

from resnet_inspect.errors import UsageError

TYPE_CHECKING = False  # instead of typing's, whose import doubles the time of --help
if TYPE_CHECKING:
    from resnet_inspect.script.launch import Program


def add_script(parser: argparse.ArgumentParser) -> None:
    """Add -m, SCRIPT and its arguments."""
    parser.add_argument(
        "-m",
        dest="module",
        action="store_true",
        help="run SCRIPT as a module, as python -m does",
    )
    parser.add_argument(
        "script", metavar="SCRIPT", help="Python file, notebook, folder, or with -m a module"
    )
    parser.add_argument(
        "words", metavar="ARGS", nargs=argparse.REMAINDER, help="arguments passed to SCRIPT"
    )


def program_of(parsed: argparse.Namespace, command: str, *options: str) -> Program:
    """The program that SCRIPT names.

    Args:
        parsed: the command line.
        command: the command, for errors.
        options: an example of its options.

    Raises:
        UsageError: SCRIPT does not exist, or is an option.
    """
    from resnet_inspect.commands import Command
    from resnet_inspect.script import launch

    if parsed.script.startswith("-") and parsed.script != "-":
        raise UsageError(
            f"options of `{command}` must be before SCRIPT",
            where=parsed.script,
            expected="the path of a script",
            fix=("write: ", Command(command, options=(*options, "train.py"))),
        )
    return launch.program_of(parsed.script, module=parsed.module, say=note)


def note(line: str) -> None:
    """Print a line on stderr."""
    print(f"resnet-inspect: {line}", file=sys.stderr)
