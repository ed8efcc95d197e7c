"""Rows for tests of plots: recorded ones, and all kinds of unusual ones."""

from __future__ import annotations

import numpy as np

from resnet_inspect.render.plots.spread import Distribution
from resnet_inspect.stats import TensorSummary
from resnet_inspect.store.run import Run
from tests.recordings import outputs

HOSTILE = [
    "</script>",
    '"><img src=x onerror=alert(1)>',
    "[bold]x[/bold]",
    "two\nlines \x1b[31m",
    "\u202ebackwards",
    "W" * 300,
    "漢字" * 40,
    "]]> &amp; <!-- -->",
    "",
]


def recorded(run: Run, layer: str) -> list[Distribution]:
    """A layer's activations at each recorded step."""
    return [Distribution.of(f"step {k}", summary) for k, summary in outputs(run, layer).items()]


def of(label: str, *values: float) -> Distribution:
    """A row of these numbers."""
    return Distribution.of(label, TensorSummary.of(np.array(values)))


def moving(steps: int) -> list[Distribution]:
    """Rows of normal values whose mean grows and whose deviation shrinks; not random."""
    middles = (np.arange(2000) + 0.5) / 2000
    normal = np.log(middles / (1 - middles)) / 1.7
    return [of(f"step {i}", *(normal / (1 + i / 8) + i / 30)) for i in range(steps)]


ODD: dict[str, list[Distribution]] = {
    "no rows": [],
    "one row": moving(1),
    "empty": [of("step 0")],
    "all NaN": [of("step 0", np.nan, np.nan), of("step 1", np.inf, -np.inf)],
    "constant": [of("step 0", *[4.2] * 7), of("step 1", *[4.2] * 7)],
    "negative constant": [of("step 0", *[-1e-30] * 7)],
    "all zeros": [of("step 0", 0.0, -0.0), of("step 1", 0.0)],
    "mixed": [of("a", np.nan), of("b", 0, 0, 0), of("c", 4.2, 4.2), of("d", 0, 4.3, np.inf)],
    "huge": [of("step 0", 1e30, -1e30, 3e29), of("step 1", 3e38, -3e38)],
    "tiny": [of("step 0", 1e-30, -1e-30), of("step 1", 1e-44, 1e-40)],
    "huge and tiny": [of("step 0", 1e30, 2e-30), of("step 1", -1e-30, 1.0)],
    "mostly zeros": [of("step 0", *[0.0] * 1000, 1.0, 2.0, 3.0)],
    "hostile": [of(name, -1.0, i, 2.0 * i) for i, name in enumerate(HOSTILE)],
    "many": moving(101),
}
