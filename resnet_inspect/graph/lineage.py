"""Lineage: for each axis of each tensor, which axes and numbers its size comes from."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from resnet_inspect.graph.nodes import Source
from resnet_inspect.graph.tensors import AxisRef, TensorRef


class Relation(StrEnum):
    """How a size follows another when that one changes.

    SAME: equal, and stays equal. DERIVED: follows it, but is another number (a stride, a product).
    """

    SAME = "same"
    DERIVED = "derived"


class FromAxis(msgspec.Struct, frozen=True, gc=False, tag="axis"):
    """The size comes from an axis of a tensor the op reads."""

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
    """One thing a size depends on.

    `tied` are the other things that must change together with it; changed alone it is an error.
    """

    origin: Origin
    relation: Relation
    tied: tuple[Origin, ...] = ()


class Formula(msgspec.Struct, frozen=True, gc=False):
    """An expression in the user's source that comes to a size: its text, the values of the names
    in it (none for a bare literal), and its line.
    """

    text: str
    values: dict[str, int]
    source: Source


class Coupling(msgspec.Struct, frozen=True, gc=False):
    """A number written in the source that must agree with a size flowing in.

    At `op`, `literal` decides an axis of the output; `partner` is the size it must equal, by
    trying: with both one larger all else stays. `effects` says what becomes of axes of the output
    if only the partner is one larger, as (axis, before, after); empty where the op refuses that.
    """

    op: str
    literal: FromLiteral
    partner: FromAxis
    size: int
    effects: tuple[tuple[int, int, int], ...]


class Remedy(msgspec.Struct, frozen=True):
    """A change of one size that makes a refused call pass, by trying: `place` from `before` to
    `after`, which is the size at `other`.
    """

    place: FromAxis | FromVariable
    other: Origin
    before: int
    after: int


class OtherCall(msgspec.Struct, frozen=True):
    """The refused call with other arguments, which passes, by trying: such as `axis=3`."""

    text: str


class Mismatch(msgspec.Struct, frozen=True):
    """A call that refused the shapes of its tensors.

    `function` is what was called, `tensors` the names of what it was given; a single tensor
    disagrees with a number in the call (the target of a reshape). `remedies` are single
    changes that make it pass, those of the earlier tensor first; none where no single one does.
    `others` are ways to call it on the same tensors that pass, `swaps` pairs of axes of one tensor
    that make it pass if they change places.
    """

    function: str
    tensors: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    others: tuple[OtherCall, ...] = ()
    swaps: tuple[tuple[AxisRef, AxisRef], ...] = ()


class Correction(msgspec.Struct, frozen=True):
    """A setting with which a network that failed can be built, by trying; values as typed."""

    setting: str
    before: str
    after: str


class Variation(msgspec.Struct, frozen=True):
    """What a re-trace with one setting changed came to.

    `shapes` holds the tensors (by name, such as `Reshape:0`) and variables whose shape differs;
    `missing` are those no longer there, `added` counts new ops, `rewired` names ops that take
    other tensors than before. `conflicts` are layers that refused
    their inputs: an addition is passed over (what it hands on is taken to be its last input);
    where the trace `ended`, the last of them is the op at which it did.
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
    """For each axis the links of its size, by `axis_key`.

    An axis without links is decided by its op alone (an attribute, a kept size of 1), or is where
    a size enters: an input of the network. `ties` are sizes that an op wants to agree, by op.
    `formulas` are the expressions that literals (`Reshape/shape/1`) and axes of variables
    (`conv1/kernel/3`) were written as. `opaque` names ops whose shapes could not be probed,
    `traced` the tensors and variables that the unchanged re-trace saw.
    """

    links: dict[str, tuple[Link, ...]] = {}
    ties: dict[str, tuple[tuple[Origin, ...], ...]] = {}
    couplings: tuple[Coupling, ...] = ()
    formulas: dict[str, tuple[Formula, ...]] = {}
    variations: tuple[Variation, ...] = ()
    traced: frozenset[str] = frozenset()
    mismatch: Mismatch | None = None
    corrections: tuple[Correction, ...] = ()
    opaque: tuple[str, ...] = ()

    def of(self, ref: AxisRef) -> tuple[Link, ...]:
        """The links of one axis."""
        return self.links.get(axis_key(ref.tensor, ref.axis), ())


def axis_key(tensor: TensorRef, axis: int) -> str:
    """The name of an axis in `Lineage.links`, such as `Reshape:0/1`."""
    return f"{tensor}/{axis}"
