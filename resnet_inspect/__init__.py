"""See every tensor of a network while it trains.

`trace(...)` builds, trains and records a network and returns the `Run`; `open_run(path)` opens
one recorded before; `shapes(run, depth)` is its shape table, `report(run)` all of it as a page,
and `report(run, other)` a page of what is different between two;
`check(run)` is what is wrong with it, `diff(run_a, run_b)` what two of them differ in.
`Recorder(path)` is a Keras callback that records a `fit`, or the step of a loop of one's own.
They do what the commands do.
Importing this package loads nothing heavy: the public names are looked up on their first use.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing's, whose import would double the time of --help
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
