"""What a comparison of two runs comes to, as values; each can be mirrored (A and B swapped).

Everything listed here differs: of two equal runs every list is empty. None stands for what one
side does not have, and for numbers that are not finite.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, Self, TypeVar

import msgspec

from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.graph import Phase, Place
from resnet_inspect.graph.tensors import Shape


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing by its name, and what it is in A and in B.

    Of layers and ops `aspect` says what it is: type, path, inputs, control inputs, shape, dtype,
    parameters, ops (types of ops that only one has), attribute, variable; else it is empty.
    """

    name: str
    a: Any
    b: Any
    aspect: str = ""

    def mirrored(self) -> Self:
        """With A and B swapped."""
        return msgspec.structs.replace(self, a=self.b, b=self.a)


class Lone(msgspec.Struct, frozen=True):
    """A layer or op that only one run has; `params` elements of its variables, 0 for an op."""

    name: str
    type: str
    phase: Phase
    shape: Shape
    params: int

    def mirrored(self) -> Self:
        """It names no side."""
        return self


class Renaming(msgspec.Struct, frozen=True):
    """A layer or op that has another name in B, found by its place in the graph.

    `numbered`: only the number that the framework put into its name is another.
    """

    a: str
    b: str
    type: str
    phase: Phase
    numbered: bool

    def mirrored(self) -> Self:
        """With A and B swapped."""
        return msgspec.structs.replace(self, a=self.b, b=self.a)


class Change(msgspec.Struct, frozen=True):
    """A layer or op that both runs have and that is not the same; `a` and `b` are its names."""

    a: str
    b: str
    phase: Phase
    differences: tuple[Difference, ...]

    @property
    def rewired(self) -> bool:
        """Whether it only takes other inputs, which follows from other changes."""
        return all(one.aspect in ("inputs", "control inputs") for one in self.differences)

    def mirrored(self) -> Self:
        """With A and B swapped."""
        turned = _mirrored(self.differences)
        return msgspec.structs.replace(self, a=self.b, b=self.a, differences=turned)


class GraphDiff(msgspec.Struct, frozen=True):
    """Layers, or ops at depth op, of two graphs. `aligned` are those that both have."""

    depth: Depth
    aligned: int
    only_a: tuple[Lone, ...]
    only_b: tuple[Lone, ...]
    renamed: tuple[Renaming, ...]
    changed: tuple[Change, ...]
    totals: tuple[Difference, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.only_a or self.only_b or self.renamed or self.changed or self.totals)

    def mirrored(self) -> Self:
        """With A and B swapped."""
        return msgspec.structs.replace(
            self,
            only_a=self.only_b,
            only_b=self.only_a,
            renamed=_mirrored(self.renamed),
            changed=_mirrored(self.changed),
            totals=_mirrored(self.totals),
        )


class Distance(msgspec.Struct, frozen=True):
    """How far apart a tensor's distributions are in the two runs, over the compared steps.

    `distance` is the earth mover's distance in units of `scale`, as mean over the steps;
    `distances` are those of single `steps`, at which both tell of this tensor, and `first`, `last`
    and `largest` (at `step`) some of these; None where there are no finite numbers, or the scale is
    0. The scale, in the data's unit, is the root mean square of the standard deviations of both
    runs at these steps, of weights that of the weights. `ks` is the mean of the largest gaps of the
    distribution functions, 0…1. `movement_a` and `movement_b` are the mean distances between
    neighbouring recorded steps within a run, None where none were compared; `beyond` says that the
    distance is more than both. `not_finite_a` and `not_finite_b` are numbers of summarized
    elements.
    """

    layer_a: str
    layer_b: str
    kind: str
    tensor_a: str
    tensor_b: str
    scale: float | None
    distance: float | None
    first: float | None
    last: float | None
    largest: float | None
    step: int | None
    ks: float | None
    movement_a: float | None
    movement_b: float | None
    beyond: bool | None
    not_finite_a: int
    not_finite_b: int
    steps: tuple[int, ...] = ()
    distances: tuple[float | None, ...] = ()

    def mirrored(self) -> Self:
        """With A and B swapped."""
        return msgspec.structs.replace(
            self,
            layer_a=self.layer_b,
            layer_b=self.layer_a,
            tensor_a=self.tensor_b,
            tensor_b=self.tensor_a,
            movement_a=self.movement_b,
            movement_b=self.movement_a,
            not_finite_a=self.not_finite_b,
            not_finite_b=self.not_finite_a,
        )


