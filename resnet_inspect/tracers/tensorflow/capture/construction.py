"""What is known while a network is being built: its variables, its layer calls, its phases.

TensorFlow's graph says which ops exist, not which layer call or which part of the training step
made them. A `Construction` notes that at the time, by the number of ops before and after.
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

Tensor = Any
Initializer = Callable[[Sequence[int], tuple[int, int]], Tensor]

# Standard deviation of a unit normal distribution cut at two standard deviations.
TRUNCATED_STD = 0.87962566103423978


@dataclass
class LayerCall:
    """One call of a layer: the ops numbered `start` up to `end` were made by it.

    `type` is the type of the op that computes, or a class name such as Dense; `positions` are the
    numbers of its ops where they do not follow one another.
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

    def holds(self, position: int) -> bool:
        """Whether it made the op of that number."""
        if self.positions is not None:
            return position in self.positions
        return self.start <= position < self.end


class Construction:
    """Takes notes while a function is traced into `graph`; make it inside the traced function.

    `variables` outlives the trace and may be shared between several constructions, so that a
    second trace finds the variables of the first. `made_at` tells the lines that made them, where
    it was not the layer calls noted here.
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
        self.frozen: set[str] = set()  # variables that are not trained, whatever TensorFlow holds
        self.states: set[str] = set()  # variables that are no parameters
        self.calls: list[LayerCall] = []
        self.outputs: list[Tensor] = []  # what the model hands out, at its first call
        self.open_calls: list[LayerCall] = []
        self.update_ops: list[Any] = []
        self._seed = seed
        self._starts = [0]
        self._phases = [Phase.OTHER]

    def position(self) -> int:
        """The number of ops made so far."""
        return int(self.graph.version)

    def here(self) -> bool:
        """Whether ops that are made now are made in this graph."""
        return tf.compat.v1.get_default_graph() is self.graph

    def notes_layers(self) -> bool:
        """Whether calls of layers are noted now."""
        return self.here()

    def holds(self, tensor: Any) -> bool:
        """Whether something is a tensor of this graph."""
        return isinstance(tensor, tf.Tensor) and getattr(tensor, "graph", None) is self.graph

    def phase_at(self, position: int) -> Phase:
        """The phase that the op of that number was made in."""
        return self._phases[bisect_right(self._starts, position) - 1]

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Ops made in the body belong to `phase`; the innermost one counts."""
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
        """Ops made in the body belong to the layer `name`; set the call's output in the body."""
        call = LayerCall(name, kind, path, self.position(), inputs)
        self.open_calls.append(call)
        yield call
        self.open_calls.pop()
        call.end = self.position()
        self.calls.append(call)

    def variable(
        self, name: str, initial: Callable[[], Tensor], *, trainable: bool = True
    ) -> tf.Variable:
        """The variable `name`, made outside the graph on its first use, noted for the layer."""
        if name not in self.variables:
            with tf.init_scope():
                self.variables[name] = tf.Variable(initial(), trainable=trainable, name=name)
        for call in self.open_calls:
            call.variables.append(name)
        return self.variables[name]

    def attempt(self, make: Callable[[], Tensor], name: str, otherwise: Tensor) -> Tensor:
        """The tensor that `make` makes; a re-trace takes `otherwise` where that is refused."""
        del name, otherwise
        return make()

    def seed_of(self, name: str) -> tuple[int, int]:
        """A seed for `name`: the same whatever else is built, and in whatever order."""
        return self._seed, zlib.crc32(name.encode())


class AbstractConstruction(Construction):
    """For re-traces that only ask for shapes: variables without values, and no end at an error.

    `shapes` are those of the variables, `conflicts` the layers that refused their inputs.
    """

    def __init__(self) -> None:
        super().__init__(0, {})
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.conflicts: list[str] = []

    def variable(
        self, name: str, initial: Callable[[], Tensor], *, trainable: bool = True
    ) -> Tensor:
        """A placeholder of the shape that the variable would have."""
        del trainable
        with tf.Graph().as_default():
            value = initial()
        self.shapes[name] = tuple(value.shape.as_list())
        return tf.compat.v1.placeholder(value.dtype, value.shape, name="variable")

    def attempt(self, make: Callable[[], Tensor], name: str, otherwise: Tensor) -> Tensor:
        """The tensor that `make` makes, or `otherwise`, with the conflict noted."""
        try:
            return make()
        except ValueError:
            self.conflicts.append(name)
            return otherwise


def handles(variable: tf.Variable) -> list[Any]:
    """The handles of a variable: one, or one for each replica (`tf.distribute`)."""
    return [one.handle for one in getattr(variable, "values", None) or [variable]]


def glorot_uniform(shape: Sequence[int], seed: tuple[int, int]) -> Tensor:
    """Uniform within ±√(6 / (fan in + fan out)): Glorot & Bengio 2010. float32 of `shape`."""
    field_size = math.prod(shape[:-2])
    limit = math.sqrt(6.0 / (field_size * (shape[-2] + shape[-1])))
    return tf.random.stateless_uniform(shape, seed, minval=-limit, maxval=limit)


def he_normal(shape: Sequence[int], seed: tuple[int, int]) -> Tensor:
    """Truncated normal of variance 2 / fan in: He et al. 2015, arXiv 1502.01852. float32."""
    deviation = math.sqrt(2.0 / math.prod(shape[:-1])) / TRUNCATED_STD
    return tf.random.stateless_truncated_normal(shape, seed, stddev=deviation)
