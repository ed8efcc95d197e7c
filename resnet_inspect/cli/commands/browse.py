"""`browse`: the run in a terminal interface."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from shlex import quote

from resnet_inspect.errors import EXIT_OK, UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `browse`."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="run file (default: newest in runs/)")


def run(parsed: argparse.Namespace) -> int:
    """Show the run until the user quits."""
    _need_terminal(parsed.run)
    from resnet_inspect.config.browser import browser_settings
    from resnet_inspect.store import catalogue

    settings = browser_settings()
    path = Path(parsed.run) if parsed.run else catalogue.newest()
    from resnet_inspect.tui.app import BrowseApp

    BrowseApp(path, settings).run()
    return EXIT_OK


def _need_terminal(run: str | None) -> None:
    """Raise UsageError where there is nobody to press a key."""
    for name in ("stdin", "stdout", "stderr"):  # it is drawn on the last
        stream = getattr(sys, name)
        if stream is None or not stream.isatty():
            file = f" {quote(run)}" if run else ""
            raise UsageError(
                "browse needs a terminal",
                where=name,
                expected="a terminal",
                got="a pipe, a file or nothing",
                fix=f"for the same facts as text: resnet-inspect shapes{file}; "
                f"as a page: resnet-inspect report{file} -o FILE.html",
            )
