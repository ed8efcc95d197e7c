"""The tutorial's step (n=5, version 2, batch 128) in the ways that `overhead` compares.

All share one set of variables, so each of them goes on where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.interleaved import Step
from resnet_inspect.config import Settings
from resnet_inspect.data import Batches, load
from resnet_inspect.tracers import registry

BATCHES = 4
SETTINGS = {"n": 5, "ver": 2, "batch_size": 128, "learning_rate": 0.01}


class Fed:
    """A few batches made beforehand, so that making them is not measured."""

    held = None  # no others to be evaluated on

    def __init__(self) -> None:
        settings = Settings.of(SETTINGS)
        batches = Batches(
            load(settings.tutorial.data),
            settings.tutorial.batch_size,
            settings.seed,
            raw=False,
            training=True,
        )
        self.image_shape = batches.image_shape
        self._made = [batches.batch(number) for number in range(BATCHES)]

    def batch(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Batch `number`, from the few."""
        return self._made[number % BATCHES]


class Steps:
    """Makes steps; each is called with the number of its batch and fetches what it returns."""

    def __init__(self) -> None:
        tracer = registry.load("tutorial")  # and TensorFlow, without its chatter
        self.tf: Any = import_module("tensorflow")
        module: Any = import_module("resnet_inspect.tracers.tensorflow.tutorial.step_trace")
        self._trace = module.StepTrace
        self.fed = Fed()
        self.session: Any = tracer(Settings.of(SETTINGS), self.fed)
        self._batches = [[self.tf.constant(one) for one in self.fed.batch(k)] for k in range(4)]

    def tracing(self, **settings: Any) -> Any:
        """A `StepTrace` of these settings beside those of all."""
        return self._trace(Settings.of(SETTINGS | settings), self.session.variables, "/CPU:0")

    def plain(self) -> Step:
        """The step that returns its scalars, without a tap in its graph."""
        return self.beside(lambda _: {})

    def beside(self, added: Callable[[Any], Any]) -> Step:
        """The step, without gradients of outputs, that also returns what is `added` to it."""
        tracing = self.tracing(gradients=False)

        def body(images: Any, labels: Any) -> Any:
            scalars, watched = tracing._build(images, labels)
            return scalars, added(watched)

        return self.called(self.traced(body))

    def recorded(self, **settings: Any) -> Step:
        """The step with all that is recorded; see `StepTrace.trace`."""
        return self.called(self.traced(self.tracing(**settings).trace))

    def traced(self, body: Callable[..., Any]) -> Any:
        """The concrete function of one step."""
        size = SETTINGS["batch_size"]
        images = self.tf.TensorSpec([size, *self.fed.image_shape], name="images")
        labels = self.tf.TensorSpec([size], self.tf.int64, name="labels")
        return self.tf.function(body, autograph=False).get_concrete_function(images, labels)

    def called(self, function: Any) -> Step:
        """Runs a concrete function, and has all it returns on the host."""
        return lambda number: list(self._arrays(function(*self._batches[number % BATCHES])))

    def _arrays(self, found: Any) -> Iterator[NDArray[Any]]:
        """All tensors in it on the host, but for values of variables that stay where they are."""
        if isinstance(found, dict):
            found = {name: value for name, value in found.items() if name != "before"}
        for one in self.tf.nest.flatten(found):
            yield one.numpy()
