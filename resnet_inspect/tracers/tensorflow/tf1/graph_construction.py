"""The graph that a TensorFlow 1 function is traced in, and what is noted of it.

A module of its own, apart from where tracing begins: its frames stand in the tracebacks of ops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.func_graph import FuncGraph

from resnet_inspect.graph import Phase, Source
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.tf1.graph_layers import scope_layers
from resnet_inspect.tracers.tensorflow.tf1.graph_phases import following, phases

ADDITIONS = ("Add", "AddV2")


class OldGraph(FuncGraph):  # type: ignore[misc]
    """A graph in which variables' handles have the names that they have without one around it.

    One that is `forgiving` has, in place of an addition that refuses its operands, the second.
    """

    def __init__(self, name: str, *, forgiving: bool) -> None:
        super().__init__(name)
        self.passed_over: list[str] = []
        self._forgiving = forgiving

    def _create_op_internal(self, op_type: str, inputs: Any, *given: Any, **named: Any) -> Any:
        try:
            return super()._create_op_internal(op_type, inputs, *given, **named)
        except ValueError:
            if not self._forgiving or op_type not in ADDITIONS:
                raise
        with self.as_default():
            kept = tf.identity(inputs[1], named.get("name") or op_type).op
        self.passed_over.append(kept.name)
        return kept

    def _capture_helper(self, tensor: Any, name: str) -> Any:
        handle = tensor.dtype == tf.resource
        return super()._capture_helper(tensor, "resource" if handle else name)


class GraphConstruction(Construction):
    """What is noted of such a graph; phases and layers are read from it in the end.

    `scopes` are the name scopes that the user's files opened.
    """

    def __init__(self) -> None:
        super().__init__(0, {})
        self.scopes: list[str] = []
        self.made_at: dict[str, tuple[Source, ...]] = {}
        self._settled: list[Phase] = []

    def phase_at(self, position: int) -> Phase:
        """The phase that the op of that number belongs to, once that is settled."""
        if position < len(self._settled):
            return self._settled[position]
        return super().phase_at(position)

    def settle(self, given: Sequence[Tensor]) -> None:
        """Tell phases and layers of the ops made so far, with these inputs."""
        ops = self.graph.get_operations()
        names = {tensor.op.name for tensor in given}
        noted = [super(GraphConstruction, self).phase_at(at) for at in range(len(ops))]
        self._settled = phases(ops, noted, names)
        fed = following(ops, names)
        self.calls = scope_layers(ops, self._settled, self.scopes, self._reads(ops), fed)

    def _reads(self, ops: list[Any]) -> dict[str, tuple[str, ...]]:
        """The variables that each op takes, by the op's name."""
        names = {id(variable.handle): name for name, variable in self.variables.items()}
        held = {
            inside.name: names[id(outside)]
            for outside, inside in self.graph.captures
            if id(outside) in names
        }
        found = {}
        for op in ops:
            taken = [held[tensor.name] for tensor in op.inputs if tensor.name in held]
            if taken:
                found[op.name] = tuple(dict.fromkeys(taken))
        return found