class DistributionsDiff(msgspec.Struct, frozen=True):
    """Tensors that held other numbers, most different first.

    `compared` tensors were recorded in both at the `steps`, which are chosen from the `common`
    (a number) that both recorded.
    """

    common: int
    steps: tuple[int, ...]
    compared: int
    rows: tuple[Distance, ...]

    def mirrored(self) -> Self:
        """With A and B swapped."""
        return msgspec.structs.replace(self, rows=_mirrored(self.rows))


class ScalarDiff(msgspec.Struct, frozen=True):
    """A scalar side by side at the steps that both runs have.

    `largest` is the largest difference b - a by its size, at `step`; None where one run alone is
    not finite, at first at `step`.
    """

    name: str
    steps: tuple[int, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    largest: float | None
    step: int | None

    def mirrored(self) -> Self:
        """With A and B swapped."""
        turned = None if self.largest is None else -self.largest
        return msgspec.structs.replace(self, a=self.b, b=self.a, largest=turned)


class ScalarsDiff(msgspec.Struct, frozen=True):
    """Scalars that differ, and the names of those that only one run has."""

    rows: tuple[ScalarDiff, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.rows or self.only_a or self.only_b)

    def mirrored(self) -> Self:
        """With A and B swapped."""
        turned = _mirrored(self.rows)
        return type(self)(rows=turned, only_a=self.only_b, only_b=self.only_a)


class AverageDiff(msgspec.Struct, frozen=True):
    """Moving averages of a batch normalization that are not the same at `step`, the last of both.

    `mean` is the root mean square over channels of the difference of moving means, in units of the
    standard deviation (of the mean variance of both runs); `variance` that of moving variances, in
    units of the mean variance. None where there are no finite numbers.
    """

    layer_a: str
    layer_b: str
    step: int
    mean: float | None
    variance: float | None

    def mirrored(self) -> Self:
        """With A and B swapped."""
        return msgspec.structs.replace(self, layer_a=self.layer_b, layer_b=self.layer_a)


class Finding(Protocol):
    """What a comparison needs to know of a finding; it is handed on as it is."""

    @property
    def rule(self) -> str:
        """The rule that found it."""

    @property
    def place(self) -> Place:
        """What it is about."""


class FindingsDiff(msgspec.Struct, frozen=True):
    """Findings that only one run has."""

    only_a: tuple[Any, ...]
    only_b: tuple[Any, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.only_a or self.only_b)

    def mirrored(self) -> Self:
        """With A and B swapped."""
        return type(self)(only_a=self.only_b, only_b=self.only_a)


class RunDiff(msgspec.Struct, frozen=True):
    """Two runs compared. `a` and `b` name them; `facts` are status, steps, device and the like.

    `findings` is None where the runs were not searched for any.
    """

    a: str
    b: str
    facts: tuple[Difference, ...]
    settings: tuple[Difference, ...]
    graph: GraphDiff
    distributions: DistributionsDiff
    scalars: ScalarsDiff
    findings: FindingsDiff | None = None
    averages: tuple[AverageDiff, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return (
            not (self.facts or self.settings or self.distributions.rows or self.averages)
            and self.graph.empty
            and self.scalars.empty
            and (self.findings is None or self.findings.empty)
        )

    def mirrored(self) -> Self:
        """With A and B swapped: what comparing B with A comes to."""
        return type(self)(
            a=self.b,
            b=self.a,
            facts=_mirrored(self.facts),
            settings=_mirrored(self.settings),
            graph=self.graph.mirrored(),
            distributions=self.distributions.mirrored(),
            scalars=self.scalars.mirrored(),
            findings=None if self.findings is None else self.findings.mirrored(),
            averages=_mirrored(self.averages),
        )


class _Mirrors(Protocol):
    def mirrored(self) -> Self: ...


_T = TypeVar("_T", bound=_Mirrors)


def _mirrored(rows: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(row.mirrored() for row in rows)
