"""The examples of a problem: inputs and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Examples:
    """Inputs, one array or several, and labels (`wanted`).

    `answers` is the type of the labels: "class" (an integer below `units`), "yes-no", "real",
    "labels" (several of `units` at once), "first" (a real number, predicted by the first of
    `units`) or "ordered" (the prediction must be negative).
    """

    inputs: tuple[Array, ...]
    wanted: Array
    answers: str
    units: int
