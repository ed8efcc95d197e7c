"""The SVG of Graphviz, finished for pages: light and dark colours, anchors, tooltips, bars."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

from resnet_inspect.analysis.diagram.diagram import Diagram
from resnet_inspect.paths import printable
from resnet_inspect.render.diagram.dot import title_id
from resnet_inspect.render.diagram.look import (
    BARS_FOOT,
    CONTROL,
    FALLBACKS,
    MARKER,
    PALETTE,
    Bars,
    DiagramStyle,
    ink,
    tooltip,
)

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
NAMES = {pair[0]: name for name, pair in PALETTE.items()}


def document(svg: bytes, diagram: Diagram, look: DiagramStyle) -> str:
    """A standalone SVG file, from the SVG that Graphviz drew of a diagram."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + _finished(svg, diagram, look, style_sheet())


def element(svg: bytes, diagram: Diagram, look: DiagramStyle, *, prefix: str = "") -> str:
    """An SVG element (`<svg class="diagram">`) for a page that contains `style_sheet()`.

    A box of a layer is a `<g class="node layer" id="layer-NAME" data-layer="NAME">`, where the id
    is `analysis.diagram.anchor("layer", NAME)`. Control characters in `data-layer` are escaped.
    A box of several layers lists them as JSON in `data-layers`. Edges are
    `<g class="edge data|residual|projection|…">` with `data-tail` and `data-head` (ids of boxes)
    and `data-tensor`. Boxes are links to their own id. `prefix` precedes all ids, so that a page
    can contain two diagrams.
    """
    return _finished(svg, diagram, look, prefix=prefix)


def _finished(
    svg: bytes, diagram: Diagram, look: DiagramStyle, style: str = "", prefix: str = ""
) -> str:
    for short, space in (("", SVG), ("xlink", XLINK)):
        ElementTree.register_namespace(short, space)
    root = ElementTree.fromstring(svg)
    nodes = {node.id: node for node in diagram.nodes}
    edges = {f"edge-{at}": edge for at, edge in enumerate(diagram.edges)}
    titles = {title_id(cluster): "/".join(cluster.path) for cluster in diagram.clusters}
    for group in root.iter(f"{{{SVG}}}g"):
        name = group.get("id", "")
        if name in nodes:
            node = nodes[name]
            if len(node.layers) == 1 and node.box == "layer":
                group.set("data-layer", printable(node.layers[0]))
            elif node.layers and node.box != "gradient":
                if node.box == "layer":
                    group.set("data-layer", printable(node.name))
                group.set("data-layers", json.dumps(node.layers))
            _retitle(group, tooltip(node))
            _centre(group)
            if name in look.bars:
                _put_bars(
                    group, look.bars[name], ink(node, look) if name in look.shades else "bars"
                )
        elif name in edges:
            edge = edges[name]
            group.set("data-tail", edge.tail)
            group.set("data-head", edge.head)
            group.set("data-tensor", printable(edge.tensor))
            _retitle(group, edge.tensor or CONTROL)
        elif "cluster" in group.get("class", ""):
            _retitle(group, "")
        elif name in titles:
            group.set("class", "title")
            _retitle(group, titles[name])
    _raise_labels(root)
    for element in root.iter():
        _restyle(element, prefix)
    root.set("class", "diagram")
    root.set("role", "img")
    _retitle(root.find(f"{{{SVG}}}g"), look.title or "network")
    if style:
        sheet = ElementTree.Element(f"{{{SVG}}}style")
        sheet.text = style
        root.insert(0, sheet)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def style_sheet() -> str:
    """CSS rules for all diagrams of a page.

    Each colour is also written as a plain value, for viewers without CSS variables.
    """
    light, dark = (
        ";".join(f"--d-{name}:{pair[at]}" for name, pair in PALETTE.items()) for at in (0, 1)
    )
    rules = [
        f".diagram .f-{n}{{fill:{p[0]};fill:var(--d-{n})}}"
        f".diagram .s-{n}{{stroke:{p[0]};stroke:var(--d-{n})}}"
        for n, p in PALETTE.items()
    ]
    return "\n".join(
        [
            f"svg.diagram{{color-scheme:light dark;{light}}}",
            f"@media (prefers-color-scheme:dark){{svg.diagram{{{dark}}}}}",
            *rules,
            f".diagram text{{font-family:{FALLBACKS}}}",
            ".diagram .labels text{paint-order:stroke;stroke:#ffffff;stroke:var(--d-paper);"
            "stroke-width:3}",
            ".diagram a{text-decoration:none}",
            ".diagram .node:target path,.diagram .node:target polygon{stroke-width:4}",
        ]
    )


