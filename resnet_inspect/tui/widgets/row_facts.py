"""The texts of a row in the tree: shape, share of zeros, small histogram and mark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from resnet_inspect.analysis.browse.outline import NodeKind, Outline, OutlineNode
from resnet_inspect.analysis.sizes.group_outputs import group_output
from resnet_inspect.graph import Layer, TensorRef
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
    """The texts of a row, empty if unknown.

    `mark` shows that values are not finite. `source` is the layer or op with this output.
    `distance` is that between the outputs of two runs.
    """

    shape: str = ""
    spark: str = ""
    zeros: str = ""
    mark: str = ""
    source: str = ""
    distance: str = ""


class RowFacts:
    """Reads the texts of a row when it is first drawn, and again after a new step."""

    def __init__(self, recording: OpenedRun) -> None:
        self.recording = recording
        self._known: dict[object, Facts] = {}

    def forget(self) -> None:
        """Clear the cache, as for another tree."""
        self._known.clear()

    def of(self, node: OutlineNode, outline: Outline) -> Facts:
        """Return the texts of a row of `outline`, about its output."""
        steps = self.recording.state.recorded
        key = node.key, steps[-1] if steps else None, len(node.members)
        return self.cached(key, lambda: self._facts_of(self.output_of(node, outline)))

    def cached(self, key: object, read: Callable[[], Facts]) -> Facts:
        """Return the cached texts of a key, or call `read` for them."""
        if key not in self._known:
            self._known[key] = read()
        return self._known[key]

    def _facts_of(self, ref: TensorRef | None) -> Facts:
        return self.read(self.recording, ref) if ref is not None else Facts()

    def read(self, recording: OpenedRun, ref: TensorRef) -> Facts:
        """Return the texts about a tensor."""
        shape = spelling.shape(recording.measured.spec(ref).shape)
        layer = recording.graph.layer_of_op.get(ref.op)
        source = layer.name if layer is not None else ref.op
        tap = recording.tap_of(ref)
        summary = recording.latest(tap) if tap else None
        if summary is None:
            return Facts(shape, source=source)
        row = Distribution.of("", summary)
        drawn = spread(row, Scale.of([row.sketch], fitting_kind([row])), SPARK)
        spark = fitted(drawn.remark, SPARK) if drawn.remark else spelling.bars(list(drawn.cells))
        return Facts(shape, spark, spelling.share(summary.zero_fraction), _mark(summary), source)

    def output_of(self, node: OutlineNode, outline: Outline) -> TensorRef | None:
        """Return the output of a row. For a scope: of its call, else the last used tensor."""
        graph = outline.graph
        if node.kind == NodeKind.LAYER:
            return graph.layer_by_name[node.name].output
        if node.kind == NodeKind.OP:
            return TensorRef(node.name) if graph.op_by_name[node.name].outputs else None
        if node.key[0] or not node.members:
            return None
        leaves = (outline.leaves[place] for place in node.members)
        layers = [leaf for leaf in leaves if isinstance(leaf, Layer)]
        if layers:
            return group_output(graph, tuple(node.name.split("/")), layers)
        last = outline.leaves[node.members[-1]].name
        layer = graph.layer_by_name.get(last) or graph.layer_of_op.get(last)
        if layer is not None:
            return layer.output
        return TensorRef(last) if not graph.layers and graph.op_by_name[last].outputs else None


def _mark(summary: TensorSummary) -> str:
    if summary.nan:
        return " !NaN"
    return " !inf" if summary.posinf or summary.neginf else ""
