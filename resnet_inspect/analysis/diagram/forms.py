"""Compares the computations of blocks: types, sizes and connections, not names."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from resnet_inspect.analysis.diagram.items import Item
from resnet_inspect.analysis.sizes.geometry import window
from resnet_inspect.graph import Graph, Op, TensorRef

# Attributes that differ between ops with the same computation.
NAMES = ("shared_name", "container", "_class", "_output_shapes", "seed", "seed2")
Block = tuple[Item, ...]


class Wiring(NamedTuple):
    """The connections of a block.

    `inside` has a row for each item: each input is a place in the block or the number of an
    entering tensor. `entering` are the tensors from outside, in the order in which they are read.
    """

    inside: tuple[Hashable, ...]
    entering: tuple[TensorRef, ...]


class Forms:
    """The computations of a graph's items. Equal computations have equal numbers."""

    def __init__(self, graph: Graph, items: Sequence[Item]) -> None:
        self._graph = graph
        self._numbers: dict[Any, int] = {}
        self._place = {name: (item.key, at) for item in items for at, name in enumerate(item.ops)}
        self._functions: dict[str, Any] = {}
        self._items = {item.key: self._number(self._form(item)) for item in items}
        self._users = self._readers(items)

    def of(self, block: Block) -> int:
        """Return the number of a block's computation."""
        forms = tuple(self._items[item.key] for item in block)
        return forms[0] if len(block) == 1 else self._number((forms, self.wiring(block).inside))

    def wiring(self, block: Block) -> Wiring:
        """Return the connections of a block."""
        places = {item.key: at for at, item in enumerate(block)}
        entering: dict[TensorRef, int] = {}
        rows = []
        for item in block:
            row: list[Hashable] = []
            for ref in item.inputs:
                key, op = self._place.get(ref.op, ("", 0))
                if key in places:
                    row.append((places[key], op, ref.index))
                else:
                    row.append(entering.setdefault(ref, len(entering)))
            rows.append(tuple(row))
        return Wiring(tuple(rows), tuple(entering))

    def repeated(self, run: Sequence[Block], block: Block) -> bool:
        """Whether `block`, whose computation is that of the blocks of a run, continues the run.

        Each of its inputs comes from the block before, from the same place each time, or is the
        same tensor for all blocks. Only the next block reads the outputs of a block.
        """
        before = run[-1]
        shared = {name for item in before for name in item.variables}
        if any(not shared.isdisjoint(item.variables) for item in block):
            return False
        sources = self._sources(before, block)
        if sources is None or (len(run) > 1 and sources != self._sources(run[-2], before)):
            return False
        known = {item.key for item in (*before, *block)}
        return all(self._users.get(item.key, known) <= known for item in before)

    def _sources(self, before: Block, block: Block) -> list[tuple[int, int, int] | None] | None:
        """Return the place in the block before for each tensor that enters a block.

        It is None for a tensor that enters both blocks. The result is None if another tensor
        enters, or if none comes from the block before.
        """
        places = {item.key: at for at, item in enumerate(before)}
        pairs = zip(self.wiring(before).entering, self.wiring(block).entering, strict=True)
        sources: list[tuple[int, int, int] | None] = []
        for earlier, ref in pairs:
            key, op = self._place.get(ref.op, ("", 0))
            if key in places:
                sources.append((places[key], op, ref.index))
            elif earlier == ref:
                sources.append(None)
            else:
                return None
        return sources if any(sources) else None

    def _number(self, form: Any) -> int:
        return self._numbers.setdefault(form, len(self._numbers))

    def _readers(self, items: Sequence[Item]) -> dict[str, set[str]]:
        users: dict[str, set[str]] = {}
        for item in items:
            for ref in item.inputs:
                if ref.op in self._place:
                    users.setdefault(self._place[ref.op][0], set()).add(item.key)
        return users

    def _form(self, item: Item) -> Any:
        graph = self._graph
        layer = item.layer
        sources = [graph.spec(ref) for ref in item.inputs]
        return (
            (layer.type, window(graph, graph.op_by_name[layer.main])) if layer else None,
            tuple(spec.shape for spec in sources),
            tuple(self._op(graph.op_by_name[name]) for name in item.ops),
            tuple(graph.variable_by_name[name].spec for name in item.variables),
        )

    def _op(self, op: Op) -> Any:
        attrs = tuple(
            (name, self._attr(value))
            for name, value in sorted(op.attrs.items())
            if name not in NAMES
        )
        return op.type, tuple(spec.shape for spec in op.outputs), attrs

    def _attr(self, value: Any) -> Any:
        """Return a value, or the computation of the function that it names."""
        if not isinstance(value, str) or value not in self._graph.functions:
            return str(value)
        if value not in self._functions:
            self._functions[value] = 0  # a function that calls itself
            function = self._graph.functions[value]
            ops = tuple(Forms._op(self, op) for op in function.ops)
            self._functions[value] = self._number(ops)
        return self._functions[value]
