"""What is marked in a diagram: the way of a size, and the call that was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import msgspec

from resnet_inspect.analysis.diagram.diagram import Box, Way
from resnet_inspect.analysis.diagram.units import Passage, Unit
from resnet_inspect.analysis.sizes.why import ChainStep, Explanation
from resnet_inspect.graph import Failure, Graph, TensorRef
from resnet_inspect.graph.lineage import Formula, Mismatch

CHAIN, INFLOW = "chain", "inflow"


class Marks(msgspec.Struct):
    """Marks by unit, and by (unit, unit): the kind of way and the axes that are followed."""

    units: dict[str, str] = {}
    passages: dict[tuple[str, str], tuple[str, dict[str, int]]] = {}
    remarks: dict[str, list[str]] = {}

    @classmethod
    def of(cls, found: Sequence[Explanation], place: Callable[[ChainStep], str | None]) -> Marks:
        """The marks of explanations; `place` says in which unit a step lies."""
        marks = cls()
        for one in found:
            marks._follow(one.chain, CHAIN, place)
            marks._follow(one.inflow, INFLOW, place)
            target = f"followed: axis {one.axis} = {_size(one.size)}"
            marks._remark(place(one.chain[0]), target)
            marks._born(one.chain, one.formula, place)
            if one.inflow:
                marks._born(one.inflow, one.inflow_formula, place)
        return marks

    def _follow(
        self, steps: Sequence[ChainStep], kind: str, place: Callable[[ChainStep], str | None]
    ) -> None:
        for step in steps:
            where = place(step)
            if where is not None:
                self.units.setdefault(where, kind)
        for near, far in pairwise(steps):
            head, tail = place(near), place(far)
            if head is not None and tail is not None and head != tail:
                tensor, _, axis = far.place.rpartition(" axis ")
                _, axes = self.passages.setdefault((tail, head), (kind, {}))
                if axis.isdecimal():
                    axes[tensor] = int(axis)

    def _born(
        self,
        steps: Sequence[ChainStep],
        formula: Formula | None,
        place: Callable[[ChainStep], str | None],
    ) -> None:
        birth = steps[-1]
        text = f"{_size(birth.size)} is born here"
        if formula is not None:
            file = formula.source.file.replace("\\", "/").rpartition("/")[2]
            text += f": {formula.text}, {file}:{formula.source.line}"
        self._remark(place(birth), text)

    def _remark(self, where: str | None, text: str) -> None:
        if where is not None and text not in self.remarks.setdefault(where, []):
            self.remarks[where].append(text)


def refusal(
    graph: Graph, mismatch: Mismatch | None, failure: Failure | None, owner: dict[str, str]
) -> tuple[Unit | None, list[Passage], list[str]]:
    """The refused call as a unit with what flows into it, and remarks; None where none is known,
    or where it is an op of the graph.
    """
    if failure is None and mismatch is None:
        return None, [], []
    remarks = list(_disagreement(mismatch))
    op = failure.op if failure is not None else ""
    if op in graph.op_by_name:
        return None, [], remarks or ["failed here"]
    name = op or (mismatch.function if mismatch is not None else "")
    if not name:
        return None, [], []
    kind = mismatch.function if mismatch is not None else ""
    key = f"refused:{name}"
    tensors = mismatch.tensors if mismatch is not None else ()
    passages = [one for text in tensors for one in _flows(graph, text, key, owner)]
    path = next(
        (
            graph.layer_of_op[p.ref.op].path
            for p in reversed(passages)
            if p.ref is not None and p.ref.op in graph.layer_of_op
        ),
        (),
    )
    inside = path if op and path and op.startswith(path[0] + "/") else ()
    return Unit(key, Box.REFUSED, name, kind, inside, ()), passages, remarks


def _flows(graph: Graph, name: str, key: str, owner: dict[str, str]) -> Iterator[Passage]:
    op, _, index = name.rpartition(":")
    if op in owner:
        yield Passage(owner[op], key, Way.DATA, TensorRef(op, int(index)))
    elif name in graph.variable_by_name:
        yield Passage(f"variable:{name}", key, Way.VARIABLE, variable=name)
    elif op in graph.op_by_name:
        handles = {h: one.name for one in graph.variables for h in (*one.handles, *one.readers)}
        if op in handles:
            variable = handles[op]
            yield Passage(f"variable:{variable}", key, Way.VARIABLE, variable=variable)


def _disagreement(mismatch: Mismatch | None) -> Iterator[str]:
    if mismatch is not None:
        yield "refused"
        for one in mismatch.remedies[:1]:
            yield f"{one.before} and {one.after} disagree"


def _size(size: int | None) -> str:
    return "?" if size is None else str(size)
