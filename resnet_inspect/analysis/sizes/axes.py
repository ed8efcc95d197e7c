"""Why axes have their sizes, for all of a run at once: each is explained once, steps are shared."""

from __future__ import annotations

from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.why import Explanation, Ways, why
from resnet_inspect.graph import Graph, Phase, TensorRef
from resnet_inspect.graph.lineage import Lineage

# Where a graph has more axes than this, only those of its forward pass are explained.
MOST = 6000


class Axes:
    """The explanations of axes of a graph, made when they are first asked for.

    `left_out` counts the axes of tensors that are not explained, because there are too many.
    """

    def __init__(self, graph: Graph, lineage: Lineage, most: int = MOST) -> None:
        self._graph, self._lineage = graph, lineage
        self._ways = Ways()
        self._known: dict[TensorRef, tuple[Explanation, ...]] = {}
        counts = {phase: 0 for phase in Phase}
        for op in graph.ops:
            counts[op.phase] += sum(len(spec.shape or ()) for spec in op.outputs)
        whole = sum(counts.values()) <= most
        self._phases = frozenset(Phase if whole else {Phase.FORWARD})
        self.left_out = sum(counts[phase] for phase in Phase if phase not in self._phases)

    def of(self, ref: TensorRef) -> tuple[Explanation, ...] | None:
        """One for each axis of a tensor; None where it is left out."""
        if self._graph.op_by_name[ref.op].phase not in self._phases:
            return None
        return self.of_any(ref)

    def of_any(self, ref: TensorRef) -> tuple[Explanation, ...]:
        """The same, whatever part of the graph the tensor is in."""
        if ref not in self._known:
            self._known[ref] = self._explained(Target.of(self._graph, ref))
        return self._known[ref]

    def of_variable(self, name: str) -> tuple[Explanation, ...]:
        """One for each axis of a variable."""
        shape = self._graph.variable_by_name[name].spec.shape or ()
        return self._explained(Target(name, shape, "", 0, True))

    def _explained(self, target: Target) -> tuple[Explanation, ...]:
        return tuple(
            why(self._graph, self._lineage, target, axis, self._ways)
            for axis in range(len(target.shape))
        )
