"""Hooks tapes and optimizers while a training step is traced, to note gradients and optimizers.

The hooks add no ops to the step, because TensorFlow derives seeds of random ops from the number of
ops. Gradients of layer outputs come from the tape's own call for the gradients of the weights,
which computes them anyway. Gradients of outputs before the first weight are not computed by that
call, so they are not recorded.
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

SUMS = "_all_reduce_sum_gradients"  # a method of Keras optimizers, called in each replica
SPARSE = "sparse gradient, not recorded"
SCALED = "gradients are those of the scaled loss: LossScaleOptimizer scales them back later"


class StepHooks:
    """The gradients and optimizers of one trace.

    `gradients` by variable, `output_gradients` by layer, the `trained` variables, the `optimizers`
    without those inside another one, and the names of gradients `summed` over the replicas.
    """

    def __init__(self, made: Construction, wanted: bool, notes: list[Note]) -> None:
        self._made = made
        self._wanted = wanted
        self._notes = notes
        self._losses: list[tuple[str, Tensor]] = []  # with the author's names
        self._optimizer_names: list[str] = []
        self.gradients: dict[str, Tensor] = {}
        self.output_gradients: dict[str, Tensor] = {}
        self.optimizers: list[Any] = []
        self.no_gradient: list[str] = []
        self.trained: list[Any] = []
        self.summed: set[str] = set()
        self._unscaled: dict[int, tuple[Any, Any]] = {}  # scaled loss and loss, by id of the first

    @property
    def trains(self) -> bool:
        """Whether the step computes gradients of variables or uses an optimizer."""
        return bool(self.trained or self.optimizers)

    @property
    def losses(self) -> dict[str, Tensor]:
        """The differentiated, unscaled losses by the names of their scalars.

        A single loss is `batch_loss`. Several losses have the author's names, such as
        `batch_gen_loss`.
        """
        if len(self._losses) == 1:
            return {"batch_loss": self._losses[0][1]}
        losses: dict[str, Tensor] = {}
        for author_name, loss in self._losses:
            name = unique(f"batch_{author_name or 'loss'}", losses)
            losses[name] = loss
        return losses

    @property
    def optimizer(self) -> str:
        """The optimizers as text: `Adam`, or `Adam (d_optimizer) and Adam (g_optimizer)`."""
        kinds = [type(optimizer).__name__ for optimizer in self.optimizers]
        names = set(self._optimizer_names)
        if len(kinds) < 2 or len(names) < len(kinds) or "" in names:
            return " and ".join(dict.fromkeys(kinds))
        pairs = zip(kinds, self._optimizer_names, strict=True)
        return " and ".join(f"{kind} ({name})" for kind, name in pairs)

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """Hook TensorFlow's tapes and Keras optimizers in the body."""
        usual, scaling = keras.optimizers.Optimizer, keras.optimizers.LossScaleOptimizer
        with (
            replaced(tf.GradientTape, "gradient", self._gradient),
            replaced(usual, "apply", self._apply),
            replaced(scaling, "apply", self._apply),  # may not call that of `usual`
            replaced(usual, "apply_gradients", self._apply),
            replaced(usual, SUMS, self._sum),
            replaced(usual, "scale_loss", self._scale),
            replaced(scaling, "scale_loss", self._scale),
        ):
            yield

    def _gradient(
        self, original: Any, tape: Any, target: Any, sources: Any, *args: Any, **named: Any
    ) -> Any:
        """`GradientTape.gradient`, which also computes the gradients of layer outputs."""
        if not self._made.here():
            return original(tape, target, sources, *args, **named)
        with self._made.phase(Phase.BACKWARD):
            trained = self._trained(sources)
            outputs = self._outputs(sources) if trained and not args and not named else {}
            if not outputs:
                gradients = original(tape, target, sources, *args, **named)
            else:
                all_sources = [sources, list(outputs.values())]
                gradients, of_outputs = original(tape, target, all_sources)
                for name, gradient in zip(outputs, of_outputs, strict=True):
                    if isinstance(gradient, tf.Tensor):
                        self.output_gradients[name] = gradient
        try:
            self._keep_gradients(target, sources, gradients, trained)
        except Exception as error:  # an error of the recorder must not stop the step
            self._notes.append(Note("gradients", failed_text(error)))
        return gradients

    def _trained(self, sources: Any) -> bool:
        """Whether all sources are variables. Gradients of inputs are part of the model itself."""
        flat = tf.nest.flatten(sources)
        return bool(flat) and all(hasattr(source, "handle") for source in flat)

    def _outputs(self, sources: Any) -> dict[str, Tensor]:
        """The outputs whose gradients the tape computes for the sources.

        Those of layers are named by the layer, those of groups by the tensor.
        """
        if not self._wanted:
            return {}
        outputs = {
            call.name: call.output
            for call in self._made.calls
            if call.name not in self.output_gradients and call.output.dtype.is_floating
        }
        if self._made.graph is None:  # op by op
            return outputs
        names = {tensor.name for tensor in outputs.values()} | self.output_gradients.keys()
        outputs |= {
            group.output.name: group.output
            for group in self._made.groups
            if group.output.name not in names and group.output.dtype.is_floating
        }
        dependent = self._dependent(tf.nest.flatten(sources))
        return {name: output for name, output in outputs.items() if output.op in dependent}

    def _dependent(self, variables: list[Any]) -> set[Any]:
        """The ops of the graph so far that depend on variables."""
        known = [variable for variable in map(held_by, variables) if variable is not None]
        ids = {id(handle) for variable in known for handle in handles(variable)}
        waiting = [inside for outside, inside in self._made.graph.captures if id(outside) in ids]
        dependent: set[Any] = set()
        while waiting:
            for op in waiting.pop().consumers():
                if op not in dependent:
                    dependent.add(op)
                    waiting += op.outputs
        return dependent

    def _keep_gradients(self, target: Any, sources: Any, gradients: Any, trained: bool) -> None:
        if not trained:
            return
        if isinstance(target, tf.Tensor) and target.shape.rank == 0:
            _, loss = self._unscaled.get(id(target), (target, target))
            self._losses.append((name_of(loss) or name_of(target), loss))
        known = {id(variable) for variable in self.trained}
        flat = tf.nest.flatten(sources)
        self.trained += [variable for variable in flat if id(variable) not in known]
        if self._wanted:
            names = note_variables(self._made, flat)
            for name, gradient in zip(names, tf.nest.flatten(gradients), strict=True):
                if isinstance(gradient, tf.Tensor):
                    self.gradients[name] = gradient
                elif gradient is None:
                    self.no_gradient.append(name)
                elif (note := Note(name, SPARSE)) not in self._notes:
                    self._notes.append(note)

    def _scale(self, original: Any, optimizer: Any, loss: Any) -> Any:
        """`scale_loss` of an optimizer; the unscaled loss is the one that is recorded."""
        scaled = original(optimizer, loss)
        if self._made.here() and scaled is not loss and isinstance(loss, tf.Tensor):
            self._unscaled[id(scaled)] = scaled, loss
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                self._notes.append(Note("gradients", SCALED))
        return scaled

    def _apply(self, original: Any, optimizer: Any, *args: Any, **named: Any) -> Any:
        if not self._made.here():
            return original(optimizer, *args, **named)
        known = (*self.optimizers, *(getattr(outer, INSIDE, None) for outer in self.optimizers))
        if not any(optimizer is other for other in known):
            self.optimizers.append(optimizer)
            self._optimizer_names.append(name_of(optimizer))
        with self._made.phase(Phase.OPTIMIZER):
            return original(optimizer, *args, **named)

    def _sum(self, original: Any, optimizer: Any, pairs: Any) -> Any:
        """Keras' sum of the gradients of all replicas, which the optimizer applies."""
        sums = original(optimizer, pairs)
        if not self._made.here() or replica().of == 1 or not self._wanted:
            return sums
        try:
            sums = list(sums)
            names = note_variables(self._made, [variable for _, variable in sums])
            for name, (gradient, _) in zip(names, sums, strict=True):
                if isinstance(gradient, tf.Tensor):
                    self.gradients[name] = gradient
                    self.summed.add(name)
        except Exception as error:
            self._notes.append(Note("sums of gradients", failed_text(error)))
        return sums


def failed_text(error: BaseException) -> str:
    """The note for a part of the run that an error of the recorder prevents."""
    reason = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:200]}"
    return f"not recorded: the recorder failed with {reason.rstrip(': ')}. Please report this"
