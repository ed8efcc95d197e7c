"""Reads a run file: finished, still being written, or left behind by a killed process.

Long because it has a method for each table and each way in which one is read.
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
    """One recorded run. Open it with `Run.open` and close it, or use it in a with statement.

    Reading never changes the file, and may be done in several threads. Raises RunFileError wherever
    the file proves to be damaged.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._asking = Lock()

    @classmethod
    def open(cls, path: Path | str) -> Run:
        """Open a run file.

        Raises RunMissingError if there is none, RunFileError if it is no run file, is damaged or
        comes from a newer version of the program.
        """
        path = Path(path)
        if not os.path.isfile(path):  # noqa: PTH113 - unlike Path.is_file it never raises
            raise RunMissingError(
                "there is no such run file",
                where=str(path),
                expected="a file that `resnet-inspect trace` wrote",
                got="a folder" if path.is_dir() else "nothing",
                fix=("`", Command("runs"), "` lists the runs there are"),
            )
        with _damage(path):
            uri = f"{path.resolve().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            version = schema.version_of(connection)
            if version is None:
                connection.close()
                raise RunFileError(
                    "this is no run file",
                    where=str(path),
                    expected="a file that `resnet-inspect trace` wrote",
                    got="another kind of database" if path.stat().st_size else "an empty file",
                    fix=("`", Command("runs"), "` lists the runs there are"),
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
            run = cls(path, schema.upgraded(connection))
            _ = run.info
        return run

    @property
    def info(self) -> RunInfo:
        """What is known of the run now; a run whose writer is gone is interrupted."""
        with _damage(self.path):
            rows = self._rows("SELECT value FROM run WHERE key = 'info'")
            if not rows:
                raise RunFileError(
                    "the run file is damaged",
                    where=str(self.path),
                    expected="a row that describes the run",
                    got="none",
                    fix="trace the network again",
                )
            info = msgspec.json.decode(rows[0][0], type=RunInfo)
        if info.status == Status.RUNNING and info.writer.gone():
            return msgspec.structs.replace(
                info, status=Status.INTERRUPTED, reason="the process was killed"
            )
        return info

    @cached_property
    def graph(self) -> Graph:
        """The captured graph; one without ops if the run ended before there was any."""
        rows = self._rows("SELECT body FROM graph")
        if not rows:
            return Graph(ops=())
        with _damage(self.path), _uncollected():
            return msgspec.msgpack.decode(zlib.decompress(rows[0][0]), type=Graph)

    @cached_property
    def lineage(self) -> Lineage:
        """Where sizes come from; empty if the run ended before that was known."""
        rows = self._rows("SELECT body FROM lineage")
        if not rows:
            return Lineage()
        with _damage(self.path), _uncollected():
            return msgspec.msgpack.decode(zlib.decompress(rows[0][0]), type=Lineage)

    def steps(self) -> list[int]:
        """The numbers of all steps there are, in order."""
        return [row[0] for row in self._rows("SELECT step FROM step ORDER BY step")]

    def recorded_steps(self) -> list[int]:
        """The numbers of the steps at which tensors were summarized, in order."""
        query = "SELECT step FROM step WHERE step IN (SELECT step FROM summary) ORDER BY step"
        return [row[0] for row in self._rows(query)]

    def scalars(self, after: int = -1) -> dict[str, dict[int, float]]:
        """For each scalar its value at each step `after` one, in order; NaN where it was NaN."""
        found: dict[str, dict[int, float]] = {}
        query = "SELECT name, step, value FROM scalar WHERE step > ? ORDER BY step"
        for name, step, value in self._rows(query, (after,)):
            found.setdefault(name, {})[step] = math.nan if value is None else value
        return found

    def gradient_norms(self, after: int = -1) -> dict[int, float]:
        """The 2-norm of the gradient of all variables together at each recorded step `after` one.

        Where a sample of a gradient was summarized, its squares stand for the rest. Without steps
        at which gradients of variables were recorded, empty.
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
        """Elements of the whole of a tapped tensor, None where that is not known."""
        rows = self._rows(
            "SELECT elements FROM tap WHERE layer = ? AND kind = ? AND tensor = ?",
            (tap.layer, tap.kind, tap.tensor),
        )
        return rows[0][0] if rows else None

    def sizes(self) -> dict[Tap, int]:
        """Elements of the whole of each tapped tensor, as far as known."""
        rows = self._rows("SELECT elements FROM tap ORDER BY id")
        pairs = zip(self.taps(), rows, strict=True)
        return {tap: row[0] for tap, row in pairs if row[0] is not None}

    def summaries(
        self, step: int, kind: str = "activation", *, layers: Collection[str] | None = None
    ) -> dict[str, TensorSummary]:
        """What each layer's output held at a step (or its gradient, by `kind`), or that of some
        `layers`; empty if the step was not recorded.
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
        """What one tapped tensor held at each recorded step, in order, or at one of them."""
        return self._summaries(self._of_tap("summary", f"step, {COLUMNS}", tap, step))

    def held(
        self, steps: Collection[int], *, every_tap: bool = True
    ) -> dict[Tap, dict[int, TensorSummary]]:
        """What all tapped tensors held at some steps, in graph order; without `every_tap` only
        outputs of layers, their gradients, and weights.
        """
        only = "" if every_tap else " AND (output OR kind = 'weight')"
        rows = self._rows(
            f"SELECT tap.id, step, {COLUMNS} FROM tap JOIN summary ON tap.id = summary.tap"
            f" WHERE step IN (SELECT value FROM json_each(?)){only} ORDER BY tap.id, step",
            (msgspec.json.encode(list(steps)).decode(),),
        )
        found = self._summaries([((row[0], row[1]), *row[2:]) for row in rows])
        numbers = [row[0] for row in self._rows("SELECT id FROM tap ORDER BY id")]
        by_number: dict[int, dict[int, TensorSummary]] = {}
        for (number, step), summary in found.items():
            by_number.setdefault(number, {})[step] = summary
        pairs = zip(self.taps(), numbers, strict=True)
        return {tap: by_number[number] for tap, number in pairs if number in by_number}

    def not_finite(self, tap: Tap) -> dict[int, NotFinite]:
        """At each step at which some were not finite: how many, in the whole tensor."""
        from resnet_inspect.stats import NotFinite

        rows = self._of_tap("not_finite", "step, nan, posinf, neginf", tap)
        return {row[0]: NotFinite(*row[1:]) for row in rows}

    def every_not_finite(self) -> dict[Tap, dict[int, NotFinite]]:
        """The same of all tensors that ever held such elements, in graph order."""
        from resnet_inspect.stats import NotFinite, Tap

        rows = self._rows(
            "SELECT layer, kind, tensor, output, step, nan, posinf, neginf FROM not_finite"
            " JOIN tap ON tap.id = not_finite.tap ORDER BY tap.id, step"
        )
        found: dict[Tap, dict[int, NotFinite]] = {}
        for layer, kind, tensor, output, step, *counts in rows:
            tap = Tap(layer, kind, tensor, bool(output))
            found.setdefault(tap, {})[step] = NotFinite(*counts)
        return found

    def channels(self, tap: Tap) -> dict[int, ChannelActivity]:
        """How often each channel of a ReLU's output was active, at each recorded step."""
        from resnet_inspect.stats import ChannelActivity

        rows = self._of_tap("channels", "step, body", tap)
        with _damage(self.path):
            return {row[0]: ChannelActivity.unpack(zlib.decompress(row[1])) for row in rows}

    def activity(self) -> dict[str, list[ChannelActivity]]:
        """How often the channels of ReLUs were active, by layer, a value a recorded step."""
        from resnet_inspect.stats import ChannelActivity

        rows = self._rows(
            "SELECT layer, body FROM channels JOIN tap ON tap.id = channels.tap"
            " WHERE kind = 'activation' AND output ORDER BY tap.id, step"
        )
        found: dict[str, list[ChannelActivity]] = {}
        with _damage(self.path):
            for layer, body in rows:
                one = ChannelActivity.unpack(zlib.decompress(body))
                found.setdefault(layer, []).append(one)
        return found

    def updates(self) -> dict[int, dict[str, Update]]:
        """What each recorded step did to each variable that training moves."""
        from resnet_inspect.stats import Update

        rows = self._rows("SELECT step, body FROM updates ORDER BY step")
        with _damage(self.path):
            held = dict[str, tuple[float, float]]
            decoded = {step: msgspec.msgpack.decode(body, type=held) for step, body in rows}
        return {
            step: {name: Update(*pair) for name, pair in pairs.items()}
            for step, pairs in decoded.items()
        }

    def batches(self) -> dict[int, dict[str, BatchPart]]:
        """What was fed at each recorded step: inputs and labels by name."""
        from resnet_inspect.stats import BatchPart

        rows = self._rows("SELECT step, body FROM batch ORDER BY step")
        with _damage(self.path):
            return {
                step: msgspec.msgpack.decode(body, type=dict[str, BatchPart]) for step, body in rows
            }

    def normalizations(self, layer: str) -> dict[int, Normalization]:
        """What a batch normalization saw at each recorded step, beside its moving averages."""
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
        """Where the first NaN or infinity came from; None if there was none."""
        from resnet_inspect.stats import Origin

        rows = self._rows("SELECT value FROM run WHERE key = 'origin'")
        with _damage(self.path):
            return msgspec.json.decode(rows[0][0], type=Origin) if rows else None

    def close(self) -> None:
        """Let go of the file."""
        with self._asking:
            self._connection.close()

    def __enter__(self) -> Self:
        """The run itself."""
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
        """Rows of a key and COLUMNS as summaries by key."""
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
        with _damage(self.path), self._asking:
            return self._connection.execute(query, values).fetchall()


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection: none of what is decoded is garbage, and looking took longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes its readers raise into one clear error."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a closed run: not the file's fault
    except sqlite3.OperationalError as error:
        if str(error).startswith(("no such table", "no such column")):
            raise _damaged(path, error) from error
        raise RunFileError(
            "the run file cannot be read here",
            where=str(path),
            expected="a file that may be read, in a folder that may be written if it has a -wal",
            got=str(error),
            fix="check the permissions, or copy it, with the -wal file beside it, elsewhere",
        ) from error
    except (sqlite3.DatabaseError, zlib.error, msgspec.MsgspecError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> RunFileError:
    return RunFileError(
        "the run file is damaged, or no run file",
        where=str(path),
        expected="a file that `resnet-inspect trace` wrote",
        got=str(error),
        fix="trace the network again, or take a copy of the run",
    )
