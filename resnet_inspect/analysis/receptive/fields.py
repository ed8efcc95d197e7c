"""Which positions of an input axis a position of a later axis reads, as intervals.

The intervals of neighbouring positions repeat: after `period` positions they are the same again,
moved by `shift`. That also describes enlarged axes, whose neighbours may read the same positions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

Position = Callable[[int], int]


class Field(NamedTuple):
    """The interval from `low[p]` to `high[p]` for each position p of one period.

    Positions are counted from 0. Negative ones, and those beyond the input, are padding.
    """

    period: int = 1
    shift: int = 1
    low: tuple[int, ...] = (0,)
    high: tuple[int, ...] = (0,)

    @property
    def size(self) -> int:
        """The largest number of positions in an interval."""
        return max(high - low for low, high in zip(self.low, self.high, strict=True)) + 1

    @property
    def stride(self) -> Fraction:
        """The distance of the intervals of neighbouring positions, on average."""
        return Fraction(self.shift, self.period)

    @property
    def offset(self) -> int:
        """The first position in the interval of position 0."""
        return self.low[0]

    def at(self, position: int) -> tuple[int, int]:
        """Return the first and the last position in the interval of a position."""
        times, place = divmod(position, self.period)
        return self.low[place] + times * self.shift, self.high[place] + times * self.shift

    def through(self, first: Position, last: Position, period: int, step: int) -> Field:
        """Return the field of an axis whose position p reads this axis from `first` to `last`.

        `first(p + period)` must be `first(p) + step`, and the same for `last`.
        """
        times = self.period // math.gcd(self.period, step)
        places = range(period * times)
        return Field(
            period=period * times,
            shift=self.shift * step * times // self.period,
            low=tuple(self.at(first(place))[0] for place in places),
            high=tuple(self.at(last(place))[1] for place in places),
        )

    def window(self, reach: int, stride: int, before: int) -> Field:
        """Return the field after a window of `reach` positions, with `before` padded ones."""
        return self.through(
            lambda p: p * stride - before, lambda p: p * stride - before + reach - 1, 1, stride
        )

    def transposed(self, reach: int, stride: int, before: int) -> Field | None:
        """Return the field after a transposed convolution; None if positions read nothing."""
        if reach < stride:
            return None
        return self.through(
            lambda p: -((reach - 1 - before - p) // stride), lambda p: (p + before) // stride,
            stride, 1,
        )  # fmt: skip

    def repeated(self, times: int) -> Field:
        """Return the field after each position is repeated."""
        return self.through(lambda p: p // times, lambda p: p // times, times, 1)

    def resized(self, before: int, after: int, *, linear: bool, half: bool) -> Field:
        """Return the field after a resize to `after` positions.

        Args:
            before: the size of this axis.
            after: the size of the result.
            linear: whether neighbours are interpolated.
            half: whether the centres of pixels are matched instead of their first edges.
        """
        common = math.gcd(before, after)

        def source(place: int) -> Fraction:
            if not half:
                return Fraction(place * before, after)
            moved = Fraction((2 * place + 1) * before, 2 * after)
            return moved - Fraction(1, 2) if linear else moved

        def last(place: int) -> int:
            return math.ceil(source(place)) if linear else math.floor(source(place))

        return self.through(
            lambda p: math.floor(source(p)), last, after // common, before // common
        )

    def joined(self, other: Field) -> Field | None:
        """Return the union of the intervals of both; None if they move at different rates."""
        if self.stride != other.stride:
            return None
        period = math.lcm(self.period, other.period)
        pairs = [(self.at(place), other.at(place)) for place in range(period)]
        return Field(
            period=period,
            shift=self.shift * period // self.period,
            low=tuple(min(a[0], b[0]) for a, b in pairs),
            high=tuple(max(a[1], b[1]) for a, b in pairs),
        )
