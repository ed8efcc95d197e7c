"""The notation of a fault, and sets of rules that many faults share."""

from __future__ import annotations

from typing import Any

from bench.verdicts.corpus import fresh_healthy, healthy
from bench.verdicts.plan import Fault

GOOD = {case.name: case for case in (*healthy.HEALTHY, *fresh_healthy.HEALTHY)}

# Correct rules for a learning rate far too high or low, and rules that may fire as consequences.
HIGH = "learning-rate loss-diverging not-finite"
AFTER_HIGH = (
    "dead-units exploding-gradient loss-constant loss-oscillating loss-stuck saturated-units "
    "train-eval-gap update-ratio vanishing-gradient growing-weights no-gradient unchanged-weights"
)
LOW = "learning-rate update-ratio"
AFTER_LOW = "loss-stuck loss-constant unchanged-weights"
# Rules that may fire for layers that learn nothing.
STILL = "loss-stuck loss-constant vanishing-gradient unchanged-weights update-ratio"


def plant(name: str, words: str, rules: str, also: str = "", **change: Any) -> Fault:
    """Return the fault `name`, written TRAINING/FAULT, in a healthy training.

    `change` is exactly one keyword. `rules` are the correct rules and `also` those that may fire as
    consequences, separated by spaces.
    """
    ((key, value),) = change.items()
    right = tuple(rules.split())
    besides = tuple(rule for rule in also.split() if rule not in right)
    return Fault(name, GOOD[name.partition("/")[0]], (key, value), words, right, besides)
