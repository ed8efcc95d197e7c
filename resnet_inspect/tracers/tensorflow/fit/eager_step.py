"""A step that runs op by op: its layers, gradients and weights are looked at as they come.

There is no graph of it. What is told instead has an op for each call of a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.config.inputs import MEANINGS
from resnet_inspect.graph import Graph, Layer, Note, Op, Phase, TensorRef, TensorSpec, Variable
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.stats import Tap
from resnet_inspect.tracers.contract import Outcome
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.capture.keras_layers import note_variables
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe
from resnet_inspect.tracers.tensorflow.fit.batch_parts import BatchPart
from resnet_inspect.tracers.tensorflow.fit.observed_step import Explain, ObservedStep, Parts
from resnet_inspect.tracers.tensorflow.taps.points import Point, is_told, matches
from resnet_inspect.tracers.tensorflow.taps.readings import Readings, read
from resnet_inspect.tracers.tensorflow.taps.taps import Taps

AT_ONCE = (
    "the step runs op by op: layers are told, and not the ops in them, nor where sizes come from; "
    "as a tf.function, with @recorder.instrument above @tf.function, it tells them"
)


class EagerConstruction(Construction):
    """Takes notes of what runs at once: positions count what was noted."""

    def __init__(self) -> None:
        self._count = count(1)
        super().__init__(0, {})
        self.graph = None
        self.in_forward_pass = True

    def position(self) -> int:
        """A number above all before."""
        return next(self._count)

    def here(self) -> bool:
        """Whether ops run as they are called."""
        return bool(tf.executing_eagerly())

    def notes_layers(self) -> bool:
        """Whether calls of layers are noted now."""
        return self.in_forward_pass and self.here()

    def holds(self, tensor: Any) -> bool:
        """Whether something is a tensor with a value."""
        return isinstance(tensor, tf.Tensor) and hasattr(tensor, "numpy")


class EagerStep(ObservedStep):
    """See `ObservedStep`; what its tensors held is read once it has run."""

    def __init__(
        self, settings: Settings, model: Any = None, *, name: str, parts: Parts | None = None
    ) -> None:
        super().__init__(settings, model, name=name, parts=parts, made=EagerConstruction())
        self._found = Readings()
        self.taps: Any = None

    def observe(self, step: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Call `step` while its parts are noted, and summarize what they held."""
        returned = super().observe(step, *args, **named)
        self.summarize()
        return returned

    def notes_layers(self, wanted: bool) -> None:
        """Whether calls of layers are noted from now on."""
        if isinstance(self.made, EagerConstruction):
            self.made.in_forward_pass = wanted

    def name_inputs(self, parts: Iterable[BatchPart]) -> None:
        """What the step was given, where that is known only later."""
        self._batch = list(parts)

    def summarize(self) -> None:
        """Summarize what tensors hold."""
        with self.noting("taps"):
            points = [
                Point(tap, tensor)
                for tap, tensor in self._tensors()
                if matches(tap, self._settings.taps)
            ]
            taps = Taps(points, self._settings.sample, self.seen.losses)
            self._found = read(taps, {name: one.numpy() for name, one in taps.tensors().items()})
            self.taps = self

    def read(self) -> Readings:
        """What tensors held, and the losses."""
        return self._found

    def _tensors(self) -> Iterator[tuple[Tap, Tensor]]:
        calls = self.made.calls
        for call in calls:
            if is_told(call.output.dtype):
                yield Tap(call.name, "activation", f"{call.name}:0"), call.output
        for call in calls:
            gradient = self.seen.output_gradients.get(call.name)
            if gradient is not None:
                yield Tap(call.name, "gradient", f"{call.name}:0"), gradient
        owners = {variable: call.name for call in reversed(calls) for variable in call.variables}
        for name, gradient in self.seen.gradients.items():
            yield Tap(owners.get(name, name), "gradient", name, output=False), gradient

    def outcome(self, replicas: Mapping[str, Construction] = MappingProxyType({})) -> Outcome:
        """An op for each layer that was called."""
        del replicas
        return Outcome(self._layers(), self._seconds)

    def failed(self, error: BaseException) -> Outcome:
        """The layers as far as they were called, and why it went no further."""
        during = f"running the step {self._name}"
        return Outcome(self._layers(), self._seconds, describe(error, during))

    def explanation(self) -> Explain:
        """There is nothing that knows where sizes come from."""
        return lambda _: (Lineage(), (Note("graph", AT_ONCE),))

    def _layers(self) -> Graph:
        with self.noting("variables"):
            self._note_variables()
        known = {id(one): TensorRef(name, 0) for name, one in self._inputs.items()}
        ops = [_op(name, "Placeholder", (), one) for name, one in self._inputs.items()]
        layers = []
        for call in self.made.calls:
            given = tuple(known[id(one)] for one in call.inputs if id(one) in known)
            ops.append(_op(call.name, call.type, given, call.output, Phase.FORWARD))
            known[id(call.output)] = output = TensorRef(call.name, 0)
            layers.append(
                Layer(
                    name=call.name,
                    type=call.type,
                    path=call.path,
                    main=call.name,
                    ops=(call.name,),
                    inputs=given,
                    output=output,
                    variables=tuple(call.variables),
                )
            )
        inputs = {name: TensorRef(name, 0) for name in self._inputs}
        axes = {
            name: MEANINGS[one.shape.rank]
            for name, one in self._inputs.items()
            if one.shape.rank in MEANINGS
        }
        held = self.made.variables.items()
        variables = tuple(
            Variable(
                name=name,
                spec=_spec(one),
                counted=name not in self.made.states,
                trainable=bool(one.trainable) and name not in self.made.frozen,
                handles=(),
                readers=tuple(call.name for call in self.made.calls if name in call.variables),
            )
            for name, one in held
        )
        return Graph(
            ops=tuple(ops), layers=tuple(layers), inputs=inputs, axes=axes, variables=variables
        )

    def _note_variables(self) -> None:
        """Those of models and those that are trained: of others nothing says who reads them."""
        for model in self._models:
            note_variables(self.made, model.variables)
        note_variables(self.made, self.seen.trained)


def _op(
    name: str, kind: str, given: tuple[TensorRef, ...], output: Any, phase: Phase = Phase.OTHER
) -> Op:
    return Op(
        name=name,
        type=kind,
        phase=phase,
        device="",
        inputs=given,
        control_inputs=(),
        outputs=(_spec(output),),
        attrs={},
        source=(),
    )


def _spec(held: Any) -> TensorSpec:
    return TensorSpec(tuple(held.shape.as_list()), held.dtype.base_dtype.name)
