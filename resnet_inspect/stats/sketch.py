"""A mergeable histogram of finite numbers with fixed bins, and its quantiles and counts."""

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
    """Sparse counts of values by bin. `a + b` is exactly the sketch of both inputs together.

    All estimates assume values evenly spread over each bin, except for the two bins beside 0,
    |x| < 2**-129: their values count as 0, because half of all outputs of a ReLU are 0.

    Attributes:
        bins: ascending bins with values (see `stats.bins`), shape [k].
        counts: number of values in each, above 0, shape [k].
    """

    bins: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, values: ArrayLike) -> Sketch:
        """The sketch of the finite numbers in `values`, of any shape; the reference for devices.

        Supports the types of `stats.elements` and raises TypeError for others. Finite numbers
        beyond float32's range are in the outermost bins. A device that rounds wider types to
        float32 differs only for numbers that are rounded up to the next bin or to infinity.
        """
        flat = singles(values)
        codes = layout.codes_of(np.ascontiguousarray(flat[np.isfinite(flat)]))
        return cls.from_codes(np.bincount(codes, minlength=layout.CODES))

    @classmethod
    def from_codes(cls, counts: ArrayLike) -> Sketch:
        """A sketch from counts by code, shape [4096]; counts of non-finite codes are ignored."""
        return cls.from_many_codes(np.asarray(counts, dtype=np.int64)[None])[0]

    @classmethod
    def from_many_codes(cls, counts: NDArray[np.int64]) -> list[Sketch]:
        """A sketch for each row of counts by code, shape [k, 4096]."""
        flat = np.ascontiguousarray(counts).reshape(-1)
        places = np.flatnonzero(flat != 0)
        rows, codes = np.divmod(places, layout.CODES)
        bins = layout.bin_of_code()[codes]
        finite = (bins >= layout.LOWEST) & (bins <= layout.HIGHEST)
        rows, bins, totals = rows[finite], bins[finite], flat[places[finite]]
        order = np.argsort(rows * layout.CODES + bins)
        bins, totals = bins[order], totals[order]
        ends = np.cumsum(np.bincount(rows, minlength=len(counts))).tolist()
        return [
            cls(bins[start:end], totals[start:end])
            for start, end in zip([0, *ends], ends, strict=False)
        ]

    @classmethod
    def unpack(cls, packed: bytes) -> Sketch:
        """The sketch that `pack` wrote; raises ValueError for other bytes."""
        if len(packed) % BYTES_PER_BIN:
            raise ValueError(f"expected {BYTES_PER_BIN} bytes a bin, got {len(packed)} bytes")
        size = len(packed) // BYTES_PER_BIN
        gaps = unshuffled(packed[: 2 * size], "<u2")
        bins, counts = np.cumsum(gaps), unshuffled(packed[2 * size :], "<u4")
        within = size == 0 or (bins[0] >= layout.LOWEST and bins[-1] <= layout.HIGHEST)
        if not (within and gaps.all() and counts.all()):
            raise ValueError("damaged sketch: expected ascending bins and counts above 0")
        return cls(bins, counts)

    @classmethod
    def unpack_all(cls, packed: Sequence[bytes]) -> list[Sketch]:
        """The sketches that `pack` wrote; faster than `unpack` of each."""
        lengths = np.array([len(part) for part in packed], dtype=np.int64)
        if (lengths % BYTES_PER_BIN).any():
            raise ValueError(
                f"expected {BYTES_PER_BIN} bytes a bin, got sketches of {lengths.tolist()} bytes"
            )
        sizes = lengths // BYTES_PER_BIN
        ends = np.cumsum(sizes)
        starts = ends - sizes
        body = np.frombuffer(b"".join(packed), np.uint8)
        # Each sketch has six byte planes: two of gaps and four of counts.
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
            raise ValueError("damaged sketch: expected ascending bins and counts above 0")
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        return [cls(bins[start:end], counts[start:end]) for start, end in pairs]

    def pack(self) -> bytes:
        """The gaps between bins as little-endian uint16, then the counts as uint32 (saturating).

        The bytes of both arrays are in the order of `stats.packing`.
        """
        gaps = np.diff(self.bins, prepend=0)
        return shuffled(gaps, "<u2") + shuffled(np.minimum(self.counts, LARGEST_PACKED), "<u4")

    @classmethod
    def pack_all(cls, sketches: Sequence[Sketch]) -> list[bytes]:
        """The result of `pack` for each sketch; faster than one by one."""
        sizes = np.array([len(sketch.bins) for sketch in sketches], dtype=np.int64)
        if not sizes.sum():
            return [b""] * len(sizes)
        bins = np.concatenate([sketch.bins for sketch in sketches])
        counts = np.minimum(np.concatenate([sketch.counts for sketch in sketches]), LARGEST_PACKED)
        ends = np.cumsum(sizes)
        starts = ends - sizes
        gaps = np.diff(bins, prepend=0)
        gaps[starts[sizes > 0]] = bins[starts[sizes > 0]]
        # As in `unpack_all`: six byte planes for each sketch.
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
        """The number of counted values."""
        return int(self.counts.sum())

    def edges(self) -> NDArray[np.float64]:
        """Lower and upper edge of each used bin, shape [k, 2]; both 0 for the bins beside 0."""
        edges = np.stack([layout.lower_edges(self.bins), layout.upper_edges(self.bins)], axis=1)
        edges[(self.bins == layout.HALF - 1) | (self.bins == layout.HALF)] = 0.0
        return edges

    def quantiles(self, shares: Sequence[float]) -> tuple[float, ...]:
        """The quantile of each share (0…1); empty for an empty sketch.

        The true quantile is that of numpy's method "inverted_cdf": of n values the one of rank
        r = ⌈share · n⌉, at least 1. Bins ascend with the value, so the bin at which the sum of
        counts reaches r contains it. The midpoint of that bin is returned, which is at most w/2
        away from any value x in a bin of width w. For normal numbers w ≤ |x|/8, so the relative
        error is at most 1/16 = 6.25 %. For 2**-129 ≤ |x| < 2**-126 w = 2**-129, so the absolute
        error is at most 2**-130. For smaller |x| the result is 0, with an error below 2**-129.
        Beyond float32's range there is no bound.

        Raises ValueError for a share outside 0…1.
        """
        wanted = np.asarray(shares, dtype=np.float64)
        if not ((wanted >= 0) & (wanted <= 1)).all():
            raise ValueError(f"expected shares within 0…1, got {wanted.tolist()}")
        if self.total == 0:
            return ()
        cumulative = np.cumsum(self.counts)
        places = np.searchsorted(cumulative, np.clip(np.ceil(wanted * self.total), 1, self.total))
        return tuple(self.edges().mean(axis=1)[places].tolist())

    def density(self, borders: ArrayLike) -> NDArray[np.float64]:
        """Estimated counts between neighbouring `borders` [m + 1], shape [m].

        The spacing of borders is arbitrary (see `stats.scales`), and they may be infinite. A bin
        that a border crosses is divided by width; values outside are not counted. Zeros on a
        border count above it, on the last border below it, as in numpy.histogram. The error of a
        count is less than the number of values in the two bins that its borders cross.

        Raises ValueError unless there are at least two borders and they ascend strictly.
        """
        places = np.asarray(borders, dtype=np.float64)
        if places.ndim != 1 or len(places) < 2 or not (places[1:] > places[:-1]).all():
            raise ValueError(f"expected two or more ascending borders, got {places.tolist()}")
        return np.diff(np.append(self._rank(places[:-1], "left"), self._rank(places[-1], "right")))

    def cdf(self, values: ArrayLike, side: Side = "right") -> NDArray[np.float64]:
        """The distribution function: the share of values ≤ each of `values`, in their shape.

        With side "left" it is the share of values below, which differs only at 0. It ascends from 0
        to 1. The error is at most the share of values in the bin that contains or begins at the
        value. It is exact at 0 unless values are closer to 0 than 2**-129. NaN for NaN.

        Raises ValueError for an empty sketch.
        """
        if self.total == 0:
            raise ValueError("an empty sketch has no distribution function")
        return self._rank(np.asarray(values, dtype=np.float64), side) / self.total

    def _rank(self, at: NDArray[np.float64], side: Side) -> NDArray[np.float64]:
        """The number of values ≤ (right) or < (left) each of `at`, in its shape; monotonic.

        Within a bin neither the distance to its edge nor the quotient is rounded, because the
        width is a power of two.
        """
        if self.total == 0:
            return np.zeros_like(at)
        lower, upper = self.edges().T
        begun = np.searchsorted(lower, at, side=side) - 1
        place = np.maximum(begun, 0)
        width = (upper - lower)[place]
        offset = np.clip(at, lower[place], upper[place]) - lower[place]
        inside = np.divide(offset, width, out=np.ones_like(width), where=width > 0)
        below = (np.cumsum(self.counts) - self.counts)[place]
        ranks = np.where(begun < 0, 0.0, below + inside * self.counts[place])
        return np.where(np.isnan(at), np.nan, ranks)

    def __add__(self, other: Sketch) -> Sketch:
        """The sketch of the values of both."""
        bins, places = np.unique(np.concatenate([self.bins, other.bins]), return_inverse=True)
        counts = np.zeros(len(bins), dtype=np.int64)
        np.add.at(counts, places, np.concatenate([self.counts, other.counts]))
        return Sketch(bins, counts)

    def __eq__(self, other: object) -> bool:
        """Whether bins and counts are equal."""
        if not isinstance(other, Sketch):
            return NotImplemented
        return np.array_equal(self.bins, other.bins) and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]
