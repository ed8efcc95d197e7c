"""How the browser looks and what its keys are: the user's own file.

`$XDG_CONFIG_HOME/resnet-inspect/browse.toml` (`~/.config` where that is not set) may hold
`theme = "NAME"` and a table `[keys]` of `action = "key,key"`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from resnet_inspect import paths
from resnet_inspect.errors import ConfigError

FILE = Path("resnet-inspect") / "browse.toml"


class BrowserSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name of a theme, and keys by action."""

    theme: str = "textual-dark"
    keys: dict[str, str] = {}


def browser_settings() -> BrowserSettings:
    """What the user's file says; the defaults where there is none. Raises ConfigError."""
    folder = paths.user_folder("XDG_CONFIG_HOME", ".config")
    if folder is None:
        return BrowserSettings()
    file = Path(folder) / FILE
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return BrowserSettings()
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal(file, str(error)) from error
    try:
        return msgspec.convert(tomllib.loads(text), BrowserSettings)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _refusal(file, str(error)) from error


def _refusal(file: Path, got: str) -> ConfigError:
    return ConfigError(
        "the configuration of the browser cannot be read",
        where=str(file),
        expected='theme = "NAME" and a table [keys] of action = "key"',
        got=got,
        fix="mend the file, or move it away",
    )
