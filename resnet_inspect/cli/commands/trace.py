"""`trace`: build, train, record, then print the answer page."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from resnet_inspect.cli.narration import Narrator
from resnet_inspect.cli.settings_flags import add_settings, resolve_settings
from resnet_inspect.config.targets import TARGETS
from resnet_inspect.errors import EXIT_OK, BuildError

if TYPE_CHECKING:
    from resnet_inspect.stats import StepRecord


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `trace`."""
    parser.add_argument(
        "target", metavar="TARGET", nargs="?", help=f"a model of your own: {TARGETS}"
    )
    parser.add_argument("-o", "--out", metavar="RUN", type=Path, help="run file to write")
    parser.add_argument("--force", action="store_true", help="replace an existing run file")
    parser.add_argument("--quiet", action="store_true", help="say nothing on stderr")
    add_settings(parser)


def run(parsed: argparse.Namespace) -> int:
    """Trace, and print the page of whatever was recorded, also of a failed or stopped run."""
    settings = resolve_settings(parsed).settings
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    narrator = Narrator(settings.planned, quiet=parsed.quiet)
    from resnet_inspect import api

    def watch(path: Path, record: StepRecord | None) -> None:
        if record is None:
            with api.open_run(path) as begun:
                told = begun.info.settings
            if told.fits:
                narrator.plan(told.planned, "model made, its step is traced first")
        narrator.watch(path, record)

    narrator.say("loading TensorFlow and building the graph ...")
    try:
        with narrator:
            path = api.record(settings, out=parsed.out, force=parsed.force, watch=watch)
    except BuildError as error:
        if error.run:
            _print_page(Path(error.run))
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
        answer_page(
            Screen(),
            recorded.info,
            api.summarize(recorded),
            path,
        )
    sys.stdout.flush()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """End the trace once; what is then written and printed is not interrupted again."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
