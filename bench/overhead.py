"""Measures the cost of recording in time, memory and transfers (n=5, version 2, batch 128).

`python -m bench overhead` prints all figures, `python -m bench.overhead --quick` the main ones.
Ratios are those of interleaved steps: median, quartiles, and the median of CPU time.
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
UNRECORDED = "a step that is not recorded"
TARGETS = {EVERY: "target ≤ 1.10", "all forward ops, weights": "target ≤ 1.12"}


def measure(quick: bool = False) -> list[Row]:
    """Return all rows, or the main rows of a small network."""
    small = {"n": 1, "batch_size": 8} if quick else {}
    return list(measured(SETTINGS | small, quick=quick))


def measured(settings: dict[str, Any], *, quick: bool) -> Iterator[Row]:
    """Yield rows as they are measured. `quick` leaves out rare settings and other tools."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _measured(Steps(Path(folder), settings), quick=quick)
    if not quick:
        yield from apart.memory()
        yield from apart.debugger()


def _measured(steps: Steps, *, quick: bool) -> Iterator[Row]:
    plain, recorded = steps.plain(), steps.recorded()
    unrecorded = steps.recorded(record="1000000-")
    variants = {EVERY: recorded, UNRECORDED: unrecorded}
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

    ratio = whole_runs(plain, tenth, RUN, 1 if quick else FEW)
    yield f"every 10th step, over runs of {RUN} steps", str(ratio), "target ≤ 1.01"
    if not all(math.isfinite(float(value)) for value in plain(0)):
        raise RuntimeError("the loss of the network is not finite, so its times are not valid")
    if not quick:
        ratio = interleave(plain, {"": steps.beside(_histograms)}, FEW)[""]
        yield "TensorFlow's HistogramSummary of each layer output", str(ratio), ""


def _sums(step: Any) -> Any:
    tf: Any = import_module("tensorflow")
    return tf.stack([tf.reduce_sum(call.output) for call in step.made.calls])


def _histograms(step: Any) -> Any:
    # The ops that `tf.compat.v1.summary.histogram` adds. TensorFlow 2's summary needs TensorBoard.
    tf: Any = import_module("tensorflow")
    calls = step.made.calls
    return [tf.raw_ops.HistogramSummary(tag=call.name, values=call.output) for call in calls]


def _every_tenth(ratios: dict[str, Ratio]) -> Row:
    """Return the ratio for every 10th step, computed from the medians of both kinds of steps."""
    kinds = [(ratios[name].wall.median, ratios[name].cpu.median) for name in (EVERY, UNRECORDED)]
    wall, cpu = (
        (recorded + 9 * unrecorded) / 10 for recorded, unrecorded in zip(*kinds, strict=True)
    )
    text = f"{wall:.3f} cpu {cpu:.3f}"
    return ("every 10th step, computed", text, "target ≤ 1.01")


if __name__ == "__main__":
    for what, value, limit in measured(SETTINGS, quick="--quick" in sys.argv[1:]):
        print(f"{what:<66} {value:>31}   {limit}", flush=True)
