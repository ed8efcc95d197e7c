"""`run`: somebody's training script, as it is, with every `fit` recorded."""

from __future__ import annotations

import argparse
from pathlib import Path

from resnet_inspect.errors import UsageError


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
    parser.add_argument("script", metavar="SCRIPT", type=Path, help="a Python file that trains")
    parser.add_argument(
        "words", metavar="ARGS", nargs=argparse.REMAINDER, help="arguments of the script"
    )


def run(parsed: argparse.Namespace) -> int:
    """Run the script; its output, exceptions and exit code are its own."""
    from resnet_inspect import script
    from resnet_inspect.api import check_recorder
    from resnet_inspect.fits import Fits

    if not parsed.script.is_file():
        raise UsageError(
            "there is no such script",
            where=str(parsed.script),
            expected="a Python file",
            got="a folder" if parsed.script.is_dir() else "nothing",
            fix="write: resnet-inspect run train.py",
        )
    check_recorder(parsed.out, force=parsed.force, every=parsed.every)
    fits = Fits(parsed.out, force=parsed.force, settings={"every": parsed.every})
    script.after_import("keras", fits.hook)
    try:
        code, _ = script.run(parsed.script, parsed.words)
    finally:
        fits.tell(str(parsed.script))
    return code
