"""Means and standard deviations over seeds, and the test that decides about a difference.

Two variants with the same seed start with equal weights and see equal batches, so variants are
compared seed by seed. A difference is decided with at least three seeds, if Student's 95 % interval
of the paired differences excludes 0. The test assumes normally distributed differences. It decides
one in twenty statements about equal variants wrongly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from resnet_inspect.analysis.studies.answer import Cell, Statement, Verdict

FEWEST = 3
# 97.5 % quantiles of Student's t for 1, 2, 3 … degrees of freedom. The last value is used for more:
# it is larger than the true quantile, so fewer statements are decided.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
           2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093)  # fmt: skip


def rounded(value: float, digits: int = 3) -> str:
    """The text of a number with this many significant digits."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "infinity" if value > 0 else "−infinity"
    if value == 0:
        return "0"
    number = float(f"{value:.{digits}g}")
    if 1e-3 <= abs(number) < 10**digits:
        return f"{value:#.{digits}g}".rstrip(".").replace("-", "−")
    if abs(number) < 1e-3:
        return f"{value:.{digits - 1}e}".replace("e-0", "e−").replace("e-", "e−").replace("-", "−")
    return f"{number:,.0f}".replace("-", "−")


def spread(values: Sequence[float]) -> float:
    """The standard deviation over seeds (n − 1); NaN for fewer than two."""
    finite = all(map(math.isfinite, values))
    return stdev(values) if len(values) > 1 and finite else math.nan


def mean(values: Sequence[float]) -> float:
    """The mean; NaN for no values, or if a value is NaN."""
    return fmean(values) if values else math.nan


def over_seeds(values: Sequence[float], digits: int = 3) -> str:
    """Mean and standard deviation over seeds, such as "2.31 ± 0.05"."""
    if len(values) < 2:
        return rounded(mean(values), digits)
    return f"{rounded(mean(values), digits)} ± {rounded(spread(values), 2)}"


def seeds(count: int) -> str:
    """The number of seeds as text, such as "3 seeds"."""
    return f"{count} seed{'s' * (count != 1)}"


def interval(differences: Sequence[float]) -> float:
    """Half the width of Student's 95 % interval of their mean; infinite for fewer than two."""
    if len(differences) < 2:
        return math.inf
    quantile = STUDENT[min(len(differences) - 1, len(STUDENT)) - 1]
    return quantile * spread(differences) / math.sqrt(len(differences))


def decide(differences: Sequence[float], sign: int = 1) -> Verdict:
    """The verdict about the claim that paired differences are above 0.

    A `sign` of -1 claims that they are below 0, a `sign` of 0 that they are not 0. Fewer than
    FEWEST differences, or differences that are not finite, decide nothing.
    """
    if len(differences) < FEWEST or not all(map(math.isfinite, differences)):
        return Verdict.NOT_DECIDED
    middle = fmean(differences)
    if middle == 0 or abs(middle) <= interval(differences):
        return Verdict.NOT_DECIDED
    return Verdict.SHOWN if middle * sign > 0 or not sign else Verdict.CONTRADICTED


def paired(a: Sequence[float], b: Sequence[float]) -> list[float]:
    """a − b, seed by seed."""
    return [value_a - value_b for value_a, value_b in zip(a, b, strict=True)]


def compared(
    claim: str, what: str, a: tuple[str, Sequence[float]], b: tuple[str, Sequence[float]], sign: int
) -> Statement:
    """A statement about a difference between two variants.

    Args:
        claim: the claim.
        what: the measured quantity.
        a: the name of a variant, and a value for each seed.
        b: the same for the other variant.
        sign: 1 if the claim is that `a` is larger, -1 if smaller, 0 if different.
    """
    differences = paired(a[1], b[1])
    half = interval(differences)
    margin = f" ± {rounded(half, 2)}" if math.isfinite(half) else ""
    measured = (
        f"{what}: {over_seeds(a[1])} {a[0]}, {over_seeds(b[1])} {b[0]}; difference seed by seed"
        f" {rounded(mean(differences))}{margin} ({'95 % interval, ' * bool(margin)}"
        f"{seeds(len(differences))})"
    )
    numbers: dict[str, Cell] = {
        a[0]: mean(a[1]), b[0]: mean(b[1]), "difference": mean(differences),
        "interval": half if math.isfinite(half) else None, "seeds": len(differences),
    }  # fmt: skip
    return Statement(claim, decide(differences, sign), measured, numbers)
