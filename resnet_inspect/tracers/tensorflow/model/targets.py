"""Finds what a target names and makes the model: of a callable, a saved file or a folder."""

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
from resnet_inspect.tracers.tensorflow.model.models import KINDS, Model, described
from resnet_inspect.tracers.tensorflow.model.user_code import guarded, imported

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Target:
    """What is to be traced: `make` makes the model, anew each time it is called.

    `integers` are the whole numbers among the keyword settings of the callable that makes it,
    given or by default; `make` takes others in their place.
    """

    make: Callable[..., Model]
    integers: dict[str, int] = field(default_factory=dict)


def find_target(subject: TracedModel) -> Target:
    """The target of a subject; raises UsageError where there is none."""
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

        return Target(lambda: described(load(target), target))
    if kind_of(target) is TargetKind.SAVED_MODEL:
        from resnet_inspect.tracers.tensorflow.model import saved_models

        return Target(lambda: saved_models.load(target, subject.signature))
    return _of_callable(target, parse_keywords(subject.set))


@dataclass(frozen=True)
class Function:
    """A function of the user's that is called on inputs: `call` takes them, and `keywords`.

    `integers` are the whole numbers among its keyword settings, given or by default; `complete`
    says whether it can be called without inputs.
    """

    call: Callable[..., Any]
    keywords: dict[str, Keyword]
    integers: dict[str, int]
    complete: bool


def find_function(subject: GraphCode) -> Function:
    """The function of a subject, FILE.py:CALLABLE, or the class, whose objects are called
    on the inputs; raises UsageError where there is none, or where it refuses what `--set` gives.
    """
    target = subject.target
    keywords = parse_keywords(subject.set)
    named = _named(target)
    if not callable(named):
        raise UsageError(
            "what is named cannot be called",
            where=f"target {target}",
            expected="a function that builds a graph from its inputs",
            got=type(named).__name__,
            fix="name a function of that file",
        )
    open_ended = _is_model_itself(named, target, keywords)
    integers = _integers(named, keywords)
    if isinstance(named, type):
        return Function(_called_after_making(named), keywords, integers, complete=False)
    return Function(named, keywords, integers, complete=not open_ended)


def _called_after_making(kind: Any) -> Callable[..., Any]:
    """A class as a function: made with the keywords, then called on the inputs."""

    def call(*inputs: Any, **keywords: Any) -> Any:
        return kind(**keywords)(*inputs)

    return call


def _of_callable(target: str, keywords: dict[str, Keyword]) -> Target:
    named = _named(target)
    if _is_object(named):
        if keywords:
            raise _refused_settings(target, "takes none: it is the model itself", "", keywords)
        return Target(lambda: described(named, target))
    integers = _integers(named, keywords)
    if _is_model_itself(named, target, keywords):
        return Target(
            lambda **changed: described(partial(named, **keywords | changed), target), integers
        )

    def make(**changed: Any) -> Model:
        doing = "calling it with " + (", ".join(keywords | changed) or "nothing")
        wanted = f"a callable that returns {KINDS}"
        made = guarded(lambda: named(**keywords | changed), target, doing, wanted)
        return described(made, target)

    return Target(make, integers)


def _named(target: str) -> Any:
    place, _, name = target.rpartition(":")
    module = imported(place, target)
    if hasattr(module, name):
        return getattr(module, name)
    known = sorted(one for one, value in vars(module).items() if _offered(module, one, value))
    near = get_close_matches(name, known, n=1)
    raise UsageError(
        f"there is no '{name}' in {place}",
        where=f"target {target}",
        expected="one of " + ", ".join(known) if known else "a function or class of that file",
        got=name,
        fix=f"did you mean '{near[0]}'?" if near else "name what the file defines",
    )


def _offered(module: Any, name: str, value: Any) -> bool:
    own = getattr(value, "__module__", "") == module.__name__
    return callable(value) and own and not name.startswith("_")


def _is_object(named: Any) -> bool:
    """Whether something is no function or class, but what one of them makes."""
    if hasattr(named, "python_function"):  # a tf.function, which inspect takes for a routine
        return True
    return not (inspect.isroutine(named) or isinstance(named, partial | type))


def _is_model_itself(named: Any, target: str, keywords: dict[str, Keyword]) -> bool:
    """Whether a function is called on the inputs, not what makes the model: it needs arguments
    that the keywords do not give. Raises UsageError for keywords that it does not take, and for a
    class that needs more.
    """
    try:
        taken = inspect.signature(named)
    except (TypeError, ValueError):
        return False
    try:
        taken.bind_partial(**keywords)
    except TypeError as error:
        got = f"{', '.join(keywords)}: {error}"
        raise _refused_settings(target, f"does not take that: {taken}", got, keywords) from error
    try:
        taken.bind(**keywords)
    except TypeError as error:
        needed = [one for one in taken.parameters.values() if one.default is one.empty]
        given = all(one.kind in POSITIONAL for one in needed if one.name not in keywords)
        if isinstance(named, type) or not given:
            got = f"{', '.join(keywords) or 'nothing'}: {error}"
            raise _refused_settings(target, f"needs more: {taken}", got, keywords) from error
        return True
    return False


def _refused_settings(target: str, what: str, got: str, keywords: dict[str, Keyword]) -> UsageError:
    name = target.rpartition(":")[2]
    return UsageError(
        f"'{name}' {what}",
        where=f"target {target}, setting 'set'",
        expected="--set KEY=VALUE for what it needs and takes, and for nothing else",
        got=got or ", ".join(keywords),
        fix="give it what it needs: --set units=16, once for each",
    )


def _integers(named: Any, keywords: dict[str, Keyword]) -> dict[str, int]:
    """Whole numbers by keyword, in the order of the callable's parameters."""
    try:
        parameters = inspect.signature(named).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    by_default = {
        one.name: one.default for one in parameters if one.kind is not one.POSITIONAL_ONLY
    }
    values = by_default | keywords
    return {name: value for name, value in values.items() if type(value) is int}
