"""The parts of a graph: ops, the variables they read, and the layers they form."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from resnet_inspect.graph.tensors import TensorRef, TensorSpec

Attr = bool | int | float | str | list[bool | int | float | str]


class Phase(StrEnum):
    """What part of a training step an op belongs to.

    FORWARD leads from the input to the network's output; BACKWARD computes gradients; OPTIMIZER
    changes variables (weights, moving averages, the step counter); OTHER is the rest: the loss,
    the metrics, the learning rate.
    """

    FORWARD = "forward"
    BACKWARD = "backward"
    OPTIMIZER = "optimizer"
    OTHER = "other"


class Source(msgspec.Struct, frozen=True, gc=False):
    """One frame of the user's own code; `text` is the line itself, so that a run explains itself
    on a machine that has not the file.
    """

    file: str
    line: int
    function: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Op(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One operation. `name` is unique in its graph; `source` is innermost frame first."""

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
        """The name scope: the op's name without its last part, empty at the top level."""
        return self.name.rpartition("/")[0]


class Variable(msgspec.Struct, frozen=True, gc=False):
    """A variable and the ops that read it.

    `handles` are the ops through which the graph holds the variable; `readers` the ops that take
    its value or change it, in graph order; `source` the user's lines that made it, where those
    are not the lines of its first reader; `counted` whether its elements are parameters, which
    the state of a generator of random numbers is not.
    """

    name: str
    spec: TensorSpec
    trainable: bool
    handles: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    source: tuple[Source, ...] = ()
    counted: bool = True


class Layer(msgspec.Struct, frozen=True, gc=False):
    """The group of ops that one layer call made.

    `main` is the op that stands for it; `type` that op's type, or the class of a Keras layer;
    `path` names the groups that hold it, outermost first, such as ("conv_block_stage0", "res00");
    `inputs` are the tensors of other layers or of the network's input that it takes, `output` the
    one it hands on. `settings` are those of a Keras layer that are plain values, such as
    activation, rate, units or trainable.
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
        """The outermost `levels` names of its path; what lies in no group is one of its own."""
        return self.path[:levels] or (self.name,)

    @property
    def normalizes(self) -> bool:
        """Whether it is a batch normalization."""
        return self.type in ("FusedBatchNormV3", "BatchNormalization")

    @property
    def rectifies(self) -> bool:
        """Whether it is a ReLU and nothing else."""
        return self.type in ("Relu", "ReLU")
