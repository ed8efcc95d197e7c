"""`study`: run the variants that a question needs, and answer it from the measurements."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from resnet_inspect.cli.output import write_whole
from resnet_inspect.cli.parser import add_json
from resnet_inspect.cli.settings_flags import add_setting
from resnet_inspect.config import FIELDS
from resnet_inspect.errors import EXIT_OK, OutputError, UsageError

if TYPE_CHECKING:
    from resnet_inspect.studies import Planned, Progress

SETTINGS = ("n", "batch_size", "steps", "data", "device")
TOLD_PER_RUN = 4
FORMS = (".html", ".htm")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `study`."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="which study; --list tells them")
    parser.add_argument("--list", action="store_true", help="the studies with their questions")
    parser.add_argument(
        "--seeds", metavar="K", type=int, help="trainings of each variant (default: 3)"
    )
    for field in FIELDS:
        if field.name in SETTINGS:
            add_setting(parser, field)
    parser.set_defaults(**dict.fromkeys(SETTINGS))
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="FILE.html: write the answer with its tables as a page, in place of printing it",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing on stderr")
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Say what it costs, run what is missing, print the answer or the same as JSON."""
    from resnet_inspect import studies
    from resnet_inspect.commands import Command
    from resnet_inspect.render.screen import Screen
    from resnet_inspect.render.studies.page import basis, study_page

    if parsed.list:
        _list(parsed.json)
        return EXIT_OK
    if parsed.name is None:
        raise UsageError(
            "no study is named",
            where="NAME",
            expected="one of " + ", ".join(studies.STUDIES),
            fix=("`", Command("study", options=("--list",)), "` tells what each asks"),
        )
    study = studies.known(parsed.name)
    check_output(parsed.output, as_json=parsed.json)
    seeds = studies.SEEDS if parsed.seeds is None else parsed.seeds
    if seeds < 1:
        raise UsageError(
            "a study needs a seed",
            where="flag --seeds",
            expected="a whole number of at least 1",
            got=str(seeds),
            fix="3 are the fewest that decide a claim about training",
        )
    given = {
        field.name: field.parse(getattr(parsed, field.name), f"flag {field.flag}")
        for field in FIELDS
        if field.name in SETTINGS and getattr(parsed, field.name) is not None
    }
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    runs = studies.plan(study, given, seeds)
    narrator = _Narrator(quiet=parsed.quiet)
    if not study.trains:
        narrator.unheeded(
            study.name,
            [f"--{name}" for name in ("steps", "seeds") if getattr(parsed, name) is not None],
        )
    narrator.cost(len({one.file for one in runs}), studies.missing(runs))
    try:
        found = studies.conduct(study, runs, narrator.tell)
    except KeyboardInterrupt:
        narrator.end()
        narrator.stopped(len({one.file for one in runs}), len(studies.missing(runs)))
        raise
    finally:
        narrator.end()
    if parsed.json:
        import msgspec

        from resnet_inspect.render.documents import answer_fields, json_document

        fields = msgspec.structs.asdict(found) | {"answer": answer_fields(found.answer)}
        print(json_document(**fields))
        return EXIT_OK
    told = basis(found.settings, found.seeds, found.runs)
    if parsed.output is None:
        study_page(Screen(), found.question, told, found.answer)
        return EXIT_OK
    from resnet_inspect import __version__
    from resnet_inspect.render.studies.document import study_report

    program = f"resnet-inspect {__version__}, study {found.study}"
    page = study_report(
        found.question, told, found.answer, found.runs, program, found.cross_entropy
    )
    write_whole(parsed.output, page, "the page")
    narrator.wrote(parsed.output)
    return EXIT_OK


def check_output(output: Path | None, *, as_json: bool) -> None:
    """Refuse, before anything is run, a page that could not be written."""
    if output is None:
        return
    shown = os.fsencode(output).decode(errors="replace")
    if as_json:
        raise UsageError(
            "either a page or JSON",
            where="flags --output and --json",
            got=f"-o {shown} --json",
            fix="ask for one, then for the other: what was run is not run again",
        )
    if output.suffix.lower() not in FORMS:
        raise UsageError(
            "there is no such kind of page",
            where="flag --output",
            expected="a file name that ends in .html",
            got=shown,
            fix="for example: -o study.html",
        )
    if not output.parent.is_dir() or output.is_dir():
        raise OutputError(
            "the page cannot be written",
            where=shown,
            expected="a file in a folder that is there",
            fix="give another place to write to",
        )


def _list(as_json: bool) -> None:
    from resnet_inspect import studies
    from resnet_inspect.render.documents import json_document
    from resnet_inspect.render.screen import Screen
    from resnet_inspect.render.studies.page import questions_page

    every = list(studies.questions())
    if not as_json:
        questions_page(Screen(), every)
        return
    told = [
        {
            "study": one.name,
            "number": one.number,
            "question": one.question,
            "variants": [variant.name for variant in one.variants],
        }
        for one in every
    ]
    print(json_document(studies=told))


class _Narrator:
    """Tells on stderr what a study costs and how far it is: in a terminal on one line."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._one_line = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._open = False

    def unheeded(self, study: str, flags: list[str]) -> None:
        """Flags about training, of a study that trains nothing."""
        if flags:
            self._say(f"{study} trains nothing and needs no seeds: {' and '.join(flags)} unheeded")

    def cost(self, runs: int, wanted: list[Planned]) -> None:
        """Before the first run."""
        there = f"{runs - len(wanted)} of {runs} runs are there" if wanted else "all runs are there"
        if not wanted:
            self._say(f"{there}; answering from them")
            return
        seconds = sum(one.seconds for one in wanted)
        about = f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"
        self._say(f"{there}; running {len(wanted)}, about {about} on two CPU cores ...")

    def tell(self, seen: Progress) -> None:
        """A run begins, or one of its steps is done."""
        settings = seen.planned.settings
        planned = settings.planned
        head = f"run {seen.done + 1} of {seen.of} ({seen.planned.name})"
        if seen.step < 0:
            self._say(f"{head}: building the graph", replaced=True)
        elif self._one_line or (seen.step + 1) % max(1, planned // TOLD_PER_RUN) == 0:
            left = "" if seen.left is None else f", about {_time(seen.left)} left"
            self._say(f"{head}: step {seen.step + 1} of {planned}{left}", replaced=True)

    def wrote(self, file: Path) -> None:
        """The page is there."""
        self._say(f"wrote {file}")

    def stopped(self, runs: int, missing: int) -> None:
        """The user ended it."""
        there = f"{runs - missing} of {runs} runs are complete and kept"
        self._say(f"{there}; the same command goes on from there")

    def end(self) -> None:
        """All runs are there, or it was stopped."""
        if self._open:
            self._say("", replaced=True)
            self._write("\r")
            self._open = False

    def _say(self, text: str, *, replaced: bool = False) -> None:
        if self._quiet:
            return
        if self._one_line and replaced:
            self._open = True
            self._write(f"\r{text[:78]:<78}")
        else:
            self._write(text + "\n")

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # stderr is full or closed: the study goes on
            sys.stderr.write(text)
            sys.stderr.flush()


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """End the run once; what is then written of it is not interrupted again."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
