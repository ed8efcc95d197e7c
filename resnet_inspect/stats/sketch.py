"""A mergeable histogram of finite numbers over fixed bins, and what can be read from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from resnet_inspect.stats import bins as layout
from resnet_inspect.stats.elements import singles

BYTES_PER_BIN = 6
LARGEST_PACKED = 2**32 - 1


@dataclass(frozen=True, eq=False)
class Sketch:
    """Counts of values per bin, sparse: `bins` ascend (see `stats.bins`), `counts` are above 0.

    Both have shape [k]. `a + b` is the sketch of both inputs together, exactly. A quantile read
    from a sketch lies in the same bin as the true one, and is the bin's midpoint, so its relative
    error is at most 1/16 = 6.25 % (for |x| ≥ 2**-126; below that its absolute one is 2**-130).
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
        dense = np.zeros(layout.CODES, dtype=np.int64)
        dense[layout.bin_of_code()] = np.asarray(counts, dtype=np.int64)
        dense[: layout.LOWEST] = 0
        dense[layout.HIGHEST + 1 :] = 0
        used = np.flatnonzero(dense)
        return cls(used, dense[used])

    @classmethod
    def unpack(cls, packed: bytes) -> Sketch:
        """Read what `pack` wrote; raises ValueError where the bytes are not that."""
        if len(packed) % BYTES_PER_BIN:
            raise ValueError(f"{len(packed)} bytes are no whole number of bins")
        size = len(packed) // BYTES_PER_BIN
        gaps = _unshuffled(packed[: 2 * size], "<u2")
        bins, counts = np.cumsum(gaps), _unshuffled(packed[2 * size :], "<u4")
        within = size == 0 or (bins[0] >= layout.LOWEST and bins[-1] <= layout.HIGHEST)
        if not (within and gaps.all() and counts.all()):
            raise ValueError("bins must ascend within the layout, counts be above 0")
        return cls(bins, counts)

    def pack(self) -> bytes:
        """The gaps between bins as little-endian uint16, then the counts as uint32 (saturating).

        Of each array all lowest bytes come first, then all second ones, and so on: high bytes are
        mostly zero, and stand together for a compressor.
        """
        gaps = np.diff(self.bins, prepend=0)
        return _shuffled(gaps, "<u2") + _shuffled(np.minimum(self.counts, LARGEST_PACKED), "<u4")

    @property
    def total(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    def edges(self) -> NDArray[np.float64]:
        """Lower and upper edge of each used bin, shape [k, 2]."""
        return np.stack([layout.lower_edges(self.bins), layout.upper_edges(self.bins)], axis=1)

    def quantiles(self, shares: Sequence[float]) -> tuple[float, ...]:
        """The values below which each share (0…1) of the numbers lies; empty for no numbers.

        Each is the midpoint of the bin that holds the true quantile (of the lower kind, the
        smallest number x with at least that share of numbers ≤ x).
        """
        if self.total == 0:
            return ()
        cumulative = np.cumsum(self.counts)
        ranks = np.clip(np.ceil(np.asarray(shares) * self.total), 1, self.total)
        places = np.searchsorted(cumulative, ranks)
        middles = self.edges().mean(axis=1)
        return tuple(float(value) for value in middles[places])

    def density(self, low: float, high: float, cells: int) -> NDArray[np.float64]:
        """Counts spread over `cells` equal cells of [low, high], shape [cells].

        A bin that crosses cell borders is shared among them by width; what lies outside is left
        out. Raises ValueError unless low < high.
        """
        if not low < high:
            raise ValueError(f"low {low} must be below high {high}")
        borders = np.linspace(low, high, cells + 1)
        edges = self.edges()
        width = edges[:, 1] - edges[:, 0]
        below = (borders[:, None] - edges[None, :, 0]) / width[None, :]
        return np.asarray(np.diff(np.clip(below, 0.0, 1.0) @ self.counts))

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


def _shuffled(values: NDArray[np.int64], kind: str) -> bytes:
    width = np.dtype(kind).itemsize
    return values.astype(kind).view(np.uint8).reshape(-1, width).T.tobytes()


def _unshuffled(packed: bytes, kind: str) -> NDArray[np.int64]:
    width = np.dtype(kind).itemsize
    planes = np.frombuffer(packed, np.uint8).reshape(width, -1)
    return np.ascontiguousarray(planes.T).view(kind).reshape(-1).astype(np.int64)
