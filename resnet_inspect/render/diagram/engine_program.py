"""A separate program that draws DOT text from stdin. Arguments: engine, format."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Write the picture to stdout, forward the engine's messages to stderr and its exit code."""
    engine, form = sys.argv[1:]
    text = sys.stdin.buffer.read()
    picture, code = with_dot(text, form) if engine == "dot" else with_wheel(text, form)
    sys.stdout.buffer.write(picture)
    sys.stdout.buffer.flush()
    sys.exit(code if code >= 0 else 128 - code)


def with_dot(text: bytes, form: str) -> tuple[bytes, int]:
    """The picture by the program `dot`, and its exit code; negative for a signal."""
    import graphviz

    # The package decodes and re-encodes the messages of dot; Latin-1 preserves any bytes.
    sys.stderr = io.TextIOWrapper(sys.stderr.buffer, "latin-1", "backslashreplace")
    try:
        return graphviz.pipe("dot", form, text), 0
    except graphviz.CalledProcessError as error:
        return error.stdout, error.returncode


def with_wheel(text: bytes, form: str) -> tuple[bytes, int]:
    """The picture by the Graphviz inside the pygraphviz wheel, and 0 as its exit code."""
    import pygraphviz

    network = pygraphviz.AGraph(string=text.decode())
    return network.draw(format=form, prog="dot"), 0


if __name__ == "__main__":
    main()
