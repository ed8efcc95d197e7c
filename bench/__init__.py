"""Measures speed and prints ratios: `make bench`. Informs, never fails a build."""

from __future__ import annotations

from typing import Any

# What was measured, the figure, the target.
Row = tuple[str, str, str]


def session(**values: Any) -> Any:
    """A prepared session of the tutorial's network."""
    from resnet_inspect.config import Settings
    from resnet_inspect.data import Batches, load
    from resnet_inspect.tracers import registry

    settings = Settings.of(values)
    batches = Batches(
        load(settings.tutorial.data),
        settings.tutorial.batch_size,
        settings.seed,
        raw=settings.tutorial.raw,
        training=True,
    )
    return registry.load("tutorial")(settings, batches)
