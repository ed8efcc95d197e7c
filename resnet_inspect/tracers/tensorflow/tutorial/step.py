"""The tutorial's training step, which notes its layers, gradients and weights itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.graph import Objective, Phase, TensorRef, Training
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.fit.batch_parts import BatchPart, Role
from resnet_inspect.tracers.tensorflow.fit.observed_step import Explain, ObservedStep
from resnet_inspect.tracers.tensorflow.tutorial import recipe
from resnet_inspect.tracers.tensorflow.tutorial.network import logits_of
from resnet_inspect.tracers.tensorflow.tutorial.retrace import explain as explain_sizes


class TutorialStep(ObservedStep):
    """One trace of the tutorial's step; create it inside the function that TensorFlow traces.

    `variables` outlive the trace. The step never runs without its taps in the graph, so the taps
    need not recompute tensors.
    """

    fused = False

    def __init__(self, settings: Settings, variables: dict[str, tf.Variable], device: str) -> None:
        made = Construction(settings.seed, variables)
        super().__init__(settings, name="step", parts=_parts, made=made)
        self._device = device
        self._image: tuple[int, int, int] = (0, 0, 0)

    def build(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Build the whole step; returns its scalars by name."""
        settings, made, hooks = self._settings, self.made, self.hooks
        with tf.device(self._device):
            losses = self.losses(images, labels)
            scalars = {
                "loss": losses.total,
                "cross_entropy": losses.cross_entropy,
                "l2_loss": losses.l2,
                "accuracy": losses.accuracy,
            }
            if settings.trains:
                calls = made.calls if settings.gradients else []
                outputs = [call.output for call in calls]
                gradients, of_outputs = recipe.differentiate(losses, made, outputs)
                scalars["learning_rate"] = recipe.train(gradients, made, settings.tutorial)
                if settings.gradients:
                    hooks.gradients |= gradients
                    pairs = zip(calls, of_outputs, strict=True)
                    hooks.output_gradients |= {call.name: gradient for call, gradient in pairs}
        hooks.trained = list(recipe.trainable(made).values())
        self.loss_parts = {"cross_entropy": losses.entropies}
        return scalars

    def losses(self, images: Tensor, labels: Tensor) -> recipe.Losses:
        """Build only the network and its losses."""
        settings, tutorial, made = self._settings, self._settings.tutorial, self.made
        height, width, channels = images.shape[1:]
        self._image = height, width, channels
        with tf.device(self._device):
            with made.phase(Phase.FORWARD):
                logits = logits_of(images, made, tutorial, update_ops=settings.steps > 0)
            return recipe.measure(logits, labels, made, tutorial.weight_decay)

    def forward_and_backward(self, images: Tensor, labels: Tensor) -> Construction:
        """Build the step without its updates; ops have the same names as in the whole step."""
        losses = self.losses(images, labels)
        if self._settings.trains:
            with tf.device(self._device):
                recipe.differentiate(losses, self.made, [])
        return self.made

    @property
    def trains(self) -> bool:
        """Whether the step changes its weights."""
        return self._settings.trains

    def needed(self) -> frozenset[str]:
        """The names of the network's variables, without those of the optimizer."""
        return frozenset(name for call in self.made.calls for name in call.variables)

    def explanation(self) -> Explain:
        """See the base class; the lineage also has the settings that change sizes."""
        mismatch, tutorial, image = self._mismatch, self._settings.tutorial, self._image
        return lambda graph: explain_sizes(graph, tutorial, image, mismatch)

    @property
    def _during(self) -> str:
        return "building the network"

    @contextmanager
    def _hooked(self) -> Iterator[None]:
        """No hooks: the step notes its layers and gradients itself."""
        yield

    def _note_variables(self) -> None:
        """Do nothing: variables are noted when they are created."""

    def _training(self) -> Training:
        """The objective and optimizer of the recipe; no objective if the network has no layer."""
        made, tutorial = self.made, self._settings.tutorial
        objectives: tuple[Objective, ...] = ()
        if made.calls:
            output = made.calls[-1].output
            objectives = (
                Objective(
                    loss="sparse_categorical_crossentropy",
                    from_logits=True,
                    output=TensorRef(output.op.name, output.value_index),
                    labels="labels",
                    metrics=("accuracy",),
                ),
            )
        rate = recipe.RATES[0] if tutorial.learning_rate is None else tutorial.learning_rate
        return Training(
            objectives=objectives,
            optimizer=tutorial.optimizer if self.trains else "",
            learning_rate=rate if self.trains else None,
            decay=tutorial.weight_decay > 0,
        )


def _parts(images: Any, labels: Any) -> Iterator[BatchPart]:
    yield BatchPart("images", images, Role.INPUT)
    yield BatchPart("labels", labels, Role.LABEL)
