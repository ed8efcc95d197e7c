"""The problems that the networks learn, generated with NumPy from a seed.

A problem itself, such as the position of classes, is fixed; the seed selects the examples. Inputs
have unit scale, unless the name says otherwise.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from bench.verdicts.examples import Array, Examples
from bench.verdicts.fresh_problems import FRESH_PROBLEMS
from resnet_inspect.data.shapes10 import draw

FIGURES = (0, 3, 5, 6)  # disc, cross, horizontal stripes, vertical stripes


def blobs(count: int, rng: np.random.Generator) -> Examples:
    """Four classes in 16 dimensions, each with two Gaussian clusters."""
    centres = np.random.default_rng(11).normal(0, 1.1, (4, 2, 16))
    labels = rng.integers(0, 4, count)
    chosen = centres[labels, rng.integers(0, 2, count)]
    inputs = (chosen + rng.normal(0, 0.8, (count, 16))) / 1.36
    return Examples((inputs.astype(np.float32),), labels.astype(np.int32), "class", 4)


def rare(count: int, rng: np.random.Generator) -> Examples:
    """The same clusters; the last class has one example in twelve."""
    drawn = blobs(count * 2, rng)
    kept = (drawn.wanted != 3) | (rng.random(count * 2) < 0.27)
    chosen = np.flatnonzero(kept)[:count]
    return Examples((drawn.inputs[0][chosen],), drawn.wanted[chosen], "class", 4)


def rings(count: int, rng: np.random.Generator) -> Examples:
    """Two classes in the plane, one around the other; labels are [count, 1]."""
    labels = rng.integers(0, 2, count)
    angle, radius = rng.uniform(0, 2 * np.pi, count), rng.normal(0, 0.15, count)
    radius += np.where(labels == 1, 1.8, 0.8)
    inputs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return Examples((inputs.astype(np.float32),), labels[:, None].astype(np.float32), "yes-no", 1)


def sides(count: int, rng: np.random.Generator) -> Examples:
    """The rings with labels −1 and 1."""
    drawn = rings(count, rng)
    return Examples(drawn.inputs, drawn.wanted * 2 - 1, "yes-no", 1)


def waves(count: int, rng: np.random.Generator) -> Examples:
    """A smooth function of four values with mean near 0 and unit scale; labels are [count, 1]."""
    inputs = rng.uniform(-1.7, 1.7, (count, 4))
    values = np.sin(1.5 * inputs[:, 0]) + 0.5 * inputs[:, 1] ** 2 + inputs[:, 2] * inputs[:, 3] / 2
    wanted = (values - 0.48 + rng.normal(0, 0.05, count)) / 1.0
    return Examples((inputs.astype(np.float32),), wanted[:, None].astype(np.float32), "real", 1)


def topics(count: int, rng: np.random.Generator) -> Examples:
    """Six labels at once, each 1 for a third to a half of the examples."""
    planes = np.random.default_rng(12).normal(0, 1, (16, 6)) / 4
    inputs = rng.normal(0, 1, (count, 16))
    offsets = np.array([0.0, 0.2, -0.2, 0.3, 0.0, 0.4])
    wanted = (np.tanh(inputs) @ planes * 2 > offsets).astype(np.float32)
    return Examples((inputs.astype(np.float32),), wanted, "labels", 6)


def curves(count: int, rng: np.random.Generator) -> Examples:
    """32 values, a nonlinear function of four hidden ones; the label is the input itself."""
    mixing = np.random.default_rng(13).normal(0, 1, (4, 32))
    hidden = rng.normal(0, 1, (count, 4))
    inputs = (np.tanh(hidden @ mixing) * 1.25).astype(np.float32)
    return Examples((inputs,), inputs, "real", 32)


def shades(count: int, rng: np.random.Generator) -> Examples:
    """The same curves between 0 and 1."""
    inputs = curves(count, rng).inputs[0] / 2.5 + 0.5
    return Examples((inputs,), inputs, "real", 32)


def grey(count: int, rng: np.random.Generator) -> Examples:
    """Four figures of shapes10 at 16×16, in 0…255."""
    images, labels = _drawn()
    chosen = np.flatnonzero(np.isin(labels, FIGURES))
    chosen = rng.choice(chosen, count)
    small = images[chosen].reshape(count, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    flipped = np.where(rng.random(count)[:, None, None, None] < 0.5, small[:, :, ::-1], small)
    numbers = np.searchsorted(FIGURES, labels[chosen])
    return Examples((flipped.astype(np.float32),), numbers.astype(np.int32), "class", 4)


@functools.cache
def _drawn() -> tuple[Array, Array]:
    return draw()


def pictures(count: int, rng: np.random.Generator) -> Examples:
    """The same images, each with mean 0 and scale 1."""
    drawn = grey(count, rng)
    images = drawn.inputs[0]
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    spread = images.std(axis=(1, 2, 3), keepdims=True)
    scaled = ((images - mean) / np.maximum(spread, 1)).astype(np.float32)
    return Examples((scaled,), drawn.wanted, "class", 4)


def sequences(count: int, rng: np.random.Generator) -> Examples:
    """Twelve steps of four values, [count, 12, 4]; the class is the one with the largest mean."""
    labels = rng.integers(0, 4, count)
    values = rng.normal(-0.2, 1, (count, 12, 4))
    values[np.arange(count), :, labels] += 0.8
    return Examples((values.astype(np.float32),), labels.astype(np.int32), "class", 4)


def tokens(count: int, rng: np.random.Generator) -> Examples:
    """Words of 12 letters out of 20; the class is the most frequent of the first four letters."""
    letters = rng.integers(4, 20, (count, 12))
    labels = rng.integers(0, 4, count)
    others = rng.integers(0, 4, count)
    places = np.argsort(rng.random((count, 12)), axis=1)
    rows = np.arange(count)[:, None]
    letters[rows, places[:, :2]] = others[:, None]
    letters[rows, places[:, 2:6]] = labels[:, None]
    return Examples((letters.astype(np.int32),), labels.astype(np.int32), "class", 4)


def orders(count: int, rng: np.random.Generator) -> Examples:
    """Words of 12 letters; whether letters 0 and 1 outnumber 2 and 3; labels are [count, 1]."""
    drawn = tokens(count, rng)
    return Examples(drawn.inputs, (drawn.wanted[:, None] > 1).astype(np.float32), "yes-no", 1)


def pairs(count: int, rng: np.random.Generator) -> Examples:
    """Two examples of the clusters; whether they have the same class; labels are [count, 1]."""
    first, second = blobs(count, rng), blobs(count * 6, rng)
    same = rng.random(count) < 0.5
    rest = [list(np.flatnonzero(second.wanted == k)) for k in range(4)]
    turn = rng.integers(1, 4, count)
    partner = np.where(same, first.wanted, (first.wanted + turn) % 4)
    chosen = np.array([rest[k].pop() for k in partner])
    inputs = first.inputs[0], second.inputs[0][chosen]
    return Examples(inputs, same[:, None].astype(np.float32), "yes-no", 1)


PROBLEMS: dict[str, Callable[[int, np.random.Generator], Examples]] = {
    problem.__name__: problem
    for problem in (
        blobs,
        rare,
        rings,
        sides,
        waves,
        topics,
        curves,
        shades,
        grey,
        pictures,
        sequences,
        tokens,
        orders,
        pairs,
    )
} | FRESH_PROBLEMS
