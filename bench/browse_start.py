"""Starts the interface once in this process: `python -m bench.browse_start [RUN]`.

Prints the time when the first screen was complete (Unix time) and the CPU seconds until then.
Without RUN an empty app is started, to measure Python, Textual and the first screen alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from bench.screens import SIZE, PaintingApp, Stopwatch, painted_browser


async def start(run: Path | None) -> tuple[float, float]:
    """Return the time when the screen was complete, and the CPU time of the process until then."""
    app = painted_browser(run) if run else PaintingApp()
    async with app.run_test(size=SIZE) as pilot:
        painted = await Stopwatch(app, pilot).settled()
    return time.time() - time.perf_counter() + painted.wall, painted.cpu


if __name__ == "__main__":
    print(json.dumps(asyncio.run(start(Path(sys.argv[1]) if sys.argv[1:] else None))))
