"""Which channels of an activation are ever above 0, counted over positions and over examples."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

from resnet_inspect.stats.elements import array_of
from resnet_inspect.stats.packing import shuffled, unshuffled

# Kind of record with its version, checksum of all that follows, positions, examples.
HEADER = struct.Struct("<4sIqq")
KIND = b"chn1"
BYTES_PER_CHANNEL = 16


@dataclass(frozen=True, eq=False)
class ChannelActivity:
    """How often each of C channels is active, that is, above 0.

    `active` [C] counts the positions (over examples and pixels) and `examples` [C] the examples
    in which a channel is active, the latter once however many of their positions are; both int64.
    `positions` and `of` are how many positions and examples were counted for each channel.

    A tensor's share of zeros cannot tell a dead unit from ordinary sparsity: half of all outputs
    are 0 where half of the channels never fire, and also where all fire half of the time. A dead
    ReLU unit is below 0 for *every* input, so its own weights get no gradient, and only a change
    of what comes before it can bring it back. A unit that looks for something rare is silent
    almost everywhere, too, but not in every example: active in 2 % of positions in 60 % of
    examples is sparse, not dead. Hence the two counts, and hence `+`: the more batches, the more
    "never" means. A channel silent in all of N independent examples is, with 95 % confidence,
    active in fewer than 3/N of them: 128 examples rule out 2.4 % and more, 50,000 0.006 %.

    Raises ValueError for counts that no activation has.
    """

    active: NDArray[np.int64]
    examples: NDArray[np.int64]
    positions: int
    of: int

    def __post_init__(self) -> None:
        """Refuse what cannot have been counted."""
        active, examples = self.active, self.examples
        if active.ndim != 1 or active.shape != examples.shape:
            raise ValueError(
                f"expected two counts per channel, got shapes {active.shape} and {examples.shape}"
            )
        if self.positions < 0 or self.of < 0 or (self.of == 0 < self.positions):
            raise ValueError(f"{self.positions} positions in {self.of} examples cannot be")
        most = np.minimum(active, self.of)
        fits = (examples >= 0) & (examples <= most) & (active <= self.positions)
        if not (fits & ((active > 0) == (examples > 0))).all():
            raise ValueError("a channel is active in more examples or positions than there are")

    @classmethod
    def of_array(cls, values: ArrayLike) -> ChannelActivity:
        """Count in one array of shape [batch, ..., C], of any numeric type; NaN is not active.

        Raises ValueError below two axes and TypeError for what is no real number.
        """
        array = array_of(values)
        if array.ndim < 2:
            raise ValueError(f"expected shape [batch, ..., channels], got {list(array.shape)}")
        batch, *pixels, channels = array.shape
        each = math.prod(pixels)
        with np.errstate(invalid="ignore"):  # some types warn of comparing NaN
            above = np.greater(array, array.dtype.type(0)).reshape(batch, each, channels)
        per_example = np.count_nonzero(above, axis=1)
        return cls(
            active=per_example.sum(axis=0, dtype=np.int64),
            examples=np.count_nonzero(per_example, axis=0).astype(np.int64),
            positions=batch * each,
            of=batch,
        )

    @classmethod
    def unpack(cls, packed: bytes) -> ChannelActivity:
        """Read what `pack` wrote; raises ValueError where the bytes are not that."""
        size = len(packed) - HEADER.size
        if size < 0 or size % BYTES_PER_CHANNEL:
            raise ValueError(f"{len(packed)} bytes are no counts of channels")
        kind, checksum, positions, of = HEADER.unpack_from(packed)
        if kind != KIND or checksum != crc32(packed[8:]):
            raise ValueError("the counts of channels are damaged, or of another kind")
        counts = packed[HEADER.size :]
        active, examples = (
            unshuffled(part, "<i8") for part in (counts[: size // 2], counts[size // 2 :])
        )
        return cls(active, examples, positions, of)

    def pack(self) -> bytes:
        """24 bytes of header, then `active` and `examples` as little-endian int64, [2, C].

        The header: "chn1"; CRC-32 of all after it, uint32; `positions` and `of`, int64. The bytes
        of the counts are in the order of `stats.packing`.
        """
        counts = shuffled(self.active, "<i8") + shuffled(self.examples, "<i8")
        rest = struct.pack("<qq", self.positions, self.of) + counts
        return struct.pack("<4sI", KIND, crc32(rest)) + rest

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Channels that were active nowhere, [C]; none where nothing was counted."""
        return np.equal(self.active, 0) & np.bool_(self.positions > 0)

    @property
    def always(self) -> NDArray[np.bool_]:
        """Channels that were active everywhere, so a ReLU does nothing to them, [C]."""
        return np.equal(self.active, self.positions) & np.bool_(self.positions > 0)

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of positions in which each channel is active, 0…1, [C]; 0 for no positions."""
        return self.active / max(self.positions, 1)

    @property
    def example_share(self) -> NDArray[np.float64]:
        """Share of examples with an active position in each channel, [C]; 0 for no examples."""
        return self.examples / max(self.of, 1)

    def __add__(self, other: ChannelActivity) -> ChannelActivity:
        """What both batches together have; raises ValueError for other numbers of channels."""
        if self.active.shape != other.active.shape:
            sizes = f"{len(self.active)} and {len(other.active)}"
            raise ValueError(f"counts of {sizes} channels cannot be merged")
        return ChannelActivity(
            active=self.active + other.active,
            examples=self.examples + other.examples,
            positions=self.positions + other.positions,
            of=self.of + other.of,
        )

    def __eq__(self, other: object) -> bool:
        """Equal counts, of equally many."""
        if not isinstance(other, ChannelActivity):
            return NotImplemented
        mine, theirs = (
            (x.positions, x.of, x.active.tolist(), x.examples.tolist()) for x in (self, other)
        )
        return mine == theirs

    __hash__ = None  # type: ignore[assignment]
