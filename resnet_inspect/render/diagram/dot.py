"""A diagram as DOT text for Graphviz. Every name is escaped; equal diagrams give equal text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from html import escape

import graphviz

from resnet_inspect.analysis.diagram.diagram import (
    Box,
    Cluster,
    Diagram,
    Edge,
    EdgeKind,
    Node,
    anchor,
)
from resnet_inspect.paths import printable
from resnet_inspect.render import spelling
from resnet_inspect.render.diagram.look import (
    BARS_HEIGHT,
    BARS_WIDTH,
    CONTROL,
    FONT,
    MARKER,
    SHADES,
    SIZE,
    SMALL,
    WORDS,
    DiagramStyle,
    border,
    colour,
    details,
    fill,
    heading,
    ink,
    light,
    tooltip,
    ways,
)
from resnet_inspect.render.labels import fitted
from resnet_inspect.render.svg import BOLD, text_width

NAME_WIDTH, REMARK_WIDTH, NOTE_WIDTH = 44, 34, 96
BLANK = "&#160;"
# Width of a typical character in ems. Names of more than LONG characters get a reserved width.
USUAL, LONG = 0.64, 28
# Graphviz keeps edges of a large weight short and straight: the main path has the largest.
WEIGHTS = {EdgeKind.DATA: "8", EdgeKind.GRADIENT: "4", EdgeKind.PROJECTION: "2"}


def dot(diagram: Diagram, look: DiagramStyle) -> str:
    """The DOT text of a diagram, without positions: the engine computes them."""
    network = graphviz.Digraph("network")
    for kind, values in _defaults(look).items():
        network.attr(kind, **values)
    network.attr(label=_caption(diagram, look))
    _add_group(network, diagram, look, ())
    names = {node.id for node in diagram.nodes}
    edges = [edge for edge in diagram.edges if edge.tail in names and edge.head in names]
    places = {node.id: node.path for node in diagram.nodes}
    inside = {
        edge.head
        for edge in edges
        if edge.way == EdgeKind.DATA and () != places[edge.tail] == places[edge.head]
    }
    for at, edge in enumerate(edges):
        attributes = _edge(edge, at)
        if edge.head in inside and places[edge.tail] != places[edge.head]:
            attributes["weight"] = "1"  # the main path of a group lies inside it
        network.edge(edge.tail, edge.head, **attributes)
    return str(network.source)


def identifiers(diagram: Diagram) -> list[str]:
    """The ids that a complete picture of a diagram contains: those of boxes and group titles."""
    titles = [title_id(cluster) for cluster in diagram.clusters]
    return [*(node.id for node in diagram.nodes), *titles]


def literal(text: str) -> str:
    """A text for a tooltip, escaped so that Graphviz shows it unchanged.

    Graphviz unescapes tooltips twice, so a backslash is written as four.
    """
    safe: str = graphviz.escape(printable(text).replace("&", "&amp;").replace("\\", r"\\"))
    return safe


def markup(text: str, *, width: int = NAME_WIDTH) -> str:
    """A text for an HTML-like label, escaped and shortened in the middle to `width` columns.

    Graphviz unescapes such labels once, so a backslash is written as two.
    """
    return escape(fitted(text, width)).replace("\\", "&#92;&#92;") or BLANK


def named(text: str, size: int = SIZE) -> str:
    """A name for a label, shortened by the width of its text rather than its length."""
    room = NAME_WIDTH * size * USUAL
    return markup(fitted(text, room, lambda part: text_width(part, size)))


def _reserved(text: str, size: int = SIZE) -> int:
    """Width in points to reserve for a long name; 0 for a short one.

    The engine underestimates the width if the font at hand is wider than its own.
    """
    if len(printable(text)) <= LONG:
        return 0
    shown = fitted(text, NAME_WIDTH * size * USUAL, lambda part: text_width(part, size))
    return round(text_width(shown, size) * (BOLD if size == SIZE else 1))


def _defaults(look: DiagramStyle) -> dict[str, dict[str, str]]:
    """Default attributes of the picture, of boxes and of edges."""
    text = {"fontname": FONT, "fontsize": str(SIZE)}
    small = {"fontname": FONT, "fontsize": str(SMALL), "fontcolor": light("dim")}
    whole = {
        "fontcolor": light("ink"),
        "id": "diagram",
        "rankdir": look.rankdir,
        "bgcolor": "transparent" if look.svg else "white",
        "nodesep": "0.35",
        "ranksep": "0.3",
        "labelloc": "t",
        "labeljust": "l",
        "pad": "0.15",
        "tooltip": "network",
    }
    return {
        "graph": text | whole,
        "node": text | {"shape": "box", "margin": "0.12,0.06", "height": "0.3"},
        "edge": small | {"arrowsize": "0.6"},
    }


def _caption(diagram: Diagram, look: DiagramStyle) -> str:
    """Title, legend of colours and shades, and notes on omitted parts."""
    rows = [f"<B>{markup(look.title or 'network', width=80)}</B>"]
    if diagram.follows:
        traced = f"traces the size of {', '.join(diagram.follows)}"
        rows.append(_small(markup(traced, width=90), "ink"))
    rows += [_small(markup(text), name) for name, text in ways(diagram, look)]
    for note in diagram.notes:
        rows += [
            _small(markup(line, width=NOTE_WIDTH), "dim")
            for line in textwrap.wrap(printable(note), NOTE_WIDTH)[:3]
        ]
    cells = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
    if look.measure:
        words = _small(markup(look.measure, width=NOTE_WIDTH), "ink")
        cells += f'<TR><TD ALIGN="LEFT">{words}</TD></TR>'
    if look.legend:
        shades = "".join(
            f'<TD BGCOLOR="{light(f"l{SHADES[level]}")}">'
            + _small(markup(text), "inverse" if SHADES[level] >= 6 else "ink")
            + "</TD>"
            for level, text in look.legend
        )
        table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">'
        cells += f'<TR><TD ALIGN="LEFT">{table}<TR>{shades}</TR></TABLE></TD></TR>'
    for remark in look.remarks:
        cells += f'<TR><TD ALIGN="LEFT">{_small(markup(remark, width=NOTE_WIDTH), "dim")}</TD></TR>'
    return (
        '<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">' + cells + "</TABLE>>"
    )


def _small(text: str, name: str) -> str:
    return f'<FONT POINT-SIZE="{SMALL}" COLOR="{light(name)}">{text}</FONT>'


def _add_group(
    into: graphviz.Digraph, diagram: Diagram, look: DiagramStyle, path: tuple[str, ...]
) -> None:
    """Add the boxes of the group `path`, then its inner groups, in order."""
    for node in diagram.nodes:
        if node.path == path:
            into.node(node.id, **_node(node, look))
    for cluster in diagram.clusters:
        if cluster.path[:-1] == path and len(cluster.path) == len(path) + 1:
            with into.subgraph(name=f"cluster_{cluster.id}") as inner:
                inner.attr("graph", **_cluster(cluster))
                inner.node(title_id(cluster), **_title(cluster, look))
                _add_group(inner, diagram, look, cluster.path)


def _cluster(cluster: Cluster) -> dict[str, str]:
    more = f", {cluster.times} identical blocks" if cluster.times > 1 else ""
    return {
        "id": cluster.id,
        "class": "group",
        "tooltip": literal(_name(cluster) + more),
        "label": "",
        "color": light("group"),
        "style": "rounded",
        "penwidth": "2" if cluster.times > 1 else "1",
        "margin": "12",
    }


def _title(cluster: Cluster, look: DiagramStyle) -> dict[str, str]:
    """The name of a group as a box without a border.

    Edges are routed around boxes but not around the label of a group. The title is in the same
    rank as the group's first boxes, so it is as high as they are.
    """
    times = f" <B>×{cluster.times}</B>" if cluster.times > 1 else ""
    return {
        "id": title_id(cluster),
        "class": "title",
        "tooltip": literal(_name(cluster)),
        "label": f"<{_small(named(_name(cluster), SMALL) + times, 'dim')}>",
        "shape": "plaintext",
        "labelloc": "t",
        "margin": "0",
        "width": f"{_reserved(_name(cluster), SMALL) / 72:.2g}",
        "height": "0.15" if look.rankdir == "LR" else "0.45",
    }


def title_id(cluster: Cluster) -> str:
    """The id of the box that shows a group's name."""
    return anchor("title", "/".join(cluster.path))


