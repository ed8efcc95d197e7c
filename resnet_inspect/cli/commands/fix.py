"""`fix`: finds repairs of a script with a shape error, and tests each of them."""

from __future__ import annotations

import argparse
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.parser import add_json
from resnet_inspect.cli.script_argument import add_script, note, program_of
from resnet_inspect.errors import (
    EXIT_BUILD,
    EXIT_FINDINGS,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_OTHER_FAILURE,
    EXIT_USAGE,
    OutputError,
    UsageError,
)

if TYPE_CHECKING:
    from resnet_inspect.analysis.explain.proof import Attempt, FixReport

DESCRIPTION = """\
Runs SCRIPT until it fails, then with each repair that the explanation suggests.
Repairs that pass are shown as a diff with evidence. Your files stay unchanged
without --apply. Options of `fix` go before SCRIPT."""
EXAMPLES = (
    "resnet-inspect fix train.py",
    "resnet-inspect fix --apply train.py --epochs 3   # --epochs goes to train.py",
    "resnet-inspect fix --steps 10 --time-limit 300 -m package.train",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_INTERRUPTED) | {
    EXIT_OK: "nothing to fix, or a repair was applied",
    EXIT_FINDINGS: "at least one repair passed",
    EXIT_BUILD: "SCRIPT failed and no repair passed",
    EXIT_OTHER_FAILURE: "SCRIPT failed, not with a shape error",
}
SIZES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)B?", re.IGNORECASE)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `fix`; arguments after SCRIPT belong to the script."""
    parser.add_argument("--apply", action="store_true", help="write a repair to your files")
    parser.add_argument(
        "--choose",
        type=int,
        default=1,
        metavar="N",
        help="select the repair that --apply writes",
    )
    parser.add_argument("--all", action="store_true", help="try and show all repairs")
    parser.add_argument(
        "--steps", type=int, default=3, metavar="N", help="run N steps past the failure"
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        default=60,
        metavar="SECONDS",
        help="stop each run after this time",
    )
    parser.add_argument(
        "--memory-limit",
        metavar="SIZE",
        help="stop runs above this memory, such as 8G (default: half)",
    )
    parser.add_argument(
        "--in-place",
        action="store_true",
        help="run in the folder itself, without protecting its files",
    )
    add_json(parser)
    add_script(parser)


def run(parsed: argparse.Namespace) -> int:
    """Search repairs, print them or their JSON, and apply one if requested."""
    from resnet_inspect.analysis.explain.explain import explain
    from resnet_inspect.analysis.explain.proof import Verdict
    from resnet_inspect.program.trials.helper import Limits
    from resnet_inspect.program.trials.processes import machine_memory
    from resnet_inspect.program.trials.request import Invocation
    from resnet_inspect.program.trials.runner import Runner
    from resnet_inspect.program.trials.search import Options, Search

    for flag, value in (("--steps", parsed.steps), ("--choose", parsed.choose)):
        if value < 1:
            raise UsageError("the number is too small", where=f"flag {flag}", expected="at least 1")
    if parsed.time_limit <= 0:
        raise UsageError(
            "the time is too short", where="flag --time-limit", expected="more than 0 seconds"
        )
    memory = _bytes(parsed.memory_limit) if parsed.memory_limit else machine_memory() // 2
    program_of(parsed, "fix", "--steps", "10")
    program = Invocation(parsed.script, tuple(parsed.words), parsed.module)
    options = Options(parsed.steps, Limits(parsed.time_limit, memory), every=parsed.all)
    folder = Path.cwd()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, _terminate)
    with Runner(program, folder, in_place=parsed.in_place) as runner:
        report = Search(runner, options, explain, note).report(program, folder)
    _print(parsed, report)
    if parsed.apply and report.offered:
        _apply(report.offered, parsed.choose)
        return EXIT_OK
    return {
        Verdict.NOTHING: EXIT_OK,
        Verdict.REPAIRED: EXIT_FINDINGS,
        Verdict.UNREPAIRED: EXIT_BUILD,
        Verdict.OTHER: EXIT_OTHER_FAILURE,
    }[report.verdict]


def _terminate(number: int, _: object) -> NoReturn:
    """End the process as a shell reports the signal, after processes and files are removed."""
    raise SystemExit(128 + number)


def _print(parsed: argparse.Namespace, report: FixReport) -> None:
    if parsed.json:
        from resnet_inspect.render.documents import json_document
        from resnet_inspect.render.pages.fix_page import fix_fields

        print(json_document(**fix_fields(report)))
    else:
        from resnet_inspect.commands import Command
        from resnet_inspect.render.pages.fix_page import fix_page
        from resnet_inspect.render.screen import Screen

        module = ["-m"] if parsed.module else []
        words = ("--apply", *module, parsed.script, *parsed.words)
        command = None if parsed.apply else Command("fix", options=words)
        fix_page(Screen(), report, every=parsed.all, apply=command)
    sys.stdout.flush()


def _apply(offered: tuple[Attempt, ...], number: int) -> None:
    """Write a repair into the user's files, unless they changed since the search began."""
    from resnet_inspect.cli.output import write_whole

    if number > len(offered):
        raise UsageError(
            "the repair does not exist",
            where="flag --choose",
            expected=f"1 to {len(offered)}",
            got=str(number),
        )
    changes = offered[number - 1].changes
    for change in changes:
        if Path(change.path).read_bytes() != change.before:
            raise OutputError(
                "the file changed while repairs were tested",
                where=change.name,
                got="another text",
                fix="repeat the command",
            )
    for change in changes:
        write_whole(Path(change.path), change.after, "the repair")
        note(f"changed {change.name}: {offered[number - 1].title}")


def _bytes(text: str) -> int:
    """A number of bytes from a text such as 8G."""
    match = SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            "the size cannot be read",
            where="flag --memory-limit",
            expected="a number with K, M, G or T, such as 8G",
            got=text,
        )
    return int(float(match[1]) * SIZES[match[2].upper()])
