"""What a case is: a healthy training, or one with a single change, and which part it belongs to.

Knows names and numbers only; what they do is in `networks`, `problems` and `training`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SEEDS = (0, 1, 2)

# The split, written down before any rule was judged: rules are tuned on these kinds with this
# seed alone; all other runs, of these kinds with other seeds and of other kinds, are held back.
TUNING_KINDS = frozenset({"tutorial", "mlp", "lstm", "autoencoder", "binary", "finetuned"})
HELD_KINDS = frozenset({"cnn", "transformer", "regression", "multilabel", "siamese", "vae"})
TUNING_SEEDS = frozenset({0})
# Written later, by somebody who had not read the rules, and judged once at the end.
FRESH_KINDS = frozenset(
    {
        "tagging",
        "signals",
        "segmentation",
        "text",
        "counts",
        "spread",
        "tabular",
        "clicks",
        "separable",
        "colours",
        "triplet",
    }
)


@dataclass(frozen=True)
class Healthy:
    """A training that works. `plan` holds what differs from the defaults of its network and of
    `training.Training`; `goal` is the score that it must reach to count as healthy, on examples
    it was not trained on (the tutorial: accuracy over the last tenth of its steps).
    """

    name: str
    kind: str
    goal: float
    words: str
    plan: Mapping[str, Any] = field(hash=False, default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """A healthy training with one change, `change` = (key of the plan, value).

    `rules` are those of which one must fire; `also` are those that may, as consequences. Without
    `rules` no rule is asked for: TensorFlow refuses the network and `trace` explains that.
    """

    name: str
    of: Healthy
    change: tuple[str, Any]
    words: str
    rules: tuple[str, ...]
    also: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """That of the healthy training."""
        return self.of.kind

    @property
    def plan(self) -> Mapping[str, Any]:
        """The healthy one's plan with the change."""
        key, value = self.change
        return {**self.of.plan, key: value}


Case = Healthy | Fault


def half(kind: str, seed: int) -> str:
    """One of "tuning", "held" and "fresh"; KeyError for a kind that was not split beforehand."""
    if kind in FRESH_KINDS:
        return "fresh"
    if kind not in TUNING_KINDS | HELD_KINDS:
        raise KeyError(kind)
    return "tuning" if kind in TUNING_KINDS and seed in TUNING_SEEDS else "held"
