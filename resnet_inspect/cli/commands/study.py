"""`study`: trains the variants that a question needs and answers it from their runs."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.output import write_whole
from resnet_inspect.cli.parser import add_json, add_output
from resnet_inspect.cli.settings_flags import add_setting
from resnet_inspect.config import FIELDS
from resnet_inspect.errors import (
    EXIT_BUILD,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_RUN_FILE,
    EXIT_USAGE,
    OutputError,
    UsageError,
)

if TYPE_CHECKING:
    from resnet_inspect.studies import PlannedRun, Progress

SETTINGS = ("n", "batch_size", "steps", "data", "device")
USUAL = {"n": 1, "batch_size": 32, "steps": 40}  # those of resnet_inspect.studies, slow to import
LINES_PER_RUN = 4
FORMS = (".html", ".htm")
DESCRIPTION = "Runs are kept under runs/study and used again by later studies."
EXAMPLES = (
    "resnet-inspect study --list",
    "resnet-inspect study padding",
    "resnet-inspect study l2 --n 5 --steps 200 -o l2.html",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_BUILD, EXIT_RUN_FILE, EXIT_INTERRUPTED) | {
    EXIT_RUN_FILE: "the file of an earlier run is damaged",
    EXIT_INTERRUPTED: "stopped with Ctrl-C; complete runs are kept",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `study`."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="study to run; see --list")
    parser.add_argument("--list", action="store_true", help="list the studies and their questions")
    parser.add_argument(
        "--seeds", metavar="N", type=int, help="train each variant with N seeds (default: 3)"
    )
    for field in FIELDS:
        if field.name in SETTINGS:
            add_setting(parser, field, USUAL)
    parser.set_defaults(**dict.fromkeys(SETTINGS))
    add_output(parser, "FILE", "write the answer as FILE.html instead of printing it")
    parser.add_argument("--quiet", action="store_true", help="print no progress")
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Report the cost, run what is missing, then print the answer or its JSON."""
    from resnet_inspect import studies
    from resnet_inspect.commands import Command
    from resnet_inspect.render.screen import Screen
    from resnet_inspect.render.studies.page import basis, study_page

    if parsed.list:
        _list(parsed.json)
        return EXIT_OK
    if parsed.name is None:
        raise UsageError(
            "NAME is missing",
            where="command line",
            expected="one of " + ", ".join(studies.STUDIES),
            fix=("list the studies and their questions: ", Command("study", options=("--list",))),
        )
    study = studies.known(parsed.name)
    check_output(parsed.output, as_json=parsed.json)
    seeds = studies.SEEDS if parsed.seeds is None else parsed.seeds
    if seeds < 1:
        raise UsageError(
            "a study needs at least 1 seed",
            where="flag --seeds",
            expected="an integer of at least 1",
            got=str(seeds),
            fix="use 3 or more: fewer seeds do not decide a claim about training",
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
        narrator.unused(
            study.name,
            [f"--{name}" for name in ("steps", "seeds") if getattr(parsed, name) is not None],
        )
    files = {planned.file for planned in runs}
    narrator.cost(len(files), studies.missing(runs))
    try:
        result = studies.conduct(study, runs, narrator.progress)
    except KeyboardInterrupt:
        narrator.end()
        narrator.stopped(len(files), len(studies.missing(runs)))
        raise
    finally:
        narrator.end()
    if parsed.json:
        import msgspec

        from resnet_inspect.render.documents import answer_fields, json_document

        fields = msgspec.structs.asdict(result) | {"answer": answer_fields(result.answer)}
        print(json_document(**fields))
        return EXIT_OK
    basis_text = basis(result.settings, result.seeds, result.runs)
    if parsed.output is None:
        study_page(Screen(), result.question, basis_text, result.answer)
        return EXIT_OK
    from resnet_inspect import __version__
    from resnet_inspect.render.studies.document import study_report

    program = f"resnet-inspect {__version__}, study {result.study}"
    page = study_report(
        result.question, basis_text, result.answer, result.runs, program, result.cross_entropy
    )
    write_whole(parsed.output, page, "the page")
    narrator.wrote(parsed.output)
    return EXIT_OK


def check_output(output: Path | None, *, as_json: bool) -> None:
    """Raise UsageError or OutputError for a page that cannot be written, before anything runs."""
    if output is None:
        return
    shown = os.fsencode(output).decode(errors="replace")
    if as_json:
        raise UsageError(
            "--json writes no page",
            where="flags --output and --json",
            expected="--output or --json",
            got=f"-o {shown} --json",
            fix="use --output in a second command: runs are kept and not repeated",
        )
    if output.suffix.lower() not in FORMS:
        raise UsageError(
            "the page cannot have this file type",
            where="flag --output",
            expected="a file name that ends in .html",
            got=shown,
            fix="write, for example, -o study.html",
        )
    if not output.parent.is_dir() or output.is_dir():
        raise OutputError(
            "the page cannot be written",
            where=shown,
            expected="a file in an existing folder",
            got="a folder" if output.is_dir() else "no such folder",
            fix="choose another file with -o",
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
    rows = [
        {
            "study": study.name,
            "number": study.number,
            "question": study.question,
            "variants": [variant.name for variant in study.variants],
        }
        for study in every
    ]
    print(json_document(studies=rows))


class _Narrator:
    """Reports the cost and progress of a study on stderr, in a terminal on one line."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._one_line = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._open = False

    def unused(self, study: str, flags: list[str]) -> None:
        """Report options without effect on a study that trains nothing."""
        if flags:
            self._say(f"note: {study} trains nothing; ignored: {' and '.join(flags)}")

    def cost(self, runs: int, wanted: list[PlannedRun]) -> None:
        """Report, before the first run, how many runs are missing and how long they take."""
        if not wanted:
            self._say("all runs exist; answering from them")
            return
        time = _time(sum(planned.seconds for planned in wanted))
        exist = f"{runs - len(wanted)} of {runs} runs exist"
        self._say(f"{exist}; running {len(wanted)}, about {time} on two CPU cores ...")

    def progress(self, state: Progress) -> None:
        """Report the start of a run or a step of it."""
        steps = state.planned.settings.planned
        head = f"run {state.done + 1} of {state.of} ({state.planned.name})"
        if state.step < 0:
            self._say(f"{head}: building the graph", replaced=True)
        elif self._one_line or (state.step + 1) % max(1, steps // LINES_PER_RUN) == 0:
            left = "" if state.left is None else f", about {_time(state.left)} left"
            self._say(f"{head}: step {state.step + 1} of {steps}{left}", replaced=True)

    def wrote(self, file: Path) -> None:
        """Report the file of the page."""
        self._say(f"wrote {file}")

    def stopped(self, runs: int, missing: int) -> None:
        """Report what is kept after Ctrl-C."""
        kept = f"{runs - missing} of {runs} runs are complete and kept"
        self._say(f"{kept}; repeat the command to continue")

    def end(self) -> None:
        """Clear the line of the progress."""
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
        with suppress(OSError, ValueError):  # stderr is full or closed; the study continues
            sys.stderr.write(text)
            sys.stderr.flush()


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Stop the run; a second signal does not interrupt what is then written."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
