"""Reads the user's theme and keys for `browse`.

The file is `$XDG_CONFIG_HOME/resnet-inspect/browse.toml`, by default under `~/.config`. It may
contain `theme = "NAME"` and a table `[keys]` with lines `action = "key,key"`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from resnet_inspect import paths
from resnet_inspect.errors import ConfigError

FILE = Path("resnet-inspect") / "browse.toml"


class BrowserSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name of a theme, and the keys of actions."""

    theme: str = "textual-dark"
    keys: dict[str, str] = {}


def browser_settings() -> BrowserSettings:
    """The settings of the user's file, or the defaults without a file. Raises ConfigError."""
    folder = paths.user_folder("XDG_CONFIG_HOME", ".config")
    if folder is None:
        return BrowserSettings()
    file = Path(folder) / FILE
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return BrowserSettings()
    except (OSError, UnicodeDecodeError) as error:
        raise _error(file, str(error)) from error
    try:
        return msgspec.convert(tomllib.loads(text), BrowserSettings)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _error(file, str(error)) from error


def _error(file: Path, got: str) -> ConfigError:
    return ConfigError(
        "the configuration of `browse` cannot be read",
        where=str(file),
        expected='theme = "NAME" and a table [keys] with lines action = "key"',
        got=got,
        fix="correct the file, or move it away",
    )
