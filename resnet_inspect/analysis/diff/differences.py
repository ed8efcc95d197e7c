"""The result of a comparison of two runs, as values that can be mirrored (A and B swapped).

Only differences are listed: for two equal runs every list is empty. None means that one side has
no value, or that the value is not finite.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, Self, TypeVar

import msgspec

from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.graph import Phase, Place
from resnet_inspect.graph.tensors import Shape


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A named value that differs between A and B.

    For layers and ops `aspect` is one of: type, path, inputs, control inputs, shape, dtype,
    parameters, ops (types of ops that only one side has), attribute, variable. Otherwise it is
    empty.
    """

    name: str
    a: Any
    b: Any
    aspect: str = ""

    def mirrored(self) -> Self:
        """With A and B swapped."""
        return msgspec.structs.replace(self, a=self.b, b=self.a)


class Unmatched(msgspec.Struct, frozen=True):
    """A layer or op that only one run has. `params` counts its parameters, 0 for an op."""

    name: str
    type: str
    phase: Phase
    shape: Shape
    params: int

    def mirrored(self) -> Self:
        """Unchanged, because it names no side."""
        return self


class Renaming(msgspec.Struct, frozen=True):
    """A layer or op that has another name in B, matched by its place in the graph.

    `numbered`: the names differ only in the number that the framework appended.
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
    """A layer or op that both runs have, with differences; `a` and `b` are its names."""

    a: str
    b: str
    phase: Phase
    differences: tuple[Difference, ...]

    @property
    def rewired(self) -> bool:
        """Whether only its inputs differ, which follows from other changes."""
        return all(row.aspect in ("inputs", "control inputs") for row in self.differences)

    def mirrored(self) -> Self:
        """With A and B swapped."""
        turned = _mirrored(self.differences)
        return msgspec.structs.replace(self, a=self.b, b=self.a, differences=turned)


class GraphDiff(msgspec.Struct, frozen=True):
    """Differences between two graphs: of ops at depth op, else of layers.

    `aligned` counts the layers or ops that both graphs have.
    """

    depth: Depth
    aligned: int
    only_a: tuple[Unmatched, ...]
    only_b: tuple[Unmatched, ...]
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

    Distances are earth mover's distances in units of `scale`. They are None without finite values,
    or if the scale is 0.

    Attributes:
        scale: in the data's unit, the root mean square of both runs' standard deviations at these
            steps; for weights the root mean square of the weights.
        distance: the mean over the steps.
        first, last: at the first and the last step.
        largest, step: the largest distance, and the step at which it occurs.
        ks: the Kolmogorov-Smirnov statistic, 0…1, as mean over the steps.
        movement_a, movement_b: mean distance between neighbouring recorded steps within each run;
            None where no neighbours were compared.
        beyond: whether `distance` is larger than both movements.
        not_finite_a, not_finite_b: how many summarized elements are not finite.
        steps, distances: the steps at which both runs recorded the tensor, and its distances there.
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
    """Tensors whose distributions differ, largest distance first.

    Attributes:
        common: how many steps both runs recorded.
        steps: the steps that were compared, chosen from these.
        compared: how many tensors both runs recorded at `steps`.
        rows: the tensors that differ.
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

    `largest` is the difference b - a of largest magnitude, at `step`. It is None if only one run
    is not finite at some step, and `step` is then the first such step.
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
    """Moving averages of a batch normalization that differ at `step`, the last common step.

    `mean` is the root mean square difference of the moving means over channels. Its unit is the
    root of the mean moving variance of both runs. `variance` is the same for moving variances, in
    units of that mean variance. Both are None without finite values.
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
    """What a comparison reads of a finding. The comparison returns findings unchanged."""

    @property
    def rule(self) -> str:
        """The rule that reported it."""

    @property
    def place(self) -> Place:
        """The layer, tensor, parameter or training that it is about."""


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
    """All differences between two runs named `a` and `b`.

    `facts` contains status, steps, device and so on. `findings` is None if `check` was not run.
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
        """With A and B swapped: equal to the comparison of B with A."""
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
