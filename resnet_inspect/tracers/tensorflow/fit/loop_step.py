"""Records the step of a training loop at every Nth call.

The Python function of a `tf.function` is observed while TensorFlow traces it: in a copy
(`instrumented`), or in place, for an unchanged program (`in_place`). A plain function runs op by op
as before (`eager_step`).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.autograph.core import ag_ctx
from tensorflow.python.autograph.impl.api import tf_convert

from resnet_inspect.errors import UsageError
from resnet_inspect.stats import StepRecord
from resnet_inspect.tracers.tensorflow.capture.method_hooks import replaced
from resnet_inspect.tracers.tensorflow.capture.python_functions import plain
from resnet_inspect.tracers.tensorflow.capture.source_lines import named as named_file
from resnet_inspect.tracers.tensorflow.fit.batch_parts import BatchPart, parts_of_call
from resnet_inspect.tracers.tensorflow.fit.eager_step import EagerStep
from resnet_inspect.tracers.tensorflow.fit.endings import end_with
from resnet_inspect.tracers.tensorflow.fit.inner_functions import (
    OBSERVED,
    converted,
    function_name,
    signature_of,
)
from resnet_inspect.tracers.tensorflow.fit.loop_places import LoopPlaces
from resnet_inspect.tracers.tensorflow.fit.observed_step import ObservedStep
from resnet_inspect.tracers.tensorflow.fit.recording import Recording
from resnet_inspect.tracers.tensorflow.taps.sum_order import InOrder

SAVED_BY = ("get_concrete_function", "_list_all_concrete_functions_for_serialization")


class LoopStep:
    """A recorded step with the name of its function.

    All attributes except the call are forwarded to the `tf.function`.
    """

    @classmethod
    def instrumented(cls, function: Any, run: Recording) -> LoopStep:
        """The step to call instead of `function`; raises UsageError if it is not callable."""
        if not callable(function):
            raise UsageError(
                "the step to record is not callable",
                where="Recorder.instrument()",
                expected="a function or a tf.function that does one training step",
                got=type(function).__name__,
                fix="write: step = recorder.instrument(train_step)",
            )
        step = cls(function, run)
        if hasattr(function, "python_function"):
            copy = function._clone(step._watched())
            copy._autograph = False  # the user's code is already rewritten; ours must not be
            setattr(copy, OBSERVED, True)
            step._call = InOrder(copy, run.in_order)
        functools.update_wrapper(step, plain(getattr(function, "python_function", function)))
        end_with(step, LoopStep.close, run.pending_lineage)
        return step

    @classmethod
    def in_place(cls, function: Any, call: Callable[..., Any], run: Recording) -> LoopStep:
        """The step of a tf.function that is changed in place.

        `call` is the original method `__call__` of tf.functions. `run` must record only functions
        that train.
        """
        step = cls(function, run, begun_by_training=True)
        step._call = InOrder(functools.partial(call, function), run.in_order)
        untouched = function._clone(None)
        function._python_function = step._watched()
        function._autograph = False
        step._unobserved = untouched
        end_with(step, LoopStep.ended, run.pending_lineage)
        return step

    def __init__(self, function: Any, run: Recording, *, begun_by_training: bool = False) -> None:
        self.name = function_name(function)
        self.place = _place(function)  # file and line
        self.run = run
        self._function = function
        self._call: Any = None  # for a tf.function
        self._unobserved: Any = None
        self._signature = signature_of(function)
        self._by_training = begun_by_training
        self._trained: list[Any] = []
        self._step = 0
        self._begun = self._closed = False
        self._places = LoopPlaces()

    @property
    def begun(self) -> bool:
        """Whether the run of this step has begun."""
        return self._begun

    def __getattr__(self, name: str) -> Any:
        """Other attributes of the `tf.function`, such as `get_concrete_function`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._call or self._function, name)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind the step to an object, so that it can be a method of a class."""
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the step, and record it if it is an Nth call. Exceptions are recorded, too."""
        if not self._is_top_level():
            return (self._call if self._by_training else self._function)(*args, **named)
        call = self._call or self._function
        if self._closed or self.run.journal is None:
            return call(*args, **named)
        record = self.run.settings.records(self._step)
        with self.run.guarded("steps"):
            self._places.note()
            self.run.arm(record=record, weights=self._trained, step=self._step)
        if self._call is None and record:
            call = self._observed_eagerly
        start = time.perf_counter()
        try:
            returned = call(*args, **named)
        except BaseException as error:
            if self._begun or not self._by_training:
                with self.run.guarded("failure"):
                    self._begin(self.name)
                    self.run.end(error, self._step)
            raise
        seconds = time.perf_counter() - start
        if self._by_training and not self._begun:
            return returned
        with self.run.guarded("steps"):
            self._keep(seconds, returned)
        self._step += 1
        return returned

    def close(self, error: BaseException | None = None) -> None:
        """Finish the run file at the end of the loop, with the `error` that ended it if any."""
        if not self._closed and self._begun:
            with self.run.guarded("loop"):
                self.run.end(error, self._step)
        self._closed = True

    def ended(self, error: BaseException | None) -> None:
        """Finish the run of an unchanged program, with the error that ended the program.

        The run is complete if the error was raised outside the loop.
        """
        outside = isinstance(error, Exception) and not self._places.contain(error)
        self.close(None if outside else error)

    def _is_top_level(self) -> bool:
        """Whether the step is called from Python, once for all replicas."""
        context = tf.distribute.get_replica_context()
        if tf.executing_eagerly() and context is not None and context.num_replicas_in_sync == 1:
            return True
        if self._by_training:
            return False
        if tf.executing_eagerly():
            text = "it was called for each replica. Instrument the function that calls strategy.run"
        else:
            text = "it was called while TensorFlow traced another function. "
            text += "Put @recorder.instrument above @tf.function"
        with self.run.guarded("step"):
            self._begin(self.name)
            self.run.note("step", f"{self.name} is not recorded: {text}")
        return False

    def _keep(self, seconds: float, returned: Any) -> None:
        self._begin(self.name)
        scalars = dict(scalars_of(returned))
        record = self.run.findings(StepRecord(self._step, seconds, scalars))
        if "loss" not in record.scalars and "batch_loss" in record.scalars:
            record.scalars["loss"] = record.scalars["batch_loss"]
        self.run.keep(record)

    def _begin(self, name: str, optimizer: str = "") -> None:
        if not self._begun:
            self.run.begin(name, steps=0, subject=self.run.loop_of(optimizer))
            self._begun = True

    def _watched(self) -> Any:
        """The Python function of the tf.function, observed while it is traced."""
        python, step = converted(self._function)

        @functools.wraps(python)
        def watched(*args: Any, **named: Any) -> Any:
            if tf.executing_eagerly():  # tf.config.run_functions_eagerly
                return step(*args, **named)
            return self.run.observe(self._observed, self._replicated(step), *args, **named)

        return watched

    def _observed(self) -> ObservedStep:
        step = ObservedStep(
            self.run.settings, name=self.name, parts=self._parts, traced=self._traced
        )
        self._observed_step = step
        return step

    def _replicated(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """`step`, whose replicas are observed instead if it calls `strategy.run`."""

        def run(original: Any, strategy: Any, replica: Any, *args: Any, **named: Any) -> Any:
            if not isinstance(strategy, tf.distribute.MirroredStrategy):
                return original(strategy, replica, *args, **named)
            self._observed_step.delegated = True
            rewritten = tf_convert(replica, ag_ctx.control_status_ctx(), convert_by_default=False)
            signature = signature_of(replica)

            def observed() -> ObservedStep:
                return ObservedStep(
                    self.run.settings,
                    name=self.name,
                    parts=lambda *a, **n: parts_of_call(signature, a, n),
                    traced=self._traced,
                )

            def watched(*given: Any, **keywords: Any) -> Any:
                return self.run.observe(observed, rewritten, *given, **keywords)

            unconverted = tf.autograph.experimental.do_not_convert(watched)
            return original(strategy, unconverted, *args, **named)

        def call(*args: Any, **named: Any) -> Any:
            with replaced(tf.distribute.Strategy, "run", run):
                return step(*args, **named)

        return call

    def _traced(self, step: ObservedStep) -> None:
        """Read the weights of a step that is traced and about to run: only now they are known."""
        if step.delegated or (self._by_training and not step.hooks.trains):
            return
        self._trained = step.hooks.trained
        self.run.read_weights(self._trained)
        self._begin(step.name, step.hooks.optimizer)
        self._hide_taps()

    def _hide_taps(self) -> None:
        """Make a program that saves the function save it without the taps."""
        if self._unobserved is not None:
            for name in SAVED_BY:
                setattr(self._function, name, getattr(self._unobserved, name))

    def _observed_eagerly(self, *args: Any, **named: Any) -> Any:
        """Run a plain function op by op and note its layers and gradients."""
        step = EagerStep(self.run.settings, name=self.name, parts=self._parts)
        try:
            returned = step.observe(self._function, *args, **named)
        except BaseException as error:
            with self.run.guarded("failure"):
                self._begin(step.name, step.hooks.optimizer)
                self.run.failed(step, error)
            raise
        with self.run.guarded("tensors"):
            self._begin(step.name, step.hooks.optimizer)
            self._trained = step.hooks.trained
            self.run.ran_eagerly(step)
        return returned

    def _parts(self, *args: Any, **named: Any) -> Iterator[BatchPart]:
        return parts_of_call(self._signature, args, named)


def _place(function: Any) -> str:
    code = getattr(plain(getattr(function, "python_function", function)), "__code__", None)
    return f"{named_file(code.co_filename)}:{code.co_firstlineno}" if code is not None else ""


def scalars_of(returned: Any) -> Iterator[tuple[str, float]]:
    """The scalars that a step returned, by their keys; the first scalar without a key is `loss`."""
    taken: set[str] = set()
    for path, value in keras.tree.flatten_with_path(returned):
        if not _is_number(value):
            continue
        name = "/".join(part for part in path if isinstance(part, str))
        if not name:
            name = "loss" if "loss" not in taken else "/".join(map(str, ("returned", *path)))
        if name not in taken:
            taken.add(name)
            yield name, float(value)


def _is_number(value: Any) -> bool:
    if isinstance(value, tf.Tensor):
        return bool(value.shape.rank == 0 and (value.dtype.is_floating or value.dtype.is_integer))
    is_bool = isinstance(value, bool)
    return np.isscalar(value) and isinstance(value, int | float | np.number) and not is_bool
