"""Observes tf.functions that a step calls while TensorFlow traces it.

TensorFlow turns such a call into one op with a separate graph. A `train_step` that is a
tf.function, or a step called in a loop over a data set, does all its work in that graph.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.python.eager.polymorphic_function.polymorphic_function import Function

from resnet_inspect.tracers.tensorflow.capture.method_hooks import replaced
from resnet_inspect.tracers.tensorflow.capture.python_functions import plain, rewritten
from resnet_inspect.tracers.tensorflow.fit.batch_parts import parts_of_call

OBSERVED = "_resnet_inspect_observed"  # attribute of a tf.function that is already observed
FRAMEWORKS = ("tensorflow", "keras", "tf_keras", "resnet_inspect")


@contextmanager
def observed_inside(
    known: MutableMapping[Any, Any],
    observe: Callable[..., Any],
    step_args: tuple[Any, ...],
    step_parts: Callable[..., Any],
) -> Iterator[None]:
    """In the body, observe the program's tf.functions that are called in a graph.

    `observe(name, step, parts, *args, **named)` calls the Python function `step`. `known` maps
    each tf.function of the program to its observed copy. A call with exactly the arguments of the
    step, `step_args`, uses the names of the step, `step_parts`.
    """

    def call(original: Any, function: Any, *args: Any, **named: Any) -> Any:
        is_observed = getattr(function, OBSERVED, False)
        if is_observed or tf.executing_eagerly() or not is_of_program(function):
            return original(function, *args, **named)
        if function not in known:
            same = len(args) == len(step_args) and all(map(lambda a, b: a is b, args, step_args))
            known[function] = _observed_copy(function, observe, step_parts if same else None)
        return original(known[function], *args, **named)

    with replaced(Function, "__call__", call):
        yield


def is_of_program(function: Any) -> bool:
    """Whether a tf.function was written by the user or a package other than the frameworks."""
    python = plain(getattr(function, "python_function", function))
    module = getattr(python, "__module__", None) or ""
    return module.partition(".")[0] not in FRAMEWORKS


def signature_of(function: Any) -> inspect.Signature | None:
    """The signature of a function or tf.function; None if it has no known signature."""
    try:
        return inspect.signature(plain(getattr(function, "python_function", function)))
    except (TypeError, ValueError):
        return None


def function_name(function: Any) -> str:
    """The name of a function or tf.function."""
    python = getattr(function, "python_function", function)
    return str(getattr(python, "__name__", type(function).__name__))


def converted(function: Any) -> tuple[Any, Callable[..., Any]]:
    """The Python function of a tf.function: the original, and the one that AutoGraph rewrites.

    Both are the same if the tf.function does not use AutoGraph.
    """
    python = plain(function.python_function)
    if not function._autograph:
        return python, python
    return python, rewritten(python, function._experimental_autograph_options)


def _observed_copy(function: Any, observe: Callable[..., Any], parts: Any) -> Any:
    """A copy of a tf.function whose Python function is observed."""
    python, step = converted(function)
    signature, name = signature_of(function), function_name(function)

    def by_parameters(*args: Any, **named: Any) -> Any:
        return parts_of_call(signature, args, named)

    @functools.wraps(python)
    def watched(*args: Any, **named: Any) -> Any:
        return observe(name, step, parts or by_parameters, *args, **named)

    copy = function._clone(watched)
    copy._autograph = False  # `step` is already rewritten; `watched` must not be
    setattr(copy, OBSERVED, True)
    return copy
