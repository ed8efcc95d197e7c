"""Remarks on a tensor in addition to its distribution."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.render import spelling
from resnet_inspect.stats import Origin, relative_updates


def remarks_on(series: Series) -> Iterator[str]:
    """Remarks on NaN and infinities, channels, updates and moving averages of a tensor."""
    for step, bad in series.not_finite.items():
        parts = ((bad.nan, "NaN"), (bad.posinf, "+Inf"), (bad.neginf, "-Inf"))
        counts = ", ".join(f"{count:,} {name}" for count, name in parts if count)
        yield f"step {step}: the whole tensor contains {counts}"
    activity = series.activity
    if activity is not None and activity.positions:
        share = activity.share
        dead, always = int(activity.dead.sum()), int(activity.always.sum())
        yield (
            f"channels: {dead} of {len(share)} dead (never above 0), {always} always above 0. "
            f"Each channel is above 0 in {spelling.share(float(share.min()))} to "
            f"{spelling.share(float(share.max()))} of its {activity.positions:,} values"
        )
        if dead:
            numbers = np.flatnonzero(activity.dead).tolist()
            yield (
                "dead channels: " + ", ".join(map(str, numbers[:16])) + (", …" if dead > 16 else "")
            )
    ratios = relative_updates(series.updates.values())
    if ratios:
        first, last = spelling.number(ratios[0]), spelling.number(ratios[-1])
        yield (
            f"relative update ‖Δw‖/‖w‖: first {first}, last {last}, "
            f"range {spelling.number(min(ratios))} to {spelling.number(max(ratios))}"
        )
    if series.normalizations:
        step = max(series.normalizations)
        part = series.normalizations[step]
        deviation = np.sqrt(np.maximum(part.batch_variance, 1e-30))
        apart = np.abs(part.batch_mean - part.moving_mean) / deviation
        ratio = part.moving_variance / np.maximum(part.batch_variance, 1e-30)
        yield (
            f"step {step}, median over channels: the moving mean is "
            f"{spelling.number(float(np.median(apart)))} standard deviations from the batch mean, "
            f"the moving variance {spelling.number(float(np.median(ratio)))} × the batch variance"
        )


def origin_text(origin: Origin) -> str:
    """A sentence on the source of the first NaN or infinity."""
    sources = {
        "op": f"{origin.name} computed it from finite inputs",
        "input": f"it was in the input {origin.name}",
        "variable": f"it was in the variable {origin.name} before the step",
        "update": f"the update of {origin.name} computed it",
    }
    return f"First NaN or infinity at step {origin.step}: {sources[origin.kind]}."
