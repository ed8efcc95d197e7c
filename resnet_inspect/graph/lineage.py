"""Lineage: the origins of the size of each axis of each tensor."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from resnet_inspect.graph.nodes import Source
from resnet_inspect.graph.tensors import AxisRef, TensorRef


class Relation(StrEnum):
    """How a size depends on another one.

    SAME: always equal to it. DERIVED: computed from it, such as by a stride or a product.
    """

    SAME = "same"
    DERIVED = "derived"


class FromAxis(msgspec.Struct, frozen=True, gc=False, tag="axis"):
    """The size comes from an axis of a tensor that the op reads."""

    ref: AxisRef


class FromLiteral(msgspec.Struct, frozen=True, gc=False, tag="literal"):
    """The size comes from element `element` of a constant op, which has a source line."""

    op: str
    element: int


class FromVariable(msgspec.Struct, frozen=True, gc=False, tag="variable"):
    """The size comes from an axis of a variable."""

    variable: str
    axis: int


Origin = FromAxis | FromLiteral | FromVariable


class Link(msgspec.Struct, frozen=True, gc=False):
    """An origin that a size depends on.

    `tied` are other origins that must change together with it; a change of only one is an error.
    """

    origin: Origin
    relation: Relation
    tied: tuple[Origin, ...] = ()


class Formula(msgspec.Struct, frozen=True, gc=False):
    """An expression in the user's source that evaluates to a size.

    `values` are the values of the names in it, empty for a literal; `source` is its line. A default
    is an argument that the call at this line does not have, such as `size=(2, 2)`.
    """

    text: str
    values: dict[str, int]
    source: Source
    default: bool = False


class Coupling(msgspec.Struct, frozen=True, gc=False):
    """A number in the source that must equal the size of an input's axis.

    The pair was found by a test: if both are increased by one, no other axis changes.

    Attributes:
        op: the op at which they meet.
        literal: the number, which sets the size of an axis of the output.
        partner: the axis of the input.
        size: their common size.
        effects: changes of the output's axes if only the partner is increased by one, as
            (axis, before, after); empty if the op fails.
    """

    op: str
    literal: FromLiteral
    partner: FromAxis
    size: int
    effects: tuple[tuple[int, int, int], ...]


class Remedy(msgspec.Struct, frozen=True):
    """A tested change of a size that makes a failed call pass.

    `place` changes from `before` to `after`, which is the size at `other`.
    """

    place: FromAxis | FromVariable
    other: Origin
    before: int
    after: int


class OtherCall(msgspec.Struct, frozen=True):
    """A tested change of the arguments that makes a failed call pass, such as `axis=3`."""

    text: str


class Mismatch(msgspec.Struct, frozen=True):
    """A call that failed because of the shapes of its tensors.

    Attributes:
        function: the called function.
        tensors: names of the tensors in the call. A single tensor disagrees with a number in the
            call, such as the target of a reshape.
        remedies: changes of a single size that make the call pass, those of the earlier tensor
            first.
        others: changes of the arguments that make the call pass.
        swaps: pairs of axes of a tensor whose exchange makes the call pass.
    """

    function: str
    tensors: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    others: tuple[OtherCall, ...] = ()
    swaps: tuple[tuple[AxisRef, AxisRef], ...] = ()


class Correction(msgspec.Struct, frozen=True):
    """A tested change of a setting with which a failed network can be built; values as text."""

    setting: str
    before: str
    after: str

    @property
    def text(self) -> str:
        """The option of the command line, as in `--filters 16 instead of 32`."""
        return f"--{self.setting.replace('_', '-')} {self.after} instead of {self.before}"


class Variation(msgspec.Struct, frozen=True):
    """The result of a re-trace with one changed setting.

    Attributes:
        setting: its name.
        before: its recorded value.
        after: its changed value.
        shapes: changed shapes, by name of the tensor, such as `Reshape:0`, or variable.
        missing: tensors and variables that no longer exist.
        added: number of new ops.
        rewired: ops with other inputs than before.
        conflicts: layers that rejected their inputs. A failed addition is ignored: its last input
            is used as its output.
        ended: whether the trace failed; the last conflict is then the op that failed.
    """

    setting: str
    before: int
    after: int
    shapes: dict[str, tuple[int | None, ...]]
    missing: tuple[str, ...] = ()
    added: int = 0
    rewired: frozenset[str] = frozenset()
    conflicts: tuple[str, ...] = ()
    ended: bool = False


class Lineage(msgspec.Struct, frozen=True):
    """The origins of all sizes of a graph.

    An axis without links is set by its op alone (an attribute, a kept size of 1), or is an axis of
    an input of the network.

    Attributes:
        links: the links of each axis, by `axis_key`.
        ties: sizes that must agree, by op.
        couplings: numbers in the source that must equal a size.
        formulas: expressions in the source, by literal (`Reshape/shape/1`) and axis of a variable
            (`conv1/kernel/3`).
        variations: re-traces with one changed setting.
        traced: tensors and variables of the re-trace without changes.
        mismatch: the call that failed, if any.
        corrections: settings with which a failed network can be built.
        untraced: why sizes have no links, by op or by `axis_key`.
    """

    links: dict[str, tuple[Link, ...]] = {}
    ties: dict[str, tuple[tuple[Origin, ...], ...]] = {}
    couplings: tuple[Coupling, ...] = ()
    formulas: dict[str, tuple[Formula, ...]] = {}
    variations: tuple[Variation, ...] = ()
    traced: frozenset[str] = frozenset()
    mismatch: Mismatch | None = None
    corrections: tuple[Correction, ...] = ()
    untraced: dict[str, str] = {}

    def reason(self, ref: AxisRef) -> str:
        """Why the size of an axis was not traced, or an empty text."""
        whole = self.untraced.get(ref.tensor.op, "")
        return whole or self.untraced.get(axis_key(ref.tensor, ref.axis), "")

    def of(self, ref: AxisRef) -> tuple[Link, ...]:
        """The links of one axis."""
        return self.links.get(axis_key(ref.tensor, ref.axis), ())


def axis_key(tensor: TensorRef, axis: int) -> str:
    """The name of an axis in `Lineage.links`, such as `Reshape:0/1`."""
    return f"{tensor}/{axis}"
