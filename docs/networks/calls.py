"""The calls of layers that Keras makes when it executes a network. No framework is imported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec


@dataclass
class Call:
    """A call of a layer, model or operation.

    Attributes:
        path: the names of the models and layers around it, without the whole network. The second
            call of a layer is named `dense (call 2)`.
        name: its name, numbered in the same way.
        inputs: the shapes of the tensors it was called with, each tensor once.
        shape: the shape of its first output.
        inner: whether it called others.
        params: elements of its variables, 0 from the second call on.
        macs: its multiply-accumulates per example: the sum over the calls in it, or by the formula
            of its class. None without a formula.
    """

    path: tuple[str, ...]
    name: str
    kind: str
    inputs: list[tuple[int, ...]]
    shape: tuple[int, ...] = ()
    inner: bool = False
    params: int = 0
    macs: int | None = None


@dataclass
class Account:
    """The calls in order, and the parameters of the whole network."""

    calls: list[Call] = field(default_factory=list)
    params: int = 0

    @property
    def macs(self) -> int | None:
        """The multiply-accumulates of the outermost calls."""
        return total(call.macs for call in self.calls if not call.path)

    def write(self, file: Path) -> None:
        """Write the account as JSON."""
        file.write_bytes(msgspec.json.encode(self))

    @classmethod
    def read(cls, file: Path) -> Account:
        """Read an account."""
        return msgspec.json.decode(file.read_bytes(), type=cls)


def total(counts: Iterable[int | None]) -> int | None:
    """Return the sum of counts; None if one is unknown."""
    counted = list(counts)
    known = [count for count in counted if count is not None]
    return sum(known) if len(known) == len(counted) else None
