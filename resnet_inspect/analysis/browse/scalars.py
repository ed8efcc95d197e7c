"""Selects the scalars of a run that are shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar

_Course = TypeVar("_Course", bound=Mapping[int, float])
BATCH_LOSS, LOSS = "batch_loss", "loss"
ROUNDING = 1e-5  # relative; both losses are computed in float32, in another order


def shown_scalars(scalars: Mapping[str, _Course]) -> dict[str, _Course]:
    """Return scalars without `batch_loss` if it repeats `loss`, as in a training loop.

    In a `fit`, `loss` is the mean of the epoch so far, and both are shown.
    """
    loss: Mapping[int, float] = scalars.get(LOSS, {})
    batch: Mapping[int, float] = scalars.get(BATCH_LOSS, {})
    repeats = all(step in loss and _equal(loss[step], value) for step, value in batch.items())
    return {name: course for name, course in scalars.items() if name != BATCH_LOSS or not repeats}


def _equal(a: float, b: float) -> bool:
    return a == b or math.isclose(a, b, rel_tol=ROUNDING) or (math.isnan(a) and math.isnan(b))
