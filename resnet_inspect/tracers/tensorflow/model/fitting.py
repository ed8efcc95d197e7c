"""Trains a model of one's own that came with its loss and optimizer, by Keras' `fit`, recorded."""

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
from resnet_inspect.tracers.tensorflow.model.model_calls import seeded

# What a loss compares with, by a part of its name; the first that fits.
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
    """What a model is trained with, as `compile` takes it."""

    model: Any
    loss: Any
    optimizer: Any


def recipe_of(made: Any) -> Recipe | None:
    """The recipe in what a callable returned: a tuple of a Keras model, a loss, an optimizer."""
    if not isinstance(made, tuple) or len(made) != len(Recipe._fields):
        return None
    model, loss, optimizer = made
    losses = isinstance(loss, str | list | dict) or callable(loss)
    moves = isinstance(optimizer, str | keras.optimizers.Optimizer)
    return Recipe(*made) if isinstance(model, keras.Model) and losses and moves else None


class OwnTraining:
    """A fit that is about to begin; raises what the model raises when it
    is called on the first inputs, and DataError for data that do not fit.
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
            raise TypeError(f"not a model to be trained: {subject}")
        self._recipe = recipe
        size = next((one.sizes[0] for one in specs if one.sizes and one.sizes[0]), None)
        size = size or subject.batch_size
        sized = tuple(
            msgspec.structs.replace(one, sizes=(one.sizes[0] or size, *one.sizes[1:]))
            if one.sizes
            else one
            for one in specs
        )
        inputs = RandomInputs(sized, settings.seed)
        self._specs = sized
        self._environment = environment
        first = [tf.cast(one, s.dtype) for one, s in zip(inputs.batch(0), sized, strict=True)]
        outputs = recipe.model(self._packed(first), training=False)
        targets = list(_targets(recipe.loss, outputs, recipe.model))
        self._structure = outputs
        self._batches: OwnBatches
        kind, _, file = subject.data.partition(":")
        if kind == "npz":
            self._batches = ArrayBatches(
                file,
                [one.name for one in specs],
                [one.name for one in targets],
                size=size,
                seed=settings.seed,
                steps=settings.steps,
            )
        else:
            self._batches = RandomBatches(inputs, targets, settings.seed, settings.steps)
        self._notes = [Note("inputs", self._batches.description), *_chosen(inputs)]
        optimizer = type(keras.optimizers.get(recipe.optimizer)).__name__
        subject = msgspec.structs.replace(subject, batch_size=size, optimizer=optimizer)
        self.settings = msgspec.structs.replace(settings, subject=subject)
        self._learning_rate = subject.learning_rate

    def train(self, journal: Journal) -> None:
        """Compile and fit; raises TrainingFailed, with what has been saved."""
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
                model.fit(_Fed(self._batches, self), verbose=0, shuffle=False, callbacks=[recorder])
        except BaseException as error:
            failure = recorder.stopped(error)
            if not isinstance(error, Exception):
                raise
            if failure is None:
                failure = describe(error, "preparing the fit")
                journal.begin(model.name, settings, self._environment)
                journal.end(failure=failure)
            raise TrainingFailed(failure) from error

    def _packed(self, given: Sequence[Any]) -> Any:
        """Inputs in the structure that the model takes."""
        model = self._recipe.model
        try:
            structure = model.input
        except (AttributeError, ValueError):
            structure = None
        if structure is not None and len(model.inputs) == len(given):
            places = {id(one): tensor for one, tensor in zip(model.inputs, given, strict=True)}
            return tf.nest.map_structure(lambda one: places[id(one)], structure)
        return given[0] if len(given) == 1 else list(given)

    def of_step(self, number: int) -> tuple[Any, Any]:
        """What the model is fed at a step, and what its outputs are compared with."""
        inputs, targets = self._batches.batch(number)
        cast = [
            tf.cast(one, spec.dtype) if one.dtype.name != spec.dtype else one
            for one, spec in zip(inputs, self._specs, strict=True)
        ]
        return self._packed(cast), tf.nest.pack_sequence_as(self._structure, list(targets))


@contextmanager
def _on(device: str) -> Iterator[None]:
    """Only what was asked for is imposed on Keras."""
    with nullcontext() if device == "auto" else tf.device(f"/{device.upper()}:0"):
        yield


class _Fed(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches as `fit` takes them."""

    def __init__(self, batches: OwnBatches, training: OwnTraining) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self._steps, self._training = batches.steps, training

    def __len__(self) -> int:
        """The number of steps."""
        return self._steps

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        """One batch."""
        return self._training.of_step(number)


def check_trainable(recipe: Recipe, target: str) -> None:
    """Raise UsageError for an optimizer that Keras does not know by that name."""
    try:
        keras.optimizers.get(recipe.optimizer)
    except ValueError as error:
        raise UsageError(
            "Keras knows no optimizer of that name",
            where=f"target {target}",
            expected="a name such as 'adam', or an optimizer",
            got=repr(recipe.optimizer),
            fix="return (model, loss, optimizer) as model.compile takes them",
        ) from error


def _targets(loss: Any, outputs: Any, model: Any) -> Iterator[TargetSpec]:
    """What each output is compared with, in their order when flattened."""
    flat = keras.tree.flatten_with_path(outputs)
    losses = _losses(loss, [path for path, _ in flat], model)
    for number, ((path, output), one) in enumerate(zip(flat, losses, strict=True)):
        shape = tuple(output.shape.as_list())
        name = str(path[-1]) if path and isinstance(path[-1], str) else ""
        name = name or ("y" if len(flat) == 1 else f"y{number}")
        known = re.sub("[^a-z]", "", _name(one).lower())
        kind = next((kind for part, kind in KINDS.items() if part in known), "normal")
        if kind == "classes" and shape:
            yield TargetSpec(name, kind, shape[:-1], int(shape[-1]))
        else:
            yield TargetSpec(name, kind, shape)


def _losses(loss: Any, paths: list[Any], model: Any) -> list[Any]:
    """A loss for each output."""
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


def _chosen(inputs: RandomInputs) -> Iterator[Note]:
    told = inputs.chosen()
    if told:
        text = f"sizes given as ?, chosen by the program: {', '.join(told)}"
        yield Note("inputs", text)
