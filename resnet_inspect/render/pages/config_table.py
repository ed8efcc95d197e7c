"""The table of settings for a terminal."""

from __future__ import annotations

from rich.table import Table

from resnet_inspect.config import FIELDS, ResolvedSettings
from resnet_inspect.render.screen import plain, table
from resnet_inspect.render.spelling import spell_setting


def config_table(resolved: ResolvedSettings) -> Table:
    """Every setting with its value, the source of the value, and the allowed values."""
    grid = table("setting", "value", "source", "allowed")
    for field in FIELDS:
        grid.add_row(
            plain(field.name),
            plain(spell_setting(resolved.values[field.name])),
            plain(resolved.origins[field.name]),
            plain(field.allowed),
        )
    return grid
