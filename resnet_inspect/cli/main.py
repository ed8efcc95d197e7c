"""The entry point: runs one command and turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from resnet_inspect.cli.parser import build, module
from resnet_inspect.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, InspectError

TYPE_CHECKING = False  # instead of typing's, whose import doubles the time of --help
if TYPE_CHECKING:
    from typing import IO


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; `errors` defines the codes."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if words[:1] != ["run"]:  # the streams of a script stay unchanged
            _prepare_streams()
        if words[:1] not in (["run"], ["fix"]):  # and so do its arguments
            words = _joined(words)
        code = _run(words)
        sys.stdout.flush()
        return code
    except InspectError as error:
        _report(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _report("stopped")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _silence(sys.stdout)  # the reader closed the pipe
        return EXIT_OK
    except OSError as error:
        _silence(sys.stdout)
        _report(f"the output cannot be written\n  got:      {error.strerror or error}")
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
    """Join `--mean-axes -1,-2` into one word: argparse reads the second word as an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--mean-axes" and word.startswith("-"):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _prepare_streams() -> None:
    """Discard output to closed streams; print ? for characters that the encoding lacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _report(text: str) -> None:
    with suppress(OSError, ValueError):
        print(f"resnet-inspect: {text}", file=sys.stderr, flush=True)


def _silence(stream: IO[str]) -> None:
    """Prevent an error message at exit about output that cannot be written."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
