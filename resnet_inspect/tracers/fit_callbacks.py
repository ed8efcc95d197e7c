"""Adds a callback to the arguments of Keras' `fit`, whichever form the program passes."""

from __future__ import annotations

from typing import Any


def given_callbacks(arguments: dict[str, Any]) -> list[Any]:
    """The callbacks among the arguments of a fit."""
    given: Any = arguments.get("callbacks")
    given = given.callbacks if _is_list(given) else given
    if not isinstance(given, list | tuple):
        return [given] if given else []
    return list(given)


def with_callback(model: Any, arguments: dict[str, Any], callback: Any) -> None:
    """Add a callback to the arguments of a fit, or to the CallbackList among them."""
    given: Any = arguments.get("callbacks")
    if _is_list(given):
        given.append(callback)
        callback.set_params(given.params)
        callback.set_model(model)
    else:
        arguments["callbacks"] = [*given_callbacks(arguments), callback]


def _is_list(given: Any) -> bool:
    """Whether it is a CallbackList."""
    return hasattr(given, "append") and hasattr(given, "set_model")
