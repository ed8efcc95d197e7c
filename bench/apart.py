"""The measurements of `overhead` in separate processes: global settings and peak memory."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import Row
from bench.interleaved import interleave
from bench.steps import Steps

ROUNDS = 2
MODES = ("CURT_HEALTH", "CONCISE_HEALTH", "FULL_HEALTH")
PROCESSES = 3
MEMORY_STEPS = 8


def debugger() -> Iterator[Row]:
    """Measure TensorFlow's debugger, which instruments every op traced after it is enabled."""
    for mode in MODES:
        yield f"tfdbg2, {mode}, every op", _in_process("debugger", mode), ""


def memory() -> list[Row]:
    """Measure the peak memory of recorded and of plain steps: medians of alternating processes."""
    kinds = ("plain", "recorded")
    peaks: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(PROCESSES):
        for kind in kinds:
            peaks[kind].append(float(_in_process("peak", kind)))
    plain, recorded = (statistics.median(peaks[kind]) for kind in kinds)
    spread = max(max(peaks[kind]) - min(peaks[kind]) for kind in kinds)
    return [
        ("peak memory of the process, plain", f"{plain:.0f} MB", ""),
        (
            f"peak memory, recorded over plain (spread {spread:.0f})",
            f"{recorded - plain:+.0f} MB",
            "target ≤ 32 MB",
        ),
    ]


def _in_process(*arguments: str) -> str:
    """Run this module in a new process and return its last line of output."""
    command = [sys.executable, "-m", "bench.apart", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


def _debugger(mode: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        steps = Steps(Path(folder))
        plain = steps.plain()
        plain(0)
        tfdbg: Any = steps.tf.debugging.experimental
        tfdbg.enable_dump_debug_info(folder, tensor_debug_mode=mode)
        debugged = steps.plain()
        debugged(0)
        ratios = interleave(plain, {mode: debugged}, ROUNDS)
        tfdbg.disable_dump_debug_info()
    return str(ratios[mode])


def _peak(kind: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        steps = Steps(Path(folder))
        step = steps.plain() if kind == "plain" else steps.recorded()
        for number in range(MEMORY_STEPS):
            step(number)
    # getrusage would start with the peak memory of the parent process.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return str(int(status["VmHWM"].split()[0]) * 1024 / 1e6)


if __name__ == "__main__":
    print({"debugger": _debugger, "peak": _peak}[sys.argv[1]](sys.argv[2]))
