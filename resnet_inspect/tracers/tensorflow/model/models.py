"""A model of the user's own as the tracer sees it: what is called, and what it says of its inputs.

A Keras model, a `tf.function`, a module or any callable comes to one form, `Model`: a function of
as many tensors as there are inputs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import tensorflow as tf

from resnet_inspect.config.inputs import InputSpec
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Note
from resnet_inspect.tracers.tensorflow.capture.python_functions import plain, rewritten
from resnet_inspect.tracers.tensorflow.model.input_specs import flat_specs, input_names

PARTS = 3
KINDS = (
    "a Keras model, a tf.Module with __call__, a tf.function, a function of the inputs, or a tuple "
    "that begins with one of these"
)


@dataclass(frozen=True)
class Model:
    """What is traced: `call` takes a tensor for each input.

    `inputs` is what the model says it takes, None if it does not; `keras` the Keras model, if it
    is one; `variables` those that it is known to hold; `returned` what it was found in; `imported`
    whether its ops were named before, as those of a SavedModel.
    """

    call: Callable[..., Any]
    inputs: tuple[InputSpec, ...] | None = None
    keras: Any = None
    variables: tuple[tf.Variable, ...] = ()
    notes: tuple[Note, ...] = ()
    returned: Any = None
    imported: bool = False


def described(made: Any, target: str) -> Model:
    """The model in what a callable returned, which it keeps; raises UsageError where there is
    none.
    """
    return replace(_described(made, target), returned=made)


def _described(made: Any, target: str) -> Model:
    notes: tuple[Note, ...] = ()
    if isinstance(made, tuple) and 1 < len(made) <= PARTS:
        made, notes = made[0], (_left_out(made[1:]),)
    if not callable(made):
        raise UsageError(
            "what is returned cannot be called",
            where=f"target {target}",
            expected=KINDS,
            got=type(made).__name__,
            fix="let it return what is to be called on the inputs",
        )
    if is_keras(made):
        return Model(lambda *given: _call_keras(made, given), _keras_inputs(made), made, (), notes)
    function = made if hasattr(made, "python_function") else getattr(made, "__call__", None)  # noqa: B004
    if function is not None and hasattr(function, "python_function"):
        return _of_function(function, notes)
    return Model(made, notes=notes)


def is_keras(made: Any) -> bool:
    """Whether something is a Keras model or layer, without loading Keras to ask."""
    return hasattr(made, "count_params") and hasattr(made, "trainable_weights")


def check_arguments(model: Model, target: str, names: Sequence[str]) -> None:
    """Raise UsageError where a model does not take that many inputs."""
    if model.keras is not None:
        return
    try:
        taken = inspect.signature(model.call)
    except (TypeError, ValueError):
        return
    try:
        taken.bind(*names)
    except TypeError as error:
        raise UsageError(
            "the model does not take that many inputs",
            where=f"target {target}, setting 'input'",
            expected=f"what it is defined with: {taken}",
            got=f"{len(names)} inputs, {', '.join(names)}: {error}",
            fix="describe its inputs in their order, with ; between: --input 'x=8,4; y=8'",
        ) from error


def signature_of(model: Model) -> str:
    """What a plain function takes, as it is defined; empty for others."""
    if model.keras is not None or not (
        inspect.isroutine(model.call) or isinstance(model.call, partial)
    ):
        return ""
    try:
        return str(inspect.signature(model.call))
    except (TypeError, ValueError):
        return ""


def _left_out(parts: tuple[Any, ...]) -> Note:
    held = ", ".join(type(part).__name__ for part in parts)
    return Note("training", f"the model came with {held}: it is run forward only, not trained")


def _of_function(function: Any, notes: tuple[Note, ...]) -> Model:
    """The Python function behind a tf.function, rewritten as TensorFlow would: called as it is,
    all of it would be one op.
    """
    signature = function.input_signature
    python = plain(function.python_function)
    call = rewritten(python) if getattr(function, "_autograph", True) else python
    if signature is None:
        return Model(call, notes=notes)
    names = list(inspect.signature(python).parameters)

    def packed(*given: Any) -> Any:
        return call(*tf.nest.pack_sequence_as(signature, list(given)))

    return Model(packed, flat_specs(signature, names), notes=notes)


def _keras_inputs(model: Any) -> tuple[InputSpec, ...] | None:
    """What a Keras model that knows its inputs takes: of one that was only built, the shapes."""
    try:
        known = model.inputs
    except (AttributeError, ValueError):
        known = None
    if known:
        specs = [tf.TensorSpec(one.shape, one.dtype, one.name) for one in known]
        return flat_specs(specs, [one.name for one in known])
    config: dict[str, Any] = getattr(model, "get_build_config", dict)() or {}
    shapes = [config["input_shape"]] if config.get("input_shape") else []
    if not shapes or not all(isinstance(size, int | None) for size in shapes[0]):
        return None
    # It was built on that batch, but takes any.
    specs = [tf.TensorSpec([None, *shape[1:]], model.compute_dtype) for shape in shapes]
    return flat_specs(specs, input_names(len(specs)))


def _call_keras(model: Any, given: tuple[Any, ...]) -> Any:
    """Call a Keras model on tensors in the order of its inputs, in the structure it takes."""
    try:
        structure = model.input
    except (AttributeError, ValueError):
        structure = None
    if structure is not None and len(model.inputs) == len(given):
        return model(_packed(model, structure, given))
    try:
        inspect.signature(model.call).bind(*given)
    except TypeError:
        return model(list(given))
    return model(*given)


def _packed(model: Any, structure: Any, given: tuple[Any, ...]) -> Any:
    places = {id(one): tensor for one, tensor in zip(model.inputs, given, strict=True)}
    return tf.nest.map_structure(lambda one: places[id(one)], structure)
