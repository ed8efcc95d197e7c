"""Merges settings: options override the environment, the file and the defaults, in this order.

Each value keeps the name of its source for `config show`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from resnet_inspect.commands import Command
from resnet_inspect.config.fields import FIELDS, Value, field_named
from resnet_inspect.config.own_model import check_own_model
from resnet_inspect.config.settings import DEFAULTS, Settings
from resnet_inspect.errors import ConfigError

PREFIX = "RESNET_INSPECT_"


class ResolvedSettings(msgspec.Struct, frozen=True):
    """Settings, with value and source of every name, including values without effect."""

    settings: Settings
    values: dict[str, Value]
    origins: dict[str, str]


def resolve(
    flags: Mapping[str, str | bool | list[str]], environment: Mapping[str, str], file: Path | None
) -> ResolvedSettings:
    """Merge the sources of settings. Raises ConfigError for the first wrong value.

    Args:
        flags: options by name: text, a bool for switches, a list for repeatable options.
        environment: variables; only names that begin with RESNET_INSPECT_ are read.
        file: a TOML file, or None.
    """
    values: dict[str, Value] = {}
    origins = {field.name: "default" for field in FIELDS}
    if file is not None:
        for name, value in _read_file(file).items():
            values[name] = field_named(name, str(file)).check(value, f"{file}, key {name}")
            origins[name] = str(file)
    for variable in sorted(environment):
        if variable.startswith(PREFIX):
            name = variable.removeprefix(PREFIX)
            known = name.lower() if name.isupper() else name
            field = field_named(known, f"environment, {variable}")
            values[field.name] = field.parse(environment[variable], f"environment, {variable}")
            origins[field.name] = variable
    for name, text in flags.items():
        field = field_named(name, "command line")
        where = "TARGET" if name == "target" else f"flag {field.flag}"
        values[name] = (
            field.parse(text, where) if isinstance(text, str) else field.check(text, where)
        )
        origins[name] = where
    settings = Settings.of(values)
    unset = ("default", *(name for name in environment if name.startswith(PREFIX)))
    check_own_model(values, {name: at for name, at in origins.items() if at not in unset})
    return ResolvedSettings(settings, DEFAULTS | values, origins)


def _read_file(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            "the configuration file is not valid TOML",
            where=str(file),
            expected="lines of the form: name = value",
            got=str(error),
            fix=("correct the line; list all names: ", Command("config", ("show",))),
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            "the configuration file is not text",
            where=str(file),
            expected="a TOML file in UTF-8",
            got=f"a byte that is not UTF-8 at position {error.start}",
            fix="use a .toml file; sample_configs/ has examples",
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            "a value in the configuration file cannot be read",
            where=str(file),
            expected="lines of the form: name = value",
            got=str(error),
            fix=("correct the value; list all names: ", Command("config", ("show",))),
        ) from error
    except OSError as error:
        raise ConfigError(
            "the configuration file cannot be read",
            where=str(file),
            got=error.strerror or str(error),
            fix="check the path; sample_configs/ has examples",
        ) from error
