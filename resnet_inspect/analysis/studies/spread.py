"""Means over seeds with their spread, and when a difference counts as shown.

Runs of two variants with one seed begin with equal weights and see equal batches, so variants are
compared seed by seed. A difference is decided if there are at least three seeds and Student's 95 %
interval of the paired differences leaves out 0; that assumes differences that are about normal,
and one statement in twenty on nothing at all would pass it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from resnet_inspect.analysis.studies.answer import Cell, Statement, Verdict

FEWEST = 3
# 97.5 % quantiles of Student's t for 1, 2, 3 … degrees of freedom; beyond them the last is larger
# than the true one, which errs on the side of not deciding.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
           2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093)  # fmt: skip


def told(value: float, digits: int = 3) -> str:
    """A number for a sentence, with that many significant digits."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "infinity" if value > 0 else "−infinity"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    if 1e-3 <= abs(rounded) < 10**digits:
        return f"{value:#.{digits}g}".rstrip(".").replace("-", "−")
    if abs(rounded) < 1e-3:
        return f"{value:.{digits - 1}e}".replace("e-0", "e−").replace("e-", "e−").replace("-", "−")
    return f"{rounded:,.0f}".replace("-", "−")


def spread(values: Sequence[float]) -> float:
    """The standard deviation over seeds (n − 1); NaN for fewer than two."""
    finite = all(map(math.isfinite, values))
    return stdev(values) if len(values) > 1 and finite else math.nan


def mean(values: Sequence[float]) -> float:
    """The mean; NaN for none, or where one of them is no number."""
    return fmean(values) if values else math.nan


def over_seeds(values: Sequence[float], digits: int = 3) -> str:
    """Such as 2.31 ± 0.05: mean and standard deviation over seeds."""
    if len(values) < 2:
        return told(mean(values), digits)
    return f"{told(mean(values), digits)} ± {told(spread(values), 2)}"


def seeds(count: int) -> str:
    """Such as: 3 seeds."""
    return f"{count} seed{'s' * (count != 1)}"


def interval(differences: Sequence[float]) -> float:
    """Half of Student's 95 % interval of their mean; infinite for fewer than two."""
    if len(differences) < 2:
        return math.inf
    quantile = STUDENT[min(len(differences) - 1, len(STUDENT)) - 1]
    return quantile * spread(differences) / math.sqrt(len(differences))


def decide(differences: Sequence[float], sign: int = 1) -> Verdict:
    """Whether paired differences are above 0 (below for a `sign` of -1, either for 0), as far as
    seeds decide.

    Differences that are not finite, or fewer than FEWEST of them, decide nothing.
    """
    if len(differences) < FEWEST or not all(map(math.isfinite, differences)):
        return Verdict.NOT_DECIDED
    middle = fmean(differences)
    if middle == 0 or abs(middle) <= interval(differences):
        return Verdict.NOT_DECIDED
    return Verdict.SHOWN if middle * sign > 0 or not sign else Verdict.CONTRADICTED


def paired(a: Sequence[float], b: Sequence[float]) -> list[float]:
    """a − b, seed by seed."""
    return [one - other for one, other in zip(a, b, strict=True)]


def compared(
    claim: str, what: str, a: tuple[str, Sequence[float]], b: tuple[str, Sequence[float]], sign: int
) -> Statement:
    """A statement that `what` of `a` is larger than that of `b` (smaller for a sign of -1, another
    for 0); each is a name and a value for each seed.
    """
    differences = paired(a[1], b[1])
    half = interval(differences)
    sure = f" ± {told(half, 2)}" if math.isfinite(half) else ""
    measured = (
        f"{what}: {over_seeds(a[1])} {a[0]}, {over_seeds(b[1])} {b[0]}; difference seed by seed"
        f" {told(mean(differences))}{sure} ({'95 % interval, ' * bool(sure)}"
        f"{seeds(len(differences))})"
    )
    numbers: dict[str, Cell] = {
        a[0]: mean(a[1]), b[0]: mean(b[1]), "difference": mean(differences),
        "interval": half if math.isfinite(half) else None, "seeds": len(differences),
    }  # fmt: skip
    return Statement(claim, decide(differences, sign), measured, numbers)
