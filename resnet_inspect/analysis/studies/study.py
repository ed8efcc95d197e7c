"""The definition of a study: a question, the runs that it needs, and a function that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from resnet_inspect.analysis.studies.answer import Answer
from resnet_inspect.analysis.studies.variant_run import VariantRuns


@dataclass(frozen=True)
class Variant:
    """A variant of the tutorial's settings.

    Attributes:
        name: the name in answers and commands.
        settings: the settings that differ from the tutorial's.
        trained: whether it is trained once per seed. Otherwise there is one run: one forward pass,
            or the `steps` of its settings.
        evaluated: whether it is evaluated a few times in training, the last time at the end.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    trained: bool = True
    evaluated: bool = False


@dataclass(frozen=True)
class Study:
    """A question with its variants.

    `number` is the number of the question in the tutorial, 0 for none. `answer` is a pure function
    of the variants' recordings.
    """

    name: str
    number: int
    question: str
    variants: tuple[Variant, ...]
    answer: Callable[[VariantRuns], Answer]

    @property
    def trains(self) -> bool:
        """Whether a variant is trained, so that the study needs several seeds."""
        return any(variant.trained for variant in self.variants)
