"""Random inputs by shape, for models without data."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from resnet_inspect.config.inputs import InputSpec

FIRST_UNKNOWN = 8
WORDS = ("the", "a", "good", "bad", "film", "day", "was", "not", "very", "here")
WORDS_IN_TEXT = 3


class RandomInputs:
    """Batches for a model with these inputs. Batch number k depends only on the seed and on k.

    Floats are normal with mean 0 and standard deviation 1. Integers and booleans are 0 or 1.
    Strings are three English words.

    Attributes:
        specs: the inputs of the model.
        fed: `specs` with a number for each unknown size: 8, 9, 10 …, so that sizes that may
            differ do differ. Unknown first axes are the batch and get the same number.
    """

    def __init__(self, specs: tuple[InputSpec, ...], seed: int) -> None:
        self.specs = specs
        self.fed = tuple(_known(specs))
        self._seed = seed

    def batch(self, number: int) -> tuple[NDArray[Any], ...]:
        """An array for each input. Types that NumPy lacks are float32."""
        rng = np.random.default_rng([self._seed, 2, number])
        return tuple(_draw(spec, rng) for spec in self.fed)

    def chosen(self) -> list[str]:
        """The numbers chosen for unknown sizes, as text: `x axis 0 is 8`."""
        return [
            f"{spec.name} axis {axis} is {fed.sizes[axis]}"
            for spec, fed in zip(self.specs, self.fed, strict=True)
            for axis, size in enumerate(spec.sizes)
            if size is None
        ]


def _known(specs: tuple[InputSpec, ...]) -> list[InputSpec]:
    unused = count(FIRST_UNKNOWN)
    batch: int | None = None
    known = []
    for spec in specs:
        sizes = list(spec.sizes)
        for axis, size in enumerate(sizes):
            if size is None and axis == 0:
                batch = sizes[axis] = next(unused) if batch is None else batch
            elif size is None:
                sizes[axis] = next(unused)
        known.append(msgspec.structs.replace(spec, sizes=tuple(sizes)))
    return known


def _draw(spec: InputSpec, rng: np.random.Generator) -> NDArray[Any]:
    sizes = [size or 0 for size in spec.sizes]
    if spec.dtype == "float64":
        return rng.standard_normal(sizes)
    if "float" in spec.dtype:
        drawn = rng.standard_normal(sizes, dtype=np.float32)
        return drawn.astype("float16") if spec.dtype == "float16" else drawn
    if spec.dtype == "string":
        chosen = rng.choice(WORDS, (*sizes, WORDS_IN_TEXT))
        texts = [" ".join(words) for words in chosen.reshape(-1, WORDS_IN_TEXT)]
        return np.array(texts, dtype=object).reshape(sizes)
    return rng.integers(0, 2, sizes, dtype=spec.dtype)
