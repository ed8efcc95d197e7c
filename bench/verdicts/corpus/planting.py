"""How a fault is written down, and what often goes together."""

from __future__ import annotations

from typing import Any

from bench.verdicts.corpus import fresh_healthy, healthy
from bench.verdicts.plan import Fault

GOOD = {one.name: one for one in (*healthy.HEALTHY, *fresh_healthy.HEALTHY)}

# Rules that are right for a learning rate far too high or low, and what it may show besides.
HIGH = "learning-rate loss-diverging not-finite"
AFTER_HIGH = (
    "dead-units exploding-gradient loss-constant loss-oscillating loss-stuck saturated-units "
    "train-eval-gap update-ratio vanishing-gradient growing-weights no-gradient unchanged-weights"
)
LOW = "learning-rate update-ratio"
AFTER_LOW = "loss-stuck loss-constant unchanged-weights"
# What is seen of layers that learn nothing.
STILL = "loss-stuck loss-constant vanishing-gradient unchanged-weights update-ratio"


def plant(name: str, words: str, rules: str, also: str = "", **change: Any) -> Fault:
    """The fault GOOD/NAME in the healthy training GOOD: its change is the one keyword; the rules
    that are right, and those that may fire too, have spaces between them.
    """
    ((key, value),) = change.items()
    right = tuple(rules.split())
    besides = tuple(rule for rule in also.split() if rule not in right)
    return Fault(name, GOOD[name.partition("/")[0]], (key, value), words, right, besides)
