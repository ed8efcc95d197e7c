"""The graph of a network: ordered ops with look-ups, notes and failures."""

from __future__ import annotations

from functools import cached_property

import msgspec

from resnet_inspect.graph.crash import Crash
from resnet_inspect.graph.nodes import Group, Layer, Op, Phase, Source, Variable
from resnet_inspect.graph.tensors import TensorRef, TensorSpec
from resnet_inspect.graph.training import Training


class Note(msgspec.Struct, frozen=True):
    """Something that was not recorded, and the reason. Reports print notes."""

    subject: str
    text: str


class Failure(msgspec.Struct, frozen=True):
    """The error that prevented a network from being built or trained.

    Attributes:
        kind: class of the exception.
        message: its message.
        during: what was done, such as "building the network".
        op: name of the op, empty if unknown.
        source: frames of the user's code, innermost first.
        crash: the exception and its circumstances; None if they were not recorded.
    """

    kind: str
    message: str
    during: str
    op: str = ""
    source: tuple[Source, ...] = ()
    crash: Crash | None = None


class Graph(msgspec.Struct, frozen=True, dict=True):
    """The graph of a network.

    Attributes:
        ops: ops in order of creation, inputs before consumers.
        variables: the variables.
        layers: the layers.
        groups: the calls of models and layers that call other layers.
        inputs: the tensor of each input of the network, by name.
        axes: the meaning of the axes of each input (batch, height, width, channel), by name.
        outputs: the tensors that a nested graph returns, in order; empty for other graphs.
        functions: nested graphs (branches and bodies of control flow), by function name.
        notes: parts that were not recorded.
        training: losses, metrics and optimizer; None if unknown.
    """

    ops: tuple[Op, ...]
    variables: tuple[Variable, ...] = ()
    layers: tuple[Layer, ...] = ()
    inputs: dict[str, TensorRef] = {}
    axes: dict[str, tuple[str, ...]] = {}
    functions: dict[str, Graph] = {}
    notes: tuple[Note, ...] = ()
    training: Training | None = None
    groups: tuple[Group, ...] = ()
    outputs: tuple[TensorRef, ...] = ()

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
    def input_of_op(self) -> dict[str, str]:
        """The name of the input of each op that is an input and has another name."""
        return {ref.op: name for name, ref in self.inputs.items() if name != ref.op}

    @cached_property
    def captured(self) -> dict[str, TensorRef]:
        """The tensors from outside of the step that the forward pass reads, such as an adjacency.

        They are no inputs, so they have no names of their own.
        """
        hidden = {ref.op for ref in self.inputs.values()}
        hidden |= {handle for variable in self.variables for handle in variable.handles}
        captured: dict[str, TensorRef] = {}
        for op in self.ops:
            if op.type != "Placeholder" or op.name in hidden:
                continue
            ref = TensorRef(op.name)
            users = (self.op_by_name[name] for name in self.consumers.get(ref, ()))
            data = self.spec(ref).dtype not in ("resource", "variant") and self.spec(ref).shape
            if data and any(user.phase is Phase.FORWARD for user in users):
                number = len(captured) + 1
                captured[f"constant {number}" if captured else "constant"] = ref
        return captured

    @cached_property
    def entries(self) -> dict[str, TensorRef]:
        """The inputs and the captured tensors, by name."""
        return self.captured | self.inputs

    @cached_property
    def group_by_path(self) -> dict[tuple[str, ...], Group]:
        """Groups by path."""
        return {group.path: group for group in self.groups}

    @cached_property
    def group_of_op(self) -> dict[str, Group]:
        """The group that made each op between its layers."""
        return {name: group for group in self.groups for name in group.ops}

    @cached_property
    def outermost_groups(self) -> frozenset[tuple[str, ...]]:
        """The outermost groups that contain layers, as paths of one name."""
        return frozenset(layer.path[:1] for layer in self.layers if layer.path)

    @cached_property
    def group_outputs(self) -> dict[tuple[tuple[str, ...], str], TensorRef]:
        """The output of each call of a group, by its path and the last layer that it calls."""
        return {(group.path, group.last): group.output for group in self.groups}

    @cached_property
    def consumers(self) -> dict[TensorRef, tuple[str, ...]]:
        """The ops that read each tensor, in graph order."""
        consumers: dict[TensorRef, list[str]] = {}
        for op in self.ops:
            inputs = op.inputs
            for ref in inputs if len(inputs) < 2 else dict.fromkeys(inputs):
                users = consumers.get(ref)
                if users is None:
                    consumers[ref] = [op.name]
                else:
                    users.append(op.name)
        return {ref: tuple(names) for ref, names in consumers.items()}

    @cached_property
    def whole(self) -> Graph:
        """The graph with the ops of its nested functions; see `inlining`."""
        from resnet_inspect.graph.inlining import inlined

        return inlined(self).graph

    def noting(self, *notes: Note) -> Graph:
        """A copy of the graph with additional notes."""
        return msgspec.structs.replace(self, notes=(*self.notes, *notes)) if notes else self

    def spec(self, ref: TensorRef) -> TensorSpec:
        """Shape and type of a tensor.

        Raises:
            KeyError: the op is unknown.
            IndexError: the op has no such output.
        """
        op = self.op_by_name[ref.op]
        if ref.index < 0:
            raise IndexError(f"{ref}: expected an output index of at least 0")
        return op.outputs[ref.index]
