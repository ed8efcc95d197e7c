"""Labelled pictures in memory, and the checks every source of them must pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.errors import DataError


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Pictures [count, height, width, channels] of uint8 or float32, values 0…255, and labels
    [count] of int64; `source` says where they came from.
    """

    images: NDArray[np.uint8] | NDArray[np.float32]
    labels: NDArray[np.int64]
    source: str

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self.images)

    def check(self, classes: int, batch_size: int) -> LabelledImages:
        """Return self, or raise DataError where labels or size do not fit the settings."""
        outside = self.labels[(self.labels < 0) | (self.labels >= classes)]
        if outside.size:
            position = int(np.flatnonzero((self.labels < 0) | (self.labels >= classes))[0])
            raise DataError(
                "a label is outside the classes of the network",
                where=f"{self.source}, picture {position}",
                expected=f"labels from 0 to {classes - 1}",
                got=str(int(outside[0])),
                fix="mend the labels, or set classes to their number",
            )
        if batch_size > len(self):
            raise DataError(
                "the batch is larger than the data",
                where=self.source,
                expected=f"a batch size of at most {len(self)}",
                got=str(batch_size),
                fix=f"give --batch-size {len(self)} or less, or more data",
            )
        return self
