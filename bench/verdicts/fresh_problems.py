"""Problems of the fresh kinds, generated with NumPy like those of `problems`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.verdicts.examples import Array, Examples


def tags(count: int, rng: np.random.Generator) -> Examples:
    """Words of 10 letters out of 12, with a tag for each letter, [count, 10].

    A tag encodes whether the letter and the next letter are among the first six.
    """
    letters = rng.integers(0, 12, (count, 10))
    low = (letters < 6).astype(np.int32)
    after = np.concatenate([low[:, 1:], np.zeros((count, 1), np.int32)], axis=1)
    return Examples((letters.astype(np.int32),), 2 * low + after, "class", 4)


def tones(count: int, rng: np.random.Generator) -> Examples:
    """Noisy waves of 64 steps in two channels, [count, 64, 2]; the class is the pitch."""
    labels = rng.integers(0, 4, count)
    pitch = np.array([2.0, 4.0, 7.0, 11.0])[labels] + rng.uniform(-0.5, 0.5, count)
    phase = rng.uniform(0, 2 * np.pi, (count, 1, 2))
    turn = 2 * np.pi * np.linspace(0, 1, 64)[None, :, None] * pitch[:, None, None]
    height = rng.uniform(0.7, 1.3, (count, 1, 2))
    inputs = height * np.sin(turn + phase) + rng.normal(0, 0.6, (count, 64, 2))
    return Examples((inputs.astype(np.float32),), labels.astype(np.int32), "class", 4)


def mistaken(count: int, rng: np.random.Generator) -> Examples:
    """The same waves; a fifth of the labels is random."""
    drawn = tones(count, rng)
    guessed = rng.integers(0, 4, count)
    labels = np.where(rng.random(count) < 0.2, guessed, drawn.wanted).astype(np.int32)
    return Examples(drawn.inputs, labels, "class", 4)


def masks(count: int, rng: np.random.Generator) -> Examples:
    """Noisy bright discs on an uneven background, [count, 16, 16, 1]; labels are masks."""
    down, right = np.mgrid[:16, :16]
    middle = rng.uniform(4, 11, (count, 2, 1, 1))
    radius = rng.uniform(3.5, 6.5, (count, 1, 1))
    inside = (down - middle[:, 0]) ** 2 + (right - middle[:, 1]) ** 2 < radius**2
    slope = rng.normal(0, 0.08, (count, 2, 1, 1))
    ground = slope[:, 0] * (down - 7.5) + slope[:, 1] * (right - 7.5)
    images = 1.8 * inside - 0.5 + ground + rng.normal(0, 0.7, (count, 16, 16))
    wanted = inside[..., None].astype(np.float32)
    return Examples((images[..., None].astype(np.float32),), wanted, "yes-no", 1)


def reviews(count: int, rng: np.random.Generator) -> Examples:
    """Six to twenty words out of 30, padded with 0; words 1…5 praise, 6…10 blame.

    Labels, [count, 1], are 1 for praise.
    """
    labels = rng.integers(0, 2, count)
    words = rng.integers(11, 30, (count, 20))
    telling = rng.random((count, 20)) < 0.4
    praise = np.where(rng.random((count, 20)) < 0.8, labels[:, None], 1 - labels[:, None])
    words = np.where(telling, rng.integers(1, 6, (count, 20)) + 5 * (1 - praise), words)
    length = rng.integers(6, 21, count)
    words = np.where(np.arange(20) < length[:, None], words, 0)
    return Examples((words.astype(np.int32),), labels[:, None].astype(np.float32), "yes-no", 1)


def visits(count: int, rng: np.random.Generator) -> Examples:
    """Counts, two on average, whose mean depends on six values; labels are [count, 1]."""
    inputs = rng.normal(0, 1, (count, 6))
    height = 0.3 + 0.6 * inputs[:, 0] - 0.5 * inputs[:, 1] + 0.4 * np.sin(2 * inputs[:, 2])
    wanted = rng.poisson(np.exp(np.clip(height, -4, 2.5)))
    return Examples((inputs.astype(np.float32),), wanted[:, None].astype(np.float32), "real", 1)


def _columns(count: int, rng: np.random.Generator) -> Array:
    """Return 13 columns: five real, three binary, one of four classes one-hot, one in 0…1."""
    measures = rng.normal(0, 1, (count, 5))
    answers = rng.random((count, 3)) < 0.3
    choice = np.eye(4)[rng.integers(0, 4, count)]
    return np.concatenate([measures, answers, choice, rng.random((count, 1))], axis=1)


def tabular(count: int, rng: np.random.Generator) -> Examples:
    """Columns of several types; three classes from a small nonlinear function of them."""
    fixed = np.random.default_rng(21)
    mixing, voting = fixed.normal(0, 0.8, (13, 8)), fixed.normal(0, 1, (8, 3))
    usual = (np.tanh(_columns(4096, fixed) @ mixing) @ voting).mean(axis=0)
    inputs = _columns(count, rng)
    votes = np.tanh(inputs @ mixing) @ voting - usual
    return Examples((inputs.astype(np.float32),), votes.argmax(axis=1).astype(np.int32), "class", 3)


def clicks(count: int, rng: np.random.Generator) -> Examples:
    """24 binary values, few of them 1, and six real ones; labels are clicks, [count, 1]."""
    weights = np.random.default_rng(22).normal(0, 1.5, 24)
    marks = rng.random((count, 24)) < 0.15
    numbers = rng.normal(0, 1, (count, 6))
    height = marks @ weights + 1.5 * np.sin(2 * numbers[:, 0]) + numbers[:, 1] * numbers[:, 2]
    wanted = height + rng.normal(0, 0.3, count) > 0.6
    inputs = marks.astype(np.float32), numbers.astype(np.float32)
    return Examples(inputs, wanted[:, None].astype(np.float32), "yes-no", 1)


def rare_clicks(count: int, rng: np.random.Generator) -> Examples:
    """The same without most clicks: about one example in sixteen is a click."""
    drawn = clicks(count * 3, rng)
    kept = (drawn.wanted[:, 0] == 0) | (rng.random(count * 3) < 0.1)
    chosen = np.flatnonzero(kept)[:count]
    first, second = drawn.inputs
    return Examples((first[chosen], second[chosen]), drawn.wanted[chosen], "yes-no", 1)


def gratings(count: int, rng: np.random.Generator) -> Examples:
    """Noisy stripes of any colour, [count, 16, 16, 3]; the class is their direction."""
    labels = rng.integers(0, 4, count)
    down, right = np.mgrid[:16, :16] / 16
    angle = (labels * np.pi / 4 + rng.normal(0, 0.12, count))[:, None, None]
    across = down * np.sin(angle) + right * np.cos(angle)
    often = rng.uniform(2.0, 3.5, (count, 1, 1))
    wave = np.sin(2 * np.pi * (often * across + rng.random((count, 1, 1))))
    colour = rng.uniform(0.4, 1.6, (count, 1, 1, 3)) * rng.choice([-1, 1], (count, 1, 1, 3))
    inputs = wave[..., None] * colour + rng.normal(0, 0.6, (count, 16, 16, 3))
    return Examples((inputs.astype(np.float32),), labels.astype(np.int32), "class", 4)


def coloured(count: int, rng: np.random.Generator) -> Examples:
    """A disc on grey, [count, 12, 12, 3], in −1…1; labels are its colour, three values of 0…1."""
    down, right = np.mgrid[:12, :12]
    middle = rng.uniform(4, 8, (count, 2, 1, 1))
    inside = (down - middle[:, 0]) ** 2 + (right - middle[:, 1]) ** 2 < 9
    colour = rng.random((count, 3))
    ground = rng.uniform(0.3, 0.7, (count, 1, 1, 1)) + rng.normal(0, 0.1, (count, 12, 12, 3))
    images = np.where(inside[..., None], colour[:, None, None], ground)
    inputs = (images.clip(0, 1) * 2 - 1).astype(np.float32)
    return Examples((inputs,), colour.astype(np.float32), "real", 3)


def uneven(count: int, rng: np.random.Generator) -> Examples:
    """A function of three values with noise whose deviation depends on them; [count, 1]."""
    inputs = rng.uniform(-1.7, 1.7, (count, 3))
    deviation = 0.05 + 0.5 / (1 + np.exp(-3 * inputs[:, 1]))
    wanted = np.sin(2 * inputs[:, 0]) + 0.6 * inputs[:, 2] + rng.normal(0, deviation, count)
    return Examples((inputs.astype(np.float32),), wanted[:, None].astype(np.float32), "first", 2)


def triplets(count: int, rng: np.random.Generator) -> Examples:
    """Triplets of 12 values each: an example, a second one of its class, one of another class.

    There are five classes. Labels, [count, 1], are all 0: the loss ignores them.
    """
    centres = np.random.default_rng(23).normal(0, 0.6, (5, 12))
    chosen = rng.integers(0, 5, count)
    other = (chosen + rng.integers(1, 5, count)) % 5
    drawn = (centres[k] + rng.normal(0, 0.8, (count, 12)) for k in (chosen, chosen, other))
    inputs = tuple(array.astype(np.float32) for array in drawn)
    return Examples(inputs, np.zeros((count, 1), np.float32), "ordered", 8)


FRESH_PROBLEMS: dict[str, Callable[[int, np.random.Generator], Examples]] = {
    problem.__name__: problem
    for problem in (
        tags,
        tones,
        mistaken,
        masks,
        reviews,
        visits,
        tabular,
        clicks,
        rare_clicks,
        gratings,
        coloured,
        uneven,
        triplets,
    )
}
