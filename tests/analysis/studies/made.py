"""Synthetic recordings with numbers that are easy to check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from resnet_inspect.analysis.studies import VariantRun
from resnet_inspect.config import Settings
from resnet_inspect.graph import Graph
from resnet_inspect.stats import Tap, TensorSummary, Update

# The committed recording that replaces a variant in tests; v2 replaces all other variants.
STAND_IN = {
    "version 1": "v1",
    "version 2 with bn_conv1": "v1",
    "without L2": "no_l2",
    "BN over axis 1": "bn_axis",
    "mean over axes 2,3": "mean_axes",
}


def made(
    *,
    scalars: Mapping[str, Sequence[float]],
    norms: Mapping[int, Mapping[str, float]] | None = None,
    outputs: Mapping[str, Mapping[int, Any]] | None = None,
    graph: Graph | None = None,
    **settings: Any,
) -> VariantRun:
    """A run with these scalars from step 0 on, norms of variables and outputs of layers by step."""
    summaries = {
        Tap(layer, "activation", f"{layer}:0"): {
            step: TensorSummary.of(np.asarray(values)) for step, values in course.items()
        }
        for layer, course in (outputs or {}).items()
    }
    given = norms or {}
    steps = sorted({*given, *(step for course in summaries.values() for step in course)})
    return VariantRun(
        settings=Settings.of(settings),
        graph=graph or Graph(ops=()),
        scalars={name: dict(enumerate(values)) for name, values in scalars.items()},
        recorded=steps,
        taps=list(summaries),
        updates={
            step: {name: Update(norm, norm / 10) for name, norm in by.items()}
            for step, by in given.items()
        },
        course=lambda tap: summaries[tap],
    )
