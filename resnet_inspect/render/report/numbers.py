"""Packs the summaries of tensors for the page's script, with a few bytes per number.

A series is one tensor over its steps. Each of its steps has whole numbers, decimals of four
significant digits, and the shares of CELLS cells of the series' scale. Format: for all series and
steps, field by field, the whole numbers as uint32, then the mantissas and then the exponents of
the decimals as int16, each as byte planes (all lowest bytes first). Last, one byte for each cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.analysis.browse.course import Course
from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.render.plots.distribution_pages import fitting_kind
from resnet_inspect.render.plots.distribution_remarks import remarks_on
from resnet_inspect.render.plots.scale import Scale
from resnet_inspect.render.plots.spread import Distribution

CELLS = 48
# A cell's byte is the root of its share relative to the row's largest; 0 only for an empty cell.
LEVELS = 63
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
WHOLE = ("count", "zeros", "nan", "posinf", "neginf")
DECIMAL = ("min", "max", "mean", "std", *(f"q{share:g}" for share in SHARES),
           "peak", "below", "above", "ratio")  # fmt: skip
DIGITS = 1000
# Exponents that mean NaN or no number, and infinity (the mantissa is its sign).
NONE, INFINITE = 9999, 9997

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


class PackedSeries:
    """Packed series: a description of each in `series`, and the bytes of all in `bytes`."""

    def __init__(self, every: Sequence[Series], scales: Sequence[Scale | None] = ()) -> None:
        """Pack the series on the given scales; None for the scale that fits the series itself."""
        self.series: list[dict[str, Any]] = []
        whole: list[NDArray[np.uint32]] = []
        decimal: list[Floats] = []
        cells: list[Bytes] = []
        for tensor, given in zip(every, scales or [None] * len(every), strict=True):
            course = Course.of(tuple(tensor.course.values()))
            scale = given or scale_of(course)
            shares = course.cells(scale.borders(CELLS))
            peaks = shares.inside.max(axis=1, initial=0.0)
            whole.append(_whole(tensor))
            others = [peaks, shares.below, shares.above, _ratios(tensor)]
            decimal.append(np.vstack([_moments(tensor), course.quantiles(SHARES).T, *others]))
            cells.append(levels(shares.inside, peaks))
            self.series.append(
                {
                    "layer": tensor.tap.layer,
                    "kind": tensor.tap.kind,
                    "tensor": tensor.tap.tensor,
                    "output": tensor.tap.output,
                    "elements": tensor.elements,
                    "steps": list(tensor.course),
                    "scale": [scale.low, scale.high, scale.kind == "symlog", scale.threshold],
                }
            )
        self.bytes = b"".join(
            [
                _planes(np.concatenate([np.zeros((len(WHOLE), 0)), *whole], axis=1), "<u4"),
                *(_planes(part, "<i2") for part in decimals(
                    np.concatenate([np.zeros((len(DECIMAL), 0)), *decimal], axis=1))),
                b"".join(part.tobytes() for part in cells),
            ]
        )  # fmt: skip


def page_facts(packed: PackedSeries, every: Sequence[Series]) -> dict[str, Any]:
    """The facts that the page's script needs to unpack the series: descriptions and format."""
    return {
        "series": [
            fields | {"remarks": list(remarks_on(series))}
            for fields, series in zip(packed.series, every, strict=True)
        ],
        "format": {
            "whole": WHOLE,
            "decimal": DECIMAL,
            "cells": CELLS,
            "levels": LEVELS,
            "none": NONE,
            "infinite": INFINITE,
        },
    }


def scale_of(course: Course) -> Scale:
    """The scale that fits all steps of one tensor."""
    pooled = course.pooled
    return Scale.of([pooled], fitting_kind([Distribution("", pooled)]))


def levels(shares: Floats, peaks: Floats) -> Bytes:
    """Shares of cells [S, C] as bytes: the root of share over row peak, scaled to 0…LEVELS."""
    relative = shares / np.where(peaks > 0, peaks, 1.0)[:, None]
    rounded = np.rint(LEVELS * np.sqrt(relative))
    return np.where(shares > 0, np.maximum(rounded, 1), 0).astype(np.uint8)


def decimals(values: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Mantissas and exponents of numbers, rounded to four significant digits.

    A number is its mantissa, of four digits or 0, times ten to the exponent. NaN means no number.
    """
    size = np.abs(np.where(np.isfinite(values), values, 0.0))
    used = size > 0
    exponent = np.floor(np.log10(size, out=np.zeros_like(size), where=used)).astype(np.int64) - 3
    exponent = np.where(used, np.maximum(exponent, -300), 0)
    mantissa = np.rint(size / 10.0**exponent).astype(np.int64)
    carried = mantissa >= 10 * DIGITS
    mantissa, exponent = np.where(carried, DIGITS, mantissa), exponent + carried
    mantissa = np.where(values < 0, -mantissa, mantissa)
    mantissa = np.where(np.isfinite(values), mantissa, np.sign(np.nan_to_num(values)))
    exponent = np.where(np.isnan(values), NONE, np.where(np.isinf(values), INFINITE, exponent))
    return mantissa.astype(np.int64), exponent


def _planes(values: NDArray[Any], kind: str) -> bytes:
    """All lowest bytes, then all second bytes and so on, which compresses better."""
    flat = np.ascontiguousarray(values).astype(kind).reshape(-1)
    return flat.view(np.uint8).reshape(-1, np.dtype(kind).itemsize).T.tobytes()


def _whole(series: Series) -> NDArray[np.uint32]:
    rows = []
    for step, summary in series.course.items():
        bad = series.not_finite.get(step)
        whole_tensor = (bad.nan, bad.posinf, bad.neginf) if bad else (0, 0, 0)
        rows.append((summary.count, summary.zeros, *whole_tensor))
    return np.minimum(np.array(rows, dtype=np.int64).reshape(-1, len(WHOLE)).T, 2**32 - 1).astype(
        np.uint32
    )


def _moments(series: Series) -> Floats:
    rows = [(s.min, s.max, s.mean, s.std) for s in series.course.values()]
    return np.array(rows, dtype=np.float64).reshape(-1, 4).T


def _ratios(series: Series) -> Floats:
    ratios = [
        series.updates[step].relative() if step in series.updates else None
        for step in series.course
    ]
    return np.array(ratios, dtype=np.float64)
