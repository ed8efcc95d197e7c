"""Shades, small histograms and NaN warnings for the boxes of a diagram, from values of layers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import add

from resnet_inspect.analysis.diagram.diagram import Box, Diagram, Node
from resnet_inspect.render import spelling
from resnet_inspect.render.diagram.look import SHADES, Bars, Shade
from resnet_inspect.render.plots.scale import Scale, without_zeros
from resnet_inspect.render.plots.spread import Distribution, spread
from resnet_inspect.stats import NotFinite, TensorSummary

CELLS = 24
NEAR = 0.1
GROUPS = (Box.STAGE, Box.BLOCK, Box.REST)


def shades(
    diagram: Diagram, values: Mapping[str, float], name: str
) -> tuple[dict[str, Shade], tuple[tuple[int, str], ...], tuple[str, ...]]:
    """Shades by box id for boxes with a finite value, the legend, and remarks below it.

    A box of several layers shows their range. It is shaded by the value of its last layer, its
    output; collapsed blocks are shaded by the mean of their outputs. Shares of zeros use equal
    steps from 0 to 1. Other measures use equal steps of the logarithm, from the lowest to the
    highest value in the boxes.

    Args:
        diagram: the diagram with the boxes.
        values: the measure of each layer, by layer name.
        name: the measure, such as "zeros", "std" or "update-ratio".
    """
    result: dict[str, Shade] = {}
    for node in diagram.nodes:
        known = _finite(values, node.layers) if node.box != Box.GRADIENT else []
        if known:
            outputs = _outputs(node, values, name) or known
            mean = sum(outputs) / len(outputs)
            result[node.id] = Shade(0, "", mean, min(known), max(known))
    kinds = {node.id: _shaded_by(node, name) for node in diagram.nodes}
    borders = [at / len(SHADES) for at in range(len(SHADES) + 1)]
    if name != "zeros":
        ends = (end for shade in result.values() for end in (shade.low, shade.high))
        borders = _logarithmic([end for end in ends if end > 0])
    for key, shade in result.items():
        level = sum(shade.value >= border for border in borders[1:-1])
        result[key] = shade._replace(level=level, text=_words(shade, name, kinds[key]))
    legend = tuple(
        (level, f"{_spell(low, name)} … {_spell(high, name)}")
        for level, (low, high) in enumerate(pairwise(borders))
    )
    return result, legend if result else (), tuple(_remarks(diagram, result, name))


def _finite(values: Mapping[str, float], layers: Sequence[str]) -> list[float]:
    """The values of the layers that have a finite one."""
    return [values[layer] for layer in layers if math.isfinite(values.get(layer, math.nan))]


def _outputs(node: Node, values: Mapping[str, float], name: str) -> list[float]:
    """The value of the last layer of each block in a group.

    Empty for other boxes and for updates, which have no output: they are shaded by their mean.
    """
    if node.box not in GROUPS or name == "update-ratio":
        return []
    each = len(node.layers) // max(1, node.copies)
    starts = range(0, len(node.layers), max(1, each))
    blocks = [_finite(values, node.layers[at : at + each])[-1:] for at in starts]
    return [value for block in blocks for value in block]


def _shaded_by(node: Node, name: str) -> str:
    last = node.box in GROUPS and name != "update-ratio"
    return "output" if last and node.copies == 1 else "mean"


def _words(shade: Shade, name: str, kind: str) -> str:
    value, low, high = (_spell(number, name) for number in (shade.value, shade.low, shade.high))
    return f"{name} {value}" if low == high else f"{name} {low} … {high}, {kind} {value}"


def _remarks(diagram: Diagram, shades: Mapping[str, Shade], name: str) -> Iterator[str]:
    shaded = [node for node in diagram.nodes if node.id in shades]
    several = [node for node in shaded if shades[node.id].low < shades[node.id].high]
    groups = any(node.box in GROUPS for node in several)
    if groups and name != "update-ratio":
        yield "a box of several layers is shaded by the output of its last layer"
    elif groups:
        yield "a box of several layers is shaded by their mean"
    if any(node.copies > 1 or node.box not in GROUPS for node in several):
        yield "a box of k identical blocks (×k) is shaded by their mean"
    if shaded and any(node.layers and node.id not in shades for node in diagram.nodes):
        yield "boxes without a number: no value was recorded at this step"


def alarms(
    diagram: Diagram, summaries: Mapping[str, TensorSummary], whole: Mapping[str, NotFinite]
) -> dict[str, str]:
    """A text by box id for boxes with layers whose values include NaN or infinities.

    `whole` counts them in complete tensors; `summaries` may be of samples.
    """
    texts = {}
    for node in diagram.nodes:
        layers = [layer for layer in node.layers if layer in summaries or layer in whole]
        broken = [layer for layer in layers if layer in whole or _partial(summaries[layer])]
        if not broken or node.box == Box.GRADIENT:
            continue
        totals = [whole.get(layer) or summaries[layer] for layer in broken]
        kinds = {
            "NaN": sum(total.nan for total in totals),
            "inf": sum(total.posinf for total in totals),
            "−inf": sum(total.neginf for total in totals),
        }
        counts = {kind: count for kind, count in kinds.items() if count}
        if len(node.layers) > 1:
            text = f"{' and '.join(counts)} in {len(broken)} of {len(node.layers)} layers"
        elif broken[0] in summaries and not summaries[broken[0]].finite:
            text = f"all {' and '.join(counts)}"
        else:
            text = "contains " + ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
        texts[node.id] = text
    return texts


def _partial(summary: TensorSummary) -> bool:
    return summary.finite < summary.count


def _logarithmic(means: list[float]) -> list[float]:
    low, high = (min(means), max(means)) if means else (1.0, 1.0)
    if high / low < 1 + NEAR:
        low, high = low / (1 + NEAR), high * (1 + NEAR)
    step = math.log(high / low) / len(SHADES)
    return [low * math.exp(step * at) for at in range(len(SHADES) + 1)]


def _spell(value: float, name: str) -> str:
    return spelling.share(value) if name == "zeros" else spelling.number(value)


def bars(diagram: Diagram, summaries: Mapping[str, TensorSummary]) -> dict[str, Bars]:
    """A small histogram by box id for boxes of layers, with its range in the text below.

    Each histogram has its own scale. Zeros are left out because their bar would flatten all
    others; the text gives their share.
    """
    histograms = {}
    for node in diagram.nodes:
        recorded = [summaries[layer] for layer in node.layers if layer in summaries]
        if not recorded or node.box not in (Box.LAYER, Box.REST):
            continue
        whole = reduce(add, recorded)
        row = Distribution.of(node.name, whole)
        if not without_zeros(row.sketch).total:
            words = "all zero" if whole.zeros else "no finite numbers"
            histograms[node.id] = Bars((0.0,) * CELLS, words)
            continue
        scale = Scale.of([row.sketch])
        shares = spread(row, scale, CELLS)
        top = float(shares.cells.max(initial=0.0)) or 1.0
        words = f"{spelling.number(scale.low, 2)} … {spelling.number(scale.high, 2)}"
        if whole.zeros:
            words += f", {spelling.share(whole.zero_fraction)} zero"
        if whole.finite < whole.count:
            words += f", {spelling.share(1 - whole.finite / whole.count)} not finite"
        histograms[node.id] = Bars(tuple(round(float(c) / top, 4) for c in shares.cells), words)
    return histograms
