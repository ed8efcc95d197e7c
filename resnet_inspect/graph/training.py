"""What a network is trained for, as its user declared it: losses, metrics, optimizer."""

from __future__ import annotations

import msgspec

from resnet_inspect.graph.tensors import TensorRef


class Objective(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one output is trained for.

    `loss` is Keras' name of it, such as sparse_categorical_crossentropy, or that of the user's own
    function; `from_logits` None for a loss that does not ask. `output` is the tensor that the model
    hands out, `labels` the part of the batch that it is compared with; `metrics` are names, too.
    Examples, or places, of the label `ignore_class` count for nothing; `weight` is by what the loss
    is multiplied in the sum of all.
    """

    loss: str
    from_logits: bool | None = None
    output: TensorRef | None = None
    labels: str = ""
    metrics: tuple[str, ...] = ()
    ignore_class: int | None = None
    weight: float = 1.0


class Training(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a network is trained.

    `optimizer` is its name in lower case, `learning_rate` the one it began with; `decay` whether
    weights are held small, by the optimizer or by the loss. `no_gradient` names variables that
    were to be trained and on which the loss does not depend, `idle` layers of the model that were
    not called, or did nothing, in a step. `inputs` names the parts of the batch that the model
    takes; empty where that is not known.
    """

    objectives: tuple[Objective, ...] = ()
    optimizer: str = ""
    learning_rate: float | None = None
    decay: bool = False
    no_gradient: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
