"""Reads the training settings of a compiled Keras model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from resnet_inspect.graph import TensorRef, Training
from resnet_inspect.tracers.tensorflow.capture.construction import Construction
from resnet_inspect.tracers.tensorflow.capture.keras_objectives import objectives_of

# Settings of a layer that are recorded if their values are plain.
KEPT = frozenset(
    (
        *("activation", "recurrent_activation", "units", "filters", "rate", "axis", "momentum"),
        *("epsilon", "use_bias", "return_sequences", "input_dim", "output_dim", "center", "scale"),
        "negative_slope",
    )
)

INSIDE = "inner_optimizer"  # attribute of an optimizer that wraps another to scale its loss


def settings_of(layer: Any) -> dict[str, bool | int | float | str]:
    """Return the settings of a Keras layer; only `trainable` if its config is not available."""
    try:
        config = dict(layer.get_config())
    except Exception:  # a user's layer may not support get_config
        config = {}
    settings = {
        name: value
        for name, value in config.items()
        if name in KEPT and isinstance(value, bool | int | float | str)
    }
    regularized = any(config.get(f"{kind}_regularizer") for kind in ("kernel", "embeddings"))
    if hasattr(layer, "trainable"):  # an operation such as add has no weights
        settings["trainable"] = bool(layer.trainable)
    return settings | ({"decay": True} if regularized else {})


def training_of(
    model: Any,
    construction: Construction,
    labels: Sequence[str],
    no_gradient: Sequence[str],
    optimizers: Sequence[Any],
) -> Training:
    """Return the training settings of a model whose step was traced into `construction`.

    `labels` are the names of the label parts of the batch, in the order of the outputs. `model` is
    None for a user's training loop.
    """
    if model is None:
        return _of_loop(no_gradient, optimizers)
    outputs = [TensorRef(tensor.op.name, tensor.value_index) for tensor in construction.outputs]
    optimizer = optimizers[0] if optimizers else getattr(model, "optimizer", None)
    return Training(
        objectives=tuple(objectives_of(model, outputs, labels)),
        optimizer=type(optimizer).__name__.lower() if optimizer is not None else "",
        learning_rate=_rate(optimizer),
        decay=bool(getattr(model, "losses", ())) or _decays(optimizer),
        no_gradient=tuple(no_gradient),
        idle=tuple(_idle(model, construction)),
    )


def _of_loop(no_gradient: Sequence[str], optimizers: Sequence[Any]) -> Training:
    """Return the training settings of a user's loop, whose loss is unknown."""
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
    except Exception:  # no optimizer, or a schedule without a value here
        return None


def _decays(optimizer: Any) -> bool:
    return bool(getattr(getattr(optimizer, INSIDE, optimizer), "weight_decay", None))


def _idle(model: Any, construction: Construction) -> Iterable[str]:
    """Yield the names of dropout layers of the model that create no op in the step.

    Dropouts inside built-in Keras layers are ignored. Frozen ones and those of rate 0 are idle on
    purpose.
    """
    called = {call.name for call in construction.calls}
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
