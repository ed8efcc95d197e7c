"""The parser of the command line. It loads only the named command, so --help stays fast."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module

from resnet_inspect.cli.help_text import MEANINGS, HelpFormatter, epilog
from resnet_inspect.errors import EXIT_FINDINGS

TYPE_CHECKING = False  # instead of typing's, whose import doubles the time of --help
if TYPE_CHECKING:
    from typing import Any

COMMANDS = {
    "trace": "build, train briefly and record a network; print a summary",
    "run": "run a training script unchanged and record its trainings",
    "fix": "test repairs of a script with a shape error",
    "runs": "list run files",
    "shapes": "show the shapes, kernels, parameters and MACs of layers",
    "why": "explain where the size of an axis comes from",
    "hist": "show distributions of activations, gradients and weights",
    "graph": "draw the network as SVG, PNG, PDF or DOT",
    "diff": "compare two runs: graph, sizes, distributions, scalars",
    "explain": "explain the failure of a run: call, sizes, origins, fix",
    "check": "find problems in a run, with evidence and fixes",
    "study": "answer a question about ResNets with short trainings",
    "report": "write a run, or two runs compared, as one page",
    "browse": "browse a run, or two runs compared, in the terminal",
    "config": "show the settings and where each value comes from",
}
EXAMPLES = (
    "resnet-inspect trace --n 5 --ver 2   # record the tutorial's network",
    "resnet-inspect run train.py          # record your training script",
    "resnet-inspect browse                # browse the newest run",
)
EXITS = MEANINGS | {EXIT_FINDINGS: "check: findings at or above --fail-on; run, fix: SCRIPT failed"}
NEWEST = "newest run in runs/ that did not fail"


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=HelpFormatter, **options)


class _CommandParser(_Parser):
    """Accepts options between positional arguments, as in `why Reshape:1 --full RUN`."""

    _inner = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse options first, then the rest; all together before a script or a subcommand."""
        whole = any(
            action.nargs in (argparse.REMAINDER, argparse.PARSER)
            for action in self._get_positional_actions()
        )
        if self._inner or whole:
            return super().parse_known_args(args, namespace)
        self._inner = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._inner = False


def build(arguments: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The parser for these arguments; with None, a parser with the options of every command."""
    parser = _Parser(
        prog="resnet-inspect",
        description="Record and inspect every tensor of a network while it trains.",
        epilog=epilog(EXAMPLES, EXITS),
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", parser_class=_CommandParser
    )
    wanted = next((word for word in arguments or () if not word.startswith("-")), None)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if arguments is None or name == wanted:
            implementation = module(name)
            command.description = f"{text[0].upper()}{text[1:]}.\n{implementation.DESCRIPTION}"
            command.epilog = epilog(implementation.EXAMPLES, implementation.EXITS)
            implementation.configure(command)
    return parser


def module(name: str) -> Any:
    """The module of a command."""
    return import_module(f"resnet_inspect.cli.commands.{name}")


def add_run(parser: argparse.ArgumentParser, default: str = NEWEST) -> None:
    """Add the positional RUN; `--run RUN`, its older spelling, is accepted and not shown.

    `default` describes the run that is read without RUN.
    """
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help=f"run file to read (default: {default})"
    )
    parser.add_argument("--run", dest="run_flag", metavar="RUN", help=argparse.SUPPRESS)


def add_second_run(parser: argparse.ArgumentParser) -> None:
    """Add the positional RUN_B, a run to compare RUN with."""
    parser.add_argument("other", nargs="?", metavar="RUN_B", help="run file to compare RUN with")


def add_output(
    parser: argparse.ArgumentParser, metavar: str, text: str, *, required: bool = False
) -> None:
    """Add -o, --output; `--out`, an older spelling, is accepted and not shown."""
    from pathlib import Path

    parser.add_argument("-o", "--output", metavar=metavar, type=Path, required=required, help=text)
    if not required:
        parser.add_argument("--out", dest="output", type=Path, help=argparse.SUPPRESS)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the flag --json."""
    parser.add_argument("--json", action="store_true", help="print JSON")
