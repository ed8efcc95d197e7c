"""Observes tf.functions that are called by a step while it is traced.

TensorFlow makes of such a call one op with a graph of its own. A `train_step` that is a
tf.function, or a step called in a loop over a data set, does all its work in there.
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

OBSERVED = "_resnet_inspect_observed"  # on a function that is already made for it
FRAMEWORKS = ("tensorflow", "keras", "tf_keras", "resnet_inspect")


@contextmanager
def observed_inside(
    known: MutableMapping[Any, Any],
    observe: Callable[..., Any],
    given: tuple[Any, ...],
    parts_of_given: Callable[..., Any],
) -> Iterator[None]:
    """In the body, functions of the program that are called in a graph are observed.

    `observe(name, step, parts, *args, **named)` calls the Python function `step`; `known` keeps a
    function made for each of the program's. A call with the very arguments of the step, `given`,
    has its names, `parts_of_given`.
    """

    def call(original: Any, function: Any, *args: Any, **named: Any) -> Any:
        made_for_it = getattr(function, OBSERVED, False)
        if made_for_it or tf.executing_eagerly() or not is_of_program(function):
            return original(function, *args, **named)
        if function not in known:
            whole = len(args) == len(given) and all(map(lambda a, b: a is b, args, given))
            known[function] = _again(function, observe, parts_of_given if whole else None)
        return original(known[function], *args, **named)

    with replaced(Function, "__call__", call):
        yield


def is_of_program(function: Any) -> bool:
    """Whether a tf.function was written by the user or a package other than the frameworks."""
    python = plain(getattr(function, "python_function", function))
    module = getattr(python, "__module__", None) or ""
    return module.partition(".")[0] not in FRAMEWORKS


def signature_of(function: Any) -> inspect.Signature | None:
    """The parameters of a function or tf.function; None where they cannot be known."""
    try:
        return inspect.signature(plain(getattr(function, "python_function", function)))
    except (TypeError, ValueError):
        return None


def function_name(function: Any) -> str:
    """The name of a function or tf.function."""
    python = getattr(function, "python_function", function)
    return str(getattr(python, "__name__", type(function).__name__))


def converted(function: Any) -> tuple[Any, Callable[..., Any]]:
    """The Python function of a tf.function, plain and as AutoGraph rewrites it, if it is to."""
    python = plain(function.python_function)
    if not function._autograph:
        return python, python
    return python, rewritten(python, function._experimental_autograph_options)


def _again(function: Any, observe: Callable[..., Any], parts: Any) -> Any:
    """The same tf.function around a Python function that is observed."""
    python, step = converted(function)
    signature, name = signature_of(function), function_name(function)

    def by_parameters(*args: Any, **named: Any) -> Any:
        return parts_of_call(signature, args, named)

    @functools.wraps(python)
    def watched(*args: Any, **named: Any) -> Any:
        return observe(name, step, parts or by_parameters, *args, **named)

    again = function._clone(watched)
    again._autograph = False  # ours is not to be rewritten; theirs is
    setattr(again, OBSERVED, True)
    return again
