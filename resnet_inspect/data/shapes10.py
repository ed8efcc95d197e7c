"""shapes10: generated images of 32×32×3 in ten classes, always the same, without a download.

Each image has one figure on a background of another colour, with noise. Position, size and colours
are random. Every class is symmetric under a left-right flip.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES = (
    "disc",
    "square",
    "triangle",
    "cross",
    "ring",
    "horizontal stripes",
    "vertical stripes",
    "checkerboard",
    "frame",
    "diamond",
)
COUNT = 2560
SIZE = 32
SEED = 20151210

Grid = NDArray[np.float64]


def draw(
    count: int = COUNT, *, training: bool = True
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw images [count, 32, 32, 3] of uint8 and labels [count] of int64, classes in turn.

    Without `training` the images are different, for evaluation.
    """
    rng = np.random.default_rng(SEED if training else [SEED, 1])
    labels = np.arange(count) % len(CLASSES)
    radius = rng.uniform(7.0, 12.0, (count, 1, 1))
    centre = rng.uniform(12.0, SIZE - 12.0, (2, count, 1, 1))
    grid = np.arange(SIZE, dtype=np.float64)
    y = (grid[None, :, None] - centre[0]) / radius
    x = (grid[None, None, :] - centre[1]) / radius
    masks = np.zeros((count, SIZE, SIZE), dtype=bool)
    for label in range(len(CLASSES)):
        chosen = labels == label
        masks[chosen] = _figure(label, y[chosen], x[chosen])
    colours = rng.uniform(0, 255, (2, count, 1, 1, 3))
    too_close = np.abs(colours[0] - colours[1]).mean(axis=-1, keepdims=True) < 60
    colours[1] = np.where(too_close, (colours[0] + 128) % 256, colours[1])
    pictures = np.where(masks[..., None], colours[0], colours[1])
    pictures += rng.normal(0.0, 8.0, pictures.shape)
    return np.clip(np.rint(pictures), 0, 255).astype(np.uint8), labels.astype(np.int64)


def _figure(label: int, y: Grid, x: Grid) -> Any:
    """The pixels inside the figure of class `label`; y and x are in units of its radius."""
    wide, distance = np.maximum(np.abs(y), np.abs(x)), np.hypot(y, x)
    inside = wide < 1.0
    if label == 0:
        return distance < 1.0
    if label == 1:
        return wide < 0.85
    if label == 2:
        return (np.abs(x) < (y + 1) / 2) & (np.abs(y) < 1.0)
    if label == 3:
        return inside & (np.minimum(np.abs(y), np.abs(x)) < 0.3)
    if label == 4:
        return (distance < 1.0) & (distance > 0.6)
    if label == 5:
        return inside & (np.floor((y + 1) * 2.5) % 2 == 0)
    if label == 6:
        return inside & (np.floor((x + 1) * 2.5) % 2 == 0)
    if label == 7:
        return inside & ((np.floor((y + 1) * 2) + np.floor(np.abs(x) * 2)) % 2 == 0)
    if label == 8:
        return inside & (wide > 0.65)
    return np.abs(y) + np.abs(x) < 1.0
