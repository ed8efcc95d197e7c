"""Parts of an SVG document with light and dark colours; names are escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rich.cells import cell_len

from resnet_inspect.paths import printable
from resnet_inspect.render.labels import fitted
from resnet_inspect.render.plots.intensity import DARK, LIGHT

FONT = "Verdana, DejaVu Sans, sans-serif"
SIZE = 11
TITLE_SIZE = 15
WIDE, NARROW = set("mwMW@%—…×"), set("iljtfrI.,:;'|!()[]‹›/ -")
BOLD = 1.18
# Light and dark value of each colour.
INKS = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "dim": ("#59636e", "#9198a1"),
}
LINES = {"rule": ("#d1d9e0", "#3d444d")}


def text_width(text: str, size: float = SIZE) -> float:
    """The estimated width of a text in Verdana, in pixels, rather too large than too small."""
    return size * sum(map(_em, text))


def _em(character: str) -> float:
    if character in WIDE:
        return 1.08
    if character in NARROW:
        return 0.45
    return 0.79 if character.isupper() else 0.64 * cell_len(character)


def label(
    x: float, y: float, text: str, *, room: float, kind: str = "dim", anchor: str = "start"
) -> str:
    """A text element of at most `room` pixels; a shortened text has the full one as tooltip."""
    size = TITLE_SIZE * BOLD if kind == "title" else SIZE * BOLD if kind == "name" else SIZE
    shown = fitted(text, room, lambda part: text_width(part, size))
    more = f"<title>{escape(printable(text))}</title>" if shown != printable(text) else ""
    place = f'x="{x:.1f}" y="{y:.1f}"' + (f' text-anchor="{anchor}"' if anchor != "start" else "")
    return f'<text class="{kind}" {place}>{more}{escape(shown)}</text>'


def wrapped(texts: Sequence[str], room: float) -> list[str]:
    """Texts wrapped at words into lines of at most `room` pixels."""
    lines = []
    for text in texts:
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and text_width(longer) > room:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def document(title: str, description: str, width: float, height: float, body: list[str]) -> str:
    """A standalone SVG document; `description` is its text alternative."""
    name = escape(printable(title))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="distributions" role="img"'
            f' width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
            f' font-family="{FONT}" font-size="{SIZE}">',
            f"<title>{name}</title>",
            f"<desc>{escape(printable(description))}</desc>",
            f"<style>{_style()}</style>",
            f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>',
            *body,
            "</svg>\n",
        ]
    )


def _style() -> str:
    """CSS with colours as variables, and as light values for viewers without variables."""
    levels = {f"l{at}": pair for at, pair in enumerate(zip(LIGHT, DARK, strict=True))}
    inks, lines = INKS | levels, LINES
    light, dark = (
        ";".join(f"--{name}:{pair[at]}" for name, pair in (inks | lines).items()) for at in (0, 1)
    )
    rules = [f".{name}{{fill:{pair[0]};fill:var(--{name})}}" for name, pair in inks.items()]
    rules += [f".{name}{{stroke:{p[0]};stroke:var(--{name})}}" for name, p in lines.items()]
    paper = INKS["paper"][0]
    return "\n".join(
        [
            f"svg.distributions{{color-scheme:light dark;{light}}}",
            f"@media (prefers-color-scheme:dark){{svg.distributions{{{dark}}}}}",
            *(f".distributions {rule}" for rule in rules),
            ".distributions .title{font-size:15px;font-weight:bold;fill:#1f2328;fill:var(--ink)}",
            ".distributions .name{font-weight:bold;fill:#1f2328;fill:var(--ink)}",
            f".distributions .ridge{{stroke:{paper};stroke:var(--paper);stroke-width:1}}",
            f".distributions .curve{{stroke:{LIGHT[5]};stroke:var(--l5);stroke-width:1.5}}",
            f".distributions .halo{{paint-order:stroke;stroke:{paper};stroke:var(--paper);"
            "stroke-width:4}",
        ]
    )
