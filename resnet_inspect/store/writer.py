"""Writes a run file during the run."""

from __future__ import annotations

import math
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from resnet_inspect.config import Settings
from resnet_inspect.errors import StorageFullError
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import Sketch, StepRecord, Tap
from resnet_inspect.store import placement, schema
from resnet_inspect.store.info import RunInfo, Status

CHECKPOINT_SECONDS = 5.0
LEVEL = 3  # of compression; higher levels take longer and save 4 % of a sketch
WAIT_SECONDS = 0.5  # the longest wait of steps that have only scalars
# Errors of SQLite that the disk causes.
STORAGE_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


class RunWriter:
    """Writes a run file: the graph once, then steps, each in one transaction.

    Steps that have only scalars wait up to WAIT_SECONDS and are written together: a transaction can
    take as long as a short step. Use `create` to make a writer. After `finish` nothing can be
    written. Raises StorageFullError if the disk is full; committed steps stay readable.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, info: RunInfo) -> None:
        self.path = path
        self.info = info
        self._connection = connection
        self._taps: dict[Tap, int] = {}
        self._checked = self._written = time.monotonic()
        self._waiting: list[tuple[StepRecord, float]] = []

    @classmethod
    def create(cls, path: Path, info: RunInfo, *, force: bool = False) -> RunWriter:
        """Create a run file, which appears at `path` when it is readable. Raises OutputError.

        With `force` an existing run may be replaced; see `placement.check_free`.
        """
        with placement.draft_of(path, force=force) as draft:
            writer = cls(path, _connect(draft), info)
            with closing(writer._connection), writer._transaction(whole=True):
                writer._connection.execute("PRAGMA journal_mode = MEMORY")
                schema.create(writer._connection)
                writer._save(info)
                writer._connection.execute("PRAGMA journal_mode = WAL")
        writer._connection = _connect(path)
        writer._connection.execute("PRAGMA synchronous = NORMAL")
        return writer

    @classmethod
    def resume(cls, ended: RunWriter) -> RunWriter:
        """Continue, after its last step, a run that `finish` ended in this process."""
        info = msgspec.structs.replace(
            ended.info, status=Status.RUNNING, reason="", failure=None, ended=""
        )
        with placement.writable(ended.path):
            ended.path.stat()
        writer = cls(ended.path, _connect(ended.path), info)
        try:
            writer._connection.execute("PRAGMA journal_mode = WAL")
            writer._connection.execute("PRAGMA synchronous = NORMAL")
            with writer._transaction():
                writer._save(info)
        except BaseException:
            writer._connection.close()
            raise
        return writer

    def plan(self, settings: Settings) -> None:
        """Replace the settings of the run."""
        with self._transaction():
            self._save(msgspec.structs.replace(self.info, settings=settings))

    def graph(self, graph: Graph, seconds: float) -> None:
        """Store the graph, replacing an earlier graph, and the seconds it took to build."""
        with self._transaction():
            body = zlib.compress(msgspec.msgpack.encode(graph), 6)
            self._connection.execute("INSERT OR REPLACE INTO graph VALUES (1, ?)", (body,))
            self._save(msgspec.structs.replace(self.info, trace_seconds=seconds))
        self._checkpoint()

    def lineage(self, lineage: Lineage) -> None:
        """Store the origins of sizes, replacing earlier ones."""
        with self._transaction():
            body = zlib.compress(msgspec.msgpack.encode(lineage), 6)
            self._connection.execute("INSERT OR REPLACE INTO lineage VALUES (1, ?)", (body,))

    def step(self, record: StepRecord) -> None:
        """Store a step, completely or not at all."""
        self._waiting.append((record, time.time()))
        more = bool(record.summaries or record.updates or record.batch or record.normalizations)
        odd = not all(map(math.isfinite, record.scalars.values()))  # readers see NaN at once
        if more or odd or time.monotonic() - self._written > WAIT_SECONDS:
            self._write_waiting()
        if time.monotonic() - self._checked > CHECKPOINT_SECONDS:
            self._checkpoint()

    def _write_waiting(self) -> None:
        """Write the waiting steps, all or none."""
        waiting, self._waiting = self._waiting, []
        self._written = time.monotonic()
        if not waiting:
            return
        with self._transaction():
            many = self._connection.executemany
            steps = ((record.step, record.seconds, at) for record, at in waiting)
            many("INSERT INTO step VALUES (?, ?, ?)", steps)
            scalars = (
                (record.step, *pair) for record, _ in waiting for pair in record.scalars.items()
            )
            many("INSERT INTO scalar VALUES (?, ?, ?)", scalars)
            for record, _ in waiting:
                self._tensors(record)

    def _tensors(self, record: StepRecord) -> None:
        summaries = record.summaries
        sketches = Sketch.pack_all([summary.sketch for summary in summaries.values()])
        rows = [
            (
                self._tap_id(tap, record.sizes.get(tap)),
                record.step,
                summary.count,
                summary.nan,
                summary.posinf,
                summary.neginf,
                summary.zeros,
                summary.min,
                summary.max,
                summary.mean,
                summary.std,
                zlib.compress(sketch, LEVEL),
            )
            for (tap, summary), sketch in zip(summaries.items(), sketches, strict=True)
        ]
        self._connection.executemany(
            "INSERT INTO summary VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
        )
        self._beside_summaries(record)

    def _beside_summaries(self, record: StepRecord) -> None:
        execute, step = self._connection.execute, record.step
        for tap, bad in record.not_finite.items():
            execute(
                "INSERT INTO not_finite VALUES (?, ?, ?, ?, ?)",
                (self._taps[tap], step, bad.nan, bad.posinf, bad.neginf),
            )
        for tap, channels in record.channels.items():
            body = zlib.compress(channels.pack(), LEVEL)
            execute("INSERT INTO channels VALUES (?, ?, ?)", (self._taps[tap], step, body))
        if record.updates:
            pairs = {name: (update.norm, update.change) for name, update in record.updates.items()}
            execute("INSERT INTO updates VALUES (?, ?)", (step, msgspec.msgpack.encode(pairs)))
        for layer, averages in record.normalizations.items():
            packed = b"".join(part.astype("<f4").tobytes() for part in averages.parts)
            body = zlib.compress(packed, LEVEL)
            execute("INSERT INTO normalization VALUES (?, ?, ?)", (layer, step, body))
        if record.batch:
            body = msgspec.msgpack.encode(record.batch)
            execute("INSERT INTO batch VALUES (?, ?)", (step, body))
        if record.origin is not None:
            text = msgspec.json.encode(record.origin).decode()
            execute("INSERT OR IGNORE INTO run VALUES ('origin', ?)", (text,))

    def finish(self, status: Status, reason: str = "", failure: Failure | None = None) -> None:
        """Store how the run ended, and merge the side files into the run file."""
        info = msgspec.structs.replace(
            self.info, status=status, reason=reason, failure=failure, ended=now()
        )
        try:
            try:
                self._write_waiting()
            finally:
                with self._transaction():
                    self._save(info)
            self._checkpoint()
            with suppress(sqlite3.OperationalError):  # a reader may have the log open
                self._connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            self._connection.close()

    def _checkpoint(self) -> None:
        """Move the log into the file as far as readers allow, so that it can be copied."""
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self._checked = time.monotonic()

    def _tap_id(self, tap: Tap, elements: int | None) -> int:
        if tap not in self._taps:
            values = (tap.layer, tap.kind, tap.tensor)
            self._connection.execute(
                "INSERT OR IGNORE INTO tap (layer, kind, tensor, output, elements)"
                " VALUES (?, ?, ?, ?, ?)",
                (*values, tap.output, elements),
            )
            rows = self._connection.execute(
                "SELECT id FROM tap WHERE layer = ? AND kind = ? AND tensor = ?", values
            )
            self._taps[tap] = rows.fetchone()[0]
        return self._taps[tap]

    def _save(self, info: RunInfo) -> None:
        text = msgspec.json.encode(info).decode()
        self._connection.execute("INSERT OR REPLACE INTO run VALUES ('info', ?)", (text,))
        self.info = info

    @contextmanager
    def _transaction(self, *, whole: bool = False) -> Iterator[None]:
        """Commit all changes of the body or none; with `whole` the body makes its transactions."""
        known, info = dict(self._taps), self.info
        try:
            if not whole:
                self._connection.execute("BEGIN IMMEDIATE")
            yield
            if not whole:
                self._connection.execute("COMMIT")
        except BaseException as error:
            self._taps, self.info = known, info
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error) and _is_storage(error):
                full = StorageFullError(
                    "the run could not be written completely",
                    where=str(self.path),
                    got=str(error),
                    fix="free space on this disk, or choose another file with -o; "
                    "earlier steps are kept",
                )
                full.run = str(self.path)
                raise full from error
            raise


def _connect(path: Path) -> sqlite3.Connection:
    """A connection for any thread, one at a time.

    Replicas of a model are traced, and fail, on their own threads while the training thread waits.
    """
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def now() -> str:
    """The current time in ISO 8601 and UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _is_storage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in STORAGE_CODES
