"""Records a step that runs op by op: its layers, gradients and weights.

Such a step has no TensorFlow graph. The recorded graph has one op for each call of a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import usual_axes
from resnet_inspect.graph import Graph, Layer, Note, Op, Phase, TensorRef, TensorSpec, Variable
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import Tap
from resnet_inspect.tracers.contract import Outcome
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.capture.keras_layers import note_variables
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe
from resnet_inspect.tracers.tensorflow.fit.batch_parts import BatchPart
from resnet_inspect.tracers.tensorflow.fit.observed_step import Explain, ObservedStep, Parts
from resnet_inspect.tracers.tensorflow.taps.points import Point, is_summarizable, matches
from resnet_inspect.tracers.tensorflow.taps.readings import Readings, read
from resnet_inspect.tracers.tensorflow.taps.taps import Taps

AT_ONCE = (
    "the step runs op by op: layers are recorded, but not their ops or the origins of sizes. To "
    "record these, make the step a tf.function, with @recorder.instrument above @tf.function"
)


class EagerConstruction(Construction):
    """Notes the layer calls of eager code; a position is the number of a note."""

    def __init__(self) -> None:
        self._count = count(1)
        super().__init__(0, {})
        self.graph = None
        self.in_forward_pass = True

    def position(self) -> int:
        """The next number."""
        return next(self._count)

    def here(self) -> bool:
        """Whether TensorFlow executes eagerly here."""
        return bool(tf.executing_eagerly())

    def notes_layers(self) -> bool:
        """Whether calls of layers are noted now."""
        return self.in_forward_pass and self.here()

    def holds(self, tensor: Any) -> bool:
        """Whether `tensor` is a tensor with a value."""
        return isinstance(tensor, tf.Tensor) and hasattr(tensor, "numpy")


class EagerStep(ObservedStep):
    """See `ObservedStep`; the values of its tensors are read after the step has run."""

    def __init__(
        self, settings: Settings, model: Any = None, *, name: str, parts: Parts | None = None
    ) -> None:
        super().__init__(settings, model, name=name, parts=parts, made=EagerConstruction())
        self._readings = Readings()
        self.taps: Any = None
        self.notes.append(Note("graph", AT_ONCE))

    def observe(self, step: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Call `step` while its layers and gradients are noted, and summarize their values."""
        returned = super().observe(step, *args, **named)
        self.summarize()
        return returned

    def note_layers(self, wanted: bool) -> None:
        """Start or stop noting calls of layers."""
        if isinstance(self.made, EagerConstruction):
            self.made.in_forward_pass = wanted

    def name_inputs(self, parts: Iterable[BatchPart]) -> None:
        """Set the inputs of the step, for a loop whose inputs are known only after its layers."""
        self._batch = list(parts)

    def summarize(self) -> None:
        """Summarize the values of the tensors."""
        with self.noting("taps"):
            points = [
                Point(tap, tensor)
                for tap, tensor in self._tensors()
                if matches(tap, self._settings.taps)
            ]
            taps = Taps(points, self._settings.sample, self.hooks.losses)
            values = {name: tensor.numpy() for name, tensor in taps.tensors().items()}
            self._readings = read(taps, values)
            self.taps = self

    def read(self) -> Readings:
        """The summaries of the tensors, and the losses."""
        return self._readings

    def _tensors(self) -> Iterator[tuple[Tap, Tensor]]:
        calls = self.made.calls
        for call in calls:
            if is_summarizable(call.output.dtype):
                yield Tap(call.name, "activation", f"{call.name}:0"), call.output
        for call in calls:
            gradient = self.hooks.output_gradients.get(call.name)
            if gradient is not None:
                yield Tap(call.name, "gradient", f"{call.name}:0"), gradient
        owners = {variable: call.name for call in reversed(calls) for variable in call.variables}
        for name, gradient in self.hooks.gradients.items():
            yield Tap(owners.get(name, name), "gradient", name, output=False), gradient

    def outcome(self, replicas: Mapping[str, Construction] = MappingProxyType({})) -> Outcome:
        """The graph with one op for each layer call."""
        del replicas
        return Outcome(self._layers(), self._seconds)

    def failed(self, error: BaseException) -> Outcome:
        """The layers that were called before the failure, and the failure."""
        during = f"running the step {self._name}"
        return Outcome(self._layers(), self._seconds, describe(error, during))

    def explanation(self) -> Explain:
        """An empty lineage: without a TensorFlow graph the origins of sizes are not known."""
        return lambda _: Lineage()

    def _layers(self) -> Graph:
        with self.noting("variables"):
            self._note_variables()
        refs = {id(tensor): TensorRef(name, 0) for name, tensor in self._inputs.items()}
        ops = [_op(name, "Placeholder", (), tensor) for name, tensor in self._inputs.items()]
        layers = []
        for call in self.made.calls:
            inputs = tuple(refs[id(tensor)] for tensor in call.inputs if id(tensor) in refs)
            ops.append(_op(call.name, call.type, inputs, call.output, Phase.FORWARD))
            refs[id(call.output)] = output = TensorRef(call.name, 0)
            layers.append(
                Layer(
                    name=call.name,
                    type=call.type,
                    path=call.path,
                    main=call.name,
                    ops=(call.name,),
                    inputs=inputs,
                    output=output,
                    variables=tuple(call.variables),
                )
            )
        axes = {
            name: meanings
            for name, tensor in self._inputs.items()
            if (meanings := usual_axes(tensor.shape.rank, tensor.dtype.name))
        }
        variables = tuple(
            Variable(
                name=name,
                spec=_spec(variable),
                counted=name not in self.made.states,
                trainable=bool(variable.trainable) and name not in self.made.frozen,
                handles=(),
                readers=tuple(call.name for call in self.made.calls if name in call.variables),
            )
            for name, variable in self.made.variables.items()
        )
        return Graph(
            ops=tuple(ops),
            layers=tuple(layers),
            inputs={name: TensorRef(name, 0) for name in self._inputs},
            axes=axes,
            variables=variables,
        )

    def _note_variables(self) -> None:
        """Note the variables of models and the trained ones; for others no reader is known."""
        for model in self._models:
            note_variables(self.made, model.variables)
        note_variables(self.made, self.hooks.trained)


def _op(
    name: str, kind: str, inputs: tuple[TensorRef, ...], output: Any, phase: Phase = Phase.OTHER
) -> Op:
    return Op(
        name=name,
        type=kind,
        phase=phase,
        device="",
        inputs=inputs,
        control_inputs=(),
        outputs=(_spec(output),),
        attrs={},
        source=(),
    )


def _spec(tensor: Any) -> TensorSpec:
    return TensorSpec(tuple(tensor.shape.as_list()), tensor.dtype.base_dtype.name)
