"""Options for every setting, made from `config.FIELDS`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from resnet_inspect.config import FIELDS, Field, ResolvedSettings, resolve
from resnet_inspect.config.settings import DEFAULTS
from resnet_inspect.render.spelling import spell_setting

# What the help shows for the values of an option, by kind; else it shows the option's name.
PLACEHOLDERS = {"int": "N", "float": "X", "axes": "AXES"}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add an option for each setting, and --config for a file with settings."""
    parser.add_argument(
        "--config", metavar="FILE.toml", type=Path, help="read settings from a TOML file"
    )
    group = parser.add_argument_group(
        "settings", "options override RESNET_INSPECT_* variables, which override FILE.toml"
    )
    for field in FIELDS:
        if field.name != "target":  # the positional TARGET of `trace`
            add_setting(group, field)


def add_setting(
    group: argparse._ActionsContainer, field: Field, usual: Mapping[str, object] = DEFAULTS
) -> None:
    """Add the option of a setting; its value is None if it is not used.

    `usual` are the defaults that the help shows, where they differ from those of `trace`.
    """
    default = usual.get(field.name, DEFAULTS[field.name])
    text = field.help
    if default not in (None, ()) and "(default" not in text:
        text += f" (default: {spell_setting(default)})"
    text = text.replace("%", "%%")
    if field.kind == "bool":
        group.add_argument(
            field.flag, action=argparse.BooleanOptionalAction, default=None, help=text
        )
    elif field.kind == "words":
        group.add_argument(field.flag, metavar="KEY=VALUE", action="append", help=text)
    else:
        group.add_argument(field.flag, metavar=_placeholder(field), help=text)


def _placeholder(field: Field) -> str:
    """Return what the help shows for the value: its choices, `N` for a number, else a name."""
    if field.choices:
        return "{" + ",".join(field.choices) + "}"
    return PLACEHOLDERS.get(field.kind, field.flag.removeprefix("--").upper())


def resolve_settings(parsed: argparse.Namespace) -> ResolvedSettings:
    """The settings from options, environment and file. Raises ConfigError."""
    given = {field.name: getattr(parsed, field.name, None) for field in FIELDS}
    flags = {name: value for name, value in given.items() if value is not None}
    return resolve(flags, os.environ, parsed.config)
