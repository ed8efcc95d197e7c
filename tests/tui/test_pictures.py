"""Golden pictures of the interface, for what tests of the text cannot cover."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_inspect.config.browser import BrowserSettings
from tests.recordings import FOLDER
from tests.tui.driving import Driver, browse

# Name: run, theme, size, keys.
PICTURES = {
    "detail": ("v2", "textual-dark", (80, 24), ["down", *["right"] * 4]),
    "distribution": ("v2", "textual-dark", (140, 40), ["down", *["right"] * 4, "H", "v", "v", "b"]),
    "why": ("v2", "textual-light", (120, 36), ["G", "right", "G", "w"]),
    "search": ("v1", "textual-light", (100, 30), ["slash", *"relu"]),
    "failed": ("mean_axes", "textual-dark", (100, 30), []),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_unchanged(
    name: str, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, theme, size, keys = PICTURES[name]
    monkeypatch.chdir(FOLDER)

    async def script(ui: Driver) -> None:
        ui.app.animation_level = "none"
        for key in keys:
            await ui.press(key)
        ui.app.screen.query("Input").blur()
        await ui.settle()
        drawn = ui.app.export_screenshot(title=name)
        # The template asks a server for its font.
        golden(f"browse/{name}.svg", re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL))

    browse(Path(f"{run}.db"), script, size=size, settings=BrowserSettings(theme=theme))
