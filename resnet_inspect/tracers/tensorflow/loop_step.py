"""The step of a training loop of one's own: called as before, recorded at every Nth call.

A `tf.function` is made again around its Python function, which is watched while TensorFlow traces
it; a plain function runs op by op as it did (`eager_step`).
"""

from __future__ import annotations

import atexit
import functools
import inspect
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.autograph.core import ag_ctx
from tensorflow.python.autograph.impl.api import tf_convert

from resnet_inspect.errors import UsageError
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.tensorflow.construction import Tensor
from resnet_inspect.tracers.tensorflow.eager_step import EagerStep
from resnet_inspect.tracers.tensorflow.hooks import replaced
from resnet_inspect.tracers.tensorflow.models import plain, rewritten
from resnet_inspect.tracers.tensorflow.observed_step import ObservedStep, tensors_in
from resnet_inspect.tracers.tensorflow.recording import Recording


class LoopStep:
    """A step that is recorded; `name` is that of the function. Everything but the call is the
    `tf.function`'s own.
    """

    @classmethod
    def of(cls, function: Any, run: Recording, held: str | None) -> LoopStep:
        """The step in place of `function`; raises UsageError where there cannot be one. `held` is
        what the recorder has already.
        """
        if held is not None:
            raise UsageError(
                "a recorder records one step, and this one has another already",
                where="Recorder.instrument()",
                expected="a recorder for each function that is called by itself",
                got=f"{_name(function)} after {held}",
                fix="make another recorder, or instrument the function that calls both",
            )
        if not callable(function):
            raise UsageError(
                "what is to be recorded cannot be called",
                where="Recorder.instrument()",
                expected="a function or a tf.function that does one step",
                got=type(function).__name__,
                fix="write: step = recorder.instrument(train_step)",
            )
        return cls(function, run)

    def __init__(self, function: Any, run: Recording) -> None:
        self.name = _name(function)
        self._function = function
        self._run = run
        self._call = self._watched(function) if hasattr(function, "python_function") else None
        self._signature = _signature(function)
        self._trained: list[Any] = []
        self._step = 0
        self._begun = self._closed = False
        functools.update_wrapper(self, plain(getattr(function, "python_function", function)))
        atexit.register(_close, weakref.ref(self))

    def __getattr__(self, name: str) -> Any:
        """What else a `tf.function` can do, such as `get_concrete_function`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._call or self._function, name)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method of a class it is called with its object."""
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """The step, with what it does noted if it is its turn; what it raises is saved as well."""
        if not self._alone():
            return self._function(*args, **named)
        call = self._call or self._function
        if self._closed or self._run.journal is None:
            return call(*args, **named)
        record = self._run.settings.records(self._step)
        with self._run.guarded("steps"):
            self._run.arm(record=record, weights=self._trained)
        if self._call is None and record:
            call = self._observed_at_once
        start = time.perf_counter()
        try:
            returned = call(*args, **named)
        except BaseException as error:
            with self._run.guarded("failure"):
                self._begin(self.name)
                self._run.end(error, self._step)
            raise
        seconds = time.perf_counter() - start
        with self._run.guarded("steps"):
            self._keep(seconds, returned)
        self._step += 1
        return returned

    def close(self, error: BaseException | None = None) -> None:
        """The loop is over, or was left by `error`; the run file is finished."""
        if not self._closed and self._begun:
            with self._run.guarded("loop"):
                self._run.end(error, self._step)
        self._closed = True

    def _alone(self) -> bool:
        """Whether the step is called from Python, once for all replicas."""
        context = tf.distribute.get_replica_context()
        if tf.executing_eagerly() and context is not None and context.num_replicas_in_sync == 1:
            return True
        if tf.executing_eagerly():
            text = "called for each replica: instrument the function that calls strategy.run"
        else:
            text = "called while another function was traced: @recorder.instrument belongs above"
            text += " @tf.function"
        with self._run.guarded("step"):
            self._begin(self.name)
            self._run.note("step", f"{self.name} was not observed: it was {text}")
        return False

    def _keep(self, seconds: float, returned: Any) -> None:
        self._begin(self.name)
        found = dict(scalars_of(returned))
        record = self._run.findings(StepRecord(self._step, seconds, found))
        if "loss" not in record.scalars and "batch_loss" in record.scalars:
            record.scalars["loss"] = record.scalars["batch_loss"]
        self._run.keep(record)

    def _begin(self, name: str, optimizers: list[Any] | None = None) -> None:
        if not self._begun:
            kinds = dict.fromkeys(type(one).__name__ for one in optimizers or [])
            self._run.begin(
                name, mode="loop", steps=0, optimizer=" and ".join(kinds) or "none of Keras'"
            )
            self._begun = True

    def _watched(self, function: Any) -> Any:
        """The same `tf.function` around a Python function that is observed."""
        python = plain(function.python_function)
        options = function._experimental_autograph_options
        step = rewritten(python, options) if function._autograph else python

        @functools.wraps(python)
        def watched(*args: Any, **named: Any) -> Any:
            return self._run.observe(self._observed, self._replicated(step), *args, **named)

        again = function._clone(watched)
        again._autograph = False  # ours is not to be rewritten; theirs is
        return again

    def _observed(self) -> ObservedStep:
        made = ObservedStep(
            self._run.settings, name=self.name, inputs=self._inputs, traced=self._traced
        )
        self._made = made
        return made

    def _replicated(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """A step that may hand its work to replicas: these are observed instead."""

        def run(original: Any, strategy: Any, replica: Any, *args: Any, **named: Any) -> Any:
            if not isinstance(strategy, tf.distribute.MirroredStrategy):
                return original(strategy, replica, *args, **named)
            self._made.left_to_replicas = True
            converted = tf_convert(replica, ag_ctx.control_status_ctx(), convert_by_default=False)

            def observed() -> ObservedStep:
                return ObservedStep(
                    self._run.settings,
                    name=self.name,
                    inputs=lambda *a, **n: named_inputs(_signature(replica), a, n),
                    traced=self._traced,
                )

            def watched(*given: Any, **keywords: Any) -> Any:
                return self._run.observe(observed, converted, *given, **keywords)

            kept = tf.autograph.experimental.do_not_convert(watched)
            return original(strategy, kept, *args, **named)

        def call(*args: Any, **named: Any) -> Any:
            with replaced(tf.distribute.Strategy, "run", run):
                return step(*args, **named)

        return call

    def _traced(self, step: ObservedStep) -> None:
        """The step has been traced and is about to run: now its weights are known."""
        if step.left_to_replicas:
            return
        self._trained = step.seen.trained
        self._run.look_at(self._trained)
        self._begin(step.name, step.seen.optimizers)

    def _observed_at_once(self, *args: Any, **named: Any) -> Any:
        """Run a plain function with its layers and gradients noted, op by op."""
        step = EagerStep(self._run.settings, name=self.name, inputs=self._inputs)
        try:
            returned = step.observe(self._function, *args, **named)
        except BaseException as error:
            with self._run.guarded("failure"):
                self._begin(step.name, step.seen.optimizers)
                self._run.failed(step, error)
            raise
        with self._run.guarded("tensors"):
            self._begin(step.name, step.seen.optimizers)
            self._trained = step.seen.trained
            self._run.took(step)
        return returned

    def _inputs(self, *args: Any, **named: Any) -> Iterator[tuple[str, Tensor]]:
        return named_inputs(self._signature, args, named)


def named_inputs(
    signature: inspect.Signature | None, args: Any, named: Any
) -> Iterator[tuple[str, Tensor]]:
    """The tensors in the arguments of a call, by the names of the function's parameters."""
    try:
        given = signature.bind(*args, **named).arguments if signature is not None else {}
    except TypeError:
        given = {}
    for name, one in (given or {f"input{k}": one for k, one in enumerate(args)} | named).items():
        yield from tensors_in(name, one)


def scalars_of(returned: Any) -> Iterator[tuple[str, float]]:
    """The single numbers in what a step returned: by their keys, the first without one `loss`."""
    taken: set[str] = set()
    for path, one in keras.tree.flatten_with_path(returned):
        if not _is_number(one):
            continue
        name = "/".join(part for part in path if isinstance(part, str))
        if not name:
            name = "loss" if "loss" not in taken else "/".join(map(str, ("returned", *path)))
        if name not in taken:
            taken.add(name)
            yield name, float(one)


def _is_number(one: Any) -> bool:
    if isinstance(one, tf.Tensor):
        return bool(one.shape.rank == 0 and (one.dtype.is_floating or one.dtype.is_integer))
    return (
        np.isscalar(one) and isinstance(one, int | float | np.number) and not isinstance(one, bool)
    )


def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(plain(getattr(function, "python_function", function)))
    except (TypeError, ValueError):
        return None


def _name(function: Any) -> str:
    python = getattr(function, "python_function", function)
    return str(getattr(python, "__name__", type(function).__name__))


def _close(step: weakref.ref[LoopStep]) -> None:
    """At the interpreter's end: a loop that nobody closed, and what ended the program."""
    held = step()
    if held is not None:
        interactive = hasattr(sys, "ps1")
        held.close(None if interactive else getattr(sys, "last_value", None))
