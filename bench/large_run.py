"""A run with as many ops as wanted: copies of a recorded network under `towerN/copyM/`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resnet_inspect.graph import Graph, Layer, Op, TensorRef, Variable
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import StepRecord, Tap
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from resnet_inspect.store.writer import RunWriter

RECORDED = Path(__file__).parents[1] / "tests" / "runs" / "v2.db"
COPIES_OF_A_TOWER = 20
replace = msgspec.structs.replace


def write_large(path: Path, ops: int, *, steps: int = 2) -> Path:
    """Write a run of so many ops, every output of an op summarized at each step."""
    with Run.open(RECORDED) as run:
        info, graph = run.info, repeated(run.graph, ops)
        known = next(iter(run.summaries(run.recorded_steps()[-1]).values()))
    taps = [
        Tap(owner.name if owner else op.name, "activation", f"{op.name}:{index}", output=index == 0)
        for op in graph.ops
        for owner in [graph.layer_of_op.get(op.name)]
        for index in range(len(op.outputs))
    ]
    writer = RunWriter.create(path, replace(info, status=Status.RUNNING))
    writer.graph(graph, 1.0)
    writer.lineage(Lineage())
    for step in range(steps):
        writer.step(StepRecord(step, 0.1, {"loss": 1.0 / (step + 1)}, dict.fromkeys(taps, known)))
    writer.finish(Status.COMPLETE)
    return path


def repeated(graph: Graph, ops: int) -> Graph:
    """A graph over and over, until there are so many ops."""
    copies = [_Copy(graph, number) for number in range(-(-ops // len(graph.ops)))]
    return replace(
        graph,
        ops=tuple(one.op(op) for one in copies for op in graph.ops)[:ops],
        variables=tuple(one.variable(held) for one in copies[:-1] for held in graph.variables),
        layers=tuple(one.layer(layer) for one in copies[:-1] for layer in graph.layers),
        inputs={f"{n}_{name}": one.ref(r) for n, one in enumerate(copies) for name, r in
                graph.inputs.items()},
        axes={f"{n}_{name}": a for n in range(len(copies)) for name, a in graph.axes.items()},
    )  # fmt: skip


class _Copy:
    """One copy: layers get its number at their end, ops and groups stand below its scope."""

    def __init__(self, graph: Graph, number: int) -> None:
        self._end = f"_{number}"
        self._scope = f"tower{number // COPIES_OF_A_TOWER}/copy{number}"
        owners = graph.layer_of_op
        self._names = {
            op.name: f"{self._scope}/"
            + (op.name.replace(owner.name, owner.name + self._end, 1) if owner else op.name)
            for op in graph.ops
            for owner in [owners.get(op.name)]
        }

    def ref(self, ref: TensorRef) -> TensorRef:
        return TensorRef(self._names[ref.op], ref.index)

    def _all(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._names[name] for name in names)

    def op(self, op: Op) -> Op:
        return replace(
            op,
            name=self._names[op.name],
            inputs=tuple(map(self.ref, op.inputs)),
            control_inputs=self._all(op.control_inputs),
        )

    def variable(self, held: Variable) -> Variable:
        return replace(
            held,
            name=f"{self._scope}/{held.name}",
            handles=self._all(held.handles),
            readers=self._all(held.readers),
        )

    def layer(self, layer: Layer) -> Layer:
        return replace(
            layer,
            name=layer.name + self._end,
            path=(*self._scope.split("/"), *layer.path),
            main=self._names[layer.main],
            ops=self._all(layer.ops),
            inputs=tuple(map(self.ref, layer.inputs)),
            output=self.ref(layer.output),
            variables=tuple(f"{self._scope}/{name}" for name in layer.variables),
        )
