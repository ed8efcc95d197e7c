"""The entry point: parse, run one command, turn what went wrong into a message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from resnet_inspect.cli.parser import build, module
from resnet_inspect.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, InspectError

TYPE_CHECKING = False  # as typing's, whose import would double the time of --help
if TYPE_CHECKING:
    from typing import IO


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code (see errors.py)."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if words[:1] != ["run"]:  # a script's streams and words are its own
            _prepare_streams()
            words = _joined(words)
        code = _run(words)
        sys.stdout.flush()
        return code
    except InspectError as error:
        _tell(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _tell("stopped")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _silence(sys.stdout)  # whoever read our output has seen enough
        return EXIT_OK
    except OSError as error:
        _silence(sys.stdout)
        _tell(f"the output cannot be written\n  got:      {error.strerror or error}")
        return EXIT_USAGE


def _run(words: list[str]) -> int:
    parser = build(words)
    parsed = parser.parse_args(words)
    if parsed.version:
        from resnet_inspect import __version__

        print(f"resnet-inspect {__version__}")
        return EXIT_OK
    if parsed.command is None:
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    code: int = module(parsed.command).run(parsed)
    return code


def _joined(words: list[str]) -> list[str]:
    """Write `--mean-axes -1,-2` as one word: argparse takes the second for a flag."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--mean-axes" and word.startswith("-"):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _prepare_streams() -> None:
    """Closed streams swallow what is written; signs an encoding lacks become question marks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _tell(text: str) -> None:
    with suppress(OSError, ValueError):
        print(f"resnet-inspect: {text}", file=sys.stderr, flush=True)


def _silence(stream: IO[str]) -> None:
    """Keep Python from complaining at exit about what it cannot write any more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
