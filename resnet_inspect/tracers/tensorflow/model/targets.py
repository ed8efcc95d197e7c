"""Finds the model that a target names: a callable, a saved file or a folder."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from resnet_inspect.config.keywords import Keyword, parse_keywords
from resnet_inspect.config.settings import GraphCode, TracedModel
from resnet_inspect.config.targets import TARGETS, TargetKind, kind_of, other_file
from resnet_inspect.errors import UsageError
from resnet_inspect.tracers.tensorflow.model.example_calls import ExampleCalls
from resnet_inspect.tracers.tensorflow.model.models import KINDS, Model, model_of
from resnet_inspect.tracers.tensorflow.model.user_code import load_module, run_user_code

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Target:
    """A model to trace. Each call of `make` creates a new one.

    `integers` are the integer keyword arguments of the callable, given or by default. `make`
    accepts other values for them.
    """

    make: Callable[..., Model]
    integers: dict[str, int] = field(default_factory=dict)


def find_target(subject: TracedModel) -> Target:
    """Return the target of a subject. Raises UsageError if there is none."""
    target = subject.target
    other = other_file(target)
    if other is not None and Path(target).is_file():
        what, instead = other
        raise UsageError(
            f"the file is {what}",
            where=f"target {target}",
            expected=TARGETS,
            got=Path(target).name,
            fix=f"trace {instead}",
        )
    if kind_of(target) is TargetKind.KERAS_FILE:
        from resnet_inspect.tracers.tensorflow.model.keras_files import load

        return Target(lambda: model_of(load(target), target))
    if kind_of(target) is TargetKind.SAVED_MODEL:
        from resnet_inspect.tracers.tensorflow.model import saved_models

        return Target(lambda: saved_models.load(target, subject.signature))
    return _of_callable(target, parse_keywords(subject.set))


@dataclass(frozen=True)
class Function:
    """A user's function to call on inputs.

    Attributes:
        call: The function, which takes the inputs and `keywords`.
        keywords: The keyword arguments from `--set`.
        integers: The integer keyword arguments, given or by default.
        complete: Whether the function can be called without inputs.
    """

    call: Callable[..., Any]
    keywords: dict[str, Keyword]
    integers: dict[str, int]
    complete: bool


def find_function(subject: GraphCode) -> Function:
    """Return the function of a subject, or a class, whose instances are called on the inputs.

    Raises UsageError if there is none, or if it does not accept the arguments from `--set`.
    """
    target = subject.target
    keywords = parse_keywords(subject.set)
    value = _named(target)
    if not callable(value):
        raise UsageError(
            "the target cannot be called",
            where=f"target {target}",
            expected="a function that builds a graph from its inputs",
            got=type(value).__name__,
            fix="name a function of that file",
        )
    needs_inputs = _is_model_itself(value, target, keywords)
    integers = _integers(value, keywords)
    if isinstance(value, type):
        return Function(_instance_caller(value), keywords, integers, complete=False)
    return Function(value, keywords, integers, complete=not needs_inputs)


def _instance_caller(kind: Any) -> Callable[..., Any]:
    """Return a function that creates an instance with the keywords and calls it on the inputs."""

    def call(*inputs: Any, **keywords: Any) -> Any:
        return kind(**keywords)(*inputs)

    return call


def _of_callable(target: str, keywords: dict[str, Keyword]) -> Target:
    imported = ExampleCalls()
    with imported.noted():
        value = _named(target)
    if _is_object(value):
        if keywords:
            raise _settings_error(target, "is the model itself and takes no settings", "", keywords)
        return Target(lambda: model_of(value, target, imported))
    integers = _integers(value, keywords)
    if _is_model_itself(value, target, keywords):
        return Target(
            lambda **changed: model_of(partial(value, **keywords | changed), target), integers
        )

    def make(**changed: Any) -> Model:
        arguments = ", ".join(keywords | changed)
        action = f"calling '{target.rpartition(':')[2]}' "
        action += f"with {arguments}" if arguments else "without arguments"
        expected = f"a callable that returns {KINDS}"
        calls = ExampleCalls()
        with calls.noted():
            returned = run_user_code(lambda: value(**keywords | changed), target, action, expected)
        return model_of(returned, target, calls)

    return Target(make, integers)


def _named(target: str) -> Any:
    place, _, name = target.rpartition(":")
    module = load_module(place, target)
    if hasattr(module, name):
        return getattr(module, name)
    known = sorted(key for key, value in vars(module).items() if _is_candidate(module, key, value))
    near = get_close_matches(name, known, n=1)
    raise UsageError(
        f"there is no '{name}' in {place}",
        where=f"target {target}",
        expected="one of " + ", ".join(known) if known else "a function or class of that file",
        got=name,
        fix=f"did you mean '{near[0]}'?" if near else "use a name that the file defines",
    )


def _is_candidate(module: Any, name: str, value: Any) -> bool:
    defined_here = getattr(value, "__module__", "") == module.__name__
    return callable(value) and defined_here and not name.startswith("_")


def _is_object(value: Any) -> bool:
    """Return whether a value is an object, such as a model, rather than a function or class."""
    if hasattr(value, "python_function"):  # a tf.function, which inspect considers a routine
        return True
    return not (inspect.isroutine(value) or isinstance(value, partial | type))


def _is_model_itself(value: Any, target: str, keywords: dict[str, Keyword]) -> bool:
    """Return whether a function is called on the inputs, rather than to create the model.

    This is so if it needs arguments beyond the keywords. Raises UsageError for keywords that it
    does not accept, and for a class that needs further arguments.
    """
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return False
    try:
        signature.bind_partial(**keywords)
    except TypeError as error:
        got = f"{', '.join(keywords)}: {error}"
        what = f"does not accept these arguments: {signature}"
        raise _settings_error(target, what, got, keywords) from error
    try:
        signature.bind(**keywords)
    except TypeError as error:
        required = [p for p in signature.parameters.values() if p.default is p.empty]
        positional = all(p.kind in POSITIONAL for p in required if p.name not in keywords)
        if isinstance(value, type) or not positional:
            got = f"{', '.join(keywords) or 'nothing'}: {error}"
            what = f"needs more arguments: {signature}"
            raise _settings_error(target, what, got, keywords) from error
        return True
    return False


def _settings_error(target: str, what: str, got: str, keywords: dict[str, Keyword]) -> UsageError:
    name = target.rpartition(":")[2]
    return UsageError(
        f"'{name}' {what}",
        where=f"target {target}, setting 'set'",
        expected="--set KEY=VALUE for each required argument, and only for arguments it accepts",
        got=got or ", ".join(keywords),
        fix="correct the --set options, such as --set units=16, one for each argument",
    )


def _integers(value: Any, keywords: dict[str, Keyword]) -> dict[str, int]:
    """Return the integer keyword arguments, in the order of the callable's parameters."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    defaults = {p.name: p.default for p in parameters if p.kind is not p.POSITIONAL_ONLY}
    values = defaults | keywords
    return {name: value for name, value in values.items() if type(value) is int}
