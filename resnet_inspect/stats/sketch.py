"""A mergeable histogram of finite numbers over fixed bins, and what can be read from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from resnet_inspect.stats import bins as layout
from resnet_inspect.stats.elements import singles
from resnet_inspect.stats.packing import shuffled, unshuffled

BYTES_PER_BIN = 6
LARGEST_PACKED = 2**32 - 1

Side: TypeAlias = Literal["left", "right"]


@dataclass(frozen=True, eq=False)
class Sketch:
    """Counts of values per bin, sparse: `bins` ascend (see `stats.bins`), `counts` are above 0.

    Both have shape [k]. `a + b` is the sketch of both inputs together, exactly.

    What is read takes the numbers as spread evenly over each bin, but for the two bins beside 0,
    |x| < 2**-129: they stand for the number 0 itself, which half of all outputs of a ReLU are.
    """

    bins: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, values: ArrayLike) -> Sketch:
        """Sketch the finite ones among `values`, of any shape: the reference for devices.

        Takes every type that `stats.elements` does and raises TypeError for others. Each number
        is counted in the bin that holds it, finite ones beyond float32's range in the outermost.
        A device that rounds wider types to float32 first agrees but for numbers that this rounds
        up to the next bin or to infinity.
        """
        flat = singles(values)
        codes = layout.codes_of(np.ascontiguousarray(flat[np.isfinite(flat)]))
        return cls.from_codes(np.bincount(codes, minlength=layout.CODES))

    @classmethod
    def from_codes(cls, counts: ArrayLike) -> Sketch:
        """Build a sketch from counts per code, shape [4096]; non-finite codes are left out."""
        return cls.from_many_codes(np.asarray(counts, dtype=np.int64)[None])[0]

    @classmethod
    def from_many_codes(cls, counts: NDArray[np.int64]) -> list[Sketch]:
        """A sketch of each row of counts per code, shape [k, 4096]."""
        flat = np.ascontiguousarray(counts).reshape(-1)
        places = np.flatnonzero(flat != 0)
        rows, codes = np.divmod(places, layout.CODES)
        bins = layout.bin_of_code()[codes]
        finite = (bins >= layout.LOWEST) & (bins <= layout.HIGHEST)
        rows, bins, held = rows[finite], bins[finite], flat[places[finite]]
        order = np.argsort(rows * layout.CODES + bins)
        bins, held = bins[order], held[order]
        ends = np.cumsum(np.bincount(rows, minlength=len(counts))).tolist()
        return [
            cls(bins[start:end], held[start:end])
            for start, end in zip([0, *ends], ends, strict=False)
        ]

    @classmethod
    def unpack(cls, packed: bytes) -> Sketch:
        """Read what `pack` wrote; raises ValueError where the bytes are not that."""
        if len(packed) % BYTES_PER_BIN:
            raise ValueError(f"{len(packed)} bytes are no whole number of bins")
        size = len(packed) // BYTES_PER_BIN
        gaps = unshuffled(packed[: 2 * size], "<u2")
        bins, counts = np.cumsum(gaps), unshuffled(packed[2 * size :], "<u4")
        within = size == 0 or (bins[0] >= layout.LOWEST and bins[-1] <= layout.HIGHEST)
        if not (within and gaps.all() and counts.all()):
            raise ValueError("bins must ascend within the layout, counts be above 0")
        return cls(bins, counts)

    @classmethod
    def unpack_all(cls, packed: Sequence[bytes]) -> list[Sketch]:
        """What `unpack` reads of each, many at once in a fraction of the time."""
        lengths = np.array([len(one) for one in packed], dtype=np.int64)
        if (lengths % BYTES_PER_BIN).any():
            raise ValueError(f"{lengths.tolist()} bytes are no whole numbers of bins")
        sizes = lengths // BYTES_PER_BIN
        ends = np.cumsum(sizes)
        starts = ends - sizes
        body = np.frombuffer(b"".join(packed), np.uint8)
        # Each sketch has six planes of bytes, two of gaps and four of counts.
        first = np.arange(len(body) // BYTES_PER_BIN) + np.repeat(
            (BYTES_PER_BIN - 1) * starts, sizes
        )
        each = np.repeat(sizes, sizes)
        planes = [body[first + plane * each].astype(np.int64) for plane in range(BYTES_PER_BIN)]
        gaps = planes[0] | planes[1] << 8
        counts = planes[2] | planes[3] << 8 | planes[4] << 16 | planes[5] << 24
        reached = np.cumsum(gaps)
        before = np.concatenate([np.zeros(1, dtype=np.int64), reached])[starts]
        bins = reached - np.repeat(before, sizes)
        within = not bins.size or (bins.min() >= layout.LOWEST and bins.max() <= layout.HIGHEST)
        if not (within and gaps.all() and counts.all()):
            raise ValueError("bins must ascend within the layout, counts be above 0")
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        return [cls(bins[start:end], counts[start:end]) for start, end in pairs]

    def pack(self) -> bytes:
        """The gaps between bins as little-endian uint16, then the counts as uint32 (saturating).

        Of each array all lowest bytes come first, then all second ones, and so on: high bytes are
        mostly zero, and stand together for a compressor.
        """
        gaps = np.diff(self.bins, prepend=0)
        return shuffled(gaps, "<u2") + shuffled(np.minimum(self.counts, LARGEST_PACKED), "<u4")

    @classmethod
    def pack_all(cls, sketches: Sequence[Sketch]) -> list[bytes]:
        """What `pack` gives for each, many at once in a fraction of the time."""
        sizes = np.array([len(one.bins) for one in sketches], dtype=np.int64)
        if not sizes.sum():
            return [b""] * len(sizes)
        bins = np.concatenate([one.bins for one in sketches])
        counts = np.minimum(np.concatenate([one.counts for one in sketches]), LARGEST_PACKED)
        ends = np.cumsum(sizes)
        starts = ends - sizes
        gaps = np.diff(bins, prepend=0)
        gaps[starts[sizes > 0]] = bins[starts[sizes > 0]]
        # As `unpack_all` finds them: six planes of bytes for each sketch.
        first = np.arange(len(bins)) + np.repeat((BYTES_PER_BIN - 1) * starts, sizes)
        each = np.repeat(sizes, sizes)
        body = np.empty(BYTES_PER_BIN * len(bins), np.uint8)
        for plane in range(2):
            body[first + plane * each] = gaps >> 8 * plane & 255
        for plane in range(4):
            body[first + (2 + plane) * each] = counts >> 8 * plane & 255
        whole, ends = body.tobytes(), BYTES_PER_BIN * ends
        pairs = zip((ends - BYTES_PER_BIN * sizes).tolist(), ends.tolist(), strict=True)
        return [whole[start:end] for start, end in pairs]

    @property
    def total(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    def edges(self) -> NDArray[np.float64]:
        """Lower and upper edge of each used bin, shape [k, 2]; both 0 for the bins beside 0."""
        edges = np.stack([layout.lower_edges(self.bins), layout.upper_edges(self.bins)], axis=1)
        edges[(self.bins == layout.HALF - 1) | (self.bins == layout.HALF)] = 0.0
        return edges

    def quantiles(self, shares: Sequence[float]) -> tuple[float, ...]:
        """The values below which each share (0…1) of the numbers lies; empty for no numbers.

        The true quantile is that of numpy's method "inverted_cdf": of n numbers the one of rank
        r = ⌈share · n⌉, at least 1. Bins ascend with the value, so adding up counts until they
        reach r ends at the very bin that holds it. Its midpoint is returned: from any number x of
        a bin of width w it is at most w/2 away. For normal numbers w ≤ |x|/8, so the relative
        error is at most 1/16 = 6.25 %; in 2**-129 ≤ |x| < 2**-126 w = 2**-129 and the absolute
        one at most 2**-130. Below that 0 is returned: exact for 0, and off by less than 2**-129.
        Beyond float32's range there is no bound. Raises ValueError for a share outside 0…1.
        """
        wanted = np.asarray(shares, dtype=np.float64)
        if not ((wanted >= 0) & (wanted <= 1)).all():
            raise ValueError(f"shares must be within 0 and 1, got {wanted.tolist()}")
        if self.total == 0:
            return ()
        cumulative = np.cumsum(self.counts)
        places = np.searchsorted(cumulative, np.clip(np.ceil(wanted * self.total), 1, self.total))
        return tuple(self.edges().mean(axis=1)[places].tolist())

    def density(self, borders: ArrayLike) -> NDArray[np.float64]:
        """Counts between neighbouring ones of [m + 1] borders, shape [m].

        The borders may be spaced in any way (see `stats.scales`) and be infinite. A bin that one
        of them crosses is shared by width; what lies outside is left out. Zeros that lie on a
        border count above it, on the last one below, as numpy.histogram has it. Each count is off
        by less than the numbers in the two bins that the borders cross. Raises ValueError unless
        there are two borders or more and they ascend strictly.
        """
        places = np.asarray(borders, dtype=np.float64)
        if places.ndim != 1 or len(places) < 2 or not (places[1:] > places[:-1]).all():
            raise ValueError(f"expected two or more ascending borders, got {places.tolist()}")
        return np.diff(np.append(self._rank(places[:-1], "left"), self._rank(places[-1], "right")))

    def cdf(self, values: ArrayLike, side: Side = "right") -> NDArray[np.float64]:
        """The distribution function: share of numbers ≤ each of `values`, in their shape.

        With side "left" the share of numbers below them, which differs at 0 only. Ascends from 0
        to 1. Off by at most the share of numbers in the bin that holds or begins at the value;
        exact at 0 unless numbers are closer to it than 2**-129. NaN for NaN. Raises ValueError
        where no number was counted.
        """
        if self.total == 0:
            raise ValueError("no finite number was counted: there is no distribution")
        return self._rank(np.asarray(values, dtype=np.float64), side) / self.total

    def _rank(self, at: NDArray[np.float64], side: Side) -> NDArray[np.float64]:
        """How many numbers are ≤ (right) or < (left) each place, in its shape; never descends.

        Within a bin the way from its edge and, the width being a power of two, the quotient have
        no rounding.
        """
        if self.total == 0:
            return np.zeros_like(at)
        lower, upper = self.edges().T
        begun = np.searchsorted(lower, at, side=side) - 1
        held = np.maximum(begun, 0)
        width = (upper - lower)[held]
        way = np.clip(at, lower[held], upper[held]) - lower[held]
        inside = np.divide(way, width, out=np.ones_like(width), where=width > 0)
        below = (np.cumsum(self.counts) - self.counts)[held]
        ranks = np.where(begun < 0, 0.0, below + inside * self.counts[held])
        return np.where(np.isnan(at), np.nan, ranks)

    def __add__(self, other: Sketch) -> Sketch:
        """The sketch of both sets of numbers together."""
        bins, places = np.unique(np.concatenate([self.bins, other.bins]), return_inverse=True)
        counts = np.zeros(len(bins), dtype=np.int64)
        np.add.at(counts, places, np.concatenate([self.counts, other.counts]))
        return Sketch(bins, counts)

    def __eq__(self, other: object) -> bool:
        """Equal bins and equal counts."""
        if not isinstance(other, Sketch):
            return NotImplemented
        return np.array_equal(self.bins, other.bins) and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]
