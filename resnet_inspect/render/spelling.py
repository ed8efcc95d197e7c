"""The spelling of single values in all outputs."""

from __future__ import annotations

import math
from pathlib import Path

from resnet_inspect import paths
from resnet_inspect.graph.tensors import MeasuredSize, Shape, spell_shape

RAMP = " ▁▂▃▄▅▆▇█"
ASCII_RAMP = " .:-=+*#@"
# Each character is replaced by one character, so that columns stay aligned.
ASCII = str.maketrans("×→←…–—−‹›─┬✗±‖≥" + RAMP, "x><~---<>-+X~|>" + ASCII_RAMP)


def number(value: float | None, digits: int = 3) -> str:
    """A measured number with `digits` significant digits; – for None."""
    if value is None:
        return "–"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "−inf"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    if 10**digits <= abs(rounded) < 1e5:
        return f"{rounded:.0f}".replace("-", "−")
    if abs(value) >= 1e-3 and abs(rounded) < 1e5:
        return f"{value:#.{digits}g}".rstrip(".").replace("-", "−")
    return f"{value:.{digits - 1}e}".replace("-", "−").replace("e+", "e")


def count(value: int | None) -> str:
    """An integer with thousands separators; ? for None."""
    return "?" if value is None else f"{value:,}"


def at_least(value: int, incomplete: object) -> str:
    """A count, as ≥ 1,234 where it is incomplete."""
    return f"≥ {value:,}" if incomplete else f"{value:,}"


def share(value: float) -> str:
    """A share of 0…1 in percent; only exact shares are written as 0 % or 100 %."""
    percent = 100 * value
    if 0 < percent < 0.1:
        return "<0.1 %"
    if 99.9 < percent < 100:
        return ">99.9 %"
    return f"{percent:.1f} %"


def size(value: int | None) -> str:
    """A number of bytes in B, kB, MB or GB, as powers of ten; ? for None."""
    if value is None:
        return "?"
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= limit:
            return f"{value / limit:.1f} {unit}"
    return f"{value} B"


def shape(value: Shape) -> str:
    """A shape such as 128×32×32×16."""
    return spell_shape(value)


def duration(seconds: float) -> str:
    """A duration in ms, s or min."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def path(file: str | Path) -> str:
    """A path relative to the current folder, or with ~ for the home folder."""
    return paths.short(str(file))


def bars(values: list[float]) -> str:
    """A histogram as a row of blocks: a full block for the largest value, a blank only for 0."""
    top = max(values, default=0.0)
    if not top > 0:
        return " " * len(values)
    return "".join(RAMP[min(8, max(1, round(8 * v / top)))] if v > 0 else " " for v in values)


def spell_setting(value: object) -> str:
    """The value of a setting in the syntax of the command line."""
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    return str(value)


def size_text(value: int | None) -> str:
    """The size of an axis, such as 64 or batch; ? for None."""
    return "?" if value is None else str(value)


def size_with_steps(value: int | None) -> str:
    """The size of an axis; a measured one with its sizes, as in batch (8 here, 5 in the last)."""
    return value.text if isinstance(value, MeasuredSize) else size_text(value)
