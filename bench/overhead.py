"""What recording costs in time, memory and transfers (n=5, version 2, batch 128).

`python -m bench overhead`, or `python -m bench.overhead --quick` for the main figures. Ratios of
interleaved steps: median, quartiles, and the median in process CPU time.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from bench import Row, apart
from bench.interleaved import Ratio, interleave, whole_runs
from bench.steps import SETTINGS, Steps

ROUNDS, QUICK_ROUNDS, FEW = 8, 5, 2
RUN = 20
EVERY = "layer outputs, gradients, weights"
SELDOM = "a step that is not recorded"
TARGETS = {EVERY: "target ≤ 1.10", "all forward ops, weights": "target ≤ 1.12"}


def measure(quick: bool = False) -> list[Row]:
    """All rows, or the main ones of a small network."""
    small = {"n": 1, "batch_size": 8} if quick else {}
    return list(measured(SETTINGS | small, quick=quick))


def measured(settings: dict[str, Any], *, quick: bool) -> Iterator[Row]:
    """Rows as they are measured; `quick` leaves out settings seldom used, and the rivals."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _measured(Steps(Path(folder), settings), quick=quick)
    if not quick:
        yield from apart.memory()
        yield from apart.debugger()


def _measured(steps: Steps, *, quick: bool) -> Iterator[Row]:
    plain, recorded = steps.plain(), steps.recorded()
    unrecorded = steps.recorded(record="1000000-")
    variants = {EVERY: recorded, SELDOM: unrecorded}
    if not quick:
        variants |= {
            "plain again (noise)": steps.plain(),
            "floor: one reduce_sum over each layer output": steps.beside(_sums),
            "layer outputs, weights": steps.recorded(gradients=False),
            "all forward ops, weights": steps.recorded(gradients=False, taps="ops"),
            "all forward ops, gradients, weights": steps.recorded(taps="ops"),
            "all ops, gradients, weights": steps.recorded(taps="all"),
        }
    ratios = interleave(plain, variants, QUICK_ROUNDS if quick else ROUNDS)
    for name, ratio in ratios.items():
        yield name, str(ratio), TARGETS.get(name, "")
    yield _every_tenth(ratios)

    def tenth(number: int) -> list[Any]:
        return (unrecorded if number % 10 else recorded)(number)

    found = whole_runs(plain, tenth, RUN, 1 if quick else FEW)
    yield f"every 10th step, over runs of {RUN} steps", str(found), "target ≤ 1.01"
    if not all(math.isfinite(float(value)) for value in plain(0)):
        raise RuntimeError("the network came to numbers that are not finite: something else")
    if not quick:
        found = interleave(plain, {"": steps.beside(_histograms)}, FEW)[""]
        yield "TensorFlow's HistogramSummary of each layer output", str(found), ""


def _sums(step: Any) -> Any:
    tf: Any = import_module("tensorflow")
    return tf.stack([tf.reduce_sum(call.output) for call in step.made.calls])


def _histograms(step: Any) -> Any:
    """What `tf.compat.v1.summary.histogram` adds; that of TensorFlow 2 needs TensorBoard."""
    tf: Any = import_module("tensorflow")
    calls = step.made.calls
    return [tf.raw_ops.HistogramSummary(tag=call.name, values=call.output) for call in calls]


def _every_tenth(ratios: dict[str, Ratio]) -> Row:
    """From the medians of the two kinds of steps."""
    kinds = [(ratios[name].wall.median, ratios[name].cpu.median) for name in (EVERY, SELDOM)]
    wall, cpu = ((one + 9 * other) / 10 for one, other in zip(*kinds, strict=True))
    text = f"{wall:.3f} cpu {cpu:.3f}"
    return ("every 10th step, computed", text, "target ≤ 1.01")


if __name__ == "__main__":
    for what, value, limit in measured(SETTINGS, quick="--quick" in sys.argv[1:]):
        print(f"{what:<66} {value:>31}   {limit}", flush=True)
