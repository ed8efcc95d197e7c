"""Distributions as rows of JSON and CSV. docs/reference/json.md describes the fields."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.stats import TensorSummary

SHARES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
Groups = Sequence[Sequence[Series]]


def rows_of(groups: Groups) -> list[dict[str, Any]]:
    """A JSON object for each tensor and step."""
    return [
        {**_facts(series, step, summary), **_histogram(summary), **_details(series, step)}
        for series in _each(groups)
        for step, summary in series.course.items()
    ]


def csv_of(groups: Groups) -> str:
    """CSV text with a line for each tensor and step: counts, moments, quantiles.

    The text is empty if no step was recorded.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names: list[str] = []
    for series in _each(groups):
        for step, summary in series.course.items():
            facts = _facts(series, step, summary)
            quantiles = facts.pop("quantiles")
            row = {**facts, **{f"q{share:g}": value for share, value in quantiles}}
            if not names:
                names = [*facts, *(f"q{share:g}" for share in SHARES)]
                writer.writerow(names)
            writer.writerow([row.get(name, "") for name in names])
    return text.getvalue()


def _each(groups: Groups) -> Iterator[Series]:
    taps = []
    for series in chain.from_iterable(groups):
        if series.tap not in taps:
            taps.append(series.tap)
            yield series


def _facts(series: Series, step: int, summary: TensorSummary) -> dict[str, Any]:
    tap, bad = series.tap, series.not_finite.get(step)
    return {
        "layer": tap.layer,
        "kind": tap.kind,
        "tensor": tap.tensor,
        "step": step,
        "elements": series.elements,
        "count": summary.count,
        "min": summary.min,
        "max": summary.max,
        "mean": summary.mean,
        "std": summary.std,
        "zeros": summary.zeros,
        "nan": bad.nan if bad else 0,
        "posinf": bad.posinf if bad else 0,
        "neginf": bad.neginf if bad else 0,
        "quantiles": list(zip(SHARES, _quantiles(summary), strict=False)),
    }


def _quantiles(summary: TensorSummary) -> list[float]:
    """Quantiles from the histogram, within the exact minimum and maximum."""
    if summary.min is None or summary.max is None:
        return []
    low, high = summary.min, summary.max
    return [min(max(value, low), high) for value in summary.sketch.quantiles(SHARES)]


def _histogram(summary: TensorSummary) -> dict[str, Any]:
    return {"edges": summary.sketch.edges().tolist(), "counts": summary.sketch.counts.tolist()}


def _details(series: Series, step: int) -> dict[str, Any]:
    """Channels, update and normalization of a step, each only if recorded."""
    fields: dict[str, Any] = {}
    if step in series.channels:
        activity = series.channels[step]
        fields["channels"] = {
            "active_share": activity.share.tolist(),
            "example_share": activity.example_share.tolist(),
            "dead": activity.dead.nonzero()[0].tolist(),
            "always": activity.always.nonzero()[0].tolist(),
        }
    if step in series.updates:
        update = series.updates[step]
        fields["update"] = {
            "norm": update.norm,
            "change": update.change,
            "ratio": update.relative(),
        }
    if step in series.normalizations:
        normalization = series.normalizations[step]
        names = ("batch_mean", "batch_variance", "moving_mean", "moving_variance")
        parts = zip(names, normalization.parts, strict=True)
        fields["normalization"] = {name: part.tolist() for name, part in parts}
    return fields
