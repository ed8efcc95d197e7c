"""Measures the size of a run file (n=5, batch 128, 20 steps). `overhead` measures the time."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import Row
from resnet_inspect import api
from resnet_inspect.config import Settings


def measure(quick: bool = False) -> list[Row]:
    """Measure the size of a run file with the default settings."""
    small = {"n": 1, "batch_size": 8, "steps": 2} if quick else {}
    settings = Settings.of(small)
    with tempfile.TemporaryDirectory() as folder:
        run = api.record(settings, out=Path(folder) / "run.db")
        size = run.stat().st_size
    return [
        (
            f"run file of n={settings.tutorial.n}, {settings.steps} steps",
            f"{size / 1e6:.2f} MB",
            "target ≤ 5 MB",
        )
    ]
