"""Looks on while a training step is traced: which gradients are asked for, what optimizers do.

Nothing is added to the step, because TensorFlow derives seeds of random ops from how many ops there
are. The gradients of layers' outputs come from the very call of the tape that asks for those of
the weights, which works them out anyway on its way; those of outputs that lie before all of these
weights it would not, so they are not asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from resnet_inspect.graph import Note, Phase
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor, handles
from resnet_inspect.tracers.tensorflow.capture.keras_layers import held_by, note_variables, unique
from resnet_inspect.tracers.tensorflow.capture.keras_training import INSIDE
from resnet_inspect.tracers.tensorflow.capture.method_hooks import replaced
from resnet_inspect.tracers.tensorflow.fit.author_names import name_of
from resnet_inspect.tracers.tensorflow.fit.replicas import replica

SUMS = "_all_reduce_sum_gradients"  # Keras' own, called in each replica
SCALED = "of the scaled loss: LossScaleOptimizer scales them back later"


class StepHooks:
    """What was seen of one trace: `gradients` by variable, `output_gradients` by layer, the
    variables that were `trained`, the `optimizers` that were used, without those inside of another,
    and the gradients that are `summed` over the replicas.
    """

    def __init__(self, made: Construction, wanted: bool, notes: list[Note]) -> None:
        self._made = made
        self._wanted = wanted
        self._notes = notes
        self._losses: list[tuple[str, Tensor]] = []  # with the names that their author gave them
        self._optimizer_names: list[str] = []
        self.gradients: dict[str, Tensor] = {}
        self.output_gradients: dict[str, Tensor] = {}
        self.optimizers: list[Any] = []
        self.no_gradient: list[str] = []
        self.trained: list[Any] = []
        self.summed: set[str] = set()
        self._unscaled: dict[int, tuple[Any, Any]] = {}  # scaled loss, the loss; by id of the first

    @property
    def trains(self) -> bool:
        """Whether a gradient of variables was asked for, or an optimizer was used."""
        return bool(self.trained or self.optimizers)

    @property
    def losses(self) -> dict[str, Tensor]:
        """What was differentiated, before an optimizer scales it, by the name of its scalar: of one
        it is `batch_loss`; of several each has its author's name, such as `batch_gen_loss`.
        """
        if len(self._losses) == 1:
            return {"batch_loss": self._losses[0][1]}
        found: dict[str, Tensor] = {}
        for author, loss in self._losses:
            name = unique(f"batch_{author or 'loss'}", found)
            found[name] = loss
        return found

    @property
    def optimizer(self) -> str:
        """The optimizers in words: `Adam`, or `Adam (d_optimizer) and Adam (g_optimizer)`."""
        kinds = [type(one).__name__ for one in self.optimizers]
        names = set(self._optimizer_names)
        if len(kinds) < 2 or len(names) < len(kinds) or "" in names:
            return " and ".join(dict.fromkeys(kinds))
        pairs = zip(kinds, self._optimizer_names, strict=True)
        return " and ".join(f"{kind} ({name})" for kind, name in pairs)

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """TensorFlow's tapes and Keras' optimizers are watched in the body."""
        usual, scaling = keras.optimizers.Optimizer, keras.optimizers.LossScaleOptimizer
        with (
            replaced(tf.GradientTape, "gradient", self._gradient),
            replaced(usual, "apply", self._apply),
            replaced(scaling, "apply", self._apply),  # its own, which need not come to the usual
            replaced(usual, "apply_gradients", self._apply),
            replaced(usual, SUMS, self._sum),
            replaced(usual, "scale_loss", self._scale),
            replaced(scaling, "scale_loss", self._scale),
        ):
            yield

    def _gradient(
        self, original: Any, tape: Any, target: Any, sources: Any, *args: Any, **named: Any
    ) -> Any:
        """`GradientTape.gradient`, asked for the gradients of layers' outputs, too."""
        if not self._made.here():
            return original(tape, target, sources, *args, **named)
        with self._made.phase(Phase.BACKWARD):
            trained = self._trained(sources)
            outputs = self._asked(sources) if trained and not args and not named else {}
            if not outputs:
                found = original(tape, target, sources, *args, **named)
            else:
                asked = [sources, list(outputs.values())]
                found, of_outputs = original(tape, target, asked)
                for name, one in zip(outputs, of_outputs, strict=True):
                    if isinstance(one, tf.Tensor):
                        self.output_gradients[name] = one
        try:
            self._keep_gradients(target, sources, found, trained)
        except Exception as error:  # what cannot be told must not stop the step
            text = f"not observed, because of {type(error).__name__}: {error}"
            self._notes.append(Note("gradients", text))
        return found

    def _trained(self, sources: Any) -> bool:
        """Whether gradients of variables are asked for: those of inputs are a part of the model."""
        flat = tf.nest.flatten(sources)
        return bool(flat) and all(hasattr(one, "handle") for one in flat)

    def _asked(self, sources: Any) -> dict[str, Tensor]:
        if not self._wanted:
            return {}
        asked = {
            call.name: call.output
            for call in self._made.calls
            if call.name not in self.output_gradients and call.output.dtype.is_floating
        }
        if self._made.graph is None:  # op by op
            return asked
        behind = self._behind(tf.nest.flatten(sources))
        return {name: one for name, one in asked.items() if one.op in behind}

    def _behind(self, variables: list[Any]) -> set[Any]:
        """The ops that depend on variables, as far as the graph has been made."""
        known = [one for one in map(held_by, variables) if one is not None]
        held = {id(handle) for one in known for handle in handles(one)}
        waiting = [inside for outside, inside in self._made.graph.captures if id(outside) in held]
        found: set[Any] = set()
        while waiting:
            for op in waiting.pop().consumers():
                if op not in found:
                    found.add(op)
                    waiting += op.outputs
        return found

    def _keep_gradients(self, target: Any, sources: Any, found: Any, trained: bool) -> None:
        if not trained:
            return
        if isinstance(target, tf.Tensor) and target.shape.rank == 0:
            _, loss = self._unscaled.get(id(target), (target, target))
            self._losses.append((name_of(loss) or name_of(target), loss))
        known = {id(one) for one in self.trained}
        self.trained += [one for one in tf.nest.flatten(sources) if id(one) not in known]
        if self._wanted:
            flat = tf.nest.flatten(sources)
            for name, one in zip(
                note_variables(self._made, flat), tf.nest.flatten(found), strict=True
            ):
                if isinstance(one, tf.Tensor):
                    self.gradients[name] = one
                elif one is None:
                    self.no_gradient.append(name)
                else:
                    self._notes.append(Note(name, "its gradient is sparse and is not summarized"))

    def _scale(self, original: Any, optimizer: Any, loss: Any) -> Any:
        """An optimizer scales a loss, for the gradients alone: what it was is what is told."""
        scaled = original(optimizer, loss)
        if self._made.here() and scaled is not loss and isinstance(loss, tf.Tensor):
            self._unscaled[id(scaled)] = scaled, loss
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                self._notes.append(Note("gradients", SCALED))
        return scaled

    def _apply(self, original: Any, optimizer: Any, *args: Any, **named: Any) -> Any:
        if not self._made.here():
            return original(optimizer, *args, **named)
        known = (*self.optimizers, *(getattr(one, INSIDE, None) for one in self.optimizers))
        if not any(optimizer is one for one in known):
            self.optimizers.append(optimizer)
            self._optimizer_names.append(name_of(optimizer))
        with self._made.phase(Phase.OPTIMIZER):
            return original(optimizer, *args, **named)

    def _sum(self, original: Any, optimizer: Any, pairs: Any) -> Any:
        """Keras adds up the gradients of all replicas: the sums are what moves the weights."""
        found = original(optimizer, pairs)
        if not self._made.here() or replica().of == 1 or not self._wanted:
            return found
        try:
            found = list(found)
            names = note_variables(self._made, [variable for _, variable in found])
            for name, (gradient, _) in zip(names, found, strict=True):
                if isinstance(gradient, tf.Tensor):
                    self.gradients[name] = gradient
                    self.summed.add(name)
        except Exception as error:
            text = f"sums not observed, because of {type(error).__name__}: {error}"
            self._notes.append(Note("gradients", text))
        return found