def _retitle(group: ElementTree.Element | None, text: str) -> None:
    """Set the tooltip of a group, its title, and remove the titles of its links."""
    if group is None:
        return
    title = group.find(f"{{{SVG}}}title")
    if title is not None:
        title.text = "\n".join(printable(line) for line in text.split("\n"))
    for link in group.iter(f"{{{SVG}}}a"):
        link.attrib.pop(f"{{{XLINK}}}title", None)


def _centre(group: ElementTree.Element) -> None:
    """Centre the text lines of a box.

    Graphviz positions them from the left, which is off-centre in a font of another width.
    """
    shape = next(
        (e for e in group.iter() if e.tag in (f"{{{SVG}}}polygon", f"{{{SVG}}}path")), None
    )
    if shape is None:
        return
    numbers = re.findall(r"-?\d+(?:\.\d+)?", shape.get("points") or shape.get("d") or "")
    xs = [float(number) for number in numbers[::2]]
    lines: dict[str | None, list[ElementTree.Element]] = {}
    for text in group.iter(f"{{{SVG}}}text"):
        lines.setdefault(text.get("y"), []).append(text)
    for line in lines.values():
        if len(line) == 1:
            line[0].set("text-anchor", "middle")
            line[0].set("x", f"{(min(xs) + max(xs)) / 2:.2f}")


def _raise_labels(root: ElementTree.Element) -> None:
    """Move the labels of edges to the end, above all edges; a halo keeps them readable."""
    whole = root.find(f"{{{SVG}}}g")
    if whole is None:
        return
    raised = ElementTree.SubElement(whole, f"{{{SVG}}}g", {"class": "labels"})
    for edge in whole.findall(f"{{{SVG}}}g"):
        if "edge" not in edge.get("class", "").split():
            continue
        for label in edge.findall(f"{{{SVG}}}g"):
            if label.find(f".//{{{SVG}}}text") is not None:
                edge.remove(label)
                title = ElementTree.Element(f"{{{SVG}}}title")
                title.text = edge.get("data-tensor")
                label.insert(0, title)
                raised.append(label)


def _restyle(element: ElementTree.Element, prefix: str) -> None:
    """Set colours by name, fallback fonts, and the prefix of ids."""
    if prefix and "id" in element.attrib:
        element.set("id", prefix + element.attrib["id"])
    names = []
    for attribute, kind in (("fill", "f"), ("stroke", "s")):
        name = NAMES.get(element.get(attribute, "").lower())
        if name is not None:
            names.append(f"{kind}-{name}")
    if names:
        element.set("class", " ".join([*element.get("class", "").split(), *names]))
    if element.tag == f"{{{SVG}}}text" and element.get("font-family", "").startswith("Verdana"):
        element.set("font-family", FALLBACKS)


def _put_bars(group: ElementTree.Element, bars: Bars, name: str) -> None:
    """Draw a histogram in the rectangle that the label reserved."""
    for polygon in group.iter(f"{{{SVG}}}polygon"):
        if polygon.get("fill", "").lower() != MARKER:
            continue
        corners = [tuple(map(float, p.split(","))) for p in polygon.get("points", "").split()]
        left, right = min(x for x, _ in corners), max(x for x, _ in corners)
        top, bottom = min(y for _, y in corners), max(y for _, y in corners) - BARS_FOOT
        cell = (right - left) / max(1, len(bars.heights))
        parts = [
            f"M{left + at * cell:.2f},{bottom:.2f}v{-high * (bottom - top):.2f}"
            f"h{cell * 0.86:.2f}V{bottom:.2f}z"
            for at, high in enumerate(bars.heights)
            if high > 0
        ]
        base = f"M{left:.2f},{bottom:.2f}H{right:.2f}v0.6H{left:.2f}z"
        polygon.tag = f"{{{SVG}}}path"
        polygon.attrib.clear()
        polygon.set("fill", PALETTE[name][0])
        polygon.set("d", "".join([base, *parts]))
