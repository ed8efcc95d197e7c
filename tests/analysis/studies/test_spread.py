"""Decisions about differences over seeds, against intervals computed by hand and by SciPy."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from resnet_inspect.analysis.studies.answer import Verdict
from resnet_inspect.analysis.studies.spread import (
    STUDENT,
    compared,
    decide,
    interval,
    over_seeds,
    rounded,
)


def test_quantiles_are_students() -> None:
    for degrees, quantile in enumerate(STUDENT, start=1):
        assert quantile == pytest.approx(stats.t.ppf(0.975, degrees), abs=6e-4)


def test_interval_by_hand() -> None:
    # Mean 2, standard deviation 1: 4.303 · 1 / √3.
    assert interval([1.0, 2.0, 3.0]) == pytest.approx(2.4843, abs=1e-4)
    assert interval([1.0]) == math.inf


@pytest.mark.parametrize(
    ("differences", "sign", "verdict"),
    [
        ([1.0, 2.0, 3.0], 1, Verdict.NOT_DECIDED),  # 2 ± 2.48
        ([1.9, 2.0, 2.1], 1, Verdict.SHOWN),  # 2 ± 0.248
        ([1.9, 2.0, 2.1], -1, Verdict.CONTRADICTED),
        ([-1.9, -2.0, -2.1], -1, Verdict.SHOWN),
        ([-1.9, -2.0, -2.1], 0, Verdict.SHOWN),
        ([2.0, 2.0], 1, Verdict.NOT_DECIDED),  # two seeds are too few
        ([0.0, 0.0, 0.0], 0, Verdict.NOT_DECIDED),
        ([2.0, 2.0, 2.0], 1, Verdict.SHOWN),
        ([1.0, math.nan, 1.0], 1, Verdict.NOT_DECIDED),
        ([math.inf, 1.0, 1.0], 1, Verdict.NOT_DECIDED),
    ],
)
def test_verdicts(differences: list[float], sign: int, verdict: Verdict) -> None:
    assert decide(differences, sign) == verdict


def test_a_comparison_shows_both_sides_and_its_interval() -> None:
    statement = compared("A is larger", "size", ("A", [4.0, 5.0, 6.0]), ("B", [2.1, 3.0, 3.9]), 1)
    assert statement.verdict == Verdict.SHOWN
    assert statement.measured == (
        "size: 5.00 ± 1.0 A, 3.00 ± 0.90 B; difference seed by seed 2.00 ± 0.25 (95 % interval,"
        " 3 seeds)"
    )
    assert statement.numbers["difference"] == pytest.approx(2.0)
    alone = compared("A is larger", "size", ("A", [4.0]), ("B", [2.0]), 1)
    assert alone.verdict == Verdict.NOT_DECIDED
    assert "2.00 (1 seed)" in alone.measured
    assert alone.numbers["interval"] is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.0, "1.00"), (-12.345, "−12.3"), (1e-5, "1.00e−5"), (123456.0, "123,000"),
     (math.nan, "NaN"), (-math.inf, "−infinity"), (99.96, "100"), (0.0123, "0.0123")],
)  # fmt: skip
def test_rounded_numbers(value: float, text: str) -> None:
    assert rounded(value) == text


def test_one_seed_has_no_spread() -> None:
    assert over_seeds([2.0]) == "2.00"
    assert over_seeds([1.0, 3.0]) == "2.00 ± 1.4"