def _name(cluster: Cluster) -> str:
    return f"{cluster.name} … {cluster.last}" if cluster.last else cluster.name


def _node(node: Node, look: DiagramStyle) -> dict[str, str]:
    styles = ["filled"]
    if node.box != Box.VARIABLE:
        styles.append("rounded")
    if node.outside or node.failed:
        styles.append("dashed")
    strong = bool(node.lineage or node.failed or node.id in look.alarms)
    peripheries = {"peripheries": "2"} if node.times > 1 else {}
    return {
        "id": node.id,
        "class": " ".join(_classes(node, look)),
        "label": _label(node, look),
        "tooltip": literal(tooltip(node).replace("\n", " · ")),
        "URL": f"#{node.id}",
        "fillcolor": light(fill(node, look)),
        "color": light(border(node, look)),
        "fontcolor": light(ink(node, look)),
        "style": ",".join(styles),
        "shape": "cylinder" if node.box == Box.VARIABLE else "box",
        "penwidth": "2.5" if strong else "1.5" if node.projection else "1",
        **peripheries,
    }


def _classes(node: Node, look: DiagramStyle) -> Iterator[str]:
    yield node.box.value
    for applies, name in (
        (node.outside, "outside"),
        (node.projection, "projection"),
        (node.failed, "refused"),
        (bool(node.lineage), f"lineage-{node.lineage}"),
        (node.times > 1, "repeated"),
        (node.id in look.alarms, "not-finite"),
    ):
        if applies:
            yield name


