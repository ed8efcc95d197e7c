"""`explain`: explains the failure of a run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.parser import add_json, add_run
from resnet_inspect.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_RUN_FILE,
    EXIT_USAGE,
    UsageError,
)

if TYPE_CHECKING:
    from resnet_inspect.store.info import RunInfo

DESCRIPTION = """\
Shows the failed call, the two sizes that disagree, the line that sets each, and
changes that should let the call pass."""
EXAMPLES = (
    "resnet-inspect explain",
    "resnet-inspect explain runs/a.db",
    "resnet-inspect explain runs/a.db --json   # for an editor",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_RUN_FILE, EXIT_INTERRUPTED)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `explain`."""
    add_run(parser, "newest run in runs/ that failed")
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Print the explanation or its JSON."""
    from resnet_inspect.cli.run_argument import failed_run_file
    from resnet_inspect.store.run import Run
    from resnet_inspect.stored import failure_of

    path = failed_run_file(parsed.run, parsed.run_flag)
    with Run.open(path) as recorded:
        facts = failure_of(recorded)
        if facts is None:
            raise _not_failed(path, recorded.info)
    if parsed.json:
        from resnet_inspect.render.documents import failure_fields, json_document

        print(json_document(run=str(path), **failure_fields(facts)))
        return EXIT_OK
    from resnet_inspect.render.pages.explanation_page import explanation_page, print_page
    from resnet_inspect.render.screen import Screen

    print_page(Screen(), explanation_page(facts))
    return EXIT_OK


def _not_failed(path: Path, info: RunInfo) -> UsageError:
    from resnet_inspect.commands import Command

    reason = f" ({info.reason})" if info.reason else ""
    return UsageError(
        "the run has no failure to explain",
        where=str(path),
        expected="a run that failed",
        got=f"status {info.status.value}{reason}",
        fix=("find problems in the run: ", Command("check").of(path)),
    )
