"""What a study is: a question, the runs that it needs, and how it is answered from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from resnet_inspect.analysis.studies.answer import Answer
from resnet_inspect.analysis.studies.variant_run import VariantRuns


@dataclass(frozen=True)
class Variant:
    """Settings that are changed from the tutorial's. One that is `trained` is run once for each
    seed; another once, forward, or for as many `steps` as its settings say. What is `evaluated`
    is so a few times while it trains, the last time at its end.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    trained: bool = True
    evaluated: bool = False


@dataclass(frozen=True)
class Study:
    """`number` is that of the question in the tutorial, 0 for none; `answer` is a pure function of
    the recordings of the variants.
    """

    name: str
    number: int
    question: str
    variants: tuple[Variant, ...]
    answer: Callable[[VariantRuns], Answer]

    @property
    def trains(self) -> bool:
        """Whether it takes training, and with it several seeds."""
        return any(variant.trained for variant in self.variants)
