"""`python docs/pictures.py`: draws pictures of docs/pictures from real runs of the main command.

Pictures that a page draws itself are written by `python -m tests.docs.rewrite`.

`python docs/pictures.py pages` makes those of the report alone; they need a Chromium.
`python docs/pictures.py screens` makes those of the terminal interface.
"""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

from resnet_inspect import Run, api, trace
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.config.browser import BrowserSettings
from resnet_inspect.render.diagram.look import DiagramStyle
from resnet_inspect.render.diagram.picture import picture_of
from resnet_inspect.render.pages.answer_page import answer_page
from resnet_inspect.render.screen import Screen
from resnet_inspect.tui.app import BrowseApp

HERE = Path(__file__).resolve().parent / "pictures"
COLUMNS = 92


def main() -> None:
    """Trace the tutorial's network and draw its page."""
    with tempfile.TemporaryDirectory() as folder:
        run = trace(n=5, ver=2, out=Path(folder) / "run.db")
        screen = Screen(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
        screen.console = Console(
            record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, highlight=False
        )
        answer_page(screen, run.info, api.summarize(run), Path("runs/my_run.db"))
        diagrams(run, trace(n=5, ver=1, out=Path(folder) / "v1.db"))
        run.close()
    drawn = screen.console.export_svg(
        title="resnet-inspect trace --n 5 --ver 2", theme=SVG_EXPORT_THEME, unique_id="page"
    )
    (HERE / "answer_page.svg").write_text(_own_font(drawn), encoding="utf-8")


def _own_font(drawn: str) -> str:
    """The usual template asks a server for its font; any monospaced one does."""
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    return drawn.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")


# Keys that lead to what a picture shows, its theme and its size.
SCREENS = {
    "browse": ("down right right right down down", "textual-dark", (80, 24)),
    "browse_distribution": (
        "down down right right right down down down down H v v b", "textual-dark", (150, 40),
    ),
    "browse_why": ("G right down down down down down w", "textual-light", (120, 36)),
    "browse_scalars": ("4", "textual-dark", (120, 36)),
}  # fmt: skip
# The same of versions 1 and 2, compared.
SCREENS_OF_TWO = {"browse_two": ("m m m m m m m m 1", "textual-dark", (120, 36))}


def screens() -> None:
    """Draw the terminal interface on a run of n=5."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        trace(n=5, ver=2, out="runs/resnet32-v2.db").close()
        for name, (keys, theme, size) in SCREENS.items():
            drawn = asyncio.run(_screen(Path("runs/resnet32-v2.db"), keys.split(), theme, size))
            (HERE / f"{name}.svg").write_text(_own_font(drawn), encoding="utf-8")
    screens_of_two()


def screens_of_two() -> None:
    """Draw the terminal interface on two runs."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        files = [Path(f"runs/resnet32-v{ver}.db") for ver in (1, 2)]
        for ver, file in zip((1, 2), files, strict=True):
            trace(n=5, ver=ver, steps=10, out=file).close()
        for name, (keys, theme, size) in SCREENS_OF_TWO.items():
            drawn = asyncio.run(_screen(files[0], keys.split(), theme, size, files[1]))
            (HERE / f"{name}.svg").write_text(_own_font(drawn), encoding="utf-8")


async def _screen(
    path: Path, keys: list[str], theme: str, size: tuple[int, int], other: Path | None = None
) -> str:
    app = BrowseApp(path, BrowserSettings(theme=theme), other)
    async with app.run_test(size=size) as pilot:
        while app.workers and any(not one.is_finished for one in app.workers):
            await pilot.pause(0.1)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.1)
        return app.export_screenshot(title="resnet-inspect browse")


def pages() -> None:
    """Photograph the report of n=5: as it opens, and with a layer's panel."""
    from playwright.sync_api import sync_playwright

    browser = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, chdir(folder), sync_playwright() as tool:
        run = trace(n=5, ver=2, out="runs/resnet32-v2.db")
        Path("report.html").write_text(api.report(run), encoding="utf-8")
        run.close()
        opened = tool.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for scheme, hash_, size in (
            ("light", "", {"width": 1200, "height": 1300}),
            ("dark", "#layer=bn10_branch2b", {"width": 1600, "height": 1100}),
        ):
            tab = opened.new_page(viewport=size, color_scheme=scheme)
            tab.goto((Path("report.html").resolve()).as_uri() + hash_)
            tab.wait_for_selector("html[data-ready]", state="attached")
            tab.screenshot(path=HERE / f"report_{scheme}.png")
        opened.close()


def diagrams(two: Run, one: Run) -> None:
    """Draw both versions, and where the 64 of the reshape comes from."""
    target, axes = find(two.graph, "Reshape:1")
    size = why(two.graph, two.lineage, target, axes[0])
    for name, run, sizes in (("v2", two, []), ("v1", one, []), ("lineage", two, [size])):
        made = draw(run.graph, run.lineage, explanations=sizes)
        picture = picture_of(made, DiagramStyle(title=run.info.network))
        (HERE / f"diagram_{name}.svg").write_bytes(picture.data)


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["main", "pages", "screens"]
    for name, draw_them in (("main", main), ("pages", pages), ("screens", screens)):
        if name in wanted:
            draw_them()
