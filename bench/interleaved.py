"""Times steps in turn in one process, so that what else a machine does falls on all alike."""

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
Seconds = tuple[float, float]  # wall time, and time of all cores in this process


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of measured ratios."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Those of at least one value."""
        found = sorted(values)
        low, _, high = statistics.quantiles(found, method="inclusive") if found[1:] else found * 3
        return cls(statistics.median(found), low, high)

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f} {self.high:.3f}]"


@dataclass(frozen=True)
class Ratio:
    """A step over the plain ones before and after it."""

    wall: Spread
    cpu: Spread

    @classmethod
    def of(cls, pairs: Sequence[Seconds]) -> Ratio:
        """Of ratios in wall and in process time."""
        wall, cpu = zip(*pairs, strict=True)
        return cls(Spread.of(wall), Spread.of(cpu))

    def __str__(self) -> str:
        return f"{self.wall} cpu {self.cpu.median:.3f}"


def interleave(plain: Step, variants: dict[str, Step], rounds: int) -> dict[str, Ratio]:
    """Each variant over the mean of the plain steps beside it; the order changes by the round."""
    for step in (plain, *variants.values()):
        for number in range(WARM):
            step(number)
    found: dict[str, list[Seconds]] = {name: [] for name in variants}
    names, order = list(variants), random.Random(0)
    before = seconds(plain, 0)
    for number in range(rounds):
        order.shuffle(names)
        for name in names:
            mine = seconds(variants[name], number)
            after = seconds(plain, number)
            found[name].append(over(mine, [before, after]))
            before = after
    return {name: Ratio.of(pairs) for name, pairs in found.items()}


def whole_runs(plain: Step, variant: Step, steps: int, rounds: int) -> Ratio:
    """All steps of a run over as many plain ones, each between two of them."""
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
    """What one step took."""
    gc.disable()  # graphs have many objects: a collection takes as long as a step
    try:
        start, used = time.perf_counter(), time.process_time()
        step(number)
        return time.perf_counter() - start, time.process_time() - used
    finally:
        gc.enable()


def over(mine: Seconds, others: Sequence[Seconds]) -> Seconds:
    """The ratios to the means of others."""
    wall, cpu = (statistics.fmean(part) for part in zip(*others, strict=True))
    return mine[0] / wall, mine[1] / cpu
