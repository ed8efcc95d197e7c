"""Checks the keys and the theme of the user's configuration."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from textual.binding import Binding
from textual.keys import Keys
from textual.theme import BUILTIN_THEMES

from resnet_inspect.config.browser import BrowserSettings
from resnet_inspect.errors import ConfigError
from resnet_inspect.tui.browse_screen import BrowseScreen
from resnet_inspect.tui.compare_screen import CompareScreen
from resnet_inspect.tui.run.file_writer import FileWriter
from resnet_inspect.tui.widgets.line_list import LineList
from resnet_inspect.tui.widgets.network_tree import NetworkTree

KEY_NAMES = {key.value for key in Keys}


def actions(app: type[FileWriter]) -> dict[str, Binding]:
    """Return the bindings that can have another key, by id."""
    bindings: dict[str, Binding] = {}
    for holder in (app, BrowseScreen, CompareScreen, NetworkTree, LineList):
        for binding in holder.BINDINGS:
            if isinstance(binding, Binding) and binding.id:
                bindings.setdefault(binding.id, binding)
    return bindings


def check(settings: BrowserSettings, app: type[FileWriter]) -> None:
    """Raise ConfigError for an unknown theme, action or key, or a key with two actions."""
    if settings.theme not in BUILTIN_THEMES:
        raise _unknown("theme", settings.theme, sorted(BUILTIN_THEMES), "unknown theme")
    known = actions(app)
    _reject_shared_keys(settings, known)
    for name, keys in settings.keys.items():
        if name not in known:
            raise _unknown("[keys]", name, sorted(known), "unknown action")
        for key in keys.split(","):
            if not _is_key(key.strip()):
                raise _unknown(f"[keys] {name}", key, sorted(KEY_NAMES), "unknown key")


def _reject_shared_keys(settings: BrowserSettings, known: dict[str, Binding]) -> None:
    """Raise ConfigError if a configured key is also the key of another action."""
    keys = {name: settings.keys.get(name, binding.key) for name, binding in known.items()}
    for name in settings.keys:
        own = set(_split(settings.keys[name])) if name in known else set()
        for other, other_keys in keys.items():
            shared = own & set(_split(other_keys))
            if other != name and shared:
                raise ConfigError(
                    f"the key {min(shared)} is assigned to two actions",
                    where=f"browse.toml, [keys] {name}",
                    expected="a key that no other action uses",
                    got=f"a key of the action {other}",
                    fix=f'use another key, or assign a new key to {other}: {other} = "KEY"',
                )


def _split(keys: str) -> list[str]:
    return [key.strip() for key in keys.split(",")]


def _is_key(text: str) -> bool:
    """Whether `text` is a character or the name of a key, with or without modifiers."""
    name = text
    for prefix in ("ctrl+", "shift+", "alt+"):
        name = name.removeprefix(prefix)
    return len(name) == 1 or name in KEY_NAMES or name in set(_character_names())


def _character_names() -> Iterator[str]:
    """Return the names of characters in Textual, such as left_square_bracket."""
    from unicodedata import name

    for character in map(chr, range(33, 127)):
        yield name(character).lower().replace("-", "_").replace(" ", "_")


def _unknown(where: str, got: str, known: list[str], what: str) -> ConfigError:
    near = get_close_matches(got, known, n=3)
    shown = ", ".join(known[:40])
    return ConfigError(
        what,
        where=f"browse.toml, {where}",
        expected=shown,
        got=got,
        fix=f"did you mean {' or '.join(near)}?" if near else "use one of the expected names",
    )
