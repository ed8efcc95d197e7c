"""The generated images: always the same, balanced, and with separable classes."""

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_inspect.data import load, shapes10

Set = tuple[NDArray[np.uint8], NDArray[np.int64]]
HALF = shapes10.COUNT // 2


@pytest.fixture(scope="module")
def drawn() -> Set:
    return shapes10.draw()


def outlines(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Each figure's mask, cut to its extent and sampled at 16×16 points, shape [count, 256]."""
    values = images.astype(np.float64)
    ground = values[:, [0, 0, -1, -1], [0, -1, 0, -1]].mean(axis=1)
    sampled = []
    for mask in np.abs(values - ground[:, None, None]).mean(axis=-1) > 24:
        rows, columns = (np.flatnonzero(mask.sum(axis=axis) > 2) for axis in (1, 0))
        picked = (np.linspace(ends[0], ends[-1], 16).round() for ends in (rows, columns))
        sampled.append(mask[np.ix_(*(points.astype(int) for points in picked))].reshape(-1))
    return np.array(sampled, dtype=np.float64)


def test_form(drawn: Set) -> None:
    images, labels = drawn
    assert images.shape == (2560, 32, 32, 3)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert len(shapes10.CLASSES) == len(set(shapes10.CLASSES)) == 10


def test_always_the_same_pictures(drawn: Set) -> None:
    images, labels = drawn
    assert hashlib.sha256(images.tobytes()).hexdigest() == (
        "1974a54f79a87160276acc9327f1e386cd474089a4a4dbad4b443ab66ee0ad30"
    )
    loaded = load("shapes10")
    assert np.array_equal(loaded.images, images)
    assert np.array_equal(loaded.labels, labels)
    assert (loaded.source, len(loaded)) == ("shapes10", 2560)


def test_images_are_drawn_once_a_process_and_cannot_be_written_to() -> None:
    loaded = load("shapes10")
    assert load("shapes10") is loaded
    assert load("shapes10", training=False) is not loaded
    for array in (loaded.images, loaded.labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_classes_are_balanced(drawn: Set) -> None:
    assert np.bincount(drawn[1]).tolist() == [256] * 10


@pytest.mark.parametrize("step", [1, -1], ids=["as drawn", "mirrored"])
def test_nearest_outline_tells_the_classes_apart(drawn: Set, step: int) -> None:
    images, labels = drawn
    known = outlines(images[:HALF])
    means = np.array([known[labels[:HALF] == label].mean(axis=0) for label in range(10)])
    others = outlines(images[HALF:, :, ::step])
    nearest = ((others[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)
    assert np.mean(nearest == labels[HALF:]) > 0.9


def test_colours_do_not_tell_the_classes(drawn: Set) -> None:
    images, labels = drawn
    means = [images[labels == label].mean(axis=(0, 1, 2)) for label in range(10)]
    assert np.ptp(means, axis=0).max() < 20
