"""A case: a healthy training or one with a single change, and the part that it belongs to.

This module has names and numbers only; `networks`, `problems` and `training` implement them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SEEDS = (0, 1, 2)

# The split was fixed before any rule was judged. Rules are tuned on these kinds with this seed.
# All other runs are in the other half: these kinds with other seeds, and all other kinds.
TUNING_KINDS = frozenset({"tutorial", "mlp", "lstm", "autoencoder", "binary", "finetuned"})
HELD_KINDS = frozenset({"cnn", "transformer", "regression", "multilabel", "siamese", "vae"})
TUNING_SEEDS = frozenset({0})
# Written later, by an author who had not read the rules, and judged once at the end.
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
    """A training that works.

    `plan` has the differences from the defaults of the network and of `training.Training`. `goal`
    is the score on unseen examples that the training must reach to count as healthy. For the
    tutorial, the score is the accuracy over the last tenth of the steps.
    """

    name: str
    kind: str
    goal: float
    words: str
    plan: Mapping[str, Any] = field(hash=False, default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """A healthy training with one change, `change` = (key of the plan, value).

    One of `rules` must fire; those of `also` may fire as consequences. Without `rules` no rule has
    to fire: TensorFlow rejects the network and `trace` explains the error.
    """

    name: str
    of: Healthy
    change: tuple[str, Any]
    words: str
    rules: tuple[str, ...]
    also: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of the healthy training."""
        return self.of.kind

    @property
    def plan(self) -> Mapping[str, Any]:
        """The plan of the healthy training with the change."""
        key, value = self.change
        return {**self.of.plan, key: value}


Case = Healthy | Fault


def half(kind: str, seed: int) -> str:
    """Return "tuning", "held" or "fresh". Raises KeyError for a kind outside the split."""
    if kind in FRESH_KINDS:
        return "fresh"
    if kind not in TUNING_KINDS | HELD_KINDS:
        raise KeyError(kind)
    return "tuning" if kind in TUNING_KINDS and seed in TUNING_SEEDS else "held"
