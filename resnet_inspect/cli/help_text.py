"""The text that --help prints after the options: examples and exit codes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from resnet_inspect.errors import (
    EXIT_BUILD,
    EXIT_FINDINGS,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_OTHER_FAILURE,
    EXIT_RENDERER,
    EXIT_RUN_FILE,
    EXIT_USAGE,
)

MEANINGS = {
    EXIT_OK: "success",
    EXIT_FINDINGS: "findings at or above --fail-on",
    EXIT_USAGE: "wrong command line, setting, input file or output file",
    EXIT_BUILD: "the model could not be built or trained; the run file shows why",
    EXIT_RENDERER: "Graphviz is missing or failed; the diagram is written as .dot",
    EXIT_RUN_FILE: "the run file is damaged or comes from a newer version",
    EXIT_OTHER_FAILURE: "fix: SCRIPT failed, not with a shape error",
    EXIT_INTERRUPTED: "stopped with Ctrl-C",
}


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of description and epilog, and shows each default that is a value."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = action.help
        shown = action.default not in (None, False, argparse.SUPPRESS) and action.default != []
        return f"{text} (default: %(default)s)" if text and shown else text


def exit_codes(*codes: int) -> dict[int, str]:
    """The exit codes of a command with their usual meanings."""
    return {code: MEANINGS[code] for code in codes}


def epilog(examples: Sequence[str], exits: Mapping[int, str]) -> str:
    """The text after the options: examples, then exit codes."""
    shown = "\n".join(f"  {example}" for example in examples)
    codes = "\n".join(f"  {code:<4} {meaning}" for code, meaning in sorted(exits.items()))
    return f"examples:\n{shown}\n\nexit codes:\n{codes}"
