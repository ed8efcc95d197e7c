"""What is known of a tensor beside its distribution, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.render import spelling
from resnet_inspect.stats import Origin, relative_updates


def remarks_on(series: Series) -> Iterator[str]:
    """What is known beside the distribution: channels, updates, averages, what is not finite."""
    for step, bad in series.not_finite.items():
        parts = ((bad.nan, "NaN"), (bad.posinf, "+Inf"), (bad.neginf, "-Inf"))
        told = ", ".join(f"{count:,} {name}" for count, name in parts if count)
        yield f"step {step}: not finite, in the whole tensor: {told}"
    activity = series.activity
    if activity is not None and activity.positions:
        share = activity.share
        dead, always = int(activity.dead.sum()), int(activity.always.sum())
        yield (
            f"channels: {dead} of {len(share)} dead (never above 0 in {activity.positions:,} "
            f"positions), {always} always on; active in {spelling.share(float(share.min()))} to "
            f"{spelling.share(float(share.max()))} of positions"
        )
        if dead:
            numbers = np.flatnonzero(activity.dead).tolist()
            yield "dead: " + ", ".join(map(str, numbers[:16])) + (", …" if dead > 16 else "")
    ratios = relative_updates(series.updates.values())
    if ratios:
        first, last = spelling.number(ratios[0]), spelling.number(ratios[-1])
        yield (
            f"update ratio ‖Δw‖/‖w‖: {first} at first, {last} at last, "
            f"{spelling.number(min(ratios))} to {spelling.number(max(ratios))}"
        )
    if series.normalizations:
        step = max(series.normalizations)
        seen = series.normalizations[step]
        spread = np.sqrt(np.maximum(seen.batch_variance, 1e-30))
        apart = np.abs(seen.batch_mean - seen.moving_mean) / spread
        ratio = seen.moving_variance / np.maximum(seen.batch_variance, 1e-30)
        yield (
            f"at step {step} the moving means are {spelling.number(float(np.median(apart)))} "
            "standard deviations from the batch's (median of channels), the moving variances "
            f"{spelling.number(float(np.median(ratio)))} times the batch's"
        )


def origin_text(origin: Origin) -> str:
    """Where the first NaN or infinity came from, in words."""
    told = {
        "op": f"made by {origin.name} from finite numbers",
        "input": f"fed in {origin.name}",
        "variable": f"in the variable {origin.name} before the step",
        "update": f"made by the update of {origin.name}",
    }
    return f"The first number that is not finite, at step {origin.step}, was {told[origin.kind]}."
