"""`run`: runs a training script unchanged and records every training in it."""

from __future__ import annotations

import argparse
from typing import Any

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.parser import add_output
from resnet_inspect.cli.script_argument import add_script, program_of
from resnet_inspect.cli.settings_flags import add_setting
from resnet_inspect.config.fields import field_named
from resnet_inspect.errors import (
    EXIT_FINDINGS,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
    UsageError,
)

SETTINGS = ("taps", "sample", "gradients")  # those of `trace` that `run` has, beside --every
DESCRIPTION = """\
Options of `run` go before SCRIPT. Arguments after SCRIPT are passed to it. Each
`fit` and each training loop has its own run file."""
EXAMPLES = (
    "resnet-inspect run train.py --epochs 3   # --epochs is passed to train.py",
    "resnet-inspect run -o runs/a.db --every 50 train.py",
    "resnet-inspect run -m package.train",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_INTERRUPTED) | {
    EXIT_OK: "SCRIPT ended without an error; otherwise SCRIPT's own code",
    EXIT_FINDINGS: "SCRIPT raised an exception",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run`; arguments after SCRIPT belong to the script."""
    add_output(parser, "RUN", "write this run file (default: a new file in runs/)")
    parser.add_argument("--force", action="store_true", help="replace an existing run file")
    parser.add_argument(
        "--every",
        type=int,
        default=10,
        metavar="N",
        help="record tensors at every Nth step and the last",
    )
    for name in SETTINGS:
        add_setting(parser, field_named(name, "run"))
    add_script(parser)


def run(parsed: argparse.Namespace) -> int:
    """Run the script; returns its exit code. Its output and exceptions are unchanged."""
    from resnet_inspect.program.recorder import ProgramRecorder
    from resnet_inspect.script import launch

    program = program_of(parsed, "run", "--every", "10")
    settings: dict[str, Any] = {"every": parsed.every}
    for name in SETTINGS:
        text = getattr(parsed, name)
        if text is not None:
            field = field_named(name, "run")
            settings[name] = field.parse(text, field.flag) if isinstance(text, str) else text
    name = program.name if not parsed.module else f"-m {program.name}"
    recorder = ProgramRecorder.start(name, parsed.output, force=parsed.force, settings=settings)
    error: BaseException | None = None
    try:
        code, error = launch.run(program, parsed.words)
    except (SystemExit, UsageError) as raised:
        error = raised
        raise
    finally:
        recorder.ended(error)
    return code
