"""Converts the settings of run files of versions 1 to 4, which have one flat structure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from resnet_inspect.config import settings as today

TRAININGS: dict[str, type[msgspec.Struct]] = {
    "fit": today.Fit,
    "loop": today.Loop,
    "trained": today.TracedModel,
}


def upgraded_settings(old: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in the current structure, as plain values."""
    mode, target = str(old.get("mode", "")), old.get("target")
    kind = TRAININGS.get(mode, today.Tutorial)
    if target is not None and kind is today.Tutorial:
        kind = today.GraphCode if old.get("tf1") else today.TracedModel
    own = {name: old[name] for name in kind.__struct_fields__ if name in old}
    if kind is today.TracedModel and mode != "trained":
        own = {name: value for name, value in own.items() if name not in today.OF_A_TRAINED_MODEL}
    if kind is not today.Tutorial:
        own.setdefault("target", "python")
    how = {name: old[name] for name in today.Settings.__struct_fields__ if name in old}
    return {"subject": {"type": kind.__name__, **own}, **how}
