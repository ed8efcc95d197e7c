"""Builds the variants of the tutorial's step (n=5, version 2, batch 128) for `overhead`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.interleaved import Step
from resnet_inspect.config import Settings
from resnet_inspect.data import Batches, load
from resnet_inspect.journal import RunFiles, RunJournal
from resnet_inspect.tracers import registry

BATCHES = 4
SETTINGS: dict[str, Any] = {"n": 5, "ver": 2, "batch_size": 128, "learning_rate": 0.01}


class PreparedBatches:
    """A few batches that are created in advance, so that their creation is not measured."""

    evaluation = None  # no batches for evaluation

    def __init__(self, settings: Settings) -> None:
        data = load(settings.tutorial.data)
        batches = Batches(
            data, settings.tutorial.batch_size, settings.seed, raw=False, training=True
        )
        self.image_shape = batches.image_shape
        self._made = [batches.batch(number) for number in range(BATCHES)]

    def batch(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return batch `number`, modulo the number of batches."""
        return self._made[number % BATCHES]


class Steps:
    """Builds steps. A step is called with the number of its batch and returns its scalars."""

    def __init__(self, folder: Path, settings: dict[str, Any] = SETTINGS) -> None:
        self._tracer = registry.load("tutorial")  # also loads TensorFlow, without its messages
        self.tf: Any = import_module("tensorflow")
        module: Any = import_module("resnet_inspect.tracers.tensorflow.tutorial.step")
        self._step = module.TutorialStep
        self._folder = folder
        self._names = count()
        self._variables: dict[str, Any] = {}
        self._settings = settings
        self.fed = PreparedBatches(Settings.of(settings))
        self._batches = [[self.tf.constant(array) for array in self.fed.batch(k)] for k in range(4)]

    def plain(self) -> Step:
        """Return the step without taps in its graph."""
        return self.beside(lambda _: [])

    def beside(self, added: Callable[[Any], Any]) -> Step:
        """Return the step without gradients of outputs, which also computes the tensors `added`."""
        settings = Settings.of(self._settings | {"gradients": False})

        def body(images: Any, labels: Any) -> Any:
            step = self._step(settings, self._variables, "/CPU:0")
            return step.build(images, labels), added(step)

        size = self._settings["batch_size"]
        images = self.tf.TensorSpec([size, *self.fed.image_shape], name="images")
        labels = self.tf.TensorSpec([size], self.tf.int64, name="labels")
        function = self.tf.function(body, autograph=False).get_concrete_function(images, labels)

        def step(number: int) -> list[NDArray[Any]]:
            returned = function(*self._batches[number % BATCHES])
            return [tensor.numpy() for tensor in self.tf.nest.flatten(returned)]

        return step

    def recorded(self, **settings: Any) -> Step:
        """Return the step as `trace` runs it, with its records written to a run file."""
        source: Any = self._tracer(
            Settings.of(self._settings | {"steps": 10**6} | settings), self.fed
        )
        journal = RunJournal(RunFiles(self._folder / f"{next(self._names)}.db"))
        run = source.prepare(journal)
        numbers = count()

        def step(_: int) -> list[NDArray[Any]]:
            record = source.step(next(numbers))
            run.keep(record)
            return [np.asarray(value) for value in record.scalars.values()]

        return step
