"""The bins of the histogram for every class of float32 bit pattern."""

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_inspect.stats import bins

ALL = np.arange(bins.LOWEST, bins.HIGHEST + 1)
SMALLEST_NORMAL = 2.0**-126
END_OF_SUBNORMALS = 2.0**-126


def finite_values() -> NDArray[np.float32]:
    """The finite ones of the first, second, middle and last bit pattern of every code."""
    starts = np.arange(bins.CODES, dtype=np.uint32)[:, None] << bins.SHIFT
    inside = np.array([0, 1, 1 << 19, (1 << bins.SHIFT) - 1], dtype=np.uint32)
    values = (starts | inside).reshape(-1).view(np.float32)
    return values[np.isfinite(values)]


def bins_of(values: NDArray[np.float32]) -> NDArray[np.int64]:
    return bins.bin_of_code()[bins.codes_of(values)]


def relative_widths(smallest_edge: float) -> NDArray[np.float64]:
    """Width divided by the smaller absolute edge, for bins beyond `smallest_edge`."""
    lower, upper = bins.lower_edges(ALL), bins.upper_edges(ALL)
    near = np.minimum(np.abs(lower), np.abs(upper))
    far = near >= smallest_edge
    return (upper - lower)[far] / near[far]


def test_each_code_has_a_separate_bin() -> None:
    assert sorted(bins.bin_of_code().tolist()) == list(range(bins.CODES))


def test_every_finite_code_is_covered_and_has_a_bin_in_range() -> None:
    assert set(bins_of(finite_values()).tolist()) == set(ALL.tolist())


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, -np.nan])
def test_values_that_are_not_finite_have_no_bin_in_range(value: float) -> None:
    (index,) = bins_of(np.array([value], dtype=np.float32))
    assert not bins.LOWEST <= index <= bins.HIGHEST


def test_edges_ascend_and_neighbours_share_them() -> None:
    lower, upper = bins.lower_edges(ALL), bins.upper_edges(ALL)
    assert (upper > lower).all()
    assert np.array_equal(upper[:-1], lower[1:])
    assert lower[0] == -(2.0**128)
    assert upper[-1] == 2.0**128


def test_each_value_is_in_exactly_one_bin() -> None:
    values = finite_values()
    indices = bins_of(values)
    lower, upper = bins.lower_edges(indices), bins.upper_edges(indices)
    negative = np.signbit(values)
    assert ((lower <= values) & (values < upper))[~negative].all()
    assert ((lower < values) & (values <= upper))[negative].all()


def test_bins_ascend_with_the_value() -> None:
    values = np.sort(finite_values())
    ascending = bins_of(values)[values != 0]
    assert (np.diff(ascending) >= 0).all()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, 2048),
        (-0.0, 2047),
        (np.finfo(np.float32).smallest_subnormal, 2048),
        (-np.finfo(np.float32).smallest_subnormal, 2047),
        (np.finfo(np.float32).max, bins.HIGHEST),
        (np.finfo(np.float32).min, bins.LOWEST),
        (1.0, 2048 + 127 * 8),
    ],
)
def test_known_values_have_known_bins(value: float, expected: int) -> None:
    assert bins_of(np.array([value], dtype=np.float32)).tolist() == [expected]


def test_shape_is_kept() -> None:
    assert bins.codes_of(np.zeros((2, 3, 4), np.float32)).shape == (2, 3, 4)


def test_bins_of_normal_numbers_are_at_most_an_eighth_wide() -> None:
    widths = relative_widths(SMALLEST_NORMAL)
    assert len(widths) == 2 * 254 * 8
    assert widths.max() == 1 / 8


def test_only_subnormal_bins_have_no_relative_bound() -> None:
    widths = relative_widths(END_OF_SUBNORMALS)
    assert len(widths) == len(ALL) - 16
    assert widths.max() <= 1 / 8
