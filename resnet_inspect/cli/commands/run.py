"""`run`: somebody's training script, as it is, with every `fit` recorded."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from resnet_inspect.cli.settings_flags import add_setting
from resnet_inspect.config.settings import field_named
from resnet_inspect.errors import UsageError

HEARD = ("taps", "sample", "gradients")  # beside --every, as `trace` has them


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
    for name in HEARD:
        add_setting(parser, field_named(name, "run"))
    parser.add_argument("script", metavar="SCRIPT", help="a Python file that trains")
    parser.add_argument(
        "words", metavar="ARGS", nargs=argparse.REMAINDER, help="arguments of the script"
    )


def run(parsed: argparse.Namespace) -> int:
    """Run the script; its output, exceptions and exit code are its own."""
    from resnet_inspect import script
    from resnet_inspect.api import check_recorder
    from resnet_inspect.fits import Fits

    file = Path(parsed.script)  # the script is told the path as it was written
    if not file.is_file():
        raise UsageError(
            "there is no such script",
            where=parsed.script,
            expected="a Python file",
            got="a folder" if file.is_dir() else "nothing",
            fix="write: resnet-inspect run train.py",
        )
    given: dict[str, Any] = {"every": parsed.every}
    for name in HEARD:
        text = getattr(parsed, name)
        if text is not None:
            field = field_named(name, "run")
            given[name] = field.parse(text, field.flag) if isinstance(text, str) else text
    check_recorder(parsed.out, force=parsed.force, **given)
    fits = Fits(parsed.out, force=parsed.force, settings=given)
    script.after_import("keras", fits.hook)
    try:
        code, _ = script.run(parsed.script, parsed.words)
    finally:
        fits.tell(parsed.script)
    return code
