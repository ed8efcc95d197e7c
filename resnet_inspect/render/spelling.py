"""How single values are written, everywhere the same."""

from __future__ import annotations

import math
from pathlib import Path

from resnet_inspect import paths
from resnet_inspect.graph.tensors import Shape, spell_shape

RAMP = " ▁▂▃▄▅▆▇█"
ASCII_RAMP = " .:-=+*#@"
# One sign for one sign, so that a layout stays as it is.
ASCII = str.maketrans("×→…–−‹›─┬✗±‖" + RAMP, "x>~--<>-+X~|" + ASCII_RAMP)


def number(value: float | None, digits: int = 3) -> str:
    """A measured number with that many significant digits; – for none."""
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
    """A whole number with thousands separated; ? for an unknown one."""
    return "?" if value is None else f"{value:,}"


def share(value: float) -> str:
    """A share of 0…1 in percent; never rounded to 0 % or 100 % when it is not that."""
    percent = 100 * value
    if 0 < percent < 0.1:
        return "<0.1 %"
    if 99.9 < percent < 100:
        return ">99.9 %"
    return f"{percent:.1f} %"


def size(value: int | None) -> str:
    """Bytes in kB, MB or GB (powers of ten); ? for an unknown number."""
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
    """A time span for people."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def path(file: str | Path) -> str:
    """A path with the current folder left out and the home folder as ~."""
    return paths.short(str(file))


def bars(values: list[float]) -> str:
    """A one-row histogram: the fullest cell is a full block, no used cell is blank."""
    top = max(values, default=0.0)
    if not top > 0:
        return " " * len(values)
    return "".join(RAMP[min(8, max(1, round(8 * v / top)))] if v > 0 else " " for v in values)


def spell_setting(value: object) -> str:
    """A setting's value as it is typed on the command line."""
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    return str(value)


def size_text(value: int | None) -> str:
    """The size of an axis; ? for an unknown one."""
    return "?" if value is None else str(value)
