"""The user's keys and theme, checked against what there is."""

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

NAMED = {key.value for key in Keys}


def actions(app: type[FileWriter]) -> dict[str, Binding]:
    """All bindings that may have another key, by what they are called."""
    found: dict[str, Binding] = {}
    for holder in (app, BrowseScreen, CompareScreen, NetworkTree, LineList):
        for binding in holder.BINDINGS:
            if isinstance(binding, Binding) and binding.id:
                found.setdefault(binding.id, binding)
    return found


def check(settings: BrowserSettings, app: type[FileWriter]) -> None:
    """Raise ConfigError for a theme, an action or a key that there is not."""
    if settings.theme not in BUILTIN_THEMES:
        raise _refusal("theme", settings.theme, sorted(BUILTIN_THEMES), "there is no such theme")
    known = actions(app)
    _refuse_clashes(settings, known)
    for name, keys in settings.keys.items():
        if name not in known:
            raise _refusal("[keys]", name, sorted(known), "there is no such action")
        for key in keys.split(","):
            if not _is_key(key.strip()):
                raise _refusal(f"[keys] {name}", key, sorted(NAMED), "there is no such key")


def _refuse_clashes(settings: BrowserSettings, known: dict[str, Binding]) -> None:
    """A key given to one action must not be that of another."""
    keys = {name: settings.keys.get(name, one.key) for name, one in known.items()}
    for name in settings.keys:
        for other, held in keys.items():
            both = set(_split(settings.keys[name])) & set(_split(held)) if name in known else set()
            if other != name and both:
                raise ConfigError(
                    f"the key {min(both)} is given to two actions",
                    where=f"browse.toml, [keys] {name}",
                    expected="a key that no other action has",
                    got=f"that of {other}",
                    fix=f'give {other} another key, too: {other} = "KEY"',
                )


def _split(keys: str) -> list[str]:
    return [key.strip() for key in keys.split(",")]


def _is_key(text: str) -> bool:
    """A sign, the name of a key or of a sign, perhaps with ctrl+, shift+ or alt+ before it."""
    name = text
    for prefix in ("ctrl+", "shift+", "alt+"):
        name = name.removeprefix(prefix)
    return len(name) == 1 or name in NAMED or name in set(_signs())


def _signs() -> Iterator[str]:
    """The names that Textual gives to signs, such as left_square_bracket."""
    from unicodedata import name

    for sign in map(chr, range(33, 127)):
        yield name(sign).lower().replace("-", "_").replace(" ", "_")


def _refusal(where: str, got: str, known: list[str], what: str) -> ConfigError:
    near = get_close_matches(got, known, n=3)
    shown = ", ".join(known[:40])
    return ConfigError(
        what,
        where=f"browse.toml, {where}",
        expected=shown,
        got=got,
        fix=f"did you mean {' or '.join(near)}?" if near else "take one of those",
    )
