"""The training of a network as the user declared it: losses, metrics, optimizer."""

from __future__ import annotations

import msgspec

from resnet_inspect.graph.tensors import TensorRef


class Objective(msgspec.Struct, frozen=True, omit_defaults=True):
    """The loss and the metrics of an output.

    Attributes:
        loss: its name in Keras, such as sparse_categorical_crossentropy, or the name of the user's
            function.
        from_logits: its argument `from_logits`; None if the loss has none.
        output: the output tensor of the model.
        labels: the part of the batch that contains the labels.
        metrics: names of the metrics.
        ignore_class: label of examples or positions that the loss ignores.
        weight: weight of the loss in the total loss.
    """

    loss: str
    from_logits: bool | None = None
    output: TensorRef | None = None
    labels: str = ""
    metrics: tuple[str, ...] = ()
    ignore_class: int | None = None
    weight: float = 1.0


class Training(msgspec.Struct, frozen=True, omit_defaults=True):
    """The training of a network.

    Attributes:
        objectives: losses and metrics of its outputs.
        optimizer: its name in lower case.
        learning_rate: the initial learning rate.
        decay: whether the optimizer or the loss penalizes large weights.
        no_gradient: trainable variables that the loss does not depend on.
        idle: layers of the model that a step did not call, or that had no effect.
        inputs: parts of the batch that the model takes; empty if unknown.
    """

    objectives: tuple[Objective, ...] = ()
    optimizer: str = ""
    learning_rate: float | None = None
    decay: bool = False
    no_gradient: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
