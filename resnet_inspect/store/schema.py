"""The schema's version, and the way from older versions to it.

A file is never changed by being read: an older one is copied into memory and brought up to date
there. `MIGRATIONS[v]` is the SQL that leads from version v to v + 1.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

APPLICATION_ID = 0x52494E53
APPLICATION_ID_AT = 68  # bytes into a SQLite file
VERSION = 4
MIGRATIONS: dict[int, str] = {
    1: "CREATE TABLE lineage (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL)",
    2: """
        ALTER TABLE tap ADD COLUMN output INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE tap ADD COLUMN elements INTEGER;
        CREATE TABLE not_finite (
            tap INTEGER NOT NULL REFERENCES tap (id),
            step INTEGER NOT NULL REFERENCES step (step),
            nan INTEGER NOT NULL, posinf INTEGER NOT NULL, neginf INTEGER NOT NULL,
            PRIMARY KEY (tap, step)
        ) WITHOUT ROWID;
        CREATE TABLE channels (
            tap INTEGER NOT NULL REFERENCES tap (id),
            step INTEGER NOT NULL REFERENCES step (step),
            body BLOB NOT NULL, PRIMARY KEY (tap, step)
        );
        CREATE TABLE updates (
            step INTEGER PRIMARY KEY REFERENCES step (step), body BLOB NOT NULL
        );
        CREATE TABLE normalization (
            layer TEXT NOT NULL, step INTEGER NOT NULL REFERENCES step (step),
            body BLOB NOT NULL, PRIMARY KEY (layer, step)
        )
    """,
    3: """
        CREATE TABLE batch (
            step INTEGER PRIMARY KEY REFERENCES step (step), body BLOB NOT NULL
        )
    """,
}


def create(connection: sqlite3.Connection) -> None:
    """Lay the current schema into an empty database."""
    script = resources.files("resnet_inspect.store").joinpath("schema.sql").read_text("utf-8")
    connection.executescript(
        f"BEGIN; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
        f"{script} COMMIT;"
    )


def version_of(connection: sqlite3.Connection) -> int | None:
    """The schema version of a database, or None if it is no run file."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return None
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def upgraded(
    connection: sqlite3.Connection,
    migrations: Mapping[int, str] = MIGRATIONS,
    target: int = VERSION,
) -> sqlite3.Connection:
    """The connection itself if it is of version `target`, else a migrated copy in memory."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version >= target:
        return connection
    copy = sqlite3.connect(":memory:")
    connection.backup(copy)
    connection.close()
    for step in range(version, target):
        copy.executescript(f"BEGIN; {migrations[step]}; PRAGMA user_version = {step + 1}; COMMIT;")
    return copy


def begins_as_run(file: Path) -> bool:
    """Whether a file's first bytes are those of a run file; False for one that cannot be read."""
    try:
        with file.open("rb") as opened:
            head = opened.read(APPLICATION_ID_AT + 4)
    except OSError:
        return False
    return head.startswith(b"SQLite format 3") and head.endswith(APPLICATION_ID.to_bytes(4))
