"""Batches in a random order with the distortions of the tutorial, reproducible by a seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.data.images import LabelledImages

MARGIN = 4


class Batches:
    """The batches of a training. Batch number k depends only on the seed and on k.

    Each epoch has a new order and drops the images that do not fill a batch. Training images are
    distorted and standardized, evaluation images standardized, `raw` images unchanged (0 to 255).

    Attributes:
        data: the images and labels.
        evaluation: batches of other images for evaluation during training, or None.
        size: the number of images in a batch.
    """

    def __init__(
        self,
        data: LabelledImages,
        size: int,
        seed: int,
        *,
        raw: bool,
        training: bool,
        evaluation: Batches | None = None,
    ) -> None:
        self.data = data
        self.evaluation = evaluation
        self.size = size
        self._seed = seed
        self._raw = raw
        self._training = training

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        height, width, channels = self.data.images.shape[1:]
        return height, width, channels

    def batch(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Batch `number`, from 0: images [size, height, width, channels] and labels [size]."""
        epoch, position = divmod(number, len(self.data) // self.size)
        order: NDArray[np.int64] = np.arange(len(self.data))
        if self._training:
            order = np.random.default_rng([self._seed, 0, epoch]).permutation(len(self.data))
        chosen = order[position * self.size : (position + 1) * self.size]
        with np.errstate(all="ignore"):  # NaN and infinities are recorded later
            return self._fed(chosen, number), self.data.labels[chosen]

    def _fed(self, chosen: NDArray[np.int64], number: int) -> NDArray[np.float32]:
        images = self.data.images[chosen].astype(np.float32)
        if not self._raw:
            if self._training:
                images = distort(images, np.random.default_rng([self._seed, 1, number]))
            images = standardize(images)
        return images


def distort(images: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Pad by 4 zeros, crop at a random position, flip half of the images left-right."""
    count, height, width, channels = images.shape
    padded = np.pad(images, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)))
    tops, lefts = rng.integers(0, 2 * MARGIN + 1, (2, count))
    rows = tops[:, None, None] + np.arange(height)[None, :, None]
    columns = lefts[:, None, None] + np.arange(width)[None, None, :]
    cropped: NDArray[np.float32] = padded[np.arange(count)[:, None, None], rows, columns]
    flips = rng.random(count) < 0.5
    cropped[flips] = cropped[flips, :, ::-1]
    return cropped.reshape(count, height, width, channels)


def standardize(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Subtract each image's mean, divide by its standard deviation or 1/√elements if larger."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    mean = flat.mean(axis=1, keepdims=True)
    spread = np.maximum(flat.std(axis=1, keepdims=True), 1.0 / np.sqrt(flat.shape[1]))
    standardized: NDArray[np.float32] = ((flat - mean) / spread).astype(np.float32)
    return standardized.reshape(images.shape)
