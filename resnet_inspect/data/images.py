"""Labelled images in memory, and the checks for every source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.errors import DataError


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with labels.

    Attributes:
        images: [count, height, width, channels], uint8 or float32, values from 0 to 255.
        labels: [count], int64.
        source: the file or the name of the generated set.
    """

    images: NDArray[np.uint8] | NDArray[np.float32]
    labels: NDArray[np.int64]
    source: str

    def __len__(self) -> int:
        """The number of images."""
        return len(self.images)

    def check(self, classes: int, batch_size: int) -> LabelledImages:
        """Return self. Raises DataError if labels or size do not fit the settings."""
        outside = self.labels[(self.labels < 0) | (self.labels >= classes)]
        if outside.size:
            position = int(np.flatnonzero((self.labels < 0) | (self.labels >= classes))[0])
            raise DataError(
                "a label is outside the classes of the network",
                where=f"{self.source}, image {position}",
                expected=f"labels from 0 to {classes - 1}",
                got=str(int(outside[0])),
                fix="correct the labels, or set classes to their number",
            )
        if batch_size > len(self):
            raise DataError(
                "the batch is larger than the data",
                where=self.source,
                expected=f"a batch size of at most {len(self)}",
                got=str(batch_size),
                fix=f"set --batch-size to {len(self)} or less, or use more data",
            )
        return self
