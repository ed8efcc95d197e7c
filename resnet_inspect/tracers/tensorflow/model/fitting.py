"""Trains a user's Keras model with its loss and optimizer by `fit`, and records the training."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import keras
import msgspec
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import InputSpec
from resnet_inspect.config.settings import TracedModel
from resnet_inspect.data import RandomInputs
from resnet_inspect.data.own_batches import ArrayBatches, OwnBatches, RandomBatches, TargetSpec
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Note
from resnet_inspect.tracers.contract import Environment, Journal, TrainingFailed
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe
from resnet_inspect.tracers.tensorflow.fit.keras_recorder import KerasRecorder, Runs
from resnet_inspect.tracers.tensorflow.model.example_calls import takes_a_dict
from resnet_inspect.tracers.tensorflow.model.input_specs import default_size_notes
from resnet_inspect.tracers.tensorflow.model.model_calls import seeded

BATCH_SIZE = 128  # if neither the inputs nor the settings have one
# Kind of targets by a part of the loss name. The first match applies.
KINDS = {
    "sparse": "classes",
    "categorical": "one-hot",
    "binary": "zeros and ones",
    "hinge": "zeros and ones",
    "dice": "zeros and ones",
    "tversky": "zeros and ones",
    "poisson": "counts",
    "logarithmic": "counts",
    "kldivergence": "shares",
}


class Recipe(NamedTuple):
    """A model with its loss and optimizer, as `compile` accepts them."""

    model: Any
    loss: Any
    optimizer: Any


def recipe_of(returned: Any) -> Recipe | None:
    """Return the recipe if a callable returned a Keras model, a loss and an optimizer."""
    if not isinstance(returned, tuple) or len(returned) != len(Recipe._fields):
        return None
    model, loss, optimizer = returned
    is_loss = isinstance(loss, str | list | dict) or callable(loss)
    is_optimizer = isinstance(optimizer, str | keras.optimizers.Optimizer)
    valid = isinstance(model, keras.Model) and is_loss and is_optimizer
    return Recipe(*returned) if valid else None


class ModelTraining:
    """A prepared fit.

    Creating it calls the model on the first inputs, and raises what this call raises. It raises
    DataError for data that do not match the inputs.
    """

    def __init__(
        self,
        recipe: Recipe,
        specs: Sequence[InputSpec],
        settings: Settings,
        environment: Environment,
    ) -> None:
        subject = settings.subject
        if not isinstance(subject, TracedModel):
            raise TypeError(f"expected a traced model, got {subject}")
        self._recipe = recipe
        size = next((spec.sizes[0] for spec in specs if spec.sizes and spec.sizes[0]), None)
        size = size or BATCH_SIZE
        sized = tuple(
            msgspec.structs.replace(spec, sizes=(spec.sizes[0] or size, *spec.sizes[1:]))
            if spec.sizes
            else spec
            for spec in specs
        )
        inputs = RandomInputs(sized, settings.seed)
        self._specs = sized
        self._environment = environment
        first = [tf.cast(array, s.dtype) for array, s in zip(inputs.batch(0), sized, strict=True)]
        outputs = recipe.model(self._packed(first), training=False)
        targets = list(_targets(recipe.loss, outputs, recipe.model))
        self._structure = outputs
        self._batches: OwnBatches
        kind, _, file = subject.data.partition(":")
        if kind == "npz":
            self._batches = ArrayBatches(
                file,
                [spec.name for spec in specs],
                [target.name for target in targets],
                size=size,
                seed=settings.seed,
                steps=settings.steps,
            )
        else:
            self._batches = RandomBatches(inputs, targets, settings.seed, settings.steps)
        self._notes = [Note("inputs", self._batches.description), *default_size_notes(inputs)]
        optimizer = type(keras.optimizers.get(recipe.optimizer)).__name__
        subject = msgspec.structs.replace(subject, batch_size=size, optimizer=optimizer)
        self.settings = msgspec.structs.replace(settings, subject=subject)
        self._learning_rate = subject.learning_rate

    def train(self, journal: Journal) -> None:
        """Compile and fit the model.

        Raises TrainingFailed if this fails, after the failure is saved.
        """
        model, loss, optimizer = self._recipe
        settings = self.settings
        recorder = KerasRecorder(Runs(settings, lambda: journal))
        for note in self._notes:
            recorder.note(note.subject, note.text)
        try:
            with seeded(settings.seed), _on(settings.device):
                optimizer = keras.optimizers.get(optimizer)
                if self._learning_rate is not None:
                    optimizer.learning_rate = self._learning_rate
                model.compile(optimizer=optimizer, loss=loss)
                batches = _FitBatches(self._batches, self)
                model.fit(batches, verbose=0, shuffle=False, callbacks=[recorder])
        except BaseException as error:
            failure = recorder.stopped(error)
            if not isinstance(error, Exception):
                raise
            if failure is None:
                failure = describe(error, "preparing the fit")
                journal.begin(model.name, settings, self._environment)
                journal.end(failure=failure)
            raise TrainingFailed(failure) from error

    def _packed(self, inputs: Sequence[Any]) -> Any:
        """Return the inputs in the structure that the model expects."""
        model = self._recipe.model
        try:
            structure = model.input
        except (AttributeError, ValueError):
            structure = None
        if structure is not None and len(model.inputs) == len(inputs):
            by_input = {id(key): tensor for key, tensor in zip(model.inputs, inputs, strict=True)}
            return tf.nest.map_structure(lambda key: by_input[id(key)], structure)
        if takes_a_dict(model):
            return {spec.name: tensor for spec, tensor in zip(self._specs, inputs, strict=True)}
        return inputs[0] if len(inputs) == 1 else list(inputs)

    def batch_of_step(self, number: int) -> tuple[Any, Any]:
        """Return the inputs and the targets of a step."""
        inputs, targets = self._batches.batch(number)
        cast = [
            tf.cast(array, spec.dtype) if array.dtype.name != spec.dtype else array
            for array, spec in zip(inputs, self._specs, strict=True)
        ]
        return self._packed(cast), tf.nest.pack_sequence_as(self._structure, list(targets))


@contextmanager
def _on(device: str) -> Iterator[None]:
    # With "auto", Keras places ops itself.
    with nullcontext() if device == "auto" else tf.device(f"/{device.upper()}:0"):
        yield


class _FitBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """The batches of a training in the form that `fit` expects."""

    def __init__(self, batches: OwnBatches, training: ModelTraining) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self._steps, self._training = batches.steps, training

    def __len__(self) -> int:
        """Return the number of steps."""
        return self._steps

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        """Return the batch of a step."""
        return self._training.batch_of_step(number)


def check_trainable(recipe: Recipe, target: str) -> None:
    """Raise UsageError if Keras does not know the name of the optimizer."""
    try:
        keras.optimizers.get(recipe.optimizer)
    except ValueError as error:
        raise UsageError(
            "unknown optimizer name",
            where=f"target {target}",
            expected="a name that Keras knows, such as 'adam', or an optimizer object",
            got=repr(recipe.optimizer),
            fix="return (model, loss, optimizer) as model.compile accepts them",
        ) from error


def _targets(loss: Any, outputs: Any, model: Any) -> Iterator[TargetSpec]:
    """Yield the targets of each output, in flattened order."""
    flat = keras.tree.flatten_with_path(outputs)
    losses = _losses(loss, [path for path, _ in flat], model)
    for number, ((path, output), output_loss) in enumerate(zip(flat, losses, strict=True)):
        shape = tuple(output.shape.as_list())
        name = str(path[-1]) if path and isinstance(path[-1], str) else ""
        name = name or ("y" if len(flat) == 1 else f"y{number}")
        loss_name = re.sub("[^a-z]", "", _name(output_loss).lower())
        kind = next((kind for part, kind in KINDS.items() if part in loss_name), "normal")
        if kind == "classes" and shape:
            yield TargetSpec(name, kind, shape[:-1], int(shape[-1]))
        else:
            yield TargetSpec(name, kind, shape)


def _losses(loss: Any, paths: list[Any], model: Any) -> list[Any]:
    """Return the loss of each output, None if it has none."""
    if isinstance(loss, dict):
        names = getattr(model, "output_names", None) or []
        keys = [path[-1] if path and path[-1] in loss else None for path in paths]
        if len(names) == len(paths):
            keys = [key if key is not None else name for key, name in zip(keys, names, strict=True)]
        return [loss.get(key) for key in keys]
    if isinstance(loss, list | tuple):
        return [*loss, *[None] * len(paths)][: len(paths)]
    return [loss] * len(paths)


def _name(loss: Any) -> str:
    if isinstance(loss, str):
        return {"mse": "", "mae": "", "bce": "binary", "kld": "kldivergence"}.get(loss, loss)
    return str(getattr(loss, "__name__", type(loss).__name__))
