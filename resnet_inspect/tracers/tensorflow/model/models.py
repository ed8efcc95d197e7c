"""Describes the user's model by its callable and its inputs.

A Keras model, a `tf.function`, a module or any other callable is converted to a `Model`, a
function with one tensor argument for each input.
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
from resnet_inspect.tracers.tensorflow.model.example_calls import ExampleCalls, takes_a_dict
from resnet_inspect.tracers.tensorflow.model.input_specs import flat_specs, input_names

PARTS = 3
KINDS = (
    "a Keras model, a tf.Module with __call__, a tf.function, a function of the inputs, or a tuple "
    "with one of these as its first item"
)


@dataclass(frozen=True)
class Model:
    """A model to trace.

    Attributes:
        call: A function with one tensor argument for each input.
        inputs: The inputs that the model declares; None if it declares none.
        keras: The Keras model or layer; None for other models.
        variables: The variables that the model lists.
        notes: Notes for the run.
        returned: The whole value that the user's callable returned.
        imported: Whether the op names were saved with the model, as in a SavedModel.
    """

    call: Callable[..., Any]
    inputs: tuple[InputSpec, ...] | None = None
    keras: Any = None
    variables: tuple[tf.Variable, ...] = ()
    notes: tuple[Note, ...] = ()
    returned: Any = None
    imported: bool = False


def model_of(returned: Any, target: str, calls: ExampleCalls | None = None) -> Model:
    """Return the model in the value that the user's callable returned.

    `calls` are the calls that the callable made of its models. Raises UsageError if there is none.
    """
    return replace(_model_of(returned, target, calls or ExampleCalls()), returned=returned)


def _model_of(returned: Any, target: str, calls: ExampleCalls) -> Model:
    model = returned
    notes: tuple[Note, ...] = ()
    if isinstance(returned, tuple) and 1 < len(returned) <= PARTS:
        model, notes = returned[0], (_untrained_note(returned[1:]),)
    if not callable(model):
        raise UsageError(
            "the returned value cannot be called",
            where=f"target {target}",
            expected=KINDS,
            got=type(model).__name__,
            fix="return the model or the function to call on the inputs",
        )
    if is_keras(model):
        example = calls.of(model) if not _declared_inputs(model) else None
        if example is not None:
            return Model(example.of(model), example.inputs, model, (), notes)
        return Model(
            lambda *inputs: _call_keras(model, inputs), _keras_inputs(model), model, (), notes
        )
    function = model if hasattr(model, "python_function") else getattr(model, "__call__", None)  # noqa: B004
    if function is not None and hasattr(function, "python_function"):
        return _of_function(function, notes)
    return Model(model, notes=notes)


def is_keras(model: Any) -> bool:
    """Return whether `model` is a Keras model or layer, without importing Keras."""
    return hasattr(model, "count_params") and hasattr(model, "trainable_weights")


def check_arguments(model: Model, target: str, names: Sequence[str]) -> None:
    """Raise UsageError if the model's call does not accept this number of inputs."""
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
            "wrong number of inputs for the model",
            where=f"target {target}, setting 'input'",
            expected=f"inputs for the signature {taken}",
            got=f"{len(names)} inputs, {', '.join(names)}: {error}",
            fix="describe the inputs in order, separated by ; as in --input 'x=8,4; y=8'",
        ) from error


def signature_of(model: Model) -> str:
    """Return the signature of a plain function as text; empty for other models."""
    if model.keras is not None or not (
        inspect.isroutine(model.call) or isinstance(model.call, partial)
    ):
        return ""
    try:
        return str(inspect.signature(model.call))
    except (TypeError, ValueError):
        return ""


def _untrained_note(parts: tuple[Any, ...]) -> Note:
    types = ", ".join(type(part).__name__ for part in parts)
    text = f"only run forward, not trained. Unused: {types}"
    fix = "To train, return (keras.Model, loss, optimizer) and use --steps 1 or more"
    return Note("training", f"{text}. {fix}")


def _of_function(function: Any, notes: tuple[Note, ...]) -> Model:
    """Return the model for a `tf.function`, with its Python function rewritten by AutoGraph.

    A call of the `tf.function` itself would be a single op in the graph.
    """
    signature = function.input_signature
    python = plain(function.python_function)
    call = rewritten(python) if getattr(function, "_autograph", True) else python
    if signature is None:
        return Model(call, notes=notes)
    names = list(inspect.signature(python).parameters)

    def packed(*inputs: Any) -> Any:
        return call(*tf.nest.pack_sequence_as(signature, list(inputs)))

    return Model(packed, flat_specs(signature, names), notes=notes)


def _keras_inputs(model: Any) -> tuple[InputSpec, ...] | None:
    """Return the inputs of a Keras model, from its inputs or its build shapes; None if unknown."""
    inputs = _declared_inputs(model)
    if inputs:
        specs = [tf.TensorSpec(tensor.shape, tensor.dtype, tensor.name) for tensor in inputs]
        return flat_specs(specs, [tensor.name for tensor in inputs])
    config: dict[str, Any] = getattr(model, "get_build_config", dict)() or {}
    shapes = [config["input_shape"]] if config.get("input_shape") else []
    if not shapes or not all(isinstance(size, int | None) for size in shapes[0]):
        return None
    # The model was built with one batch size, but accepts any.
    specs = [tf.TensorSpec([None, *shape[1:]], model.compute_dtype) for shape in shapes]
    return flat_specs(specs, input_names(len(specs)))


def _declared_inputs(model: Any) -> Any:
    """Return the symbolic inputs of a functional Keras model; None for other models."""
    try:
        return model.inputs or None
    except (AttributeError, ValueError):
        return None


def _call_keras(model: Any, inputs: tuple[Any, ...]) -> Any:
    """Call a Keras model on tensors in the order of its inputs, packed as the model expects.

    The keys of a dictionary of inputs are the names of the tensors.
    """
    try:
        structure = model.input
    except (AttributeError, ValueError):
        structure = None
    if structure is not None and len(model.inputs) == len(inputs):
        return model(_packed(model, structure, inputs))
    if takes_a_dict(model):
        return model({tensor.op.name: tensor for tensor in inputs})
    try:
        inspect.signature(model.call).bind(*inputs)
    except TypeError:
        return model(list(inputs))
    return model(*inputs)


def _packed(model: Any, structure: Any, inputs: tuple[Any, ...]) -> Any:
    by_input = {id(key): tensor for key, tensor in zip(model.inputs, inputs, strict=True)}
    return tf.nest.map_structure(lambda key: by_input[id(key)], structure)
