"""Training data of a user's model: random numbers by shape, or the arrays of an .npz file.

A batch is a pair: the arrays of the inputs and the arrays of the targets, in the model's order.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.data.random_inputs import RandomInputs
from resnet_inspect.errors import DataError

Arrays = tuple[NDArray[Any], ...]


class TargetSpec(NamedTuple):
    """How to draw the targets of one output.

    Attributes:
        name: the name of the output.
        kind: "classes" (integers below `classes`), "one-hot" (on the last axis), "zeros and ones",
            "counts", "shares" (with a sum of 1 on the last axis) or "normal".
        shape: the shape of a batch of targets.
        classes: the number of classes.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    classes: int = 0

    def draw(self, rng: np.random.Generator) -> NDArray[Any]:
        """Random targets: int64 for classes, else float32."""
        if self.kind == "classes":
            return rng.integers(0, max(self.classes, 1), self.shape)
        if self.kind == "one-hot":
            chosen = rng.integers(0, max(self.shape[-1], 1), self.shape[:-1])
            return np.eye(self.shape[-1], dtype=np.float32)[chosen]
        if self.kind == "zeros and ones":
            return rng.integers(0, 2, self.shape).astype(np.float32)
        if self.kind == "counts":
            return rng.poisson(2.0, self.shape).astype(np.float32)
        if self.kind == "shares":
            drawn = rng.random(self.shape, np.float32) + 1e-3
            return np.asarray(drawn / drawn.sum(-1, keepdims=True))
        return rng.standard_normal(self.shape, np.float32)


class OwnBatches(Protocol):
    """Batch number k of `steps` depends only on the seed and k; `description` names the data."""

    steps: int
    description: str

    def batch(self, number: int) -> tuple[Arrays, Arrays]:
        """The arrays of the inputs and of the targets."""


class RandomBatches:
    """Random numbers by the shapes of inputs and targets."""

    def __init__(
        self, inputs: RandomInputs, targets: Sequence[TargetSpec], seed: int, steps: int
    ) -> None:
        self._inputs = inputs
        self._targets = targets
        self._seed = seed
        self.steps = steps
        kinds = ", ".join(
            f"{target.name}: {target.kind}"
            + (f" from 0 to {target.classes - 1}" if target.classes else "")
            for target in targets
        )
        source = f"random inputs, random targets for the loss ({kinds})"
        self.description = f"{source}: no data was given"

    def batch(self, number: int) -> tuple[Arrays, Arrays]:
        """See `OwnBatches`."""
        rng = np.random.default_rng([self._seed, 3, number])
        return self._inputs.batch(number), tuple(target.draw(rng) for target in self._targets)


class ArrayBatches:
    """Batches of the examples of a file, shuffled by the seed in each epoch."""

    def __init__(
        self, file: str, inputs: Sequence[str], targets: Sequence[str], *, size: int, seed: int,
        steps: int,
    ) -> None:  # fmt: skip
        arrays = read_arrays(file)
        self._inputs = _chosen(arrays, inputs, ("x", "images"), file)
        self._targets = _chosen(arrays, targets, ("y", "labels"), file)
        counts = {len(array) for array in (*self._inputs, *self._targets)}
        if len(counts) != 1 or not min(counts):
            raise DataError(
                "the arrays of the .npz file have different numbers of examples",
                where=file,
                expected="the same number of rows in each array, at least 1",
                got=", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items()),
                fix="write the file again with one example per row",
            )
        self._count = counts.pop()
        self._size, self._seed, self.steps = size, seed, steps
        self.description = f"{self._count:,} examples of {Path(file).name}"

    def batch(self, number: int) -> tuple[Arrays, Arrays]:
        """See `OwnBatches`."""
        places = np.arange(number * self._size, (number + 1) * self._size)
        epochs, within = np.divmod(places, self._count)
        parts = [self._order(int(epoch))[within[epochs == epoch]] for epoch in np.unique(epochs)]
        rows = np.concatenate(parts)
        inputs = tuple(array[rows] for array in self._inputs)
        return inputs, tuple(array[rows] for array in self._targets)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng([self._seed, 4, epoch]).permutation(self._count)


def read_arrays(file: str) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file. Raises DataError if the file cannot be read."""
    try:
        path = Path(file).expanduser()
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    except (OSError, RuntimeError, ValueError, TypeError, AttributeError, EOFError, zlib.error,
            zipfile.BadZipFile) as error:  # fmt: skip
        raise DataError(
            "the data cannot be read",
            where=file,
            expected="a file written by numpy.savez, without Python objects",
            got=getattr(error, "strerror", None) or str(error),
            fix="write it with numpy.savez(FILE, x=…, y=…)",
        ) from error


def _chosen(
    arrays: dict[str, NDArray[Any]], names: Sequence[str], usual: Sequence[str], file: str
) -> Arrays:
    """The arrays with these names; a single array may have a usual name instead."""
    others = [name for name in usual if name in arrays and arrays[name].ndim]
    if len(names) == 1 and names[0] not in arrays and others:
        return (arrays[others[0]],)
    missing = [name for name in names if name not in arrays or not arrays[name].ndim]
    if missing:
        also = f" (or '{usual[0]}')" if len(names) == 1 and names[0] != usual[0] else ""
        raise DataError(
            f"the .npz file has no array '{missing[0]}'",
            where=file,
            expected="arrays " + ", ".join(f"'{name}'" for name in names) + also,
            got=", ".join(f"'{name}'" for name in arrays) or "no arrays",
            fix="write it with numpy.savez(FILE, NAME=…), one example per row",
        )
    return tuple(arrays[name] for name in names)
