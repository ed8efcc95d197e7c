"""Records variables, layer calls and phases while a network is built.

A TensorFlow graph lists its ops, but not the layer call or the part of the training step that
created them. A `Construction` records this during the trace, by the op count before and after.
"""

from __future__ import annotations

import math
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from resnet_inspect.graph import Phase, Source
from resnet_inspect.tracers.layer_creations import Creations

Tensor = Any
Initializer = Callable[[Sequence[int], tuple[int, int]], Tensor]

# Standard deviation of a standard normal distribution that is truncated at ±2.
TRUNCATED_STD = 0.87962566103423978


@dataclass
class LayerCall:
    """One call of a layer, which created the ops numbered `start` to `end - 1`.

    `type` is the type of the main op, or a class name such as Dense. `positions` are the numbers
    of the layer's ops if they are not consecutive, else None. `built_in`: Keras defines its class.
    """

    name: str
    type: str
    path: tuple[str, ...]
    start: int
    inputs: tuple[Tensor, ...]
    end: int = 0
    output: Tensor = None
    variables: list[str] = field(default_factory=list)
    settings: dict[str, bool | int | float | str] = field(default_factory=dict)
    positions: frozenset[int] | None = None
    built_in: bool = False

    def holds(self, position: int) -> bool:
        """Return whether the call created the op of that number."""
        if self.positions is not None:
            return position in self.positions
        return self.start <= position < self.end


@dataclass
class GroupCall:
    """One call of a model or a user's layer that calls other layers; see `graph.Group`."""

    path: tuple[str, ...]
    last: str
    output: Tensor
    type: str
    start: int
    end: int
    inputs: tuple[Tensor, ...]

    @property
    def name(self) -> str:
        """Return the path in one text; see `graph.Group.name`."""
        return "/".join(self.path)


class Construction:
    """Records what a function builds in `graph`. Create it inside the traced function.

    `variables` outlives the trace. Constructions may share it, so that a second trace reuses the
    variables of the first. `made_at` maps a variable to the source lines that created it, unless
    a recorded layer call did.
    """

    def __init__(
        self,
        seed: int,
        variables: dict[str, tf.Variable],
        made_at: Mapping[str, tuple[Source, ...]] = MappingProxyType({}),
    ) -> None:
        self.graph = tf.compat.v1.get_default_graph()
        self.variables = variables
        self.made_at = made_at
        self.creations = Creations()
        self.frozen: set[str] = set()  # not trained, even if TensorFlow marks them trainable
        self.states: set[str] = set()  # variables that are not parameters
        self.calls: list[LayerCall] = []
        self.groups: list[GroupCall] = []
        self.outputs: list[Tensor] = []  # outputs of the model's first call
        self.open_calls: list[LayerCall] = []
        self.update_ops: list[Any] = []
        self._seed = seed
        self._starts = [0]
        self._phases = [Phase.OTHER]

    def position(self) -> int:
        """Return the number of ops created so far."""
        return int(self.graph.version)

    def here(self) -> bool:
        """Return whether TensorFlow currently adds ops to this graph."""
        return tf.compat.v1.get_default_graph() is self.graph

    def notes_layers(self) -> bool:
        """Return whether layer calls are currently recorded."""
        return self.here()

    def holds(self, tensor: Any) -> bool:
        """Return whether `tensor` is a tensor of this graph."""
        return isinstance(tensor, tf.Tensor) and getattr(tensor, "graph", None) is self.graph

    def phase_at(self, position: int) -> Phase:
        """Return the phase in which the op of that number was created."""
        return self._phases[bisect_right(self._starts, position) - 1]

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Assign ops created in the body to `phase`. The innermost phase applies."""
        before = self._phases[-1]
        self._change(phase)
        try:
            yield
        finally:
            self._change(before)

    def _change(self, phase: Phase) -> None:
        self._starts.append(self.position())
        self._phases.append(phase)

    @contextmanager
    def layer(
        self, name: str, kind: str, path: tuple[str, ...], *inputs: Tensor
    ) -> Iterator[LayerCall]:
        """Assign ops created in the body to the layer `name`. The body sets the call's output."""
        call = LayerCall(name, kind, path, self.position(), inputs)
        self.open_calls.append(call)
        yield call
        self.open_calls.pop()
        call.end = self.position()
        self.calls.append(call)

    def variable(
        self, name: str, initial: Callable[[], Tensor], *, trainable: bool = True
    ) -> tf.Variable:
        """Return the variable `name` and record that the open layer calls use it.

        Its first use creates it, outside the graph.
        """
        if name not in self.variables:
            with tf.init_scope():
                self.variables[name] = tf.Variable(initial(), trainable=trainable, name=name)
        for call in self.open_calls:
            call.variables.append(name)
        return self.variables[name]

    def attempt(self, make: Callable[[], Tensor], name: str, otherwise: Tensor) -> Tensor:
        """Return the result of `make`. In a re-trace, return `otherwise` if `make` fails."""
        del name, otherwise
        return make()

    def seed_of(self, name: str) -> tuple[int, int]:
        """Return a seed for `name` that does not depend on what else is built, or in what order."""
        return self._seed, zlib.crc32(name.encode())


class AbstractConstruction(Construction):
    """A construction for re-traces that compute shapes only.

    Variables have no values, and a failing layer does not end the trace. `shapes` are the shapes
    of the variables, `conflicts` the layers that rejected their inputs.
    """

    def __init__(self) -> None:
        super().__init__(0, {})
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.conflicts: list[str] = []

    def variable(
        self, name: str, initial: Callable[[], Tensor], *, trainable: bool = True
    ) -> Tensor:
        """Return a placeholder of the shape that the variable would have."""
        del trainable
        with tf.Graph().as_default():
            value = initial()
        self.shapes[name] = tuple(value.shape.as_list())
        return tf.compat.v1.placeholder(value.dtype, value.shape, name="variable")

    def attempt(self, make: Callable[[], Tensor], name: str, otherwise: Tensor) -> Tensor:
        """Return the result of `make`, or record a conflict and return `otherwise`."""
        try:
            return make()
        except ValueError:
            self.conflicts.append(name)
            return otherwise


def handles(variable: tf.Variable) -> list[Any]:
    """Return the handles of a variable, one for each replica (`tf.distribute`)."""
    return [part.handle for part in getattr(variable, "values", None) or [variable]]


def glorot_uniform(shape: Sequence[int], seed: tuple[int, int]) -> Tensor:
    """Draw float32 values, uniform within ±√(6 / (fan in + fan out)): Glorot & Bengio 2010."""
    field_size = math.prod(shape[:-2])
    limit = math.sqrt(6.0 / (field_size * (shape[-2] + shape[-1])))
    return tf.random.stateless_uniform(shape, seed, minval=-limit, maxval=limit)


def he_normal(shape: Sequence[int], seed: tuple[int, int]) -> Tensor:
    """Draw float32 values, truncated normal of variance 2 / fan in: He et al., arXiv 1502.01852."""
    deviation = math.sqrt(2.0 / math.prod(shape[:-1])) / TRUNCATED_STD
    return tf.random.stateless_truncated_normal(shape, seed, stddev=deviation)
