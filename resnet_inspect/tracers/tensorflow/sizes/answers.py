"""What is found of one op: which sizes of its outputs follow which sizes that it takes."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_inspect.graph.lineage import Relation

# A size that can be changed: number of the leaf, number of its axis or element.
Spot = tuple[int, int]
# A literal, its partner, and the axes that change if only the partner does: axis, before, after.
CoupledSpots = tuple[Spot, Spot, tuple[tuple[int, int, int], ...]]
# An axis of an output: number of the output, number of the axis.
Place = tuple[int, int]


@dataclass(frozen=True)
class Dependence:
    """The output axis at `place` follows the size at `spot`, which changes with all of `tied`."""

    place: Place
    spot: Spot
    relation: Relation
    tied: tuple[Spot, ...]


@dataclass(frozen=True)
class Answer:
    """What one op's outputs depend on, and which sizes it wants to agree."""

    dependences: tuple[Dependence, ...]
    ties: tuple[tuple[Spot, ...], ...]
    couplings: tuple[CoupledSpots, ...]
