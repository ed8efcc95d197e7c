"""`browse`: a run, or two compared, in a terminal interface."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from shlex import quote

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
    from resnet_inspect.config.browser import browser_settings
    from resnet_inspect.store import catalogue

    settings = browser_settings()
    path = Path(parsed.run) if parsed.run else catalogue.newest()
    from resnet_inspect.tui.app import BrowseApp

    BrowseApp(path, settings, Path(parsed.other) if parsed.other else None).run()
    return EXIT_OK


def _need_terminal(run: str | None, other: str | None) -> None:
    """Raise UsageError where there is nobody to press a key."""
    for name in ("stdin", "stdout", "stderr"):  # it is drawn on the last
        stream = getattr(sys, name)
        if stream is None or not stream.isatty():
            file = f" {quote(run)}" if run else ""
            both = f"diff{file} {quote(other)}" if other else ""
            raise UsageError(
                "browse needs a terminal",
                where=name,
                expected="a terminal",
                got="a pipe, a file or nothing",
                fix=f"for the same facts as text: resnet-inspect {both or 'shapes' + file}; "
                f"as a page: resnet-inspect report{file} -o FILE.html",
            )
