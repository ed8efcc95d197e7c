"""What Keras reports about a network: its layers and operations, called eagerly.

    python -m docs.networks.account SCRIPT FILE.json
    python -m docs.networks.account SCRIPT:FUNCTION FILE.json [NAME=VALUE ...]

The first form runs a training script up to its first `fit` and executes one training step on the
first batch. The second calls a function and executes the returned model on a batch of ones. This
module does not import resnet-inspect.
"""

from __future__ import annotations

import functools
import itertools
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from docs.networks.calls import Account, Call, total
from tests.reference import layer_costs


def account_of(model: Any, execute: Callable[[], Any]) -> Account:
    """Return the calls that `execute` makes in a model."""
    if not model.built:
        execute()
    with noted_calls(model) as calls:
        execute()
    return Account(calls, params_of(model))


def params_of(model: Any) -> int:
    """Return `count_params()`, which needs a built outermost model."""
    return _elements(model.weights)


@contextmanager
def noted_calls(model: Any) -> Iterator[list[Call]]:
    """Return a list to which the calls in a model are appended while the context is open."""
    calls: list[Call] = []
    numbers: dict[int, Iterator[int]] = {}
    alive: list[Any] = []  # keeps the ids in `numbers` unique
    path: list[Call] = []
    callers: list[Any] = [model]
    closed = False  # inside of a layer of Keras, which may call others, such as an LSTM its cell

    def noted(original: Callable[..., Any], called: Any, *args: Any, **named: Any) -> Any:
        nonlocal closed
        tensors = {id(value): value for value in _tensors((args, named))}
        mask = not isinstance(called, keras.Layer) and isinstance(callers[-1], keras.Sequential)
        # A call without values only builds the network. `summary()` does not list masks.
        if closed or called is model or mask or not tensors:
            return original(called, *args, **named)
        alive.append(called)
        number = next(numbers.setdefault(id(called), itertools.count(1)))
        name = called.name + (f" (call {number})" if number > 1 else "")
        inputs = [tuple(value.shape) for value in tensors.values()]
        call = Call(tuple(outer.name for outer in path), name, type(called).__name__, inputs)
        calls.append(call)
        if path:
            path[-1].inner = True
        start = len(calls)
        path.append(call)
        callers.append(called)
        closed = not _opens(called)
        try:
            returned = original(called, *args, **named)
        finally:
            closed = False
            path.pop()
            callers.pop()
        outputs = list(_tensors(returned))
        call.shape = tuple(outputs[0].shape)
        call.params = _elements(getattr(called, "weights", ())) if number == 1 else 0
        below = [inner for inner in calls[start:] if len(inner.path) == len(path) + 1]
        call.macs = total(inner.macs for inner in below) if below else _macs(called, args, call)
        return returned

    with replaced(keras.Layer, noted), replaced(keras.Operation, noted):
        yield calls


@contextmanager
def replaced(owner: Any, noted: Callable[..., Any]) -> Iterator[None]:
    """Call `noted` in place of layers, or of operations that are no layers.

    Its first argument is the original function.
    """
    original = owner.__call__

    @functools.wraps(original)
    def call(called: Any, *args: Any, **named: Any) -> Any:
        if isinstance(called, keras.Layer) != issubclass(owner, keras.Layer):
            return original(called, *args, **named)
        return noted(original, called, *args, **named)

    owner.__call__ = call
    try:
        yield
    finally:
        owner.__call__ = original


def _opens(called: Any) -> bool:
    """Whether the calls inside of a layer are noted: those of models and of the user's layers."""
    return isinstance(called, keras.Model) or not type(called).__module__.startswith("keras.")


def _tensors(values: Any) -> Iterator[Any]:
    """Yield tensors that have values."""
    for value in tf.nest.flatten(values):
        if isinstance(value, tf.Tensor) and not tf.is_symbolic_tensor(value):
            yield value


def _macs(called: Any, args: Any, call: Call) -> int | None:
    inputs = [tuple(tensor.shape[1:]) for tensor in _tensors(args)]
    return layer_costs.macs_of(called, inputs, call.shape[1:])


def _elements(weights: Any) -> int:
    return sum(int(np.prod(weight.shape)) for weight in weights)


class _StopError(Exception):
    """Ends a script at its first `fit`."""


def account_of_script(script: str) -> Account:
    """Return the account of the first training step of a script; nothing is trained."""
    account = Account()
    original = keras.Model.fit

    def fit(model: Any, x: Any, y: Any = None, batch_size: int = 32, **_: Any) -> Any:
        nonlocal account
        batch = _first(x, y, batch_size)
        model.run_eagerly = True
        account = account_of(model, lambda: model.train_step(batch))
        raise _StopError

    keras.Model.fit = fit
    sys.argv = [script]
    try:
        runpy.run_path(script, run_name="__main__")
    except _StopError:
        return account
    finally:
        keras.Model.fit = original
    raise SystemExit(f"{script} does not call fit")


def _first(x: Any, y: Any, size: int) -> Any:
    """Return the first batch of what `fit` was called with."""
    if hasattr(x, "__next__"):
        batch = next(x)
    elif hasattr(x, "num_batches"):
        batch = x[0]
    elif hasattr(x, "element_spec"):
        batch = next(iter(x))
    else:
        batch = tf.nest.map_structure(lambda array: array[:size], x if y is None else (x, y))
    return tf.nest.map_structure(tf.convert_to_tensor, batch)


def account_of_function(target: str, settings: dict[str, Any]) -> Account:
    """Return the account of the model that `FILE.py:FUNCTION` returns."""
    script, _, name = target.rpartition(":")
    model = runpy.run_path(script)[name](**settings)
    ones = [tf.ones((8, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]
    return account_of(model, lambda: model(ones if len(ones) > 1 else ones[0]))


def main(target: str, file: str, *settings: str) -> None:
    """Write the account of a script or function."""
    if target.endswith(".py"):
        account_of_script(target).write(Path(file))
        return
    pairs = (setting.split("=") for setting in settings)
    values = {name: float(text) if text[0].isdigit() else text for name, text in pairs}
    account_of_function(target, values).write(Path(file))


if __name__ == "__main__":
    main(*sys.argv[1:])
