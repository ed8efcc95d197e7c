"""The explanation of a crash, and the repairs that it suggests."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What went wrong. OTHER is an exception that is none of these."""

    SHAPE = "shape"
    DTYPE = "dtype"
    STRUCTURE = "structure"  # names or number of inputs, targets, feeds
    INDEX = "index"  # an element, such as a token id, out of range
    MEMORY = "memory"
    VALUE = "value"
    OTHER = "other"


class Line(msgspec.Struct, frozen=True, gc=False):
    """A line of the user's code. `text` is its source, without indentation."""

    file: str
    line: int
    function: str
    text: str


class SizeStep(msgspec.Struct, frozen=True):
    """A step on the way of a size: `text` such as "Conv2D 'conv2d' makes 30 of 32"."""

    text: str
    line: Line | None = None


class DisagreeingSize(msgspec.Struct, frozen=True):
    """One of the two sizes that disagree.

    Attributes:
        size: the size.
        of: what has it, such as "axis 1 of targets (90, 3)" or "units of Dense 'dense_1'".
        line: the line that sets it; None if unknown.
        expression: the expression on that line that gives it, such as `4`, `width * 2`, or the
            array; empty if unknown.
        values: the values of the names in the expression.
        steps: how it changes from there to the failed call, from the call backward.
    """

    size: int
    of: str
    line: Line | None = None
    expression: str = ""
    values: dict[str, int] = {}
    steps: tuple[SizeStep, ...] = ()


class Edit(msgspec.Struct, frozen=True):
    """A replacement of a span of a file. Lines from 1, columns as `ast` counts them (UTF-8 bytes).

    An empty span inserts `new`.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    new: str


class Repair(msgspec.Struct, frozen=True):
    """A change of the source that should let the call pass.

    Attributes:
        rule: the slug of the rule that suggests it, such as `change-units`.
        title: the change in a few words, such as "Dense(4) → Dense(3)".
        line: the line that it changes, or before which it inserts.
        edits: the changes.
        keeps_batch: whether axis 0 remains the batch.
        reason: why it fits, one sentence.
        cost: its rank; smaller is better.
    """

    rule: str
    title: str
    line: Line
    edits: tuple[Edit, ...]
    keeps_batch: bool = True
    reason: str = ""
    cost: float = 1.0


class Explanation(msgspec.Struct, frozen=True):
    """The explanation of a crash.

    Attributes:
        kind: what went wrong.
        verdict: one or two sentences: what failed and why.
        call: the user's line that failed; None if unknown.
        function: the call in that line that failed, such as `matmul` or `Dense 'dense'`.
        operands: the tensors of the call with their shapes, as (name, shape).
        sizes: the two sizes that disagree; empty if the failure is of another kind or unknown.
        earlier: what led to it, such as a reshape that changed the batch.
        repairs: suggested changes, the best first.
        cause: the message of the exception.
        unknown: what remains unknown; empty if nothing is missing.
    """

    kind: Kind
    verdict: str
    call: Line | None
    function: str = ""
    operands: tuple[tuple[str, str], ...] = ()
    sizes: tuple[DisagreeingSize, ...] = ()
    earlier: tuple[SizeStep, ...] = ()
    repairs: tuple[Repair, ...] = ()
    cause: str = ""
    unknown: str = ""
