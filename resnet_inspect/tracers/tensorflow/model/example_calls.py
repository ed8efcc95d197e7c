"""Notes how the user's code calls its Keras models while it builds them.

A subclassed model declares no inputs. A call of it shows them: their structure, types and sizes.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from resnet_inspect.config.inputs import InputSpec
from resnet_inspect.tracers.tensorflow.capture.method_hooks import replaced
from resnet_inspect.tracers.tensorflow.model.input_specs import flat_specs


class ExampleCall(NamedTuple):
    """The arguments of a call, as positional and named ones, with a `tf.TensorSpec` per tensor."""

    arguments: Any

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """The inputs of the model, of any batch size."""
        specs = [leaf for leaf in keras.tree.flatten(self.arguments) if _is_spec(leaf)]
        return flat_specs(specs, [spec.name for spec in specs])

    def of(self, model: Any) -> Callable[..., Any]:
        """Return a function of the tensors that calls `model` with these arguments."""

        def call(*tensors: Any) -> Any:
            given = iter(tensors)
            leaves = keras.tree.flatten(self.arguments)
            filled = [next(given) if _is_spec(leaf) else leaf for leaf in leaves]
            args, named = keras.tree.pack_sequence_as(self.arguments, filled)
            return model(*args, **named)

        return call


class ExampleCalls:
    """The last call of each Keras model or layer that no other one called."""

    def __init__(self) -> None:
        self._calls: dict[int, tuple[Any, ExampleCall]] = {}
        self._depth = 0

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note the calls in the body."""
        with replaced(keras.Layer, "__call__", self._call):
            yield

    def of(self, model: Any) -> ExampleCall | None:
        """Return a call of `model`; None if it was not called on tensors."""
        known = self._calls.get(id(model))
        return known[1] if known is not None else None

    def _call(self, original: Any, layer: Any, *args: Any, **named: Any) -> Any:
        self._depth += 1
        try:
            returned = original(layer, *args, **named)
        finally:
            self._depth -= 1
        example = _example(layer, args, named) if not self._depth else None
        if example is not None:
            self._calls[id(layer)] = layer, example
        return returned


def takes_a_dict(model: Any) -> bool:
    """Return whether the method `call` of a model reads its first argument by text keys."""
    try:
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(model.call))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return False
    if not isinstance(function, ast.FunctionDef) or len(function.args.args) < 2:
        return False
    return any(
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == function.args.args[1].arg
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
        for node in ast.walk(function)
    )


def _example(layer: Any, args: Any, named: dict[str, Any]) -> ExampleCall | None:
    """Return the call of a layer if it has tensors, all of them dense and of known rank."""
    given = {name: value for name, value in named.items() if name != "training"}
    tensors = [leaf for leaf in keras.tree.flatten((args, given)) if _is_tensor(leaf)]
    if not tensors or not all(map(_is_dense, tensors)):
        return None
    names = [*inspect.signature(layer.call).parameters, *map("input{}".format, range(len(args)))]
    positional = [_specs(name, value) for name, value in zip(names, args, strict=False)]
    return ExampleCall((positional, {name: _specs(name, value) for name, value in given.items()}))


def _specs(name: str, value: Any) -> Any:
    """Return an argument with a `tf.TensorSpec` for each dense tensor, named by key or argument."""
    flat = keras.tree.flatten_with_path(value)
    leaves = []
    for path, leaf in flat:
        keys = [step for step in path if isinstance(step, str)]
        if _is_tensor(leaf):
            shape = tf.TensorShape(leaf.shape)
            if shape.rank:
                shape = tf.TensorShape([None, *shape[1:]])
            leaves.append(tf.TensorSpec(shape, leaf.dtype, keys[-1] if keys else name))
        else:
            leaves.append(leaf)
    return keras.tree.pack_sequence_as(value, leaves)


def _is_tensor(leaf: Any) -> bool:
    return tf.is_tensor(leaf) or isinstance(leaf, np.ndarray | keras.KerasTensor)


def _is_dense(leaf: Any) -> bool:
    return isinstance(leaf, tf.Tensor | np.ndarray) and tf.TensorShape(leaf.shape).rank is not None


def _is_spec(leaf: Any) -> bool:
    return isinstance(leaf, tf.TensorSpec)
