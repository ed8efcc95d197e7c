"""The horizontal scale that histograms share: its range, its cells, its ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.stats import Sketch, bins

Kind = Literal["linear", "symlog"]
Floats = NDArray[np.float64]

SHARES = (0.005, 0.995)
# The scale covers all values if that makes it at most this many times longer.
MAX_STRETCH = 1.5
# The bins of -0 and +0. They end at ±2**-129, so typical tensors have only zeros in them.
ZERO_BINS = (bins.HALF - 1, bins.HALF)
ZERO_ENDS = 2.0**-129
SMALLEST = 1e-45
MOST_TICKS = 24


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`.

    The kind `symlog` is a symmetric-log scale, about linear within ±`threshold`.
    """

    low: float
    high: float
    kind: Kind = "linear"
    threshold: float = 1.0

    def __post_init__(self) -> None:
        """Raise ValueError unless low < high, both finite."""
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"expected finite low < high, got low {self.low}, high {self.high}")

    @classmethod
    def of(cls, sketches: Sequence[Sketch], kind: Kind = "linear") -> Scale:
        """The scale for the pooled values: their middle 99 %, and zero if there are any zeros.

        Both ends are bin edges. The caller must report values outside (see `spread.remarks`).
        """
        pooled = reduce(add, sketches) if sketches else Sketch.of(())
        rest = without_zeros(pooled)
        if not rest.total:
            return cls(-1.0, 1.0, kind)
        whole = cls(0.0, 1.0, kind, _threshold(rest))
        edges, cumulative = rest.edges(), np.cumsum(rest.counts)
        first, last = np.searchsorted(cumulative, np.ceil(np.array(SHARES) * rest.total))
        low, high = float(edges[first, 0]), float(edges[last, 1])
        least, most = float(edges[0, 0]), float(edges[-1, 1])
        if whole.length(least, most) <= MAX_STRETCH * whole.length(low, high):
            low, high = least, most
        if rest.total < pooled.total:
            low, high = min(low, 0.0), max(high, 0.0)
        # A bin is up to 1/8 of its value wide: a shorter scale would draw a constant as flat.
        missing = max(abs(low), abs(high)) / 2 - (high - low)
        if missing > 0:
            low, high = low - missing / 2, high + missing / 2
        return cls(low, high, kind, whole.threshold)

    def length(self, low: float, high: float) -> float:
        """The distance of two values on the axis: linear, or in powers of ten for symlog."""
        return self._transformed(high) - self._transformed(low)

    def position(self, value: float) -> float:
        """The position of a value on the axis: 0 at `low`, 1 at `high`."""
        return self.length(self.low, value) / self.length(self.low, self.high)

    def borders(self, cells: int) -> Floats:
        """The ascending borders of cells of equal length on the axis, shape [cells + 1]."""
        even = np.linspace(self._transformed(self.low), self._transformed(self.high), cells + 1)
        if self.kind == "symlog":
            even = np.sign(even) * self.threshold * np.expm1(np.abs(even) * math.log(10))
        even[0], even[-1] = self.low, self.high
        return even

    def ticks(
        self, room: float, measure: Callable[[str], float], gap: float
    ) -> list[tuple[float, str]]:
        """Round values as ticks, as many as fit: position (0…1) and label.

        Args:
            room: length of the axis.
            measure: returns the length of a label in the same unit.
            gap: smallest distance between labels, which are centred below their ticks and moved
                inwards at the ends of the axis.
        """
        best: list[tuple[float, str]] = []
        for values in self._candidates():
            if not len(best) < len(values) <= room / gap:
                continue
            placed = [(min(1.0, max(0.0, self.position(v))), spell_tick(v)) for v in values]
            taken = [span(at * room, measure(text), room) for at, text in placed]
            apart = all(a[1] + gap <= b[0] for a, b in pairwise(taken))
            if apart and all(end <= room for _, end in taken):
                best = placed
        return best

    def _candidates(self) -> Iterator[list[float]]:
        """Lists of round values: powers of ten on a symlog scale that contains two of them."""
        most_powers = 0
        if self.kind == "symlog":
            for values in self._powers():
                most_powers = max(most_powers, len(values))
                yield values
        if most_powers < 2:
            for most in range(MOST_TICKS, 0, -1):
                yield _round_values(self.low, self.high, most)
        yield _round_values(self.low, self.high, 4)[:1]

    def _powers(self) -> Iterator[list[float]]:
        """Lists of zero and powers of ten: with values between them, all, every second, third …"""
        top = max(abs(self.low), abs(self.high))
        above, below = math.floor(math.log10(top)), round(math.log10(self.threshold))
        for every in range(1, max(1, above - below) + 1):
            for factors in ((5, 2, 1), (3, 1), (1,)) if every == 1 else ((1,),):
                powers = range(above, below - 1, -every)
                sizes = [factor * 10.0**power for power in powers for factor in factors]
                # Powers of ten are closer together near zero, so small ones are left out.
                for least in (0.0, 1.5, 2.5, 15.0):
                    kept = [size for size in sizes if size > least * self.threshold]
                    values = [-size for size in kept] + [0.0] + kept[::-1]
                    yield [value for value in values if self.low <= value <= self.high]

    def _transformed(self, value: float) -> float:
        """The value in units of the axis: itself, or for symlog its signed logarithm."""
        if self.kind == "linear":
            return value
        return math.copysign(math.log10(1 + abs(value) / self.threshold), value)


def without_zeros(sketch: Sketch) -> Sketch:
    """The sketch without its zeros."""
    kept = ~np.isin(sketch.bins, ZERO_BINS)
    return Sketch(sketch.bins[kept], sketch.counts[kept])


def value_of(middle: float) -> float:
    """The value for the middle of a bin: 0 in the bins of zeros."""
    return middle if abs(middle) >= ZERO_ENDS else 0.0


def span(middle: float, length: float, room: float) -> tuple[float, float]:
    """The start and end of a label centred at `middle`, moved to be within 0…room."""
    start = max(0.0, min(middle - length / 2, room - length))
    return start, start + length


def spell_tick(value: float) -> str:
    """A tick's value in its shortest form: 0.5, −20, 1e−6."""
    text = f"{value:.4g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return text.replace("-", "−")


def _threshold(rest: Sketch) -> float:
    """The power of ten below the first quartile of absolute values."""
    edges = np.abs(rest.edges()).mean(axis=1)
    order = np.argsort(edges)
    place = np.searchsorted(np.cumsum(rest.counts[order]), math.ceil(rest.total / 4))
    return float(10.0 ** math.floor(math.log10(max(edges[order][place], SMALLEST))))


def _round_values(low: float, high: float, most: int) -> list[float]:
    """At most `most` multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [number * step for number in numbers]
