"""What a problem hands out: inputs, and what is to be answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Examples:
    """Inputs (one array, or several for pairs and the like) and what is to be answered; `answers`
    says what that is: "class" (a number below `units`), "yes-no", "real", "labels" (several of
    `units`), "first" (a number, said by the first of `units`), "ordered" (an answer below 0).
    """

    inputs: tuple[Array, ...]
    wanted: Array
    answers: str
    units: int
