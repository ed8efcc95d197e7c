"""Positions of texts and lines in a diagram, read from the output of the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from resnet_inspect.render.diagram.engine import drawn

STEPS = 24
# Ascent and descent of a text as shares of its size; a little less than the font's own.
ASCENT, DESCENT = 0.75, 0.2
Point = tuple[float, float]


class Text(NamedTuple):
    """A text and its box in points; `kind` is title, caption, node or edge, `owner` an id."""

    kind: str
    owner: str
    words: str
    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Text) -> bool:
        """Whether two boxes share more than a border."""
        across = min(self.right, other.right) - max(self.left, other.left)
        upwards = min(self.top, other.top) - max(self.bottom, other.bottom)
        return across > 0.5 and upwards > 0.5

    def crossed(self, line: list[Point]) -> bool:
        """Whether a line of points, each at most 1 point from the next, enters the box."""
        return any(self.left < x < self.right and self.bottom < y < self.top for x, y in line)


class Layout(NamedTuple):
    """All texts of a picture, and by id the line and the two ends of each edge, and the boxes of
    groups as left, bottom, right, top.
    """

    texts: list[Text]
    lines: dict[str, list[Point]]
    ends: dict[str, tuple[str, str]]
    clusters: dict[str, tuple[float, float, float, float]]


def laid_out(text: str) -> Layout:
    """The layout of DOT text, with the text widths that the engine estimates."""
    picture = json.loads(drawn(text, "json").data)
    texts = list(_texts("caption", "", picture))
    clusters = {}
    for item in picture.get("objects", []):
        kind = "title" if "nodes" in item or "subgraphs" in item else "node"
        if item["name"].startswith("title-"):
            kind = "title"
        texts += _texts(kind, item.get("id", item["name"]), item)
        if "bb" in item:
            left, bottom, right, top = map(float, item["bb"].split(","))
            clusters[item["id"]] = left, bottom, right, top
    names = {item["_gvid"]: item["name"] for item in picture.get("objects", [])}
    lines, ends = {}, {}
    for edge in picture.get("edges", []):
        texts += _texts("edge", edge["id"], edge)
        ends[edge["id"]] = names[edge["tail"]], names[edge["head"]]
        curves = [_curve(op["points"]) for op in edge["_draw_"] if op["op"] in "bB"]
        lines[edge["id"]] = [point for curve in curves for point in _dense(list(curve))]
    return Layout(texts, lines, ends, clusters)


def faults(layout: Layout) -> list[str]:
    """Messages on texts that overlap, and on lines that cross a text of another edge or box."""
    messages = []
    reach = {
        edge: (min(xs), min(ys), max(xs), max(ys))
        for edge, line in layout.lines.items()
        for xs, ys in [tuple(zip(*line, strict=True))]
    }
    for at, text in enumerate(layout.texts):
        for other in layout.texts[at + 1 :]:
            if text.owner != other.owner and text.overlaps(other):
                messages.append(f"{text.kind} {text.words!r} lies on {other.kind} {other.words!r}")
        for edge, line in layout.lines.items():
            own = text.owner == edge or text.owner in layout.ends[edge]
            left, bottom, right, top = reach[edge]
            near = (
                left < text.right and text.left < right and bottom < text.top and text.bottom < top
            )
            if near and not own and text.crossed(line):
                messages.append(f"{edge} runs through {text.kind} {text.words!r} of {text.owner}")
    return messages


def _texts(kind: str, owner: str, item: dict[str, Any]) -> Iterator[Text]:
    size = 0.0
    for op in item.get("_ldraw_", []):
        if op["op"] == "F":
            size = op["size"]
        elif op["op"] == "T" and op["text"].strip("\u00a0 "):
            x, y = op["pt"]
            left = x - {"l": 0.0, "c": 0.5, "r": 1.0}[op["align"]] * op["width"]
            box = left, y - DESCENT * size, left + op["width"], y + ASCENT * size
            yield Text(kind, owner, op["text"], *box)


def _curve(points: list[list[float]]) -> Iterator[Point]:
    """Points on a chain of cubic curves."""
    for start in range(0, len(points) - 1, 3):
        a, b, c, d = points[start : start + 4]
        for at in range(STEPS + 1):
            t = at / STEPS
            u = 1 - t
            weights = (u**3, 3 * u * u * t, 3 * u * t * t, t**3)
            x, y = (
                sum(w * p[i] for w, p in zip(weights, (a, b, c, d), strict=True)) for i in (0, 1)
            )
            yield x, y


def _dense(line: list[Point]) -> Iterator[Point]:
    for (x1, y1), (x2, y2) in pairwise(line):
        parts = max(1, int(max(abs(x2 - x1), abs(y2 - y1))))
        for at in range(parts):
            yield x1 + (x2 - x1) * at / parts, y1 + (y2 - y1) * at / parts
