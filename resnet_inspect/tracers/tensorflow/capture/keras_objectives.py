"""What each output of a compiled Keras model is trained for: its loss and its metrics.

Keras works out which of them are whose when it first computes them; what it came to is read here,
and what was compiled where it did not come so far, or the model computes its loss itself.
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
    """The objectives of a model's `outputs`, which stand in TensorFlow's order of what is nested;
    `labels` are the names of the batch's parts that they are compared with, in the same order.
    """
    known = _Outputs(model, len(outputs))
    losses, weights = _losses(model, known)
    metrics = _metrics(model, known, len(losses))
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
    """Keras' name of a loss or metric, whether it was given as text, function or object."""
    if isinstance(declared, str):
        text = declared
    elif type(declared).__name__ in ("LossFunctionWrapper", "MeanMetricWrapper"):
        text = declared.name  # what Keras makes of a text or a function
    else:
        text = getattr(declared, "__name__", "") or type(declared).__name__
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()
    return SHORT.get(snake, snake)


class _Outputs:
    """Where the outputs of a model stand, by how Keras finds them: by their paths in what the model
    returns, and by the names of the layers that make them. `built` is whether Keras told.
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
            order = tf.nest.flatten(numbers)  # it sorts keys where Keras may not
            self.paths = {paths[number]: place for place, number in enumerate(order)}
            self.count = len(paths)

    def place(self, path: tuple[Any, ...]) -> int | None:
        """The place of the output at a path, or of that name."""
        if path in self.paths:
            return self.paths[path]
        return self.named(path[0]) if len(path) == 1 else None

    def named(self, name: Any) -> int | None:
        """The place of the output with that key, or else of the layer of that name."""
        if (name,) in self.paths:
            return self.paths[name,]
        return self.names.index(name) if name in self.names else None


def _losses(model: Any, known: _Outputs) -> tuple[list[Any], list[float]]:
    """A loss, or None, for each output, and its weight; of none where nothing was compiled."""
    if not known.built:
        compiled = getattr(model, "_compile_loss", None)
        losses = _by_output(getattr(model, "loss", None), known)
        given = _by_output(getattr(compiled, "_user_loss_weights", None), known)
        same = len(given) == len(losses)
        return losses, [_weight(one) for one in (given if same else [None] * len(losses))]
    found: list[Any] = [None] * known.count
    weights = [1.0] * known.count
    for path, loss, weight, *_ in model._compile_loss._flat_losses:
        place = known.place(path)
        if place is not None and found[place] is None:
            found[place], weights[place] = loss, _weight(weight)
    return found, weights


def _weight(declared: Any) -> float:
    try:
        return float(declared)
    except Exception:  # none, or a tensor that has no value here
        return 1.0


def _by_output(declared: Any, known: _Outputs) -> list[Any]:
    """What was compiled, by output; None for one that has none."""
    if declared is None:
        return []
    if isinstance(declared, dict):
        return [declared.get(name) for name in known.names or declared]
    flat = list(declared) if isinstance(declared, list | tuple) else [declared]
    return flat * known.count if len(flat) == 1 and known.count > 1 else flat


def _metrics(model: Any, known: _Outputs, count: int) -> list[list[str]]:
    """For each of `count` outputs the names of its metrics, first those without weights."""
    found: list[list[str]] = [[] for _ in range(count)]
    compiled: Any = getattr(model, "_compile_metrics", None)
    for kind in ("metrics", "weighted_metrics"):
        declared = getattr(compiled, f"_user_{kind}", None)
        if not declared:
            continue
        if compiled.built:
            told = _as_built(getattr(compiled, f"_flat_{kind}"), declared)
            places = _places(compiled, known, len(told))
        elif count == 1:
            told, places = [[name_of(one) for one in tf.nest.flatten(declared)]], [0]
        else:
            told = [
                [name_of(one) for one in tf.nest.flatten(part) if one is not None]
                for part in _by_output(declared, known)
            ]
            places = list(range(len(told)))
        for place, names in zip(places, told, strict=True):
            if place is not None and place < count:
                found[place] += names
    return found


def _as_built(flat: Sequence[Any], declared: Any) -> list[list[str]]:
    """The names of the metrics that Keras has for each output. What was given as a text keeps it:
    Keras takes one of several accuracies for `accuracy`.
    """
    given = {id(one) for one in tf.nest.flatten(declared)}
    return [
        [name_of(one if id(one) in given else one.name) for one in (part.metrics if part else ())]
        for part in flat
    ]


def _places(compiled: Any, known: _Outputs, count: int) -> list[int | None]:
    """The places of the outputs, in the order in which Keras has their metrics."""
    names = compiled._resolved_output_names
    if names and known.paths and all((name,) in known.paths for name in names):
        return [known.paths[name,] for name in names]
    if len(known.paths) == count:
        return list(known.paths.values())
    return list(range(count))


def _from_logits(loss: Any) -> bool | None:
    if "crossentropy" not in name_of(loss):
        return None
    return bool(_settings(loss).get("from_logits", False))


def _ignored(loss: Any) -> int | None:
    declared = _settings(loss).get("ignore_class")
    return None if declared is None else int(declared)


def _settings(loss: Any) -> dict[str, Any]:
    """What a loss was made with; empty for a text or a function, which have Keras' defaults."""
    try:
        return dict(loss.get_config())
    except Exception:  # a loss of the user's own may not tell
        return {}
