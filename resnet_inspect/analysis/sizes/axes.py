"""Explanations of all axes of a run. Each axis is explained once and shares results with others."""

from __future__ import annotations

from resnet_inspect.analysis.sizes.measured import measured_explanation
from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.why import Explanation, ExplanationCache, why
from resnet_inspect.graph import Graph, Phase, TensorRef
from resnet_inspect.graph.lineage import Lineage

# Of a graph with more axes, only the forward pass is explained.
MOST = 6000


class Axes:
    """Explanations of the axes of a graph, computed on first use.

    `left_out` counts axes that `of` skips because the graph has more than `most`. Unknown sizes are
    those of `shown`, the graph with measured sizes.
    """

    def __init__(
        self, graph: Graph, lineage: Lineage, shown: Graph | None = None, most: int = MOST
    ) -> None:
        self._graph, self._lineage, self._shown = graph, lineage, shown or graph
        self._cache = ExplanationCache()
        self._known: dict[TensorRef, tuple[Explanation, ...]] = {}
        counts = {phase: 0 for phase in Phase}
        for op in graph.ops:
            counts[op.phase] += sum(len(spec.shape or ()) for spec in op.outputs)
        whole = sum(counts.values()) <= most
        self._phases = frozenset(Phase if whole else {Phase.FORWARD})
        self.left_out = sum(counts[phase] for phase in Phase if phase not in self._phases)

    def of(self, ref: TensorRef) -> tuple[Explanation, ...] | None:
        """Return an explanation for each axis of a tensor, or None if the tensor is left out."""
        if self._graph.op_by_name[ref.op].phase not in self._phases:
            return None
        return self.of_any(ref)

    def of_any(self, ref: TensorRef) -> tuple[Explanation, ...]:
        """Return an explanation for each axis of any tensor of the graph."""
        if ref not in self._known:
            self._known[ref] = self._explained(Target.of(self._graph, ref))
        return self._known[ref]

    def of_variable(self, name: str) -> tuple[Explanation, ...]:
        """Return an explanation for each axis of a variable."""
        shape = self._graph.variable_by_name[name].spec.shape or ()
        return self._explained(Target(name, shape, "", 0, True))

    def _explained(self, target: Target) -> tuple[Explanation, ...]:
        explained = (
            why(self._graph, self._lineage, target, axis, self._cache)
            for axis in range(len(target.shape))
        )
        return tuple(measured_explanation(axis, self._shown) for axis in explained)