def _label(node: Node, look: DiagramStyle) -> str:
    tint = ink(node, look)
    times = f" ×{node.times}" if node.times > 1 else ""
    lines = [f"<B>{named(heading(node))}{times}</B>"]
    small = "dim" if tint == "ink" and node.id not in look.shades else tint
    lines += [_small(markup(text), small) for text in details(node)]
    if node.id in look.shades:
        lines.append(_small(markup(look.shades[node.id].text), tint))
    if node.id in look.alarms:
        warning = tint if node.id in look.shades else "refused"
        lines.append(_small(f"<B>! {markup(look.alarms[node.id])}</B>", warning))
    mark = "refused" if node.failed else node.lineage or tint
    mark = tint if node.id in look.shades else mark
    remarks = [
        line for text in node.remarks for line in textwrap.wrap(printable(text), REMARK_WIDTH)
    ]
    lines += [_small(f"<B>{markup(text)}</B>", mark) for text in remarks]
    rows = "".join(f"<TR><TD>{line}</TD></TR>" for line in lines)
    if wide := _reserved(heading(node)):
        rows = rows.replace("<TD>", f'<TD WIDTH="{wide}">', 1)
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">'
    bars = look.bars.get(node.id)
    if bars is None:
        return f"<{table}{rows}</TABLE>>"
    words = _small(markup(bars.text), small)
    if look.svg:
        size = f'FIXEDSIZE="TRUE" WIDTH="{BARS_WIDTH}" HEIGHT="{BARS_HEIGHT}"'
        drawn = f'<TD {size} BGCOLOR="{MARKER}"></TD>'
    else:
        blocks = spelling.bars(list(bars.heights)).replace(" ", "&#160;")
        drawn = f'<TD><FONT FACE="DejaVu Sans Mono" POINT-SIZE="{SMALL}">{blocks}</FONT></TD>'
    return f"<{table}{rows}<TR>{drawn}</TR><TR><TD>{words}</TD></TR></TABLE>>"


def _edge(edge: Edge, at: int) -> dict[str, str]:
    strong = edge.way in (EdgeKind.RESIDUAL, EdgeKind.PROJECTION)
    styles = {EdgeKind.CONTROL: "dashed", EdgeKind.VARIABLE: "dotted", EdgeKind.KEPT: "dotted"}
    tint = colour(edge)
    return {
        "id": f"edge-{at}",
        "class": edge.way.value + (f" lineage-{edge.lineage}" if edge.lineage else ""),
        "label": _edge_label(edge),
        "tooltip": literal(edge.tensor or CONTROL),
        "labeltooltip": literal(edge.tensor or CONTROL),
        "color": light(tint),
        "fontcolor": light(tint if strong or edge.lineage else "dim"),
        "style": styles.get(edge.way, "solid"),
        "penwidth": "3" if edge.lineage else "2.2" if strong else "1",
        "weight": WEIGHTS.get(edge.way, "1"),
        **({"constraint": "false"} if edge.way == EdgeKind.KEPT else {}),
    }


def _edge_label(edge: Edge) -> str:
    """The shape, with traced axes in bold, and the kind of shortcut if the edge is one."""
    if edge.way in (EdgeKind.CONTROL, EdgeKind.KEPT):
        return ""
    if edge.shape:
        sizes = ["?" if size is None else str(size) for size in edge.shape]
        text = "×".join(
            f"<B>{size}</B>" if at in edge.axes else size for at, size in enumerate(sizes)
        )
    else:
        text = spelling.shape(edge.shape)
    word = WORDS.get(edge.way)
    space = "&#160;"
    return f"<{space}{text}{space}" + (f"<BR/>{space}{word}{space}>" if word else ">")
