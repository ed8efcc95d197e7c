"""What stands beside a name in the tree: shape, zeros, a small histogram, a mark."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_inspect.analysis.outline import Key, Node, NodeKind, Outline
from resnet_inspect.graph import TensorRef
from resnet_inspect.render import spelling
from resnet_inspect.render.distribution_pages import fitting_kind
from resnet_inspect.render.labels import fitted
from resnet_inspect.render.scale import Scale
from resnet_inspect.render.spread import Distribution, spread
from resnet_inspect.stats import TensorSummary
from resnet_inspect.tui.recording import Recording

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

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._known: dict[tuple[Key, int | None, int], Facts] = {}

    def forget(self) -> None:
        """Read all again, as for another tree."""
        self._known.clear()

    def of(self, node: Node, outline: Outline) -> Facts:
        """What a row of `outline` tells, of what it hands on."""
        steps = self.recording.state.recorded
        key = node.key, steps[-1] if steps else None, len(node.members)
        if key not in self._known:
            self._known[key] = self._read(self.output_of(node, outline))
        return self._known[key]

    def _read(self, ref: TensorRef | None) -> Facts:
        if ref is None:
            return Facts()
        shape = spelling.shape(self.recording.graph.spec(ref).shape)
        tap = self.recording.tap_of(ref)
        held = self.recording.latest(tap) if tap else None
        if held is None:
            return Facts(shape)
        row = Distribution.of("", held)
        drawn = spread(row, Scale.of([row.sketch], fitting_kind([row])), SPARK)
        spark = fitted(drawn.remark, SPARK) if drawn.remark else spelling.bars(list(drawn.cells))
        return Facts(shape, spark, spelling.share(held.zero_fraction), _mark(held))

    def output_of(self, node: Node, outline: Outline) -> TensorRef | None:
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
