"""Runs a training script and writes the values of its first step, without resnet-inspect.

    python witness.py SCRIPT FILE.npz FILE.json

Each `fit` gets a callback that copies the variables before every step. After the script, the first
step of each built model is repeated eagerly, on the same batch and from the same variables. The
outputs of the layers are written with the weights: `output/MODEL/LAYER/CALL`,
`weight/MODEL/STEP/PATH`, `parameters/MODEL`, `start/MODEL` (the first step), where MODEL counts
from 0. The calls of layers in this step are written as JSON, for the first model.
"""

from __future__ import annotations

import functools
import itertools
import runpy
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from docs.networks.account import noted_calls, params_of, replaced
from docs.networks.calls import Account


class Copies(keras.callbacks.Callback):  # type: ignore[misc]
    """Copies the variables of a model before each step. `batches` are its first two batches."""

    def __init__(self, batches: list[Any]) -> None:
        super().__init__()
        self.batches = batches
        self.start = 0  # the first step before which the model is built
        self.first: dict[int, Any] = {}
        self.trained: list[tuple[Any, bool]] = []
        self.weights: list[dict[str, Any]] = []
        self.parameters = (0, 0)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Copy the variables."""
        del batch, logs
        if self.model.weights and not self.first:
            self.start = len(self.weights)
            self.first = {id(variable): variable.numpy() for variable in self._variables()}
            self.trained = [(layer, layer.trainable) for layer in self.model._flatten_layers()]
        self.weights.append({weight.path: weight.numpy() for weight in self.model.weights})

    def on_train_end(self, logs: Any = None) -> None:
        """Count the parameters after training."""
        del logs
        self.parameters = _elements(self.model.weights), _elements(self.model.trainable_weights)

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]

    def outputs(self) -> dict[str, Any]:
        """Return outputs of layers and operations in the first step, by name and number of call."""
        for layer, trained in self.trained:
            if not layer._layers:
                layer.trainable = trained
        for variable in self._variables():
            if id(variable) in self.first:
                variable.assign(self.first[id(variable)])
        batch = tf.nest.map_structure(tf.convert_to_tensor, self.batches[self.start])
        outputs: dict[str, Any] = {}

        def call(original: Any, layer: Any, *args: Any, **named: Any) -> Any:
            returned = original(layer, *args, **named)
            flat = [value for value in tf.nest.flatten(returned) if isinstance(value, tf.Tensor)]
            floats = [tensor for tensor in flat if tensor.dtype.is_floating]
            if flat:
                numbers = (f"{layer.name}/{number}" for number in itertools.count())
                free = next(name for name in numbers if name not in outputs)
                outputs[free] = (floats or flat)[0].numpy()
            return returned

        self.model.run_eagerly = True
        with replaced(keras.Layer, call), replaced(keras.Operation, call):
            self.model.train_step(batch)
        return outputs


def _elements(weights: Any) -> int:
    return sum(int(np.prod(weight.shape)) for weight in weights)


def _continued(batches: list[Any], rest: Any) -> Any:
    yield from batches
    yield from rest


def _part(given: Any, start: int, size: int) -> Any:
    cut = tf.nest.map_structure(lambda array: array[start : start + size], given)
    return cut[0] if len(cut) == 1 else cut


def main(script: str, out: str, account: str) -> None:
    """Run the script, then write the arrays and the account of the first model."""
    models: list[Any] = []
    copies: list[Copies] = []
    original = keras.Model.fit

    @functools.wraps(original)
    def fit(model: Any, x: Any, y: Any = None, **named: Any) -> Any:
        size = named.get("batch_size") or 32
        if hasattr(x, "__next__"):
            batches = [next(x), next(x)]
            x = _continued(batches, x)
        elif hasattr(x, "num_batches"):
            batches = [x[0], x[1]]
        elif hasattr(x, "element_spec"):
            batches = list(x.take(2))
        else:
            batches = [_part((x,) if y is None else (x, y), at * size, size) for at in (0, 1)]
        watch = Copies(batches)
        if not any(model is known_model for known_model in models):
            models.append(model)
            copies.append(watch)
        known = copies[next(i for i, known_model in enumerate(models) if known_model is model)]
        returned = original(
            model, x, y, **named | {"callbacks": [*named.get("callbacks", ()), watch]}
        )
        if known is not watch:
            known.weights += watch.weights
            known.parameters = watch.parameters
        return returned

    keras.Model.fit = fit
    sys.argv = [script]
    runpy.run_path(script, run_name="__main__")
    arrays: dict[str, Any] = {}
    for number, copy in enumerate(copies):
        arrays |= {f"parameters/{number}": copy.parameters, f"start/{number}": copy.start}
        for step, weights in enumerate(copy.weights):
            arrays |= {f"weight/{number}/{step}/{path}": v for path, v in weights.items()}
        with noted_calls(copy.model) as calls:
            outputs = copy.outputs()
        arrays |= {f"output/{number}/{name}": value for name, value in outputs.items()}
        if number == 0:
            Account(calls, params_of(copy.model)).write(Path(account))
    np.savez(out, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
