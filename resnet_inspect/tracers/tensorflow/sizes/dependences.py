"""Types that describe how the output sizes of an op depend on its input sizes."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_inspect.graph.lineage import Relation
from resnet_inspect.graph.tensors import Shape

# A size that can be changed: number of the leaf, number of its axis or element.
Spot = tuple[int, int]
# A literal, the size it must equal, and the axes that change with that size alone: axis, before,
# after.
CoupledSpots = tuple[Spot, Spot, tuple[tuple[int, int, int], ...]]
# An axis of an output: number of the output, number of the axis.
Place = tuple[int, int]


@dataclass(frozen=True)
class Dependence:
    """The output axis at `place` depends on the size at `spot`, which changes with all `tied`."""

    place: Place
    spot: Spot
    relation: Relation
    tied: tuple[Spot, ...]


@dataclass(frozen=True)
class OpDependences:
    """The dependences of one op's output sizes, and the input sizes that must agree.

    `shapes` are those of the outputs, for the assumed sizes of the inputs. `complete` is False if
    the op rejects some sizes in every tried change, so that dependences may be missing.
    """

    dependences: tuple[Dependence, ...]
    ties: tuple[tuple[Spot, ...], ...]
    couplings: tuple[CoupledSpots, ...]
    shapes: tuple[Shape, ...]
    complete: bool = True
