"""One start of the interface in a process of its own: `python -m bench.browse_start [RUN]`.

Prints when the first screen came to rest (Unix time) and the CPU seconds until then. Without a
run an empty app is started, which has the price of Python, Textual and a first screen.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from bench.screens import SIZE, Painted, Stopwatch, painted_browser


async def start(run: Path | None) -> tuple[float, float]:
    """When the screen was there, and the CPU time of the process until then."""
    app = painted_browser(run) if run else Painted()
    async with app.run_test(size=SIZE) as pilot:
        painted = await Stopwatch(app, pilot).settled()
    return time.time() - time.perf_counter() + painted.wall, painted.cpu


if __name__ == "__main__":
    print(json.dumps(asyncio.run(start(Path(sys.argv[1]) if sys.argv[1:] else None))))
