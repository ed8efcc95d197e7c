"""The parser. Only the command that was asked for is loaded, so that --help stays instant."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module

TYPE_CHECKING = False  # as typing's, whose import would double the time of --help
if TYPE_CHECKING:
    from typing import Any

COMMANDS = {
    "trace": "build the network, train it briefly, record it, print the answer page",
    "run": "run a training script as it is, and record every fit of a Keras model in it",
    "runs": "list the run files",
    "shapes": "shape table: in → out, kernel, stride, padding, parameters, MACs, memory",
    "why": "where the size of an axis comes from, and which settings move it",
    "hist": "distributions of activations, gradients and weights over the steps",
    "graph": "a diagram of the network as SVG, PNG, PDF or Graphviz text",
    "diff": "what is different between two runs: graph, sizes, distributions, scalars",
    "check": "what is wrong with a run: findings, worst first, with what was measured",
    "study": "one of the tutorial's questions, answered from trainings that are run for it",
    "report": "everything of a run on one page that opens from disk; of two runs, what differs",
    "browse": "look around in a run in the terminal, also while it is written, or in two, compared",
    "config": "show the settings and where each value comes from",
}
EPILOG = (
    "exit codes: 0 ok, 1 findings (--fail-on), 2 usage, 3 model not built or trained, 4 Graphviz"
    " missing or failed, 5 run file damaged or too new"
)


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)


class _CommandParser(_Parser):
    """Takes flags also between positional arguments, as in `why Reshape:1 --full RUN`."""

    _inner = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse flags first, then the rest; all at once where a script or a command follows."""
        whole = any(
            one.nargs in (argparse.REMAINDER, argparse.PARSER)
            for one in self._get_positional_actions()
        )
        if self._inner or whole:
            return super().parse_known_args(args, namespace)
        self._inner = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._inner = False


def build(arguments: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The parser for these arguments; with None, one that knows every command whole."""
    parser = _Parser(
        prog="resnet-inspect",
        description="See every tensor of a network while it trains.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", parser_class=_CommandParser
    )
    wanted = next((word for word in arguments or () if not word.startswith("-")), None)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if arguments is None or name == wanted:
            module(name).configure(command)
    return parser


def module(name: str) -> Any:
    """The module of a command."""
    return import_module(f"resnet_inspect.cli.commands.{name}")


def add_run(parser: argparse.ArgumentParser) -> None:
    """The positional RUN and --json, which reading commands share."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="run file (default: newest in runs/)")
    add_json(parser)


def add_run_after_names(parser: argparse.ArgumentParser) -> None:
    """The positional RUN of a command that takes names before it; see `run_argument`."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="run file (default: newest in runs/)")
    parser.add_argument("--run", dest="run_flag", metavar="RUN", help=argparse.SUPPRESS)


def add_json(parser: argparse.ArgumentParser) -> None:
    """The flag --json."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
