"""What the rules of an explanation share: the crash, its sources and the problem matched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

import msgspec

from resnet_inspect.analysis.explain.explanation import Kind, SizeStep
from resnet_inspect.analysis.explain.operands import Operand, Operands
from resnet_inspect.analysis.explain.origins import SizeOrigins
from resnet_inspect.analysis.explain.sources import Sources
from resnet_inspect.graph.crash import Call, Crash, Shape, Value

SHAPE_TEXT = re.compile(r"(?<![\w\]])[\[(]((?:\s*(?:-?\d+|None|\?)[\s,]*)*)[\])]")


WITHOUT_BATCH = ("dataset-not-batched", "single-example")  # rules of data without a batch axis


class Side(msgspec.Struct, frozen=True):
    """One of two sizes that disagree.

    Attributes:
        operand: the tensor.
        axis: the axis that has the size, None for a number of axes or elements.
        size: the size.
        of: what has it, if it is not "axis 1 of" the operand.
        rank: whether it is a number that no literal gives: of axes, elements, the largest id.
    """

    operand: Operand
    axis: int | None
    size: int
    of: str = ""
    rank: bool = False


class Problem(msgspec.Struct, frozen=True):
    """What a rule recognized in a crash.

    Attributes:
        kind: what went wrong.
        rule: the slug of the problem, such as `input-axis`; repairs are chosen by it.
        verdict: one sentence.
        function: the call that failed.
        layer: the index of the layer at fault, -1 without.
        operands: the tensors of the call.
        sides: the two sizes that disagree, or nothing.
        earlier: what led to it.
        facts: further numbers, texts and shapes for repairs, by name.
        unknown: what remains unknown.
    """

    kind: Kind
    rule: str
    verdict: str
    function: str = ""
    layer: int = -1
    operands: tuple[Operand, ...] = ()
    sides: tuple[Side, ...] = ()
    earlier: tuple[SizeStep, ...] = ()
    facts: Mapping[str, int | str | Shape | None] = {}
    unknown: str = ""


class Case:
    """A crash with its sources, operands and origins."""

    def __init__(self, crash: Crash) -> None:
        self.crash = crash
        self.sources = Sources(crash)
        self.operands = Operands(crash, self.sources)
        self.origins = SizeOrigins(crash, self.sources, self.operands)

    @cached_property
    def text(self) -> str:
        """The message of the exception in one line."""
        return " ".join(self.crash.message.split())

    @property
    def frame(self) -> int:
        """The index of the user's innermost frame, -1 without."""
        return len(self.crash.frames) - 1

    def called(self, *names: str) -> Call | None:
        """Return the innermost call of a function with one of these names."""
        for call in reversed(self.crash.calls):
            if call.function in names or call.function.rpartition(".")[2] in names:
                return call
        return None

    def layer_call(self) -> Call | None:
        """Return the innermost call of a layer."""
        return next((call for call in reversed(self.crash.calls) if call.layer >= 0), None)

    def layer_named(self, name: str) -> int:
        """Return the index of the layer with a name, the innermost called one first; -1 without."""
        for call in reversed(self.crash.calls):
            if call.layer >= 0 and self.crash.layers[call.layer].name == name:
                return call.layer
        names = [layer.name for layer in self.crash.layers]
        return names.index(name) if name in names else -1

    def inputs_of(self, call: Call) -> list[Operand]:
        """Return the tensors that a call of a layer receives."""
        tensors: list[Operand] = []
        for name, value in call.arguments.items():
            if name != "self":
                tensors += self._tensors(value, name, call)
        return tensors

    def _tensors(self, value: Value, label: str, call: Call) -> list[Operand]:
        if value.shape is not None and value.node < 0 and not value.items:
            return [self.operands.of_value(value, "" if label.isdigit() else label, call.frame)]
        if value.node >= 0:
            return [self.operands.of_value(value, label, call.frame)]
        return [
            operand
            for key, item in value.items.items()
            for operand in self._tensors(item, key, call)
        ]


def shapes_in(text: str) -> list[Shape]:
    """Return the shapes in a message, such as `[9,3]` and `(None, 44)`."""
    shapes: list[Shape] = []
    for matched in SHAPE_TEXT.finditer(text):
        parts = re.split(r"[,\s]+", matched[1].strip().strip(","))
        parts = [part for part in parts if part]
        shapes.append(tuple(int(part) if part.lstrip("-").isdigit() else None for part in parts))
    return shapes


def counted(axes: int) -> str:
    """Return a number of axes in words, such as "1 axis"."""
    return f"{axes} axis" if axes == 1 else f"{axes} axes"
