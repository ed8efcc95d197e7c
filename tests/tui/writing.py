"""Run files for tests of the interface: a recording replayed step by step, hostile names."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resnet_inspect.graph import Graph, Op, Phase, TensorRef, TensorSpec
from resnet_inspect.stats import StepRecord
from resnet_inspect.store.info import RunInfo, Status, Writer
from resnet_inspect.store.run import Run
from resnet_inspect.store.writer import RunWriter
from tests.recordings import FOLDER

HOSTILE = (
    "[bold red]not bold[/]", "[/]", "[@click=app.quit]quit[/]", "</script>", '"><img onerror=1>',
    "new\nline", "esc\x1b[31mred", "\u202egnihtyna", "🧪" * 20, "日本語の層", "x" * 300, "%s{}$",
    "a\\", "[link=http://x]y[/link]",
)  # fmt: skip


class Replay:
    """Writes the recording `v2` again like another process, one step per call."""

    def __init__(self, path: Path, *, steps: int = 3, writer: Writer | None = None) -> None:
        with Run.open(FOLDER / "v2.db") as run:
            self._steps = {step: _record(run, step) for step in run.steps()}
            settings = msgspec.structs.replace(run.info.settings, steps=steps)
            info = msgspec.structs.replace(
                run.info,
                writer=writer or Writer.current(),
                status=Status.RUNNING,
                ended="",
                settings=settings,
            )
            self.path = path
            self.writer = RunWriter.create(path, info)
            self.writer.graph(run.graph, 0.1)
            self.writer.lineage(run.lineage)

    def step(self, number: int) -> None:
        """Write a step. The steps of the recording repeat."""
        source = self._steps[number % len(self._steps)]
        self.writer.step(StepRecord(number, 0.1, source.scalars, source.summaries, source.sizes))


def _record(run: Run, step: int) -> StepRecord:
    scalars = {name: values[step] for name, values in run.scalars().items()}
    summaries = {tap: run.course(tap, step)[step] for tap in run.taps()}
    return StepRecord(step, 0.1, scalars, summaries, run.sizes())


def info_of(name: str = "v2", **changes: object) -> RunInfo:
    """Return the info of a recording with changes, written by this process."""
    with Run.open(FOLDER / f"{name}.db") as run:
        return msgspec.structs.replace(run.info, **({"writer": Writer.current()} | changes))


def write_graph(path: Path, graph: Graph | None, status: Status = Status.COMPLETE) -> Path:
    """Write a run with a graph but no steps. Without a graph, the run ended before it had one."""
    writer = RunWriter.create(path, info_of(network="odd", status=Status.RUNNING, ended=""))
    if graph is not None:
        writer.graph(graph, 0.0)
    writer.finish(status)
    return path


def hostile_graph() -> Graph:
    """Return a chain of ops whose names look like markup or control sequences."""
    spec = TensorSpec((2, 3), "float32")
    ops: list[Op] = []
    for name in HOSTILE:
        inputs = (TensorRef(ops[-1].name),) if ops else ()
        ops.append(
            Op(
                f"{name}/{name}",
                f"T{name}",
                Phase.FORWARD,
                inputs=inputs,
                outputs=(spec,),
                attrs={name: name},
            )
        )
    return Graph(tuple(ops))
