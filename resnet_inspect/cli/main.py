"""The entry point: parse, run one command, turn what went wrong into a message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from resnet_inspect.cli.parser import build, module
from resnet_inspect.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, InspectError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code (see errors.py)."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    parser = build(words)
    parsed = parser.parse_args(words)
    if parsed.version:
        from resnet_inspect import __version__

        print(f"resnet-inspect {__version__}")
        return EXIT_OK
    if parsed.command is None:
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    try:
        code: int = module(parsed.command).run(parsed)
        sys.stdout.flush()
        return code
    except InspectError as error:
        print(f"resnet-inspect: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("resnet-inspect: stopped", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
