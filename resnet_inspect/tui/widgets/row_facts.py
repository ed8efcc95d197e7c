"""What stands beside a name in the tree: shape, zeros, a small histogram, a mark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from resnet_inspect.analysis.browse.outline import NodeKind, Outline, OutlineNode
from resnet_inspect.graph import TensorRef
from resnet_inspect.render import spelling
from resnet_inspect.render.labels import fitted
from resnet_inspect.render.plots.distribution_pages import fitting_kind
from resnet_inspect.render.plots.scale import Scale
from resnet_inspect.render.plots.spread import Distribution, spread
from resnet_inspect.stats import TensorSummary
from resnet_inspect.tui.run.opened_run import OpenedRun

SPARK = 10


@dataclass(frozen=True)
class Facts:
    """Texts of one row; empty where there is nothing to tell. `mark` says what is remarkable."""

    shape: str = ""
    spark: str = ""
    zeros: str = ""
    mark: str = ""


class RowFacts:
    """Reads what rows tell when they are first drawn, and again after a new step."""

    def __init__(self, recording: OpenedRun) -> None:
        self.recording = recording
        self._known: dict[object, Facts] = {}

    def forget(self) -> None:
        """Read all again, as for another tree."""
        self._known.clear()

    def of(self, node: OutlineNode, outline: Outline) -> Facts:
        """What a row of `outline` tells, of what it hands on."""
        steps = self.recording.state.recorded
        key = node.key, steps[-1] if steps else None, len(node.members)
        return self.remembered(key, lambda: self._of_one(self.output_of(node, outline)))

    def remembered(self, key: object, read: Callable[[], Facts]) -> Facts:
        """What was read before by a key, or is read now."""
        if key not in self._known:
            self._known[key] = read()
        return self._known[key]

    def _of_one(self, ref: TensorRef | None) -> Facts:
        return self.read(self.recording, ref) if ref is not None else Facts()

    def read(self, recording: OpenedRun, ref: TensorRef, zeros: str | None = None) -> Facts:
        """What is told of a tensor of a run, with another text in place of the share of zeros."""
        shape = spelling.shape(recording.graph.spec(ref).shape)
        tap = recording.tap_of(ref)
        held = recording.latest(tap) if tap else None
        if held is None:
            return Facts(shape, zeros=zeros or "")
        row = Distribution.of("", held)
        drawn = spread(row, Scale.of([row.sketch], fitting_kind([row])), SPARK)
        spark = fitted(drawn.remark, SPARK) if drawn.remark else spelling.bars(list(drawn.cells))
        told = spelling.share(held.zero_fraction) if zeros is None else zeros
        return Facts(shape, spark, told, _mark(held))

    def output_of(self, node: OutlineNode, outline: Outline) -> TensorRef | None:
        """The tensor that a row hands on; that of the last layer for a scope."""
        graph = outline.graph
        if node.kind == NodeKind.LAYER:
            return graph.layer_by_name[node.name].output
        if node.kind == NodeKind.OP:
            return TensorRef(node.name) if graph.op_by_name[node.name].outputs else None
        if node.key[0] or not node.members:
            return None
        last = outline.leaves[node.members[-1]].name
        layer = graph.layer_by_name.get(last) or graph.layer_of_op.get(last)
        if layer is not None:
            return layer.output
        return TensorRef(last) if not graph.layers and graph.op_by_name[last].outputs else None


def _mark(held: TensorSummary) -> str:
    if held.nan:
        return " !NaN"
    return " !inf" if held.posinf or held.neginf else ""
