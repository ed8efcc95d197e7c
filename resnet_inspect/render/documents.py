"""Answers as JSON, for programs. docs/json.md describes the fields."""

from __future__ import annotations

from typing import Any

import msgspec

SCHEMA_VERSION = 1


def json_document(**fields: Any) -> str:
    """One JSON object with `schema_version` first; typed values become objects and lists."""
    return msgspec.json.format(
        msgspec.json.encode({"schema_version": SCHEMA_VERSION, **fields}), indent=2
    ).decode()
