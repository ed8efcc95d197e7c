"""Measures the time to capture a graph, relative to TensorFlow's time to trace it."""

from __future__ import annotations

import statistics
import time
from importlib import import_module
from typing import Any

from bench import Row, built

ROUNDS = 5


def measure(quick: bool = False) -> list[Row]:
    """Measure the share of capture in the time of a trace, for n=5 and n=18."""
    observed: Any = import_module("resnet_inspect.tracers.tensorflow.fit.observed_step")

    spent: list[float] = []
    whole = observed.capture

    def timed(*arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        graph = whole(*arguments, **named)
        spent.append(time.perf_counter() - start)
        return graph

    observed.capture = timed
    rows: list[Row] = []
    try:
        for n, rounds in ((1, 1),) if quick else ((5, ROUNDS), (18, 2)):
            shares, ops = [], 0
            for _ in range(rounds):
                outcome, _ = built(n=n, batch_size=8)
                shares.append(spent[-1] / outcome.seconds)
                ops = len(outcome.graph.ops)
            what = f"capture over TensorFlow's own tracing, n={n}, {ops:,} ops"
            rows.append((what, f"{100 * statistics.median(shares):.1f} %", "target ≤ 15 %"))
    finally:
        observed.capture = whole
    return rows
