"""What recording costs in time, memory and transfers (n=5, version 2, batch 128).

`python -m bench overhead`, or `python -m bench.overhead --quick` for the main figures. Ratios of
interleaved steps: median, quartiles, and the median in process CPU time.
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from bench import Row, apart
from bench.interleaved import Ratio, Step, interleave, whole_runs
from bench.steps import SETTINGS, Steps
from resnet_inspect.config import Settings
from resnet_inspect.store.info import RunInfo, Writer
from resnet_inspect.store.writer import RunWriter, now

ROUNDS, QUICK_ROUNDS, FEW = 8, 5, 2
RUN = 20
EVERY = "layer outputs, gradients, weights"
KEPT = EVERY + ", read and written to a run file"
SELDOM = "a step that is not recorded"
TARGETS = {
    "layer outputs": "target ≤ 1.05",
    EVERY: "target ≤ 1.10",
    "all forward ops, weights": "target ≤ 1.12",
}


def measure() -> list[Row]:
    """All rows."""
    return list(measured(quick=False))


def measured(*, quick: bool) -> Iterator[Row]:
    """Rows as they are measured; `quick` leaves out settings seldom used, and the rivals."""
    steps = Steps()
    built = steps.session.build()
    plain = steps.plain()
    recorded, unrecorded = (
        steps.called(one) for one in (steps.session._recorded, steps.session._plain)
    )
    variants = {"layer outputs": steps.beside(_outputs_alone), EVERY: recorded, SELDOM: unrecorded}
    if not quick:
        variants |= {
            "plain again (noise)": steps.plain(),
            "floor: one reduce_sum over each layer output": steps.beside(_sums),
            "layer outputs, weights": steps.recorded(gradients=False),
            "all forward ops, weights": steps.recorded(gradients=False, taps="ops"),
            "all forward ops, gradients, weights": steps.recorded(taps="ops"),
            "all ops, weights": steps.recorded(gradients=False, taps="all"),
            "all ops, gradients, weights": steps.recorded(taps="all"),
        }
    with tempfile.TemporaryDirectory() as folder, _timed_parts() as spent:
        kept = {KEPT: _into_run_file(steps.session, built, Path(folder), spent)}
        ratios = interleave(plain, variants | kept, QUICK_ROUNDS if quick else ROUNDS)
    for name, ratio in ratios.items():
        yield name, str(ratio), TARGETS.get(name, "")
    for part, times in spent.items():
        yield f"of the last, {part}", f"{1e3 * statistics.median(times):.0f} ms", ""
    yield _every_tenth(ratios)

    def tenth(number: int) -> list[Any]:
        return (unrecorded if number % 10 else recorded)(number)

    found = whole_runs(plain, tenth, RUN, 1 if quick else FEW)
    yield f"every 10th step, over runs of {RUN} steps", str(found), "target ≤ 1.01"
    for name in [name for name in variants if name in TARGETS or "ops" in name]:
        fetched = sum(array.nbytes for array in variants[name](0))
        yield f"fetched: {name}", f"{fetched / 1e6:.2f} MB", ""
    if not all(math.isfinite(float(value)) for value in plain(0)):
        raise RuntimeError("the network came to numbers that are not finite: something else")
    if not quick:
        found = interleave(plain, {"": steps.beside(_histograms)}, FEW)[""]
        yield "TensorFlow's HistogramSummary of each layer output", str(found), ""
        yield from apart.memory()
        yield from apart.debugger()


def _outputs_alone(watched: Any) -> Any:
    """Taps of layers' outputs, without weights and their updates."""
    points: Any = import_module("resnet_inspect.tracers.tensorflow.taps.points")
    made: Any = import_module("resnet_inspect.tracers.tensorflow.taps.taps")
    chosen = [one for one in points.choose(watched, "layers") if one.tap.kind == "activation"]
    return made.Taps(chosen, Settings().sample).tensors()


def _sums(watched: Any) -> Any:
    tf: Any = import_module("tensorflow")
    return tf.stack([tf.reduce_sum(call.output) for call in watched.made.calls])


def _histograms(watched: Any) -> Any:
    """What `tf.compat.v1.summary.histogram` adds; that of TensorFlow 2 needs TensorBoard."""
    tf: Any = import_module("tensorflow")
    calls = watched.made.calls
    return [tf.raw_ops.HistogramSummary(tag=call.name, values=call.output) for call in calls]


@contextmanager
def _timed_parts() -> Iterator[dict[str, list[float]]]:
    """Seconds that a session spends in reading what was fetched, as it is run meanwhile."""
    module: Any = import_module("resnet_inspect.tracers.tensorflow.tutorial.session")
    spent: dict[str, list[float]] = {"reading into summaries": [], "writing": []}
    read = module.read

    def timed(*arguments: Any) -> Any:
        start = time.perf_counter()
        found = read(*arguments)
        spent["reading into summaries"].append(time.perf_counter() - start)
        return found

    module.read = timed
    try:
        yield spent
    finally:
        module.read = read


def _into_run_file(session: Any, built: Any, folder: Path, spent: dict[str, list[float]]) -> Step:
    """Steps of a session as `api.record` runs them."""
    settings = Settings.of(SETTINGS)
    info = RunInfo(
        network=settings.network,
        settings=settings,
        device=session.environment.device,
        versions=session.environment.versions,
        created=now(),
        writer=Writer.current(),
    )
    writer = RunWriter.create(folder / "run.db", info)
    writer.graph(built.graph, built.seconds)
    numbers = iter(range(10**6))

    def step(_: int) -> list[Any]:
        record = session.step(next(numbers))
        start = time.perf_counter()
        writer.step(record)
        spent["writing"].append(time.perf_counter() - start)
        return []

    return step


def _every_tenth(ratios: dict[str, Ratio]) -> Row:
    """From the medians of the two kinds of steps."""
    kinds = [(ratios[name].wall.median, ratios[name].cpu.median) for name in (EVERY, SELDOM)]
    wall, cpu = ((one + 9 * other) / 10 for one, other in zip(*kinds, strict=True))
    text = f"{wall:.3f} cpu {cpu:.3f}"
    return ("every 10th step, computed", text, "target ≤ 1.01")


if __name__ == "__main__":
    for what, value, limit in measured(quick="--quick" in sys.argv[1:]):
        print(f"{what:<66} {value:>31}   {limit}", flush=True)
