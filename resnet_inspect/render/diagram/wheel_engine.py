"""A program of its own: draws DOT text from stdin with the Graphviz inside the pygraphviz wheel."""

from __future__ import annotations

import sys


def main() -> None:
    """Write the picture to stdout in the format that the first argument names."""
    import pygraphviz

    network = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(network.draw(format=sys.argv[1], prog="dot"))


if __name__ == "__main__":
    main()
