"""`browse`: a run, or two compared, in a terminal interface."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from resnet_inspect.errors import EXIT_OK, UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `browse`."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="run file (default: newest in runs/)")
    parser.add_argument(
        "other", nargs="?", metavar="RUN_B", help="run file to compare it with: differences marked"
    )


def run(parsed: argparse.Namespace) -> int:
    """Show the run, or both, until the user quits."""
    _need_terminal(parsed.run, parsed.other)
    from resnet_inspect.cli.run_argument import run_file
    from resnet_inspect.config.browser import browser_settings

    settings = browser_settings()
    path = run_file(parsed.run)
    from resnet_inspect.tui.app import BrowseApp

    BrowseApp(path, settings, Path(parsed.other) if parsed.other else None).run()
    return EXIT_OK


def _need_terminal(run: str | None, other: str | None) -> None:
    """Raise UsageError where there is nobody to press a key."""
    for name in ("stdin", "stdout", "stderr"):  # it is drawn on the last
        stream = getattr(sys, name)
        if stream is None or not stream.isatty():
            from resnet_inspect.commands import Command

            files = [Path(one) for one in (run, other) if one]
            page = Command("report", tuple(files[:1]), ("-o", "FILE.html"))
            raise UsageError(
                "browse needs a terminal",
                where=name,
                expected="a terminal",
                got="a pipe, a file or nothing",
                fix=(
                    "for the same facts as text: ",
                    Command("diff" if other else "shapes").of(*files),
                    "; as a page: ",
                    page,
                ),
            )
