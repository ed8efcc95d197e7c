"""Finds consecutive repetitions in a sequence of blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

# The longest repeated sequence of blocks.
PERIOD = 64
# The longest period that is tried for blocks with equal computations, in periods of these.
MULTIPLES = 2


class Tandem(NamedTuple):
    """A sequence of `period` blocks at `start` that follows itself: `times` in total."""

    start: int
    period: int
    times: int

    @property
    def end(self) -> int:
        """The position after the last repetition."""
        return self.start + self.period * self.times


def tandems(
    forms: Sequence[int],
    weights: Sequence[int],
    continues: Callable[[Tandem, int], bool],
    least: int,
) -> list[Tandem]:
    """Return repetitions that do not overlap, in order, those that save most first.

    Args:
        forms: a number for each block; equal blocks have equal numbers.
        weights: how many boxes each block needs.
        continues: whether a block sequence at a position continues a repetition.
        least: the fewest boxes that a repetition must save.
    """
    sums = [0]
    for weight in weights:
        sums.append(sums[-1] + weight)

    def saved(run: Tandem) -> int:
        return sums[run.end] - sums[run.start + run.period]

    candidates = [run for run in _candidates(forms, continues) if saved(run) >= least]
    candidates.sort(key=lambda c: (-saved(c), c.period, c.start))
    taken = [False] * len(forms)
    chosen = []
    for run in candidates:
        if not any(taken[run.start : run.end]):
            taken[run.start : run.end] = [True] * (run.end - run.start)
            chosen.append(run)
    return sorted(chosen)


def _candidates(forms: Sequence[int], continues: Callable[[Tandem, int], bool]) -> Iterator[Tandem]:
    """Yield repetitions, shortest periods first.

    A sequence with a period also has its multiples. Few of them are tried, in case blocks with
    equal computations are connected in different ways.
    """
    known: list[tuple[int, int, int]] = []
    for period in range(1, min(PERIOD, len(forms) // 2) + 1):
        at = 0
        while at + 2 * period <= len(forms):
            length = 0
            while at + length + period < len(forms) and (
                forms[at + length] == forms[at + length + period]
            ):
                length += 1
            end = at + length + period
            multiple = (
                start <= at and end <= stop
                for start, stop, shorter in known
                if period % shorter == 0 and period > MULTIPLES * shorter
            )
            if length >= period and not any(multiple):
                known.append((at, end, period))
                yield from _within(at, end, period, continues)
            at += length + 1


def _within(
    start: int, end: int, period: int, continues: Callable[[Tandem, int], bool]
) -> Iterator[Tandem]:
    """Yield the repetitions in a range whose blocks equal those a period later.

    Those that begin up to a period later may repeat as often, so they are tried too.
    """
    while start + 2 * period <= end:
        last = start + 1
        for at in range(start, min(start + period, end - 2 * period + 1)):
            run = Tandem(at, period, 1)
            while run.end + period <= end and continues(run, run.end):
                run = run._replace(times=run.times + 1)
            if run.times > 1:
                last = max(last, run.end)
                yield run
        start = last
