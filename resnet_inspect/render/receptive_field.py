"""The spelling of receptive fields."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_inspect.analysis.receptive.receptive_field import ReceptiveField


def receptive_fields(fields: Sequence[ReceptiveField]) -> str:
    """Size, stride and offset, such as `11×11/4 from −3`; for several inputs with their names.

    Empty without fields.
    """
    if len(fields) < 2:
        return "".join(map(_field, fields))
    return ", ".join(f"{field.input}: {_field(field)}" for field in fields)


def _field(field: ReceptiveField) -> str:
    if field.unknown:
        return f"? after {field.unknown}"
    if field.whole:
        return "whole input"
    size = "×".join(map(str, field.size))
    stride = "×".join(f"{value:.3g}" for value in _once(field.stride))
    offset = ", ".join(str(value).replace("-", "−") for value in _once(field.offset))
    return f"{size}/{stride} from {offset}"


def _once(values: Sequence[float]) -> Sequence[float]:
    """The values, or only the first one if all are equal."""
    return values[:1] if len(set(values)) == 1 else values
