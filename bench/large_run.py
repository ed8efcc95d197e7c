"""Writes a run with any number of ops: copies of a recorded network under `towerN/copyM/`."""

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
    """Write a run of `ops` ops, with every output of an op summarized at each step."""
    with Run.open(RECORDED) as run:
        info, graph = run.info, repeated(run.graph, ops)
        summary = next(iter(run.summaries(run.recorded_steps()[-1]).values()))
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
        writer.step(StepRecord(step, 0.1, {"loss": 1.0 / (step + 1)}, dict.fromkeys(taps, summary)))
    writer.finish(Status.COMPLETE)
    return path


def repeated(graph: Graph, ops: int) -> Graph:
    """Return copies of a graph with `ops` ops in total."""
    copies = [_Copy(graph, number) for number in range(-(-ops // len(graph.ops)))]
    return replace(
        graph,
        ops=tuple(copy.op(op) for copy in copies for op in graph.ops)[:ops],
        variables=tuple(copy.variable(v) for copy in copies[:-1] for v in graph.variables),
        layers=tuple(copy.layer(layer) for copy in copies[:-1] for layer in graph.layers),
        inputs={f"{n}_{name}": copy.ref(r) for n, copy in enumerate(copies) for name, r in
                graph.inputs.items()},
        axes={f"{n}_{name}": a for n in range(len(copies)) for name, a in graph.axes.items()},
    )  # fmt: skip


class _Copy:
    """One copy of a graph. Layer names end with its number, op names begin with its scope."""

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

    def variable(self, variable: Variable) -> Variable:
        return replace(
            variable,
            name=f"{self._scope}/{variable.name}",
            handles=self._all(variable.handles),
            readers=self._all(variable.readers),
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
