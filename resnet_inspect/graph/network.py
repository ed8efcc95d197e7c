"""A whole graph: ordered ops with look-ups, and what is known of its making."""

from __future__ import annotations

from functools import cached_property

import msgspec

from resnet_inspect.graph.nodes import Layer, Op, Source, Variable
from resnet_inspect.graph.tensors import TensorRef, TensorSpec
from resnet_inspect.graph.training import Training


class Note(msgspec.Struct, frozen=True):
    """Something that was not observed, and why. Reports print notes."""

    subject: str
    text: str


class Failure(msgspec.Struct, frozen=True):
    """Why a network could not be built or trained, as the framework told it."""

    kind: str
    message: str
    during: str
    op: str = ""
    source: tuple[Source, ...] = ()


class Graph(msgspec.Struct, frozen=True, dict=True):
    """Ops in order of creation (inputs before consumers), with variables, layers and notes.

    `inputs` maps the name of each input of the network to its tensor, `axes` to what its axes mean
    (batch, height, width, channel). `functions` holds nested
    functions (branches and bodies of control flow) as graphs of their own, by function name.
    `training` is what it is trained for, None where that is not known.
    """

    ops: tuple[Op, ...]
    variables: tuple[Variable, ...] = ()
    layers: tuple[Layer, ...] = ()
    inputs: dict[str, TensorRef] = {}
    axes: dict[str, tuple[str, ...]] = {}
    functions: dict[str, Graph] = {}
    notes: tuple[Note, ...] = ()
    training: Training | None = None

    @cached_property
    def op_by_name(self) -> dict[str, Op]:
        """Ops by name."""
        return {op.name: op for op in self.ops}

    @cached_property
    def layer_by_name(self) -> dict[str, Layer]:
        """Layers by name."""
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def variable_by_name(self) -> dict[str, Variable]:
        """Variables by name."""
        return {variable.name: variable for variable in self.variables}

    @cached_property
    def layer_of_op(self) -> dict[str, Layer]:
        """The layer that made each op, for the ops that belong to one."""
        return {name: layer for layer in self.layers for name in layer.ops}

    @cached_property
    def consumers(self) -> dict[TensorRef, tuple[str, ...]]:
        """The ops that read each tensor, in graph order."""
        found: dict[TensorRef, list[str]] = {}
        for op in self.ops:
            inputs = op.inputs
            for ref in inputs if len(inputs) < 2 else dict.fromkeys(inputs):
                users = found.get(ref)
                if users is None:
                    found[ref] = [op.name]
                else:
                    users.append(op.name)
        return {ref: tuple(names) for ref, names in found.items()}

    def noting(self, *notes: Note) -> Graph:
        """The same graph with more notes."""
        return msgspec.structs.replace(self, notes=(*self.notes, *notes)) if notes else self

    def spec(self, ref: TensorRef) -> TensorSpec:
        """Shape and type of a tensor; raises KeyError for an unknown op, IndexError for an output
        the op does not have.
        """
        op = self.op_by_name[ref.op]
        if ref.index < 0:
            raise IndexError(f"{ref}: outputs are counted from 0")
        return op.outputs[ref.index]
