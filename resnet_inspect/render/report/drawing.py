"""The page's picture of the network, or why there is none."""

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
from resnet_inspect.render.diagram.look import Look
from resnet_inspect.render.diagram.picture import picture_of

# Seconds. The rest of the page is worth having without it, so nobody waits long.
PATIENCE = 20.0


class Drawing(NamedTuple):
    """An SVG element without a style sheet, None where there is none; `missing` then says why."""

    picture: str | None
    missing: str = ""


def drawing(
    graph: Graph,
    lineage: Lineage,
    *,
    explanations: Sequence[Explanation] = (),
    failure: Failure | None = None,
    look: Callable[[Diagram], Look] = lambda _: Look(),
    prefix: str = "",
    timeout: float = PATIENCE,
) -> Drawing:
    """Draw a network for the page, with the ways of `explanations` marked and the refused call of
    `failure`; `look` says how, `prefix` begins the ids. An engine that is not done after `timeout`
    seconds is stopped.
    """
    options = Options(level=Level.LAYER)
    made = draw(graph, lineage, options, explanations=explanations, failure=failure)
    try:
        picture = picture_of(made, look(made), "element", prefix=prefix, timeout=timeout)
    except RendererError as error:
        told = f"{error.what} (expected {error.expected}, got {error.got})"
        return Drawing(None, printable(told))
    return Drawing(picture.text)
