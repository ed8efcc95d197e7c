"""The page's diagram of the network, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from resnet_inspect.analysis.diagram.diagram import Diagram, Level, Options
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.analysis.sizes.why import Explanation
from resnet_inspect.errors import RendererError
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.paths import printable
from resnet_inspect.render.diagram.look import DiagramStyle
from resnet_inspect.render.diagram.picture import picture_of

# Seconds. The page is useful without a diagram, so the limit is short.
PATIENCE = 20.0


class Drawing(NamedTuple):
    """An SVG element without a style sheet, or None and the reason in `missing`."""

    picture: str | None
    missing: str = ""


def drawing(
    graph: Graph,
    lineage: Lineage,
    *,
    explanations: Sequence[Explanation] = (),
    failure: Failure | None = None,
    look: Callable[[Diagram], DiagramStyle] = lambda _: DiagramStyle(),
    prefix: str = "",
    timeout: float = PATIENCE,
) -> Drawing:
    """Draw a network for the page.

    Args:
        graph: the network.
        lineage: the origins of its sizes.
        explanations: their paths are marked.
        failure: its rejected call is marked.
        look: returns the style of a diagram.
        prefix: prepended to the ids of SVG elements.
        timeout: seconds after which the layout engine is stopped.
    """
    options = Options(level=Level.LAYER)
    diagram = draw(graph, lineage, options, explanations=explanations, failure=failure)
    try:
        picture = picture_of(diagram, look(diagram), "element", prefix=prefix, timeout=timeout)
    except RendererError as error:
        reason = f"{error.what} (expected {error.expected}, got {error.got})"
        return Drawing(None, printable(reason))
    return Drawing(picture.text)
