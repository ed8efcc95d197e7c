"""`trace`: builds, trains and records a network, then prints the answer page."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.narration import Narrator
from resnet_inspect.cli.parser import add_output
from resnet_inspect.cli.settings_flags import add_settings, resolve_settings
from resnet_inspect.errors import EXIT_BUILD, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, BuildError

if TYPE_CHECKING:
    from resnet_inspect.stats import StepRecord

DESCRIPTION = """\
TARGET is FILE.py:CALLABLE, package.module:CALLABLE, a .keras or .h5 file, or a
SavedModel folder. Without TARGET the tutorial's ResNet is traced."""
EXAMPLES = (
    "resnet-inspect trace --n 5 --ver 2",
    "resnet-inspect trace model.py:build --input 8,32,32,3 --set units=16",
    "resnet-inspect trace --config sample_configs/tutorial.toml --steps 9",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_BUILD, EXIT_INTERRUPTED) | {
    EXIT_INTERRUPTED: "stopped with Ctrl-C; the run file keeps every step",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `trace`."""
    parser.add_argument(
        "target", metavar="TARGET", nargs="?", help="your model (default: the tutorial's ResNet)"
    )
    add_output(parser, "RUN", "write this run file (default: a new file in runs/)")
    parser.add_argument("--force", action="store_true", help="replace an existing run file")
    parser.add_argument("--quiet", action="store_true", help="print no progress")
    add_settings(parser)


def run(parsed: argparse.Namespace) -> int:
    """Trace, then print the page of the run, also if it failed or was stopped."""
    settings = resolve_settings(parsed).settings
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    narrator = Narrator(settings.planned, quiet=parsed.quiet)
    from resnet_inspect import api

    def watch(path: Path, record: StepRecord | None) -> None:
        if record is None:
            with api.open_run(path) as begun:
                recorded = begun.info.settings
            if recorded.fits:
                narrator.plan(recorded.planned)
        narrator.watch(path, record)

    narrator.say("loading TensorFlow and building the graph ...")
    try:
        with narrator:
            path = api.record(settings, out=parsed.output, force=parsed.force, watch=watch)
    except BuildError as error:
        if error.run:
            _print_failure(Path(error.run))
        raise
    except KeyboardInterrupt:
        if narrator.path is not None:
            _print_page(narrator.path)
        raise
    _print_page(path)
    return EXIT_OK


def _print_page(path: Path) -> None:
    from resnet_inspect import api
    from resnet_inspect.render.pages.answer_page import answer_page
    from resnet_inspect.render.screen import Screen

    with api.open_run(path) as recorded:
        answer_page(Screen(), recorded.info, api.summarize(recorded), path)
    sys.stdout.flush()


def _print_failure(path: Path) -> None:
    """Print why the network could not be built or trained; the whole page without a crash."""
    from resnet_inspect import api
    from resnet_inspect.render.pages.answer_page import failure_page
    from resnet_inspect.render.screen import Screen
    from resnet_inspect.stored import failure_of

    with api.open_run(path) as recorded:
        facts, info = failure_of(recorded), recorded.info
    if facts is None or facts.explanation is None:
        _print_page(path)
        return
    failure_page(Screen(), info, facts)
    sys.stdout.flush()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Stop the trace; a second signal does not interrupt what is then written and printed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
