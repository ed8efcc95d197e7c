"""Measures `diff` of two networks of the same size: median CPU time of whole processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import Row

ROUNDS = 7
PROGRAM = (sys.executable, "-m", "resnet_inspect")
CASES = ((5, 20, "layer", "≤ 0.5 s"), (18, 5, "op", "≤ 2 s"))


def measure(quick: bool = False) -> list[Row]:
    """Compare version 1 with version 2, where nearly every tensor differs."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for n, steps, depth, target in ((1, 2, "op", ""),) if quick else CASES:
            files = [_recorded(Path(folder), n, ver, steps) for ver in (1, 2)]
            words = [*PROGRAM, "diff", *files, "--depth", depth]
            median = statistics.median(_seconds(words) for _ in range(1 if quick else ROUNDS))
            rows.append(
                (
                    f"diff of two n={n} runs, {depth}s, CPU time",
                    f"{median:.2f} s",
                    f"target {target}",
                )
            )
    return rows


def _recorded(folder: Path, n: int, ver: int, steps: int) -> str:
    file = str(folder / f"{n}-{ver}.db")
    words = ["trace", "--quiet", "--batch-size", "8", "--n", str(n), "--ver", str(ver)]
    words += ["--steps", str(steps), "-o", file]
    subprocess.run([*PROGRAM, *words], stdout=subprocess.DEVNULL, check=True)
    return file


def _seconds(words: list[str]) -> float:
    """Return the CPU time of one process."""
    before = os.times()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    spent = after.children_user - before.children_user
    return spent + after.children_system - before.children_system
