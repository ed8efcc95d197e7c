"""Finds the size of the data that a constant or variable was created to fit."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.graph import Graph, Phase
from resnet_inspect.graph.lineage import FromAxis, Lineage, Origin, Relation
from resnet_inspect.graph.tensors import AxisRef, TensorRef

MOST_AXES = 200  # equal axes that are searched


def owners(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield the states of an optimizer with their variables, which have the same shape.

    Examples are `dense/kernel/m` and `adam/dense_kernel_momentum` for `dense/kernel`.
    """
    paths = {variable.name.replace("/", "_"): variable.name for variable in graph.variables}
    for variable in graph.variables:
        rest = variable.name.partition("/")[2]
        ends = (place for place, letter in enumerate(rest) if letter == "_")
        names = (variable.name.rpartition("/")[0], *(paths.get(rest[:end]) for end in ends))
        for name in names:
            owner = graph.variable_by_name.get(name or "")
            if owner is not None and owner.spec.shape == variable.spec.shape:
                yield variable.name, owner.name
                break


class Fits:
    """The axes of the forward pass that follow each size unchanged, by that size."""

    def __init__(self, graph: Graph, lineage: Lineage) -> None:
        self._graph, self._lineage = graph, lineage
        self._followers: dict[Origin, list[FromAxis]] = {}
        for op in graph.ops:
            for index, spec in enumerate(op.outputs if op.phase is Phase.FORWARD else ()):
                for axis in range(len(spec.shape or ())):
                    own = AxisRef(TensorRef(op.name, index), axis)
                    for link in lineage.of(own):
                        if link.relation is Relation.SAME:
                            self._followers.setdefault(link.origin, []).append(FromAxis(own))

    def partners(self, here: Origin) -> Iterator[FromAxis]:
        """Yield axes that must equal the size at `here`, but do not follow from it.

        The nearest come first.
        """
        equal, reached = [here], {here}
        for place in equal:  # which grows
            if isinstance(place, FromAxis):
                yield from self._tied(place, reached)
            more = [
                follower for follower in self._followers.get(place, ()) if follower not in reached
            ]
            if len(equal) < MOST_AXES:
                equal += more
                reached.update(more)

    def _tied(self, place: FromAxis, reached: set[Origin]) -> Iterator[FromAxis]:
        for user in self._graph.consumers.get(place.ref.tensor, ()):
            if self._graph.op_by_name[user].phase is not Phase.FORWARD:
                continue
            for tie in self._lineage.ties.get(user, ()):
                for other in tie if place in tie else ():
                    if isinstance(other, FromAxis) and other not in reached:
                        yield other
