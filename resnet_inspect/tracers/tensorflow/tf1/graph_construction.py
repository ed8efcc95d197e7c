"""Defines the graph in which a TensorFlow 1 function is traced, and the record of its construction.

This is a separate module because its frames are in the tracebacks of ops. Tracing starts in
`graph_trace`, where tracebacks are cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.func_graph import FuncGraph

from resnet_inspect.graph import Phase, Source
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.tf1.graph_layers import scope_layers
from resnet_inspect.tracers.tensorflow.tf1.graph_phases import fed_ops, phases

ADDITIONS = ("Add", "AddV2")


class OldGraph(FuncGraph):  # type: ignore[misc]
    """A graph in which handles of variables have the same names as in a plain TensorFlow 1 graph.

    With `forgiving`, an addition that rejects its operands is replaced by its second operand, and
    its name is added to `failed_additions`. `described` are the sizes of placeholders by name, for
    those that the function creates without a shape.
    """

    def __init__(
        self, name: str, *, forgiving: bool, described: Mapping[str, Sequence[int | None]]
    ) -> None:
        super().__init__(name)
        self.failed_additions: list[str] = []
        self._forgiving = forgiving
        self._described = described

    def _create_op_internal(self, op_type: str, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            op = super()._create_op_internal(op_type, inputs, *args, **kwargs)
        except ValueError:
            if not self._forgiving or op_type not in ADDITIONS:
                raise
        else:
            if op_type == "Placeholder" and op.name in self._described:
                placeholder = op.outputs[0]
                if placeholder.shape.rank is None:
                    placeholder.set_shape(self._described[op.name])
            return op
        with self.as_default():
            substitute = tf.identity(inputs[1], kwargs.get("name") or op_type).op
        self.failed_additions.append(substitute.name)
        return substitute

    def _capture_helper(self, tensor: Any, name: str) -> Any:
        handle = tensor.dtype == tf.resource
        return super()._capture_helper(tensor, "resource" if handle else name)


class GraphConstruction(Construction):
    """The record of such a graph. Phases and layers are derived when it is complete.

    `scopes` are the name scopes that the user's files opened.
    """

    def __init__(self) -> None:
        super().__init__(0, {})
        self.scopes: list[str] = []
        self.made_at: dict[str, tuple[Source, ...]] = {}
        self._settled: list[Phase] = []

    def phase_at(self, position: int) -> Phase:
        """Return the phase of the op of that number: after `settle` the derived phase."""
        if position < len(self._settled):
            return self._settled[position]
        return super().phase_at(position)

    def settle(self, given: Sequence[Tensor]) -> None:
        """Derive the phases and layers of the ops created so far from the inputs `given`."""
        ops = self.graph.get_operations()
        names = {tensor.op.name for tensor in given}
        noted = [super(GraphConstruction, self).phase_at(at) for at in range(len(ops))]
        self._settled = phases(ops, noted, names)
        fed = fed_ops(ops, names)
        self.calls = scope_layers(ops, self._settled, self.scopes, self._reads(ops), fed)

    def _reads(self, ops: list[Any]) -> dict[str, tuple[str, ...]]:
        """Return the names of the variables that each op reads, by the op's name."""
        names = {id(variable.handle): name for name, variable in self.variables.items()}
        captured = {
            inside.name: names[id(outside)]
            for outside, inside in self.graph.captures
            if id(outside) in names
        }
        reads = {}
        for op in ops:
            read = [captured[tensor.name] for tensor in op.inputs if tensor.name in captured]
            if read:
                reads[op.name] = tuple(dict.fromkeys(read))
        return reads
