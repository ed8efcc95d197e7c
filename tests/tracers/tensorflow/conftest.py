"""Marks every test in this folder, and builds small networks for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from resnet_inspect.config import Settings
from resnet_inspect.data import Batches, load
from resnet_inspect.graph import Graph
from resnet_inspect.stats import StepRecord

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.tensorflow)


@pytest.fixture(scope="session", autouse=True)
def _needs_tensorflow() -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")


def session(**changes: Any) -> Any:
    """A prepared session of a small network: n=1, batch 8, 2 steps, unless changed."""
    from resnet_inspect.tracers import registry

    settings = Settings.of({"n": 1, "batch_size": 8, "steps": 2} | changes)
    training = settings.tutorial.mode == "train"
    how: dict[str, Any] = {
        "size": settings.tutorial.batch_size,
        "seed": settings.seed,
        "raw": settings.tutorial.raw,
    }
    held = Batches(load(settings.tutorial.data, training=False), training=False, **how)
    batches = Batches(
        load(settings.tutorial.data),
        training=training,
        held=held if settings.evaluates(settings.steps - 1) else None,
        **how,
    )
    return registry.load("tutorial")(settings, batches)


@dataclass
class Traced:
    """All that a session gave."""

    graph: Graph
    steps: list[StepRecord]


def traced(**changes: Any) -> Traced:
    """Build and run a session of a small network to its end."""
    made = session(**changes)
    kept = Traced(made.build().graph, [])
    made.run(kept.steps.append)
    return kept
