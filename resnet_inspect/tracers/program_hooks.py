"""Finds the trainings of an unchanged program and records each of them.

The hooks are installed after the import of Keras or TensorFlow, for the life of the process. They
record `Model.fit`, `Model.train_on_batch`, and each tf.function that computes gradients of
variables or uses a Keras optimizer. Other trainings are reported with their place.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from resnet_inspect.tracers.contract import Cause, MissedTraining
from resnet_inspect.tracers.crash_hooks import hook_keras, hook_tensorflow
from resnet_inspect.tracers.fit_callbacks import given_callbacks, with_callback
from resnet_inspect.tracers.full_tracebacks import is_recorded

# TensorFlow and Keras are used as modules that the program has imported. This module imports
# neither, because a program with another Keras backend must not load TensorFlow.

STEP = "_resnet_inspect_step"  # attribute of a tf.function with the LoopStep that records it


class ProgramHooks:
    """The hooks of one process.

    `runs` returns the factory of run files and is called at the first training; `report` receives
    each training that is not recorded.
    """

    def __init__(self, runs: Callable[[], Any], report: Callable[[MissedTraining], None]) -> None:
        self._make_runs = runs
        self._report = report
        self._lock = threading.Lock()
        self._runs: Any = None
        self._thread = threading.local()  # depth > 0: inside a training recorded or reported
        self._tensorflow: Any = None
        self._other_backend = False
        self._pending: weakref.WeakSet[Any] = weakref.WeakSet()  # runs of functions: train or not

    def keras(self, module: ModuleType) -> None:
        """Record trainings of Keras models. A program may import Keras again."""
        with self._guarded("hooking Keras"):
            backend = module.backend.backend()
            if backend != "tensorflow":
                self._other_backend = True
                self._report(MissedTraining(Cause.OTHER_BACKEND, backend))
                return
            model: Any = module.Model
            optimizer: Any = module.optimizers.Optimizer
            self._replace(model, "fit", self._fit)
            self._replace(model, "train_on_batch", self._train_on_batch)
            self._replace(optimizer, "apply", self._apply)
        with self._guarded("hooking Keras' exceptions"):
            hook_keras(module)

    def legacy_keras(self, module: ModuleType) -> None:
        """Report trainings of Keras 2 models (package tf_keras)."""
        with self._guarded("hooking tf_keras"):
            for name in ("fit", "train_on_batch", "fit_generator"):
                if hasattr(module.Model, name):
                    self._replace(module.Model, name, self._reporting(Cause.LEGACY_FIT))

    def tensorflow(self, module: ModuleType) -> None:
        """Record tf.functions and loops that train; report sessions."""
        self._tensorflow = module
        with self._guarded("hooking TensorFlow's exceptions"):
            hook_tensorflow(module)
        with self._guarded("hooking TensorFlow"):
            functions = sys.modules[
                "tensorflow.python.eager.polymorphic_function.polymorphic_function"
            ]
            self._replace(functions.Function, "__call__", self._function)
            session = sys.modules["tensorflow.python.client.session"]
            self._replace(session.BaseSession, "run", self._reporting(Cause.SESSION))
            tape: Any = module.GradientTape
            self._replace(tape, "__enter__", self._tape_method(self._enters))
            self._replace(tape, "__exit__", self._tape_method(lambda loops, *_: loops.left()))
            self._replace(
                tape,
                "gradient",
                self._tape_method(lambda loops, target, *_: loops.differentiates(target)),
            )

    def write_failure(self, error: BaseException) -> bool:
        """Write the exception that ended the program: to the runs that it ended, else to a new run.

        Returns True if a run contains the exception. A program that has not imported TensorFlow, or
        uses Keras with another backend, gets no run.
        """
        if self._tensorflow is None or self._other_backend:
            return False
        with self._guarded("recording the failure"):
            for run in list(self._pending):
                run.write_failure(error)
            runs = self._get_runs()
            runs.end_with(error)
            if not is_recorded(error):
                runs.recording().fail(error)
        return is_recorded(error)

    def _replace(self, owner: Any, name: str, wrap: Callable[..., Any]) -> None:
        original = getattr(owner, name)
        if getattr(original, STEP, None) is None:
            replacement = functools.wraps(original)(wrap(original))
            setattr(replacement, STEP, original)
            setattr(owner, name, replacement)

    @contextmanager
    def _guarded(self, action: str) -> Iterator[None]:
        """Report errors of the body: a hook that fails must not stop the program."""
        try:
            yield
        except Exception as error:
            place = f"{action} failed with {type(error).__name__}: {error}"
            self._report(MissedTraining(Cause.TROUBLE, place))

    @contextmanager
    def _training(self) -> Iterator[None]:
        self._thread.depth = self._depth + 1
        try:
            yield
        finally:
            self._thread.depth -= 1

    @property
    def _depth(self) -> int:
        return getattr(self._thread, "depth", 0)

    def _get_runs(self) -> Any:
        with self._lock:
            if self._runs is None:
                self._runs = self._make_runs()
            return self._runs

    def _fit(self, original: Any) -> Any:
        signature = inspect.signature(original)

        def fit(model: Any, *args: Any, **named: Any) -> Any:
            recorder = None
            with self._guarded("recording Model.fit"):
                bound = signature.bind(model, *args, **named)
                recorder = self._with_recorder(model, bound.arguments)
                args, named = bound.args[1:], bound.kwargs
            try:
                with self._training():
                    return original(model, *args, **named)
            except BaseException as error:
                if recorder is not None:
                    recorder.stopped(error)
                raise

        return fit

    def _with_recorder(self, model: Any, arguments: dict[str, Any]) -> Any:
        """A recorder added to the callbacks of a fit; None if the program uses its own."""
        from resnet_inspect.tracers.tensorflow.fit.keras_recorder import KerasRecorder

        if any(isinstance(callback, KerasRecorder) for callback in given_callbacks(arguments)):
            self._report(MissedTraining(Cause.ELSEWHERE))
            return None
        recorder = KerasRecorder(self._get_runs())
        with_callback(model, arguments, recorder)
        return recorder

    def _train_on_batch(self, original: Any) -> Any:
        def train_on_batch(model: Any, *args: Any, **named: Any) -> Any:
            call = functools.partial(original, model)
            if not self._depth:
                with self._guarded("recording train_on_batch"):
                    from resnet_inspect.tracers.tensorflow.fit.model_steps import (
                        BatchSteps,
                        ModelSteps,
                    )

                    runs = self._get_runs()
                    if ModelSteps.is_recorded_elsewhere(model, runs):
                        self._report(MissedTraining(Cause.ELSEWHERE))
                    else:
                        functools.update_wrapper(call, original)
                        steps = ModelSteps.of(model, runs, runs.recording)
                        call = BatchSteps(steps, call)  # type: ignore[assignment]
            with self._training():
                return call(*args, **named)

        return train_on_batch

    def _function(self, original: Any) -> Any:
        def call(function: Any, *args: Any, **named: Any) -> Any:
            step = None
            if not self._depth and self._tensorflow.executing_eagerly():
                with self._guarded("recording a tf.function"):
                    step = self._step_of(function, original)
            if step is None:
                return original(function, *args, **named)
            with self._training():
                self._thread.step = step
                try:
                    return step(*args, **named)
                finally:
                    self._thread.step = None

        return call

    def _step_of(self, function: Any, original: Any) -> Any:
        """The LoopStep that records a tf.function; None for a function of a framework."""
        step = vars(function).get(STEP)
        if step is None:
            from resnet_inspect.tracers.tensorflow.fit.inner_functions import (
                OBSERVED,
                is_of_program,
            )
            from resnet_inspect.tracers.tensorflow.fit.loop_step import LoopStep

            if getattr(function, OBSERVED, False) or not is_of_program(function):
                return None
            run = self._get_runs().recording(only_training=True)
            self._pending.add(run)
            step = LoopStep.in_place(function, original, run)
            setattr(function, STEP, step)
        return step

    def _enters(self, loops: Any) -> None:
        if not loops.entered():
            self._report(MissedTraining(Cause.ELSEWHERE))

    def _tape_method(self, notify: Callable[..., None]) -> Callable[[Any], Any]:
        """A tape method that calls `notify` with the loops of this thread, in eager mode."""

        def wrap(original: Any) -> Any:
            def method(tape: Any, *args: Any, **named: Any) -> Any:
                if not self._depth and self._tensorflow.executing_eagerly():
                    with self._guarded("recording a GradientTape"):
                        notify(self._loops(), *args, *named.values())
                return original(tape, *args, **named)

            return method

        return wrap

    def _loops(self) -> Any:
        """The eager loops of this thread."""
        if not hasattr(self._thread, "loops"):
            from resnet_inspect.tracers.tensorflow.fit.eager_loop import EagerLoops

            self._thread.loops = EagerLoops(self._get_runs().recording)
        return self._thread.loops

    def _apply(self, original: Any) -> Any:
        """`Optimizer.apply`, reported as a missed training if no recorded step contains it."""

        def apply(optimizer: Any, *args: Any, **named: Any) -> Any:
            with self._guarded("recording Optimizer.apply"):
                eager = self._tensorflow.executing_eagerly()
                in_loop = eager and not self._depth and self._loops().applies()
                if not in_loop:
                    self._report_hidden_step(eager)
            return original(optimizer, *args, **named)

        return apply

    def _report_hidden_step(self, eager: bool) -> None:
        step: Any = getattr(self._thread, "step", None)
        if step is None and (self._depth or not eager):
            return
        from resnet_inspect.tracers.tensorflow.fit.author_names import calling_line

        if eager:
            line = calling_line()
            place = f"{line.file}:{line.line}" if line is not None else ""
            self._report(MissedTraining(Cause.EAGER_LOOP, place, line.function if line else ""))
        elif not step.run.observes_here():
            self._report(MissedTraining(Cause.HIDDEN_LOOP, step.place, step.name))

    def _reporting(self, cause: Cause) -> Callable[[Any], Any]:
        def wrap(original: Any) -> Any:
            def method(this: Any, *args: Any, **named: Any) -> Any:
                self._report(MissedTraining(cause))
                with self._training():
                    return original(this, *args, **named)

            return method

        return wrap
