"""`python docs/pictures.py`: draws docs/answer_page.svg from a real run of the main command."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

from resnet_inspect import api, trace
from resnet_inspect.render.answer_page import answer_page
from resnet_inspect.render.screen import Screen

HERE = Path(__file__).parent
COLUMNS = 92


def main() -> None:
    """Trace the tutorial's network and draw its page."""
    with tempfile.TemporaryDirectory() as folder:
        run = trace(n=5, ver=2, out=Path(folder) / "run.db")
        screen = Screen(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
        screen.console = Console(
            record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, highlight=False
        )
        answer_page(screen, run.info, api.summarize(run), "runs/my_run.db")
        run.close()
    drawn = screen.console.export_svg(
        title="resnet-inspect trace --n 5 --ver 2", theme=SVG_EXPORT_THEME, unique_id="page"
    )
    # The usual template asks a server for its font; any monospaced one does.
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    drawn = drawn.replace("Fira Code, monospace", "DejaVu Sans Mono, Menlo, Consolas, monospace")
    (HERE / "answer_page.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
