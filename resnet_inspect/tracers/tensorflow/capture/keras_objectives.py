"""Reads the loss and the metrics of each output of a compiled Keras model.

Keras assigns losses and metrics to outputs when it first computes them. This assignment is read
here. Before that, or if the model computes its own loss, the arguments of `compile` are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from resnet_inspect.graph import Objective, TensorRef

SHORT = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "kldivergence": "kl_divergence",
    "acc": "accuracy",
}


def objectives_of(
    model: Any, outputs: Sequence[TensorRef], labels: Sequence[str]
) -> Iterator[Objective]:
    """Yield the objectives of a model's outputs.

    `outputs` are in the order of `tf.nest.flatten`. `labels` are the names of the label parts of
    the batch, in the same order.
    """
    model_outputs = _Outputs(model, len(outputs))
    losses, weights = _losses(model, model_outputs)
    metrics = _metrics(model, model_outputs, len(losses))
    for place, loss in enumerate(losses):
        if loss is not None:
            yield Objective(
                loss=name_of(loss),
                from_logits=_from_logits(loss),
                output=outputs[place] if place < len(outputs) else None,
                labels=labels[place] if len(labels) == len(losses) else "",
                metrics=tuple(dict.fromkeys(metrics[place])),
                ignore_class=_ignored(loss),
                weight=weights[place],
            )


def name_of(declared: Any) -> str:
    """Return Keras' name of a loss or metric, which may be a string, a function or an object."""
    if isinstance(declared, str):
        text = declared
    elif type(declared).__name__ in ("LossFunctionWrapper", "MeanMetricWrapper"):
        text = declared.name  # Keras wraps a string or function in these classes
    else:
        text = getattr(declared, "__name__", "") or type(declared).__name__
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()
    return SHORT.get(snake, snake)


class _Outputs:
    """Finds the position of an output by its path in the model's result, or by its layer's name.

    `built` is whether Keras has assigned losses to outputs.
    """

    def __init__(self, model: Any, count: int) -> None:
        compiled: Any = getattr(model, "_compile_loss", None)
        self.built = bool(getattr(compiled, "built", False))
        self.names = list(getattr(model, "output_names", None) or ())
        self.count = count
        self.paths: dict[tuple[Any, ...], int] = {}
        if self.built:
            structure = compiled._y_pred_build_structure
            paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
            numbers = keras.tree.pack_sequence_as(structure, list(range(len(paths))))
            order = tf.nest.flatten(numbers)  # sorts dictionary keys, which Keras may not do
            self.paths = {paths[number]: place for place, number in enumerate(order)}
            self.count = len(paths)

    def place(self, path: tuple[Any, ...]) -> int | None:
        """Return the position of the output with this path or name; None if there is none."""
        if path in self.paths:
            return self.paths[path]
        return self.named(path[0]) if len(path) == 1 else None

    def named(self, name: Any) -> int | None:
        """Return the position of the output with this key, else of the layer with this name."""
        if (name,) in self.paths:
            return self.paths[name,]
        return self.names.index(name) if name in self.names else None


def _losses(model: Any, outputs: _Outputs) -> tuple[list[Any], list[float]]:
    """Return the loss (or None) and the loss weight of each output; empty lists if not compiled."""
    if not outputs.built:
        compiled = getattr(model, "_compile_loss", None)
        losses = _by_output(getattr(model, "loss", None), outputs)
        declared = _by_output(getattr(compiled, "_user_loss_weights", None), outputs)
        if len(declared) != len(losses):
            declared = [None] * len(losses)
        return losses, [_weight(weight) for weight in declared]
    losses = [None] * outputs.count
    weights = [1.0] * outputs.count
    for path, loss, weight, *_ in model._compile_loss._flat_losses:
        place = outputs.place(path)
        if place is not None and losses[place] is None:
            losses[place], weights[place] = loss, _weight(weight)
    return losses, weights


def _weight(declared: Any) -> float:
    try:
        return float(declared)
    except Exception:  # no weight, or a tensor without a value during tracing
        return 1.0


def _by_output(declared: Any, outputs: _Outputs) -> list[Any]:
    """Return the part of an argument of `compile` for each output; None where it has none."""
    if declared is None:
        return []
    if isinstance(declared, dict):
        return [declared.get(name) for name in outputs.names or declared]
    flat = list(declared) if isinstance(declared, list | tuple) else [declared]
    return flat * outputs.count if len(flat) == 1 and outputs.count > 1 else flat


def _metrics(model: Any, outputs: _Outputs, count: int) -> list[list[str]]:
    """Return the metric names of each of `count` outputs, unweighted metrics first."""
    metrics: list[list[str]] = [[] for _ in range(count)]
    compiled: Any = getattr(model, "_compile_metrics", None)
    for kind in ("metrics", "weighted_metrics"):
        declared = getattr(compiled, f"_user_{kind}", None)
        if not declared:
            continue
        if compiled.built:
            names_by_output = _as_built(getattr(compiled, f"_flat_{kind}"), declared)
            places = _places(compiled, outputs, len(names_by_output))
        elif count == 1:
            names_by_output = [[name_of(metric) for metric in tf.nest.flatten(declared)]]
            places = [0]
        else:
            names_by_output = [
                [name_of(metric) for metric in tf.nest.flatten(part) if metric is not None]
                for part in _by_output(declared, outputs)
            ]
            places = list(range(len(names_by_output)))
        for place, names in zip(places, names_by_output, strict=True):
            if place is not None and place < count:
                metrics[place] += names
    return metrics


def _as_built(flat: Sequence[Any], declared: Any) -> list[list[str]]:
    """Return the names of the metrics that Keras built for each output.

    A metric that was declared as a string keeps this name, because Keras replaces `accuracy` by
    one of several classes.
    """
    objects = {id(metric) for metric in tf.nest.flatten(declared)}
    return [
        [
            name_of(metric if id(metric) in objects else metric.name)
            for metric in (part.metrics if part else ())
        ]
        for part in flat
    ]


def _places(compiled: Any, outputs: _Outputs, count: int) -> list[int | None]:
    """Return the positions of the outputs in the order of Keras' metrics."""
    names = compiled._resolved_output_names
    if names and outputs.paths and all((name,) in outputs.paths for name in names):
        return [outputs.paths[name,] for name in names]
    if len(outputs.paths) == count:
        return list(outputs.paths.values())
    return list(range(count))


def _from_logits(loss: Any) -> bool | None:
    if "crossentropy" not in name_of(loss):
        return None
    return bool(_settings(loss).get("from_logits", False))


def _ignored(loss: Any) -> int | None:
    declared = _settings(loss).get("ignore_class")
    return None if declared is None else int(declared)


def _settings(loss: Any) -> dict[str, Any]:
    """Return the config of a loss; empty for a string or function, which use Keras' defaults."""
    try:
        return dict(loss.get_config())
    except Exception:  # a user's loss may not support get_config
        return {}
