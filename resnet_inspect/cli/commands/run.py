"""`run`: a training script, as it is, with every training in it recorded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from resnet_inspect.cli.settings_flags import add_setting
from resnet_inspect.config.fields import field_named
from resnet_inspect.errors import UsageError

CHOSEN = ("taps", "sample", "gradients")  # beside --every, as `trace` has them


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `run`; what stands behind SCRIPT is the script's."""
    parser.add_argument("-o", "--out", metavar="RUN", type=Path, help="run file to write")
    parser.add_argument("--force", action="store_true", help="replace an existing run file")
    parser.add_argument(
        "--every",
        type=int,
        default=10,
        metavar="N",
        help="record tensors at every so many steps (default: 10)",
    )
    for name in CHOSEN:
        add_setting(parser, field_named(name, "run"))
    parser.add_argument(
        "-m",
        dest="module",
        action="store_true",
        help="SCRIPT is the name of a module, as for python -m",
    )
    parser.add_argument(
        "script", metavar="SCRIPT", help="a Python file, a notebook, or with -m a module"
    )
    parser.add_argument(
        "words", metavar="ARGS", nargs=argparse.REMAINDER, help="arguments of the script"
    )


def run(parsed: argparse.Namespace) -> int:
    """Run the script; its output, exceptions and exit code are its own."""
    from resnet_inspect.commands import Command
    from resnet_inspect.program.recorder import ProgramRecorder
    from resnet_inspect.script import launch

    if parsed.script.startswith("-") and parsed.script != "-":
        raise UsageError(
            "flags of `run` stand before SCRIPT",
            where=parsed.script,
            expected="the path of a script",
            fix=("write: ", Command("run", options=("--every", "10", "train.py"))),
        )
    program = launch.program_of(parsed.script, module=parsed.module, say=_say)
    settings: dict[str, Any] = {"every": parsed.every}
    for name in CHOSEN:
        text = getattr(parsed, name)
        if text is not None:
            field = field_named(name, "run")
            settings[name] = field.parse(text, field.flag) if isinstance(text, str) else text
    name = program.name if not parsed.module else f"-m {program.name}"
    recorder = ProgramRecorder.start(name, parsed.out, force=parsed.force, settings=settings)
    error: BaseException | None = None
    try:
        code, error = launch.run(program, parsed.words)
    finally:
        recorder.ended(error)
    return code


def _say(line: str) -> None:
    print(f"resnet-inspect: {line}", file=sys.stderr)
