"""The parts of a graph: ops, variables and layers."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from resnet_inspect.graph.tensors import TensorRef, TensorSpec

Attr = bool | int | float | str | list[bool | int | float | str]


class Phase(StrEnum):
    """The part of a training step that an op belongs to.

    FORWARD computes the network's output from its inputs, BACKWARD the gradients. OPTIMIZER changes
    variables (weights, moving averages, the step counter). OTHER is the rest: the loss, the
    metrics, the learning rate.
    """

    FORWARD = "forward"
    BACKWARD = "backward"
    OPTIMIZER = "optimizer"
    OTHER = "other"


class Source(msgspec.Struct, frozen=True, gc=False):
    """A frame of the user's code.

    `text` is the line's text, so that the source is shown on machines without the file.
    """

    file: str
    line: int
    function: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Op(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An operation. `name` is unique in its graph; `source` begins with the innermost frame."""

    name: str
    type: str
    phase: Phase = Phase.OTHER
    device: str = ""
    inputs: tuple[TensorRef, ...] = ()
    control_inputs: tuple[str, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    attrs: dict[str, Attr] = {}
    source: tuple[Source, ...] = ()

    @property
    def scope(self) -> str:
        """The name scope: the op's name without its last part; empty at the top level."""
        return self.name.rpartition("/")[0]


class Variable(msgspec.Struct, frozen=True, gc=False):
    """A variable and the ops that use it.

    Attributes:
        name: its name.
        spec: its shape and type.
        trainable: whether the optimizer may change it.
        handles: the ops that represent the variable in the graph.
        readers: the ops that read or change its value, in graph order.
        source: frames of the user's code that created it; empty if they are those of its first
            reader.
        counted: whether its elements are parameters; False for the state of a random generator.
    """

    name: str
    spec: TensorSpec
    trainable: bool
    handles: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    source: tuple[Source, ...] = ()
    counted: bool = True


class Layer(msgspec.Struct, frozen=True, gc=False):
    """The ops that a call of a layer created.

    Attributes:
        name: its name.
        type: the type of its main op, or the class of a Keras layer.
        path: the groups that contain it, outermost first, such as ("conv_block_stage0", "res00").
        main: the op that represents it.
        ops: its ops.
        inputs: the tensors of other layers and of the network's inputs that it reads.
        output: its output tensor.
        variables: its variables.
        settings: the plain values in the configuration of a Keras layer, such as activation,
            rate, units or trainable.
    """

    name: str
    type: str
    path: tuple[str, ...]
    main: str
    ops: tuple[str, ...]
    inputs: tuple[TensorRef, ...]
    output: TensorRef
    variables: tuple[str, ...] = ()
    settings: dict[str, bool | int | float | str] = {}

    def group(self, levels: int) -> tuple[str, ...]:
        """The outermost `levels` names of its path; the layer's name if it is in no group."""
        return self.path[:levels] or (self.name,)

    @property
    def normalizes(self) -> bool:
        """Whether it is a batch normalization."""
        return self.type in ("FusedBatchNormV3", "BatchNormalization")

    @property
    def rectifies(self) -> bool:
        """Whether it is only a ReLU."""
        return self.type in ("Relu", "ReLU")


class Group(msgspec.Struct, frozen=True, gc=False):
    """A call of a model, or of a user's layer, that calls other layers.

    Attributes:
        path: its name after those of the groups around it.
        last: the name of the last layer that it calls.
        output: its output tensor.
        type: its class.
        inputs: the tensors that it was called with.
        ops: the ops of the forward pass that it created between its layers and inner groups.
    """

    path: tuple[str, ...]
    last: str
    output: TensorRef
    type: str = ""
    inputs: tuple[TensorRef, ...] = ()
    ops: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its path in one text, such as `encoder/block_1`."""
        return "/".join(self.path)
