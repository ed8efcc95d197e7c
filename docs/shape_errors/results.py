"""The repairs that were found by the last search, in results.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.explain.proofs import Proof

FILE = Path(__file__).with_name("results.json")


def read() -> Mapping[str, Proof]:
    """Return the result of each program; empty without a search."""
    return msgspec.json.decode(FILE.read_bytes(), type=dict[str, Proof]) if FILE.exists() else {}


def write(proofs: Mapping[str, Proof]) -> None:
    """Write the results."""
    text = msgspec.json.format(msgspec.json.encode(proofs), indent=1).decode()
    FILE.write_text(text + "\n", "utf-8")
