"""Where settings come from: flags beat the environment, which beats the file, which beats defaults.

Every value keeps the name of its source, so that `config show` can say it.
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


class Resolved(msgspec.Struct, frozen=True):
    """Settings with, for each name, its value, also where it has no effect, and its source."""

    settings: Settings
    values: dict[str, Value]
    origins: dict[str, str]


def resolve(
    flags: Mapping[str, str | bool | list[str]], environment: Mapping[str, str], file: Path | None
) -> Resolved:
    """Lay the sources over one another; raise ConfigError for the first value that is wrong.

    `flags` and `environment` hold texts as typed (switches hold truth values, flags that may be
    given again lists); of the environment only names that begin with RESNET_INSPECT_ are read.
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
    unset = ("default", *(one for one in environment if one.startswith(PREFIX)))
    check_own_model(values, {name: at for name, at in origins.items() if at not in unset})
    return Resolved(settings, DEFAULTS | values, origins)


def _read_file(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            "the configuration file is not valid TOML",
            where=str(file),
            expected="lines of the form: name = value",
            got=str(error),
            fix=("mend that line; `", Command("config", ("show",)), "` prints every name"),
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            "the configuration file is not text",
            where=str(file),
            expected="a TOML file in UTF-8",
            got=f"a byte that is not UTF-8 at position {error.start}",
            fix="name a .toml file; sample_configs/ has examples",
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            "the configuration file holds a value that cannot be read",
            where=str(file),
            expected="lines of the form: name = value",
            got=str(error),
            fix=("mend that value; `", Command("config", ("show",)), "` prints every name"),
        ) from error
    except OSError as error:
        raise ConfigError(
            "the configuration file cannot be read",
            where=str(file),
            got=error.strerror or str(error),
            fix="check the path; sample_configs/ has examples",
        ) from error
