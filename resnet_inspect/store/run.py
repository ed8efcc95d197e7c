"""Reads a run file: complete, being written, or left by a killed process.

Long because it has one or more methods for each table.
"""

from __future__ import annotations

import gc
import math
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from resnet_inspect.commands import Command
from resnet_inspect.errors import RunFileError, RunMissingError
from resnet_inspect.graph import Graph
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.store import schema
from resnet_inspect.store.info import RunInfo, Status

if TYPE_CHECKING:
    from resnet_inspect.stats import (
        BatchPart,
        ChannelActivity,
        Normalization,
        NotFinite,
        Origin,
        Tap,
        TensorSummary,
        Update,
    )

SIDE_FILES = ("-wal", "-shm", "-journal")
NUMBERS = ("count", "nan", "posinf", "neginf", "zeros", "min", "max", "mean", "std")
COLUMNS = ", ".join((*NUMBERS, "sketch"))


class Run:
    """A recorded run. Open it with `Run.open`, then close it or use a with statement.

    Reading does not change the file and works in several threads. Each method raises RunFileError
    if the file is damaged.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._reading = Lock()

    @classmethod
    def open(cls, path: Path | str) -> Run:
        """Open a run file.

        Raises:
            RunMissingError: the file does not exist.
            RunFileError: the file is not a run file, is damaged or comes from a newer version.
        """
        path = Path(path)
        if not os.path.isfile(path):  # noqa: PTH113 - unlike Path.is_file it never raises
            raise RunMissingError(
                "the run file does not exist",
                where=str(path),
                expected="a file that `trace`, `run` or Recorder wrote",
                got="a folder" if path.is_dir() else "nothing",
                fix=("list the runs: ", Command("runs")),
            )
        with _damage(path):
            uri = f"{path.resolve().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            version = schema.version_of(connection)
            if version is None:
                connection.close()
                raise RunFileError(
                    "the file is not a run file",
                    where=str(path),
                    expected="a file that `trace`, `run` or Recorder wrote",
                    got="another SQLite database" if path.stat().st_size else "an empty file",
                    fix=("list the runs: ", Command("runs")),
                )
            if version > schema.VERSION:
                connection.close()
                raise RunFileError(
                    "the run file comes from a newer version of resnet-inspect",
                    where=str(path),
                    expected=f"schema version {schema.VERSION} or older",
                    got=f"version {version}",
                    fix="pip install --upgrade resnet-inspect",
                )
            run = cls(path, schema.migrate(connection))
            _ = run.info
        return run

    @property
    def info(self) -> RunInfo:
        """The description of the run. A run whose writer was killed is interrupted."""
        with _damage(self.path):
            rows = self._rows("SELECT value FROM run WHERE key = 'info'")
            if not rows:
                raise RunFileError(
                    "the run file is damaged",
                    where=str(self.path),
                    expected="a row that describes the run",
                    got="none",
                    fix="record the run again",
                )
            info = msgspec.json.decode(rows[0][0], type=RunInfo)
        if info.status == Status.RUNNING and info.writer.has_ended():
            return msgspec.structs.replace(
                info, status=Status.INTERRUPTED, reason="the process was killed"
            )
        return info

    @cached_property
    def graph(self) -> Graph:
        """The captured graph; without ops if the run ended before the capture."""
        rows = self._rows("SELECT body FROM graph")
        if not rows:
            return Graph(ops=())
        with _damage(self.path), _uncollected():
            return msgspec.msgpack.decode(zlib.decompress(rows[0][0]), type=Graph)

    @cached_property
    def lineage(self) -> Lineage:
        """The origins of sizes; empty if the run ended before they were traced."""
        rows = self._rows("SELECT body FROM lineage")
        if not rows:
            return Lineage()
        with _damage(self.path), _uncollected():
            return msgspec.msgpack.decode(zlib.decompress(rows[0][0]), type=Lineage)

    def steps(self) -> list[int]:
        """The numbers of all steps in the file, in order."""
        return [row[0] for row in self._rows("SELECT step FROM step ORDER BY step")]

    def recorded_steps(self) -> list[int]:
        """The numbers of the steps at which tensors were summarized, in order."""
        query = "SELECT step FROM step WHERE step IN (SELECT step FROM summary) ORDER BY step"
        return [row[0] for row in self._rows(query)]

    def scalars(self, after: int = -1) -> dict[str, dict[int, float]]:
        """The values of each scalar by step, in order, for steps greater than `after`."""
        scalars: dict[str, dict[int, float]] = {}
        query = "SELECT name, step, value FROM scalar WHERE step > ? ORDER BY step"
        for name, step, value in self._rows(query, (after,)):
            scalars.setdefault(name, {})[step] = math.nan if value is None else value
        return scalars

    def gradient_norms(self, after: int = -1) -> dict[int, float]:
        """The 2-norm of the gradient of all variables together, by recorded step after `after`.

        If only a sample of a gradient was summarized, its sum of squares is extrapolated. Empty if
        no gradients of variables were recorded.
        """
        rows = self._rows(
            "SELECT step, SUM(coalesce(elements * 1.0 / count, 1)"
            " * (count - nan - posinf - neginf) * (std * std + mean * mean)),"
            " SUM(nan + posinf + neginf) FROM tap CROSS JOIN summary ON tap.id = summary.tap"
            " WHERE kind = 'gradient' AND count > 0 AND step > ?"
            " AND tensor IN (SELECT tensor FROM tap WHERE kind = 'weight')"
            " GROUP BY step ORDER BY step",
            (after,),
        )
        return {
            step: math.nan if broken or squares is None else math.sqrt(squares)
            for step, squares, broken in rows
        }

    def taps(self) -> list[Tap]:
        """The tensors that were summarized, in graph order."""
        from resnet_inspect.stats import Tap

        with _uncollected():
            rows = self._rows("SELECT layer, kind, tensor, output FROM tap ORDER BY id")
            return [Tap(layer, kind, tensor, bool(output)) for layer, kind, tensor, output in rows]

    def size(self, tap: Tap) -> int | None:
        """The number of elements of a tapped tensor, None if unknown."""
        rows = self._rows(
            "SELECT elements FROM tap WHERE layer = ? AND kind = ? AND tensor = ?",
            (tap.layer, tap.kind, tap.tensor),
        )
        return rows[0][0] if rows else None

    def sizes(self) -> dict[Tap, int]:
        """The number of elements of each tapped tensor, without tensors of unknown size."""
        rows = self._rows("SELECT elements FROM tap ORDER BY id")
        pairs = zip(self.taps(), rows, strict=True)
        return {tap: row[0] for tap, row in pairs if row[0] is not None}

    def summaries(
        self, step: int, kind: str = "activation", *, layers: Collection[str] | None = None
    ) -> dict[str, TensorSummary]:
        """The summaries of layer outputs at a step, by layer; empty if the step was not recorded.

        Args:
            step: the step number.
            kind: "activation" or "gradient".
            layers: only these layers.
        """
        only, names = "", list[str]()
        if layers is not None:
            only = " AND layer IN (SELECT value FROM json_each(?))"
            names = [msgspec.json.encode(list(layers)).decode()]
        rows = self._rows(
            f"SELECT layer, {COLUMNS} FROM tap JOIN summary ON tap.id = summary.tap"
            f" WHERE step = ? AND kind = ? AND output{only} ORDER BY tap.id",
            (step, kind, *names),
        )
        return self._summaries(rows)

    def course(self, tap: Tap, step: int | None = None) -> dict[int, TensorSummary]:
        """The summaries of a tapped tensor by recorded step, in order, or of one step."""
        return self._summaries(self._of_tap("summary", f"step, {COLUMNS}", tap, step))

    def all_summaries(
        self, steps: Collection[int], *, every_tap: bool = True
    ) -> dict[Tap, dict[int, TensorSummary]]:
        """The summaries of all tapped tensors at some steps, in graph order.

        Without `every_tap` only layer outputs, their gradients and weights.
        """
        only = "" if every_tap else " AND (output OR kind = 'weight')"
        rows = self._rows(
            f"SELECT tap.id, step, {COLUMNS} FROM tap JOIN summary ON tap.id = summary.tap"
            f" WHERE step IN (SELECT value FROM json_each(?)){only} ORDER BY tap.id, step",
            (msgspec.json.encode(list(steps)).decode(),),
        )
        summaries = self._summaries([((row[0], row[1]), *row[2:]) for row in rows])
        numbers = [row[0] for row in self._rows("SELECT id FROM tap ORDER BY id")]
        by_number: dict[int, dict[int, TensorSummary]] = {}
        for (number, step), summary in summaries.items():
            by_number.setdefault(number, {})[step] = summary
        pairs = zip(self.taps(), numbers, strict=True)
        return {tap: by_number[number] for tap, number in pairs if number in by_number}

    def not_finite(self, tap: Tap) -> dict[int, NotFinite]:
        """The numbers of NaN and infinities in a tensor, by step; without steps that have none."""
        from resnet_inspect.stats import NotFinite

        rows = self._of_tap("not_finite", "step, nan, posinf, neginf", tap)
        return {row[0]: NotFinite(*row[1:]) for row in rows}

    def every_not_finite(self) -> dict[Tap, dict[int, NotFinite]]:
        """The numbers of NaN and infinities of all tensors that have any, in graph order."""
        from resnet_inspect.stats import NotFinite, Tap

        rows = self._rows(
            "SELECT layer, kind, tensor, output, step, nan, posinf, neginf FROM not_finite"
            " JOIN tap ON tap.id = not_finite.tap ORDER BY tap.id, step"
        )
        by_tap: dict[Tap, dict[int, NotFinite]] = {}
        for layer, kind, tensor, output, step, *counts in rows:
            tap = Tap(layer, kind, tensor, bool(output))
            by_tap.setdefault(tap, {})[step] = NotFinite(*counts)
        return by_tap

    def channels(self, tap: Tap) -> dict[int, ChannelActivity]:
        """The activity of each channel of a ReLU's output, by recorded step."""
        from resnet_inspect.stats import ChannelActivity

        rows = self._of_tap("channels", "step, body", tap)
        with _damage(self.path):
            return {row[0]: ChannelActivity.unpack(zlib.decompress(row[1])) for row in rows}

    def activity(self) -> dict[str, list[ChannelActivity]]:
        """The activity of the channels of ReLUs by layer, one value per recorded step."""
        from resnet_inspect.stats import ChannelActivity

        rows = self._rows(
            "SELECT layer, body FROM channels JOIN tap ON tap.id = channels.tap"
            " WHERE kind = 'activation' AND output ORDER BY tap.id, step"
        )
        by_layer: dict[str, list[ChannelActivity]] = {}
        with _damage(self.path):
            for layer, body in rows:
                activity = ChannelActivity.unpack(zlib.decompress(body))
                by_layer.setdefault(layer, []).append(activity)
        return by_layer

    def updates(self) -> dict[int, dict[str, Update]]:
        """The update of each trained variable, by recorded step and name."""
        from resnet_inspect.stats import Update

        rows = self._rows("SELECT step, body FROM updates ORDER BY step")
        with _damage(self.path):
            kind = dict[str, tuple[float, float]]
            decoded = {step: msgspec.msgpack.decode(body, type=kind) for step, body in rows}
        return {
            step: {name: Update(*pair) for name, pair in pairs.items()}
            for step, pairs in decoded.items()
        }

    def batches(self) -> dict[int, dict[str, BatchPart]]:
        """The inputs and labels of each recorded step, by name."""
        from resnet_inspect.stats import BatchPart

        rows = self._rows("SELECT step, body FROM batch ORDER BY step")
        with _damage(self.path):
            return {
                step: msgspec.msgpack.decode(body, type=dict[str, BatchPart]) for step, body in rows
            }

    def normalizations(self, layer: str) -> dict[int, Normalization]:
        """The batch statistics and moving averages of a batch normalization, by recorded step."""
        import numpy as np

        from resnet_inspect.stats import Normalization

        rows = self._rows(
            "SELECT step, body FROM normalization WHERE layer = ? ORDER BY step", (layer,)
        )
        with _damage(self.path):
            return {
                step: Normalization(*np.frombuffer(zlib.decompress(body), "<f4").reshape(4, -1))
                for step, body in rows
            }

    @property
    def origin(self) -> Origin | None:
        """The origin of the first NaN or infinity; None if there was none."""
        from resnet_inspect.stats import Origin

        rows = self._rows("SELECT value FROM run WHERE key = 'origin'")
        with _damage(self.path):
            return msgspec.json.decode(rows[0][0], type=Origin) if rows else None

    def close(self) -> None:
        """Close the file."""
        with self._reading:
            self._connection.close()

    def __enter__(self) -> Self:
        """Return the run."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def _summaries(self, rows: list[tuple[Any, ...]]) -> dict[Any, TensorSummary]:
        """Summaries by key, from rows of a key and COLUMNS."""
        from resnet_inspect.stats import Sketch, TensorSummary

        with _damage(self.path):
            sketches = Sketch.unpack_all([zlib.decompress(row[-1]) for row in rows])
            return {
                key: TensorSummary(**dict(zip(NUMBERS, numbers, strict=True)), sketch=sketch)
                for (key, *numbers, _), sketch in zip(rows, sketches, strict=True)
            }

    def _of_tap(
        self, table: str, columns: str, tap: Tap, step: int | None = None
    ) -> list[tuple[Any, ...]]:
        only, values = ("", ()) if step is None else (" AND step = ?", (step,))
        return self._rows(
            f"SELECT {columns} FROM {table} JOIN tap ON tap.id = {table}.tap"
            f" WHERE layer = ? AND kind = ? AND tensor = ?{only} ORDER BY step",
            (tap.layer, tap.kind, tap.tensor, *values),
        )

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with _damage(self.path), self._reading:
            return self._connection.execute(query, values).fetchall()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Disable garbage collection: decoded values are no garbage, and collection took longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Raise RunFileError for exceptions of the body that a damaged file causes."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # the run is closed; the file is not damaged
    except sqlite3.OperationalError as error:
        if str(error).startswith(("no such table", "no such column")):
            raise _damaged(path, error) from error
        raise RunFileError(
            "the run file cannot be opened",
            where=str(path),
            expected="a readable file; with a -wal file also a writable folder",
            got=str(error),
            fix="check the permissions, or copy the file and its -wal file elsewhere",
        ) from error
    except (sqlite3.DatabaseError, zlib.error, msgspec.MsgspecError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> RunFileError:
    return RunFileError(
        "the run file is damaged, or is not a run file",
        where=str(path),
        expected="a file that `trace`, `run` or Recorder wrote",
        got=str(error),
        fix="record the run again, or use a copy of the file",
    )
