"""The appearance of a diagram: colours in light and dark mode, texts, shades, small histograms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from resnet_inspect.analysis.diagram.diagram import Box, Diagram, Edge, EdgeKind, Node
from resnet_inspect.render import spelling
from resnet_inspect.render.plots.intensity import DARK, LIGHT

FONT = "Verdana"
FALLBACKS = "Verdana,'DejaVu Sans',Geneva,sans-serif"
SIZE, SMALL = 11, 9
# Intensity levels that boxes are shaded in; from level INVERTED on, the text is inverted.
SHADES = (0, 2, 4, 6, 8)
INVERTED = 6
# Light and dark value of each colour. Light values are unique: `svg_document` reads the name of a
# colour from its light value in the SVG.
COLOURS = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "dim": ("#59636e", "#9198a1"),
    "inverse": ("#fefefe", "#0c1015"),
    "line": ("#6e7781", "#8b949d"),
    "faint": ("#b6bec7", "#4b535d"),
    "box": ("#f6f8fa", "#1c2128"),
    "conv": ("#dff0fe", "#122d49"),
    "norm": ("#f4ecfd", "#2d1f45"),
    "relu": ("#e6f8e9", "#12361d"),
    "sum": ("#fff3d1", "#3f3009"),
    "end": ("#eceff2", "#2a313a"),
    "group": ("#cfd6dd", "#454d57"),
    "residual": ("#8250df", "#d2a8ff"),
    "projection": ("#1a7f37", "#56d364"),
    "gradient": ("#9a6700", "#d8a528"),
    "chain": ("#bc4c00", "#ffa657"),
    "inflow": ("#0969da", "#79c0ff"),
    "refused": ("#cf222e", "#ff7b72"),
    "bars": ("#57606b", "#aab3bd"),
}
PALETTE = COLOURS | {
    f"l{at}": pair for at, pair in enumerate(zip(LIGHT, DARK, strict=True)) if at in SHADES
}
# Fill colour of the rectangles that are replaced by bars; the foot is the gap to the text below.
MARKER = "#fafbf9"
BARS_WIDTH, BARS_HEIGHT, BARS_FOOT = 96, 25, 3
FILLS = {
    "Conv2D": "conv",
    "DepthwiseConv2dNative": "conv",
    "MatMul": "conv",
    "FusedBatchNormV3": "norm",
    "Relu": "relu",
    "AddV2": "sum",
    "Add": "sum",
    "AddN": "sum",
    "ConcatV2": "sum",
    "Dense": "conv",
    "DepthwiseConv2D": "conv",
    "BatchNormalization": "norm",
    "ReLU": "relu",
    "Concatenate": "sum",
}
WORDS = {EdgeKind.RESIDUAL: "identity", EdgeKind.PROJECTION: "projection"}
CONTROL = "control dependency"


def light(name: str) -> str:
    """The light value of a colour, used where no style sheet applies."""
    return PALETTE[name][0]


class Shade(NamedTuple):
    """The shade of a box.

    `level` is an index into SHADES, `text` a line in the box, `value` the number that the shade
    represents, `low` and `high` the extremes over the box's layers.
    """

    level: int
    text: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


class Bars(NamedTuple):
    """A small histogram: heights 0…1 of its cells, and a line of text below it."""

    heights: tuple[float, ...]
    text: str


class DiagramStyle(NamedTuple):
    """The appearance of a diagram.

    `shades`, `bars` and `alarms` (texts on NaN and infinities) are by node id. `measure` is the
    title of the `legend`, which has a text for each shade; `remarks` follow the legend. With `svg`
    the bars are drawn later and only get room, otherwise they are written as characters.
    """

    title: str = ""
    rankdir: str = "TB"
    shades: Mapping[str, Shade] = MappingProxyType({})
    bars: Mapping[str, Bars] = MappingProxyType({})
    measure: str = ""
    legend: tuple[tuple[int, str], ...] = ()
    remarks: tuple[str, ...] = ()
    alarms: Mapping[str, str] = MappingProxyType({})
    step: int | None = None
    svg: bool = True


def fill(node: Node, look: DiagramStyle) -> str:
    """The colour of a box."""
    if node.id in look.shades:
        return f"l{SHADES[look.shades[node.id].level]}"
    if look.measure or node.outside:
        return "box"
    if node.box in (Box.INPUT, Box.VARIABLE):
        return "end"
    return FILLS.get(node.type, "box")


def border(node: Node, look: DiagramStyle) -> str:
    """The colour of the line around a box."""
    if node.failed or node.id in look.alarms:
        return "refused"
    if node.lineage:
        return node.lineage
    if node.box == Box.GRADIENT:
        return "gradient"
    return "projection" if node.projection else "faint" if node.outside else "line"


def ink(node: Node, look: DiagramStyle) -> str:
    """The colour of the text in a box."""
    if node.id in look.shades and SHADES[look.shades[node.id].level] >= INVERTED:
        return "inverse"
    return "dim" if node.outside else "ink"


def colour(edge: Edge) -> str:
    """The colour of an edge."""
    if edge.lineage:
        return edge.lineage
    names = {
        EdgeKind.RESIDUAL: "residual",
        EdgeKind.PROJECTION: "projection",
        EdgeKind.GRADIENT: "gradient",
        EdgeKind.KEPT: "faint",
        EdgeKind.CONTROL: "dim",
    }
    return names.get(edge.way, "line")


def heading(node: Node) -> str:
    """The name that a box shows.

    Collapsed blocks show the first and the last name. An op shows its name without the group's.
    """
    if node.box == Box.OP and node.path:
        _, inside, rest = node.name.partition(f"{node.path[-1]}/")
        return rest if inside else node.name.rpartition("/")[2]
    if node.box == Box.REJECTED and node.path:
        return node.name.removeprefix(node.path[0] + "/").removeprefix(
            "/".join(node.path[1:]) + "/"
        )
    if node.box == Box.GRADIENT:
        return "∇ " + (node.name.rpartition("/")[2] if node.type == "gradient" else node.name)
    return f"{node.name} … {node.last}" if node.last else node.name


def details(node: Node) -> list[str]:
    """The lines of a box below its name."""
    lines = []
    if node.box not in (Box.INPUT, Box.VARIABLE, Box.STAGE, Box.BLOCK):
        kind = node.type
        if node.window is None and kind == heading(node):
            kind = ""
        if node.window is not None:
            kernel, stride = node.window.kernel, node.window.stride
            step = str(stride[0]) if stride[0] == stride[1] else f"{stride[0]}×{stride[1]}"
            kind += f" {kernel[0]}×{kernel[1]}/{step}"
        lines += [kind] if kind else []
    if node.box in (Box.VARIABLE, Box.INPUT):
        lines.append(spelling.shape(node.shape))
    if node.box in (Box.STAGE, Box.BLOCK):
        count = len(node.layers) // node.copies
        lines += [f"{count} layers"] if count > 1 else []
        lines += [", ".join(node.contains)] if node.contains else []
    if node.params and node.box != Box.VARIABLE:
        each = " each" if node.times > 1 else ""
        lines.append(f"{spelling.count(node.params)} parameters{each}")
    return lines


def tooltip(node: Node) -> str:
    """All facts about a box, a line for each."""
    parts = [heading(node), *details(node), *node.remarks]
    if node.box not in (Box.VARIABLE, Box.INPUT) and node.shape is not None:
        parts.append(f"output {spelling.shape(node.shape)}")
    if len(node.layers) > 1 or (node.layers and node.layers[0] != node.name):
        parts.append("layers: " + ", ".join(node.layers))
    return "\n".join(parts)


def ways(diagram: Diagram, look: DiagramStyle) -> list[tuple[str, str]]:
    """Colour and legend text of each kind of edge and mark in a diagram."""
    kinds = {edge.way for edge in diagram.edges if not edge.lineage}
    marks = {node.lineage for node in diagram.nodes}
    entries = [
        (EdgeKind.RESIDUAL in kinds, "residual", "━━ identity shortcut"),
        (EdgeKind.PROJECTION in kinds, "projection", "━━ projection shortcut"),
        (EdgeKind.CONTROL in kinds, "dim", f"╌╌ {CONTROL}"),
        (EdgeKind.VARIABLE in kinds, "line", "┈┈ variable"),
        (EdgeKind.GRADIENT in kinds, "gradient", "━━ gradient"),
        (EdgeKind.KEPT in kinds, "faint", "┈┈ activation used by the gradient"),
        ("chain" in marks, "chain", "━━ path of the traced size"),
        ("inflow" in marks, "inflow", "━━ path of the size it must equal"),
        (any(node.failed for node in diagram.nodes), "refused", "━━ rejected call"),
        (bool(look.alarms), "refused", "━━ contains NaN or infinity"),
    ]
    return [(name, text) for applies, name, text in entries if applies]
