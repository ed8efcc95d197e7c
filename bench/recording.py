"""What a recorded step costs, and how large a run file is (n=5, batch 128)."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from bench import Row, session
from resnet_inspect import api
from resnet_inspect.config import Settings

STEPS = 24


def measure() -> list[Row]:
    """Time of a step with taps over one without, in turn; bytes of a 20-step run file."""
    made = session(n=5, batch_size=128, steps=STEPS, every=2)
    made.build()
    times = [made.step(number).seconds for number in range(STEPS)]
    with_taps, without = times[4:-1:2], times[5:-1:2]
    ratio = statistics.median(a / b for a, b in zip(with_taps, without, strict=False))
    with tempfile.TemporaryDirectory() as folder:
        run = api.record(Settings(), out=Path(folder) / "run.db")
        size = run.stat().st_size
    return [
        ("a recorded step over one without taps", f"{ratio:.2f} ×", ""),
        ("run file of n=5, 20 steps", f"{size / 1e6:.2f} MB", "target ≤ 5 MB"),
    ]
