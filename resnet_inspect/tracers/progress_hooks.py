"""Counts the calls and training steps of an unchanged program with hooks in its frameworks.

TensorFlow and Keras are used as modules that the program has imported. This module imports neither.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

from resnet_inspect.tracers.fit_callbacks import with_callback
from resnet_inspect.tracers.progress import FIT, Progress

KERAS_CALLS = ("train_on_batch", "evaluate", "test_on_batch", "predict", "predict_on_batch")
HOOKED = "_resnet_inspect_counted"
USUAL_BATCH = 32  # of Keras
MOST_OPS = 2000  # control inputs of a fetched op that are searched


class ProgressHooks:
    """Hooks that report to a `Progress`, for the life of the process."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._fitted: tuple[Any, dict[str, Any]] | None = None
        self._function: Any = None  # the tf.function that runs
        self._loss: float | None = None
        self._eager: Callable[[], bool] = lambda: False  # without TensorFlow nothing is known
        self._training: set[int] = set()  # ids of tf.functions that train
        self._fetches: dict[int, bool] = {}  # whether a fetched op trains, by its id

    def keras(self, module: ModuleType) -> None:
        """Count the calls and steps of Keras models."""
        model: Any = module.Model
        callback = self._callback(module)
        _wrap(model, "fit", lambda original: self._fit(original, callback))
        for name in KERAS_CALLS:
            _wrap(model, name, functools.partial(self._keras_call, kind=name))
        optimizer: Any = module.optimizers.Optimizer
        _wrap(optimizer, "apply" if hasattr(optimizer, "apply") else "apply_gradients", self._apply)

    def tensorflow(self, module: ModuleType) -> None:
        """Count the calls of tf.functions and sessions, and steps of eager loops."""
        self._eager = module.executing_eagerly
        functions: Any = sys.modules[
            "tensorflow.python.eager.polymorphic_function.polymorphic_function"
        ]
        _wrap(functions.Function, "__call__", self._function_call)
        session: Any = sys.modules["tensorflow.python.client.session"]
        _wrap(session.BaseSession, "run", self._session_run)
        _wrap(module.GradientTape, "gradient", self._gradient)

    def measure_batch(self) -> None:
        """Run the model of the last `fit` on one batch: does axis 0 remain that of the labels?"""
        if self._fitted is None:
            return
        model, given = self._fitted
        x: Any = given.get("x")
        y = given.get("y")
        if _examples(x) is None:  # a dataset or a generator
            parts = next(iter(x))
            x, y = parts[0], parts[1] if len(parts) > 1 else None
        else:
            size = given.get("batch_size") or USUAL_BATCH
            x, y = _mapped(x, lambda value: value[:size]), _mapped(y, lambda value: value[:size])
        wanted = _examples(x) if y is None else _examples(y)
        self._compare(wanted, model(x, training=False))

    def _compare(self, examples: int | None, predictions: Any) -> None:
        sizes = [len(leaf) for leaf in _leaves(predictions) if getattr(leaf, "shape", ())]
        if examples is not None and sizes:
            self.progress.counts.keeps_batch = all(size == examples for size in sizes)

    def _callback(self, module: ModuleType) -> Callable[[], Any]:
        progress = self.progress

        class StepCallback(module.callbacks.Callback):  # type: ignore[misc, name-defined]
            """Counts the training steps of a fit. A call may run several steps."""

            def on_epoch_begin(self, *_: Any, **__: Any) -> None:
                self.done = 0

            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                loss = (logs or {}).get("loss")
                for _ in range(batch + 1 - self.done):
                    progress.step(_number(loss))
                self.done = batch + 1

        return StepCallback

    def _fit(self, original: Any, callback: Callable[[], Any]) -> Any:
        signature = inspect.signature(original)

        def fit(model: Any, *args: Any, **named: Any) -> Any:
            if self.progress.active:
                return original(model, *args, **named)
            with self.progress.call(FIT):
                bound = signature.bind(model, *args, **named)
                self._fitted = (model, bound.arguments)
                with_callback(model, bound.arguments, callback())
                return original(*bound.args, **bound.kwargs)

        return fit

    def _keras_call(self, original: Any, kind: str) -> Any:
        def call(model: Any, *args: Any, **named: Any) -> Any:
            if self.progress.active:
                return original(model, *args, **named)
            with self.progress.call(kind):
                result = original(model, *args, **named)
                if kind == "train_on_batch":
                    first = next(iter(_leaves(result)), None)
                    loss = result.get("loss") if isinstance(result, dict) else first
                    self.progress.step(_number(loss))
                elif kind.startswith("predict"):
                    with suppress(Exception):  # the result is the program's, whatever it is
                        self._compare(_examples(args[0] if args else named.get("x")), result)
                return result

        return call

    def _apply(self, original: Any) -> Any:
        """`Optimizer.apply`: a step if it runs eagerly, else its tf.function trains."""

        def apply(optimizer: Any, *args: Any, **named: Any) -> Any:
            result = original(optimizer, *args, **named)
            if self._function is not None:
                self._training.add(id(self._function))
            elif not self.progress.active and self._eager():
                loss, self._loss = self._loss, None
                self.progress.step(loss)
            return result

        return apply

    def _function_call(self, original: Any) -> Any:
        def call(function: Any, *args: Any, **named: Any) -> Any:
            if self.progress.active or not self._eager():
                return original(function, *args, **named)
            with self.progress.call("function"):
                self._function = function
                try:
                    result = original(function, *args, **named)
                finally:
                    self._function = None
                if id(function) in self._training:
                    self.progress.step()
                return result

        return call

    def _session_run(self, original: Any) -> Any:
        def run(session: Any, fetches: Any, *args: Any, **named: Any) -> Any:
            if self.progress.active:
                return original(session, fetches, *args, **named)
            with self.progress.call("session"):
                result = original(session, fetches, *args, **named)
                if any([self._trains(leaf) for leaf in _leaves(fetches)]):
                    self.progress.step()
                return result

        return run

    def _trains(self, fetch: Any) -> bool:
        """Whether a fetched op changes variables as an optimizer does."""
        if not hasattr(fetch, "control_inputs"):
            return False
        known = self._fetches.get(id(fetch))
        if known is None:
            waiting, seen = [fetch], {fetch.name}
            known = False
            while waiting and not known and len(seen) < MOST_OPS:
                op = waiting.pop()
                known = "Apply" in op.type
                new = [inner for inner in op.control_inputs if inner.name not in seen]
                seen.update(inner.name for inner in new)
                waiting += new
            self._fetches[id(fetch)] = known
        return known

    def _gradient(self, original: Any) -> Any:
        def gradient(tape: Any, target: Any, *args: Any, **named: Any) -> Any:
            if not self.progress.active and self._eager():
                self._loss = _number(target)
            return original(tape, target, *args, **named)

        return gradient


def _wrap(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    original = getattr(owner, name)
    if not hasattr(original, HOOKED):
        replacement = functools.wraps(original)(wrap(original))
        setattr(replacement, HOOKED, original)
        setattr(owner, name, replacement)


def _number(value: Any) -> float | None:
    """The value of a number or a tensor with one element; None for others."""
    try:
        return float(value)
    except Exception:  # also a warning that the program turns into an error
        return None


def _leaves(value: Any) -> list[Any]:
    """The values in nested tuples, lists and dictionaries."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in _leaves(item)]
    return [] if value is None else [value]


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same nested structure with each value changed."""
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_mapped(item, change) for item in value)
    return None if value is None else change(value)


def _examples(value: Any) -> int | None:
    """The size of axis 0 of the first array; None without an array."""
    for leaf in _leaves(value)[:1]:
        shape = getattr(leaf, "shape", None)
        if shape is not None and len(shape) > 0:
            return int(shape[0])
    return None
