"""The sample of a tensor: properties of its positions, and how it represents the tensor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_inspect.stats import Sampling
from resnet_inspect.stats.sampling import NARROWEST, WHOLE

RNG = np.random.default_rng(5)
shapes = st.lists(st.integers(0, 40), max_size=4).map(tuple)
images = st.tuples(st.integers(1, 40), st.integers(1, 20), st.integers(1, 20), st.integers(1, 70))


def numbers(sampling: Sampling) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The number of each element that is taken."""
    return sampling.take(np.arange(sampling.elements).reshape(sampling.shape))


@settings(deadline=None, max_examples=200)
@given(shapes | images, st.integers(0, 3000))
def test_runs_lie_inside_ascend_and_are_distinct(shape: tuple[int, ...], wanted: int) -> None:
    sampling = Sampling.of(shape, wanted)
    taken = numbers(sampling)
    assert len(taken) == sampling.taken <= sampling.elements == math.prod(shape)
    assert (np.diff(taken) > 0).all()
    if sampling.taken:
        assert 0 <= taken[0] <= taken[-1] < sampling.elements
    if sampling.runs:
        places = sampling.places()
        assert places.shape == (sampling.runs,)
        assert (np.diff(places) > 0).all()
        assert sampling.width % shape[-1] == 0
        assert math.prod(shape[1:]) % sampling.width == 0
        assert sampling.width >= min(NARROWEST, math.prod(shape[1:]))


@settings(deadline=None, max_examples=200)
@given(shapes | images, st.integers(1, 3000))
def test_tensors_not_much_larger_than_the_sample_are_whole(
    shape: tuple[int, ...], wanted: int
) -> None:
    sampling = Sampling.of(shape, wanted)
    whole = sampling.taken == math.prod(shape)
    assert (sampling.runs == 0) == whole
    if math.prod(shape) <= WHOLE * wanted or len(shape) < 2:
        assert whole
    if not whole:
        assert sampling.taken <= max(wanted, sampling.width)


@given(shapes)
def test_a_sample_of_0_is_the_whole(shape: tuple[int, ...]) -> None:
    values = RNG.normal(size=shape)
    assert np.array_equal(Sampling.of(shape, 0).take(values), values.reshape(-1))


@settings(deadline=None, max_examples=300)
@given(images, st.integers(1, 3000))
def test_no_run_crosses_examples_and_all_have_as_many(shape: tuple[int, ...], wanted: int) -> None:
    """What is counted by example relies on it."""
    sampling = Sampling.of(shape, wanted)
    example = numbers(sampling) // math.prod(shape[1:])
    parts = example.reshape(sampling.examples, -1)
    assert (parts == parts[:, :1]).all()
    if sampling.runs == 0 or sampling.runs >= shape[0]:
        assert sampling.examples == shape[0]
        assert parts[:, 0].tolist() == list(range(shape[0]))


@pytest.mark.parametrize(
    ("shape", "runs", "width"),
    [
        ((128, 32, 32, 16), 1024, 16),
        ((128, 8, 8, 64), 256, 64),
        ((100, 32, 32, 16), 1000, 16),
        ((128, 32, 32, 3), 640, 24),
        ((128, 16, 16, 1), 0, 0),
        ((14, 32, 32, 3), 672, 24),
        ((3, 3, 64, 64), 255, 64),
        ((1000000,), 0, 0),
        ((), 0, 0),
    ],
)
def test_known_samples(shape: tuple[int, ...], runs: int, width: int) -> None:
    assert Sampling.of(shape, 16384) == Sampling(shape, runs, width)


def test_all_rows_and_columns_are_sampled() -> None:
    """Runs follow no period of rows or columns: each is met about as often as any other."""
    shape = (128, 32, 32, 16)
    position = numbers(Sampling.of(shape, 16384))[::16] // 16
    for place in (position % 32, position // 32 % 32):
        met = np.bincount(place, minlength=32)
        assert met.min() >= 16
        assert met.max() <= 64


@pytest.mark.parametrize("shape", [(128, 32, 32, 16), (128, 16, 16, 32), (64, 33, 31, 5)])
def test_a_sample_resembles_the_whole(shape: tuple[int, ...]) -> None:
    values = RNG.normal(1, 2, shape)
    # What differs by example, row, column and channel as well.
    for axis, size in enumerate(shape):
        slope = np.linspace(-1, 1, size).reshape([-1 if i == axis else 1 for i in range(4)])
        values = values + slope
    taken = Sampling.of(shape, 16384).take(values)
    independent = math.sqrt(len(taken))
    assert taken.mean() == pytest.approx(values.mean(), abs=5 * values.std() / independent)
    assert taken.std() == pytest.approx(values.std(), rel=5 / independent)
    for share in (0.01, 0.25, 0.5, 0.75, 0.99):
        below = np.mean(taken < np.quantile(values, share))
        assert below == pytest.approx(share, abs=2.5 / independent)
