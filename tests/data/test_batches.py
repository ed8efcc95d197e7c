"""The order of batches, and their distortions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resnet_inspect.data import Batches, LabelledImages
from resnet_inspect.data.batches import distort, standardize

Images = NDArray[np.float32]


def numbered(count: int, side: int = 3) -> LabelledImages:
    """Random pictures whose labels are their numbers."""
    images = np.random.default_rng(count).integers(0, 256, (count, side, side, 3))
    return LabelledImages(images.astype(np.uint8), np.arange(count), "numbered")


def batches(count: int, size: int, seed: int = 0, *, raw: bool = False) -> Batches:
    return Batches(numbered(count), size, seed, raw=raw, training=True)


def test_same_seed_and_number_give_the_same_batch_in_any_order() -> None:
    first, second = batches(10, 3, 7), batches(10, 3, 7)
    forward = [first.batch(number) for number in range(7)]
    for number in (5, 0, 6, 5, 1):
        images, labels = second.batch(number)
        assert np.array_equal(images, forward[number][0])
        assert np.array_equal(labels, forward[number][1])


def test_other_seeds_and_epochs_give_other_orders() -> None:
    orders = {
        tuple(batches(40, 40, seed).batch(epoch)[1].tolist())
        for seed in range(4)
        for epoch in range(4)
    }
    assert len(orders) == 16


def test_other_seeds_and_numbers_give_other_distortions() -> None:
    data = numbered(1, 32)
    runs = [Batches(data, 1, seed, raw=False, training=True) for seed in range(8)]
    by_seed = {run.batch(0)[0].tobytes() for run in runs}
    by_number = {runs[0].batch(number)[0].tobytes() for number in range(8)}
    assert len(by_seed) > 5
    assert len(by_number) > 5


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**31 - 1), st.integers(0, 5))
def test_an_epoch_takes_each_picture_at_most_once(
    count: int, size: int, seed: int, epoch: int
) -> None:
    size = min(size, count)
    many = count // size
    feed = batches(count, size, seed, raw=True)
    taken = [feed.batch(epoch * many + place)[1] for place in range(many)]
    assert all(len(labels) == size for labels in taken)
    assert len(np.unique(taken)) == many * size


def test_raw_pictures_are_untouched() -> None:
    feed = batches(10, 4, raw=True)
    for number in range(5):
        images, labels = feed.batch(number)
        assert images.dtype == np.float32
        assert np.array_equal(images, feed.data.images[labels])


@pytest.mark.parametrize("raw", [True, False])
def test_evaluation_keeps_the_order_of_the_file(raw: bool) -> None:
    data = numbered(7)
    feed = Batches(data, 3, 5, raw=raw, training=False)
    plain = data.images.astype(np.float32)
    expected = plain if raw else standardize(plain)
    for number, start in ((0, 0), (1, 3), (2, 0), (5, 3)):
        images, labels = feed.batch(number)
        assert labels.tolist() == list(range(start, start + 3))
        assert np.array_equal(images, expected[start : start + 3])


def test_training_pictures_are_standardized() -> None:
    images, labels = Batches(numbered(8, 32), 8, 0, raw=False, training=True).batch(0)
    assert images.shape == (8, 32, 32, 3)
    assert images.dtype == np.float32
    assert images.mean(axis=(1, 2, 3)) == pytest.approx(np.zeros(8), abs=1e-5)
    assert images.std(axis=(1, 2, 3)) == pytest.approx(np.ones(8), abs=1e-5)
    assert sorted(labels.tolist()) == list(range(8))


def test_image_shape() -> None:
    images = np.zeros((2, 5, 6, 1), np.uint8)
    data = LabelledImages(images, np.zeros(2, np.int64), "flat")
    feed = Batches(data, 1, 0, raw=False, training=True)
    assert feed.image_shape == (5, 6, 1)
    assert feed.batch(0)[0].shape == (1, 5, 6, 1)


def places(original: Images, distorted: Images) -> list[tuple[int, int, bool]]:
    """Every crop of the padded image, mirrored or not, that equals the distorted image."""
    height, width, _ = original.shape
    padded = np.zeros((height + 8, width + 8, 3), np.float32)
    padded[4:-4, 4:-4] = original
    return [
        (top, left, mirrored)
        for top in range(9)
        for left in range(9)
        for mirrored in (False, True)
        if np.array_equal(
            padded[top : top + height, left : left + width][:, :: -1 if mirrored else 1], distorted
        )
    ]


def test_distortion_only_moves_and_mirrors() -> None:
    images = numbered(6, 32).images.astype(np.float32)
    before = images.copy()
    distorted = distort(images, np.random.default_rng(1))
    assert np.array_equal(images, before)
    assert distorted.shape == images.shape
    assert [len(places(*pair)) for pair in zip(images, distorted, strict=True)] == [1] * 6


def test_distortion_reaches_every_place_and_mirrors_half() -> None:
    images = 1 + numbered(400, 10).images.astype(np.float32)
    distorted = distort(images, np.random.default_rng(2))
    crops = [place for pair in zip(images, distorted, strict=True) for place in places(*pair)]
    tops, lefts, mirrored = zip(*crops, strict=True)
    assert set(tops) == set(lefts) == set(range(9))
    assert 150 < sum(mirrored) < 250
    assert len(set(zip(tops, lefts, strict=True))) > 60


def per_image_standardization(picture: Images) -> NDArray[np.float64]:
    """TensorFlow's definition: (x - mean) / max(stddev, 1/sqrt(number of elements))."""
    values = picture.astype(np.float64)
    adjusted = max(float(np.std(values)), 1.0 / np.sqrt(values.size))
    return np.asarray((values - np.mean(values)) / adjusted)


def test_standardizing_is_tensorflows_definition() -> None:
    images = numbered(4, 32).images.astype(np.float32)
    images[1] = 200
    images[2] = 200
    images[2, 3, 4, 1] = 201  # its deviation is below 1/√3072
    expected = np.array([per_image_standardization(picture) for picture in images])
    assert np.allclose(standardize(images), expected, rtol=1e-6, atol=1e-6)
    assert expected[2].std() < 1 - 1e-4


@pytest.mark.parametrize("value", [0.0, 127.0, 255.0])
def test_a_constant_picture_becomes_zeros(value: float) -> None:
    zeros = standardize(np.full((2, 8, 8, 3), value, np.float32))
    assert not zeros.any()
    assert zeros.dtype == np.float32
