"""Measures the run time of commands: medians of whole processes, compared with a bare Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import Row

ROUNDS = 15
PROGRAM = Path(sys.executable).with_name("resnet-inspect")


def seconds(*command: str | Path) -> float:
    """Return the wall time of one process."""
    start = time.perf_counter()
    subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def measure(quick: bool = False) -> list[Row]:
    """Measure --help relative to importing argparse, and `shapes` on an n=5 run."""
    n = 1 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run.db"
        words = ["--quiet", "--n", str(n), "--batch-size", "8", "--steps", "1"]
        subprocess.run([PROGRAM, "trace", *words, "-o", run], stdout=subprocess.DEVNULL, check=True)
        helps, bares, shapes = [], [], []
        for _ in range(1 if quick else ROUNDS):
            bares.append(seconds(sys.executable, "-c", "import argparse"))
            helps.append(seconds(PROGRAM, "--help"))
            shapes.append(seconds(PROGRAM, "shapes", run))
    ratio = statistics.median(a / b for a, b in zip(helps, bares, strict=True))
    slow = statistics.median(a / b for a, b in zip(shapes, bares, strict=True))
    return [
        ("--help over `python -c 'import argparse'`", f"{ratio:.2f} ×", "target ≤ 2 ×"),
        (f"shapes on an n={n} run over the same", f"{slow:.1f} ×", ""),
        (f"shapes on an n={n} run", f"{statistics.median(shapes):.2f} s", "target ≤ 0.25 s"),
    ]
