"""Times steps alternately in one process, so that other load affects all of them alike."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

WARM = 2

Step = Callable[[int], list[Any]]
Seconds = tuple[float, float]  # wall time, and CPU time of all cores in this process


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of measured ratios."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return the spread of at least one value."""
        data = sorted(values)
        low, _, high = statistics.quantiles(data, method="inclusive") if data[1:] else data * 3
        return cls(statistics.median(data), low, high)

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f} {self.high:.3f}]"


@dataclass(frozen=True)
class Ratio:
    """The ratio of a step's time to that of the plain steps before and after it."""

    wall: Spread
    cpu: Spread

    @classmethod
    def of(cls, pairs: Sequence[Seconds]) -> Ratio:
        """Return the spreads of ratios of wall time and of CPU time."""
        wall, cpu = zip(*pairs, strict=True)
        return cls(Spread.of(wall), Spread.of(cpu))

    def __str__(self) -> str:
        return f"{self.wall} cpu {self.cpu.median:.3f}"


def interleave(plain: Step, variants: dict[str, Step], rounds: int) -> dict[str, Ratio]:
    """Return the ratio of each variant to the mean of the plain steps before and after it.

    The order of the variants changes by round.
    """
    for step in (plain, *variants.values()):
        for number in range(WARM):
            step(number)
    ratios: dict[str, list[Seconds]] = {name: [] for name in variants}
    names, order = list(variants), random.Random(0)
    before = seconds(plain, 0)
    for number in range(rounds):
        order.shuffle(names)
        for name in names:
            mine = seconds(variants[name], number)
            after = seconds(plain, number)
            ratios[name].append(over(mine, [before, after]))
            before = after
    return {name: Ratio.of(pairs) for name, pairs in ratios.items()}


def whole_runs(plain: Step, variant: Step, steps: int, rounds: int) -> Ratio:
    """Return the ratio of all steps of a run to plain steps, each timed between two of these."""
    pairs = []
    for _ in range(rounds):
        mine, others = [], [seconds(plain, 0)]
        for number in range(steps):
            mine.append(seconds(variant, number))
            others.append(seconds(plain, number))
        sides = [others[0], *others[1:-1], *others[1:-1], others[-1]]
        total = tuple(map(sum, zip(*mine, strict=True)))
        pairs.append(over((total[0] / steps, total[1] / steps), sides))
    return Ratio.of(pairs)


def seconds(step: Step, number: int) -> Seconds:
    """Return the time of one step."""
    gc.disable()  # graphs have many objects, so that a collection takes as long as a step
    try:
        start, used = time.perf_counter(), time.process_time()
        step(number)
        return time.perf_counter() - start, time.process_time() - used
    finally:
        gc.enable()


def over(mine: Seconds, others: Sequence[Seconds]) -> Seconds:
    """Return the ratios of one time to the mean of others."""
    wall, cpu = (statistics.fmean(part) for part in zip(*others, strict=True))
    return mine[0] / wall, mine[1] / cpu
