"""What a compiled Keras model is trained for, from what it was compiled with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from resnet_inspect.graph import TensorRef, Training
from resnet_inspect.tracers.tensorflow.capture.construction import Construction
from resnet_inspect.tracers.tensorflow.capture.keras_objectives import objectives_of

# Of what a layer was made with; only plain values are kept.
KEPT = frozenset(
    (
        *("activation", "recurrent_activation", "units", "filters", "rate", "axis", "momentum"),
        *("epsilon", "use_bias", "return_sequences", "input_dim", "output_dim", "center", "scale"),
        "negative_slope",
    )
)

INSIDE = "inner_optimizer"  # of one that only scales the loss for another


def settings_of(layer: Any) -> dict[str, bool | int | float | str]:
    """The plain ones among the settings of a Keras layer; empty for one that does not tell."""
    try:
        told = dict(layer.get_config())
    except Exception:  # a layer of the user's own may need what it cannot say
        told = {}
    found = {
        name: value
        for name, value in told.items()
        if name in KEPT and isinstance(value, bool | int | float | str)
    }
    regularized = any(told.get(f"{one}_regularizer") for one in ("kernel", "embeddings"))
    return found | {"trainable": bool(layer.trainable)} | ({"decay": True} if regularized else {})


def training_of(
    model: Any,
    made: Construction,
    labels: Sequence[str],
    no_gradient: Sequence[str],
    optimizers: Sequence[Any],
) -> Training:
    """What is known of the training of a model whose step was traced into `made`; `labels` are the
    names of the batch's parts that outputs are compared with, in their order. None is a loop of
    one's own.
    """
    if model is None:
        return _of_loop(no_gradient, optimizers)
    outputs = [TensorRef(one.op.name, one.value_index) for one in made.outputs]
    optimizer = optimizers[0] if optimizers else getattr(model, "optimizer", None)
    return Training(
        objectives=tuple(objectives_of(model, outputs, labels)),
        optimizer=type(optimizer).__name__.lower() if optimizer is not None else "",
        learning_rate=_rate(optimizer),
        decay=bool(getattr(model, "losses", ())) or _decays(optimizer),
        no_gradient=tuple(no_gradient),
        idle=tuple(_idle(model, made)),
    )


def _of_loop(no_gradient: Sequence[str], optimizers: Sequence[Any]) -> Training:
    """What is known of a loop of one's own: what it minimizes is not told."""
    if not optimizers:
        return Training(no_gradient=tuple(no_gradient))
    return Training(
        optimizer=type(optimizers[0]).__name__.lower(),
        learning_rate=_rate(optimizers[0]),
        decay=_decays(optimizers[0]),
        no_gradient=tuple(no_gradient),
    )


def _rate(optimizer: Any) -> float | None:
    try:
        return float(optimizer.learning_rate)
    except Exception:  # none, or a schedule that cannot be asked here
        return None


def _decays(optimizer: Any) -> bool:
    return bool(getattr(getattr(optimizer, INSIDE, optimizer), "weight_decay", None))


def _idle(model: Any, made: Construction) -> Iterable[str]:
    """Dropouts that make no op in the step, though the model has them. Those inside of a layer of
    Keras' own are its affair, and what is frozen, or drops nothing, is meant to be idle.
    """
    called = {call.name for call in made.calls}
    waiting = [model]
    while waiting:
        for layer in waiting.pop()._flatten_layers(include_self=False, recursive=False):
            own = not type(layer).__module__.startswith(("keras.", "tensorflow."))
            if own or hasattr(layer, "compile"):
                waiting.append(layer)
            elif _drops(layer) and layer.trainable and layer.name not in called:
                yield layer.name


def _drops(layer: Any) -> bool:
    return "Dropout" in type(layer).__name__ and bool(getattr(layer, "rate", 0.0))
