"""Measures the time to draw the diagram of a deep network, without the start of the program."""

from __future__ import annotations

import statistics
import time

from bench import Row
from resnet_inspect.analysis.diagram.diagram import Options
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.graph import Graph
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.render.diagram.engine import engines
from resnet_inspect.render.diagram.look import DiagramStyle
from resnet_inspect.render.diagram.picture import picture_of
from resnet_inspect.store.run import Run
from tests.analysis.deep_graphs import deep
from tests.recordings import FOLDER

ROUNDS = 5


def measure(quick: bool = False) -> list[Row]:
    """Measure layer diagrams of n=18: folded, and with `--expand`."""
    if not engines():
        return [("diagrams", "no Graphviz", "")]
    n = 2 if quick else 18
    with Run.open(FOLDER / "v2.db") as run:
        graph = deep(run.graph, n)
    rows: list[Row] = []
    for what, options in (("folded", Options()), ("--expand", Options(expand=True))):
        times = [_seconds(graph, options) for _ in range(1 if quick else ROUNDS)]
        row = f"layer diagram of n={n}, {what}, as SVG"
        rows.append((row, f"{statistics.median(times):.2f} s", "target ≤ 1 s"))
    return rows


def _seconds(graph: Graph, options: Options) -> float:
    start = time.perf_counter()
    fresh = Graph(graph.ops, graph.variables, graph.layers, graph.inputs)
    picture_of(draw(fresh, Lineage(), options), DiagramStyle())
    return time.perf_counter() - start
