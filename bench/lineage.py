"""Measures the cost of tracing origins of sizes: lineage, re-traces, `why` on a saved run."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from bench import Row, built
from bench.startup import PROGRAM, ROUNDS, seconds
from resnet_inspect.config.settings import Tutorial

IMAGE = (32, 32, 3)


def measure(quick: bool = False) -> list[Row]:
    """Measure the lineage of training graphs, a re-trace over a forward trace, `why` on a run."""
    links: Any = import_module("resnet_inspect.tracers.tensorflow.sizes.axis_links")
    retrace: Any = import_module("resnet_inspect.tracers.tensorflow.tutorial.retrace")
    rows: list[Row] = []
    for n, target in ((1, 1),) if quick else ((5, 2), (18, 4)):
        graph = built(n=n, batch_size=128)[0].graph
        start = time.perf_counter()
        links.trace_lineage(graph)
        spent = time.perf_counter() - start
        what = f"lineage of the training graph, n={n}, {len(graph.ops):,} ops"
        rows.append((what, f"{spent:.2f} s", f"target ≤ {target} s"))
        forward = built(n=n, batch_size=128, steps=0)[0].seconds
        retrace._trace(Tutorial(n=n), IMAGE)
        start = time.perf_counter()
        retrace.variations(Tutorial(n=n), IMAGE)
        each = (time.perf_counter() - start) / (len(retrace.SETTINGS) + len(IMAGE) + 1)
        what = f"one re-trace over one forward trace, n={n}"
        rows.append((what, f"{each / forward:.2f} ×", "target ≤ 1.5 ×"))
    n = 1 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run.db"
        words = ["--quiet", "--n", str(n), "--batch-size", "8", "--steps", "1", "-o", str(run)]
        subprocess.run([PROGRAM, "trace", *words], stdout=subprocess.DEVNULL, check=True)
        command = (PROGRAM, "why", "Reshape:1", run)
        times = [seconds(*command) for _ in range(1 if quick else ROUNDS)]
    rows.append((f"why on an n={n} run", f"{statistics.median(times):.2f} s", "target ≤ 0.2 s"))
    return rows
