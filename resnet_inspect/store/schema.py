"""The version of the schema, and migrations from older versions.

Reading does not change a file: an older file is copied into memory and migrated there.
`MIGRATIONS[v]` migrates from version v to v + 1. It is SQL, or a function of the connection.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from resnet_inspect.store.old_settings import upgraded_settings

APPLICATION_ID = 0x52494E53
APPLICATION_ID_AT = 68  # bytes into a SQLite file
VERSION = 5


def _split_settings(connection: sqlite3.Connection) -> None:
    """Migrate to version 5, which separates the subject from the settings of recording."""
    for (text,) in connection.execute("SELECT value FROM run WHERE key = 'info'").fetchall():
        info = msgspec.json.decode(text, type=dict[str, Any])
        info["settings"] = upgraded_settings(msgspec.convert(info.get("settings"), dict[str, Any]))
        body = msgspec.json.encode(info).decode()
        connection.execute("UPDATE run SET value = ? WHERE key = 'info'", (body,))


Migration = str | Callable[[sqlite3.Connection], None]
MIGRATIONS: dict[int, Migration] = {
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
    4: _split_settings,
}


def create(connection: sqlite3.Connection) -> None:
    """Create the tables of the current schema in an empty database."""
    script = resources.files("resnet_inspect.store").joinpath("schema.sql").read_text("utf-8")
    connection.executescript(
        f"BEGIN; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
        f"{script} COMMIT;"
    )


def version_of(connection: sqlite3.Connection) -> int | None:
    """The schema version of a database, None if it is no run file."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return None
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(
    connection: sqlite3.Connection,
    migrations: Mapping[int, Migration] = MIGRATIONS,
    target: int = VERSION,
) -> sqlite3.Connection:
    """The connection itself if it has version `target`, otherwise a migrated copy in memory."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version >= target:
        return connection
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    connection.backup(copy)
    connection.close()
    for step in range(version, target):
        migration = migrations[step]
        if isinstance(migration, str):
            copy.executescript(f"BEGIN; {migration}; COMMIT;")
        else:
            migration(copy)
        copy.execute(f"PRAGMA user_version = {step + 1}")
        copy.commit()
    return copy


def is_run_file(file: Path) -> bool:
    """Whether the first bytes of a file are those of a run file; False if it is unreadable."""
    try:
        with file.open("rb") as opened:
            head = opened.read(APPLICATION_ID_AT + 4)
    except OSError:
        return False
    return head.startswith(b"SQLite format 3") and head.endswith(APPLICATION_ID.to_bytes(4))
