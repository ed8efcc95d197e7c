"""How large a run file is (n=5, batch 128, 20 steps); `overhead` tells what recording costs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import Row
from resnet_inspect import api
from resnet_inspect.config import Settings


def measure() -> list[Row]:
    """Bytes of a run file with everything that is recorded by default."""
    with tempfile.TemporaryDirectory() as folder:
        run = api.record(Settings(), out=Path(folder) / "run.db")
        size = run.stat().st_size
    return [("run file of n=5, 20 steps", f"{size / 1e6:.2f} MB", "target ≤ 5 MB")]
