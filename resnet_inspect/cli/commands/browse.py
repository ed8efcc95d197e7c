"""`browse`: shows a run, or two runs compared, in a terminal interface."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.parser import add_run, add_second_run
from resnet_inspect.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_RUN_FILE,
    EXIT_USAGE,
    UsageError,
)

DESCRIPTION = "Follows a run that is still recording. Works over SSH."
EXAMPLES = (
    "resnet-inspect browse",
    "resnet-inspect browse runs/a.db",
    "resnet-inspect browse runs/a.db runs/b.db   # differences are marked",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_RUN_FILE, EXIT_INTERRUPTED)
# A test compares the keys with the bindings of `tui`, whose import would slow down --help.
KEYS = {
    "up k": "go up a line",
    "down j": "go down a line",
    "pageup ctrl+b": "go up a page",
    "pagedown ctrl+f": "go down a page",
    "home g": "go to the first line",
    "end G": "go to the last line",
    "enter space": "fold or open a row; follow a line with an arrow",
    "right l": "open a row",
    "left h": "fold a row, or go to its parent",
    "/ n N": "search; go to the next or previous hit",
    "escape": "end the search or the zoom, or go to the tree",
    "backspace": "return to the last followed line",
    "1 2 3 4 5 6": "open Detail, Distribution, Why, Scalars, Run, Findings",
    "w x X": "explain the size of the selected, next or previous axis",
    "H": "open Distribution",
    "v t y": "change the view, the tensor or the scale",
    "b": "show tensors before and after batch normalization",
    "[ ]": "go to the previous or next recorded step",
    "o f": "show ops or only layers; change the filter",
    "z": "zoom one side to the whole window",
    "c s r": "copy; write an SVG picture; write an HTML report",
    "ctrl+r": "read the run file again",
    "d 7": "open Differences (two runs)",
    "m M": "go to the next or previous difference (two runs)",
    "ctrl+p": "find an action by its name",
    "? f1": "show all keys",
    "q": "quit",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `browse`."""
    add_run(parser)
    add_second_run(parser)
    keys = "\n".join(f"  {names:<16} {text}" for names, text in KEYS.items())
    parser.epilog = f"keys:\n{keys}\n\n{parser.epilog}"


def run(parsed: argparse.Namespace) -> int:
    """Show the run, or both, until the user quits."""
    _need_terminal(parsed.run or parsed.run_flag, parsed.other)
    from resnet_inspect.cli.run_argument import run_file
    from resnet_inspect.config.browser import browser_settings

    settings = browser_settings()
    path = run_file(parsed.run, parsed.run_flag)
    from resnet_inspect.tui.app import BrowseApp

    BrowseApp(path, settings, Path(parsed.other) if parsed.other else None).run()
    return EXIT_OK


def _need_terminal(run: str | None, other: str | None) -> None:
    """Raise UsageError if a standard stream is no terminal."""
    for name in ("stdin", "stdout", "stderr"):  # Textual draws on stderr
        stream = getattr(sys, name)
        if stream is None or not stream.isatty():
            from resnet_inspect.commands import Command

            files = [Path(file) for file in (run, other) if file]
            page = Command("report", tuple(files[:1]), ("-o", "FILE.html"))
            raise UsageError(
                "`browse` needs a terminal",
                where=name,
                expected="a terminal",
                got="a pipe, a file or nothing",
                fix=(
                    "print the same facts as text: ",
                    Command("diff" if other else "shapes").of(*files),
                    "; or write a page: ",
                    page,
                ),
            )
