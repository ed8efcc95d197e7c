"""What tensors held, packed for the page: a few bytes a number, read by the page's script.

For each series (one tensor over its steps) and each step there are whole numbers, decimals of four
significant digits, and the shares of CELLS cells of the series' scale. The parts follow each other,
of every series and step, field by field: whole numbers as uint32, mantissas and exponents of
decimals as int16, each as planes of bytes (all lowest bytes first), then a byte a cell.
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
# A cell's byte: the root of its share of the fullest cell of its row, 0 only for nothing.
LEVELS = 63
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
WHOLE = ("count", "zeros", "nan", "posinf", "neginf")
DECIMAL = ("min", "max", "mean", "std", *(f"q{share:g}" for share in SHARES),
           "peak", "below", "above", "ratio")  # fmt: skip
DIGITS = 1000
# Exponents that stand for NaN or nothing and for infinity, whose mantissa is its sign.
NONE, INFINITE = 9999, 9997

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


class Packed:
    """Series packed one after the other: what each is, and the bytes of all."""

    def __init__(self, every: Sequence[Series], scales: Sequence[Scale | None] = ()) -> None:
        """`scales` are those of the series, where their own would not do; None for their own."""
        self.series: list[dict[str, Any]] = []
        whole: list[NDArray[np.uint32]] = []
        decimal: list[Floats] = []
        cells: list[Bytes] = []
        for one, given in zip(every, scales or [None] * len(every), strict=True):
            course = Course.of(tuple(one.course.values()))
            scale = given or scale_of(course)
            shares = course.cells(scale.borders(CELLS))
            peaks = shares.inside.max(axis=1, initial=0.0)
            whole.append(_whole(one))
            beside = [peaks, shares.below, shares.above, _ratios(one)]
            decimal.append(np.vstack([_moments(one), course.quantiles(SHARES).T, *beside]))
            cells.append(levels(shares.inside, peaks))
            self.series.append(
                {
                    "layer": one.tap.layer,
                    "kind": one.tap.kind,
                    "tensor": one.tap.tensor,
                    "output": one.tap.output,
                    "elements": one.elements,
                    "steps": list(one.course),
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


def told(packed: Packed, every: Sequence[Series]) -> dict[str, Any]:
    """What the page's script needs to know of what is packed: the series, and the format."""
    return {
        "series": [
            one | {"remarks": list(remarks_on(held))}
            for one, held in zip(packed.series, every, strict=True)
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
    """Shares of cells [S, C] as bytes: the root of each over its row's peak, in 0…LEVELS."""
    relative = shares / np.where(peaks > 0, peaks, 1.0)[:, None]
    found = np.rint(LEVELS * np.sqrt(relative))
    return np.where(shares > 0, np.maximum(found, 1), 0).astype(np.uint8)


def decimals(values: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Mantissas and exponents of numbers rounded to four significant digits; NaN is none.

    A mantissa of four digits (or 0) times ten to the exponent is the number.
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
    """All lowest bytes, then all second ones …: compressors find what is alike."""
    flat = np.ascontiguousarray(values).astype(kind).reshape(-1)
    return flat.view(np.uint8).reshape(-1, np.dtype(kind).itemsize).T.tobytes()


def _whole(one: Series) -> NDArray[np.uint32]:
    rows = []
    for step, summary in one.course.items():
        bad = one.not_finite.get(step)
        whole_tensor = (bad.nan, bad.posinf, bad.neginf) if bad else (0, 0, 0)
        rows.append((summary.count, summary.zeros, *whole_tensor))
    return np.minimum(np.array(rows, dtype=np.int64).reshape(-1, len(WHOLE)).T, 2**32 - 1).astype(
        np.uint32
    )


def _moments(one: Series) -> Floats:
    rows = [(s.min, s.max, s.mean, s.std) for s in one.course.values()]
    return np.array(rows, dtype=np.float64).reshape(-1, 4).T


def _ratios(one: Series) -> Floats:
    found = (one.updates[step].relative() if step in one.updates else None for step in one.course)
    return np.array(list(found), dtype=np.float64)
