"""Random inputs by shape, for models that come without data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.config.inputs import InputSpec

UNKNOWN = 8


class RandomInputs:
    """Batches for a model with these inputs: batch number k depends on the seed and on k alone.

    Floats are normal with mean 0 and deviation 1, integers and truth values 0 or 1. A size that
    is unknown is 8.
    """

    def __init__(self, specs: tuple[InputSpec, ...], seed: int) -> None:
        self.specs = specs
        self._seed = seed

    def batch(self, number: int) -> tuple[NDArray[Any], ...]:
        """An array for each input. Types that NumPy does not have come as float32."""
        rng = np.random.default_rng([self._seed, 2, number])
        return tuple(_draw(spec, rng) for spec in self.specs)


def _draw(spec: InputSpec, rng: np.random.Generator) -> NDArray[Any]:
    sizes = [UNKNOWN if size is None else size for size in spec.sizes]
    if "float" in spec.dtype:
        kind = "float32" if spec.dtype == "bfloat16" else spec.dtype
        return rng.standard_normal(sizes).astype(kind)
    return rng.integers(0, 2, sizes).astype(spec.dtype)
