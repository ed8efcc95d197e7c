"""Writes the section about fourteen networks: `python -m docs.networks`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from docs.networks.expected import NETWORKS
from docs.networks.page import PAGE, compared_in, row, section, written


def main() -> None:
    """Record and compare each network, then write the section."""
    agreements = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in NETWORKS:
            agreements[name] = compared_in(Path(folder), name)
            print(row(name, agreements[name]), flush=True)
    PAGE.write_text(written(PAGE.read_text("utf-8"), section(agreements)), "utf-8")


if __name__ == "__main__":
    main()
