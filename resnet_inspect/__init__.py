"""Records and inspects every tensor of a network while it trains.

- `trace(...)` builds, trains and records a network, and returns the `Run`.
- `Recorder(path)` is a Keras callback that records a `fit` or a training loop.
- `open_run(path)` opens a recorded run.
- `shapes(run, depth)` returns the shape table, `check(run)` the findings.
- `diff(run_a, run_b)` returns the differences between two runs.
- `report(run)` and `report(run, other)` return an HTML page.

The commands call the same functions. Importing this package is fast: public names are loaded on
their first use.
"""

from __future__ import annotations

TYPE_CHECKING = False  # instead of typing's, whose import doubles the time of --help
if TYPE_CHECKING:
    from typing import Any

    from resnet_inspect.api import Recorder, diff, open_run, report, shapes, trace
    from resnet_inspect.findings import check
    from resnet_inspect.store.run import Run

__version__ = "0.1.0"
__all__ = [
    "Recorder",
    "Run",
    "__version__",
    "check",
    "diff",
    "open_run",
    "report",
    "shapes",
    "trace",
]

_HOMES = {
    "Recorder": "resnet_inspect.api",
    "Run": "resnet_inspect.store.run",
    "check": "resnet_inspect.findings",
    "diff": "resnet_inspect.api",
    "open_run": "resnet_inspect.api",
    "report": "resnet_inspect.api",
    "shapes": "resnet_inspect.api",
    "trace": "resnet_inspect.api",
}


def __getattr__(name: str) -> Any:
    """Load a public name on its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'resnet_inspect' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
