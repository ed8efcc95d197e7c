"""Flags for every setting, made from the descriptions of the settings themselves."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from resnet_inspect.config import FIELDS, Field, Resolved, resolve
from resnet_inspect.config.settings import DEFAULTS
from resnet_inspect.render.spelling import spell_setting


def add_settings(parser: argparse.ArgumentParser) -> None:
    """One flag a setting, and --config for a file of them."""
    parser.add_argument(
        "--config", metavar="FILE.toml", type=Path, help="read settings from a file"
    )
    group = parser.add_argument_group(
        "settings", "flags beat RESNET_INSPECT_*, which beat the file"
    )
    for field in FIELDS:
        if field.name != "target":  # an argument of `trace`, not a flag
            add_setting(group, field)


def add_setting(group: argparse._ActionsContainer, field: Field) -> None:
    """The flag of one setting; it stays None where it is not given."""
    default = spell_setting(DEFAULTS[field.name])
    text = f"{field.help} (default: {default})".replace("%", "%%")
    if field.kind == "bool":
        group.add_argument(
            field.flag, action=argparse.BooleanOptionalAction, default=None, help=text
        )
    elif field.kind == "words":
        group.add_argument(field.flag, metavar="KEY=VALUE", action="append", help=text)
    else:
        metavar = "{" + ",".join(field.choices) + "}" if field.choices else field.kind.upper()
        group.add_argument(field.flag, metavar=metavar, help=text)


def resolve_settings(parsed: argparse.Namespace) -> Resolved:
    """The settings that flags, environment and file come to; raises ConfigError."""
    given = {field.name: getattr(parsed, field.name, None) for field in FIELDS}
    flags = {name: value for name, value in given.items() if value is not None}
    return resolve(flags, os.environ, parsed.config)
