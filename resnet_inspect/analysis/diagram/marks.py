"""Marks in a diagram: the path of a size, and a rejected call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import prod

import msgspec

from resnet_inspect.analysis.diagram.diagram import Box, EdgeKind
from resnet_inspect.analysis.diagram.units import Unit, UnitLink
from resnet_inspect.analysis.sizes.disagreement import reshaped_row
from resnet_inspect.analysis.sizes.paths import ChainStep
from resnet_inspect.analysis.sizes.why import Explanation
from resnet_inspect.graph import Failure, Graph, TensorRef
from resnet_inspect.graph.lineage import Formula, Mismatch

CHAIN, INFLOW = "chain", "inflow"


class Marks(msgspec.Struct):
    """Marks of units and links.

    Attributes:
        units: `chain` or `inflow` by unit.
        links: by pair of units, `chain` or `inflow` and the traced axis of each tensor.
        remarks: texts by unit.
    """

    units: dict[str, str] = {}
    links: dict[tuple[str, str], tuple[str, dict[str, int]]] = {}
    remarks: dict[str, list[str]] = {}

    @classmethod
    def of(
        cls,
        explanations: Sequence[Explanation],
        place: Callable[[ChainStep], str | None],
        shown: Callable[[str], str],
    ) -> Marks:
        """Return the marks of explanations.

        Args:
            explanations: the traced sizes.
            place: returns the unit of a step.
            shown: returns the tensor of the first of equal blocks that represents a tensor.
        """
        marks = cls()
        for size in explanations:
            marks._mark_path(size.chain, CHAIN, place, shown)
            marks._mark_path(size.inflow, INFLOW, place, shown)
            target = f"traced: axis {size.axis} = {_size(size.size)}"
            marks._remark(place(size.chain[0]), target)
            marks._mark_origin(size.chain, size.formula, place)
            if size.inflow:
                marks._mark_origin(size.inflow, size.inflow_formula, place)
        return marks

    def _mark_path(
        self,
        steps: Sequence[ChainStep],
        kind: str,
        place: Callable[[ChainStep], str | None],
        shown: Callable[[str], str],
    ) -> None:
        for step in steps:
            where = place(step)
            if where is not None:
                self.units.setdefault(where, kind)
        for near, far in pairwise(steps):
            head, tail = place(near), place(far)
            if head is not None and tail is not None and head != tail:
                tensor, _, axis = far.place.rpartition(" axis ")
                _, axes = self.links.setdefault((tail, head), (kind, {}))
                if axis.isdecimal():
                    axes |= dict.fromkeys((tensor, shown(tensor)), int(axis))

    def _mark_origin(
        self,
        steps: Sequence[ChainStep],
        formula: Formula | None,
        place: Callable[[ChainStep], str | None],
    ) -> None:
        origin = steps[-1]
        text = f"origin of {_size(origin.size)}"
        if formula is not None:
            file = formula.source.file.replace("\\", "/").rpartition("/")[2]
            text += f": {formula.text}, {file}:{formula.source.line}"
        self._remark(place(origin), text)

    def _remark(self, where: str | None, text: str) -> None:
        if where is not None and text not in self.remarks.setdefault(where, []):
            self.remarks[where].append(text)


def rejected_call(
    graph: Graph, mismatch: Mismatch | None, failure: Failure | None, owner: dict[str, str]
) -> tuple[Unit | None, list[UnitLink], list[str]]:
    """Return a rejected call as a unit, the links into it, and remarks.

    The unit is None if no call was rejected, or if the call is an op of the graph.
    """
    if failure is None and mismatch is None:
        return None, [], []
    remarks = list(_disagreement(graph, mismatch))
    op = failure.op if failure is not None else ""
    if op in graph.op_by_name:
        return None, [], remarks or ["failed here"]
    name = op or (mismatch.function if mismatch is not None else "")
    if not name:
        return None, [], []
    kind = mismatch.function if mismatch is not None else ""
    key = f"refused:{name}"
    tensors = mismatch.tensors if mismatch is not None else ()
    links = [link for text in tensors for link in _links_from(graph, text, key, owner)]
    path = next(
        (
            graph.layer_of_op[link.ref.op].path
            for link in reversed(links)
            if link.ref is not None and link.ref.op in graph.layer_of_op
        ),
        (),
    )
    inside = path if op and path and op.startswith(path[0] + "/") else ()
    return Unit(key, Box.REJECTED, name, kind, inside, ()), links, remarks


def _links_from(graph: Graph, name: str, key: str, owner: dict[str, str]) -> Iterator[UnitLink]:
    op, _, index = name.rpartition(":")
    if op in owner:
        yield UnitLink(owner[op], key, EdgeKind.DATA, TensorRef(op, int(index)))
    elif name in graph.variable_by_name:
        yield UnitLink(f"variable:{name}", key, EdgeKind.VARIABLE, variable=name)
    elif op in graph.op_by_name:
        variables = {
            op: variable.name
            for variable in graph.variables
            for op in (*variable.handles, *variable.readers)
        }
        if op in variables:
            name = variables[op]
            yield UnitLink(f"variable:{name}", key, EdgeKind.VARIABLE, variable=name)


def _disagreement(graph: Graph, mismatch: Mismatch | None) -> Iterator[str]:
    if mismatch is not None:
        yield "rejected"
        for remedy in mismatch.remedies[:1]:
            row = reshaped_row(graph, mismatch)
            yield f"{prod(row) if row else remedy.before} and {remedy.after} disagree"


def _size(size: int | None) -> str:
    return "?" if size is None else str(size)
