"""Activity of channels: the positions and examples in which a channel is above 0."""

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
    """The number of positions and examples in which each of C channels is active (above 0).

    The share of zeros of a tensor does not distinguish dead units from sparse ones: it is 50 % if
    half of the channels never fire, and also if all channels fire half of the time. A dead ReLU
    unit is below 0 for *every* input. Its own weights get no gradient, so only a change in earlier
    layers can revive it. A unit for a rare feature is 0 almost everywhere, but not in every
    example: active in 2 % of positions in 60 % of examples is sparse, not dead. Hence the two
    counts, and hence `+`: more batches make "never" more certain. A channel that is inactive in N
    independent examples is active in fewer than 3/N of all examples, with 95 % confidence: fewer
    than 2.4 % for 128 examples, 0.006 % for 50,000.

    Attributes:
        active: number of active positions (over examples and pixels), [C] int64.
        examples: number of examples with an active position, [C] int64.
        positions: number of counted positions of each channel.
        of: number of counted examples of each channel.

    Raises:
        ValueError: the counts contradict each other.
    """

    active: NDArray[np.int64]
    examples: NDArray[np.int64]
    positions: int
    of: int

    def __post_init__(self) -> None:
        """Raise ValueError for contradictory counts."""
        active, examples = self.active, self.examples
        if active.ndim != 1 or active.shape != examples.shape:
            raise ValueError(
                f"expected two arrays of shape [C], got {active.shape} and {examples.shape}"
            )
        if self.positions < 0 or self.of < 0 or (self.of == 0 < self.positions):
            raise ValueError(f"impossible counts: {self.positions} positions, {self.of} examples")
        most = np.minimum(active, self.of)
        fits = (examples >= 0) & (examples <= most) & (active <= self.positions)
        if not (fits & ((active > 0) == (examples > 0))).all():
            raise ValueError("a channel is active in more examples or positions than were counted")

    @classmethod
    def of_array(cls, values: ArrayLike) -> ChannelActivity:
        """The activity in an array of shape [batch, ..., C]; NaN is not active.

        Raises:
            ValueError: the array has fewer than two axes.
            TypeError: the elements are not real numbers.
        """
        array = array_of(values)
        if array.ndim < 2:
            raise ValueError(f"expected shape [batch, ..., channels], got {list(array.shape)}")
        batch, *pixels, channels = array.shape
        each = math.prod(pixels)
        with np.errstate(invalid="ignore"):  # some types warn when NaN is compared
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
        """The activity that `pack` wrote; raises ValueError for other bytes."""
        size = len(packed) - HEADER.size
        if size < 0 or size % BYTES_PER_CHANNEL:
            raise ValueError(f"expected packed counts of channels, got {len(packed)} bytes")
        kind, checksum, positions, of = HEADER.unpack_from(packed)
        if kind != KIND or checksum != crc32(packed[8:]):
            raise ValueError("packed counts of channels are damaged or of another kind")
        counts = packed[HEADER.size :]
        active, examples = (
            unshuffled(part, "<i8") for part in (counts[: size // 2], counts[size // 2 :])
        )
        return cls(active, examples, positions, of)

    def pack(self) -> bytes:
        """24 bytes of header, then `active` and `examples` as little-endian int64, [2, C].

        The header is "chn1", the CRC-32 of all following bytes (uint32), `positions` and `of`
        (int64). The bytes of the counts are in the order of `stats.packing`.
        """
        counts = shuffled(self.active, "<i8") + shuffled(self.examples, "<i8")
        rest = struct.pack("<qq", self.positions, self.of) + counts
        return struct.pack("<4sI", KIND, crc32(rest)) + rest

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Whether each channel was never active, bool [C]; all False if nothing was counted."""
        return np.equal(self.active, 0) & np.bool_(self.positions > 0)

    @property
    def always(self) -> NDArray[np.bool_]:
        """Whether each channel was active everywhere, bool [C]: a ReLU does not change it."""
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
        """The activity in both batches; raises ValueError if the numbers of channels differ."""
        if self.active.shape != other.active.shape:
            sizes = f"{len(self.active)} and {len(other.active)}"
            raise ValueError(f"cannot merge counts of {sizes} channels")
        return ChannelActivity(
            active=self.active + other.active,
            examples=self.examples + other.examples,
            positions=self.positions + other.positions,
            of=self.of + other.of,
        )

    def __eq__(self, other: object) -> bool:
        """Whether all counts are equal."""
        if not isinstance(other, ChannelActivity):
            return NotImplemented
        mine, theirs = (
            (x.positions, x.of, x.active.tolist(), x.examples.tolist()) for x in (self, other)
        )
        return mine == theirs

    __hash__ = None  # type: ignore[assignment]
