"""Draws a diagram: writes DOT, runs an engine, finishes the result as a file or an element."""

from __future__ import annotations

from resnet_inspect.analysis.diagram.diagram import Diagram
from resnet_inspect.errors import RendererError
from resnet_inspect.render.diagram.dot import dot, identifiers
from resnet_inspect.render.diagram.engine import TIMEOUT, Picture, drawn
from resnet_inspect.render.diagram.look import DiagramStyle
from resnet_inspect.render.diagram.svg_document import document, element


def picture_of(
    diagram: Diagram,
    look: DiagramStyle,
    form: str = "svg",
    *,
    prefix: str = "",
    timeout: float = TIMEOUT,
) -> Picture:
    """Draw a diagram.

    Args:
        diagram: the result of `analysis.diagram.drawing.draw`.
        look: its appearance; `look.svg` is set according to `form`.
        form: svg (a standalone file), element (an SVG element for a page that contains
            `style_sheet()`), png, pdf, or dot (the text for Graphviz).
        prefix: prefix of the ids of an element.
        timeout: seconds for each engine.

    Raises:
        RendererMissingError: no engine is installed.
        RendererError: every engine failed. The `source` of both errors is the text for Graphviz.
    """
    vector = form in ("svg", "element")
    look = look._replace(svg=vector or form == "dot")
    text = dot(diagram, look)
    if form == "dot":
        return Picture(text.encode())
    try:
        ids = identifiers(diagram)
        picture = drawn(text, "svg" if vector else form, timeout=timeout, required=ids)
    except RendererError as error:
        error.source = text
        raise
    if not vector:
        return picture
    if form == "svg":
        finished = document(picture.data, diagram, look)
    else:
        finished = element(picture.data, diagram, look, prefix=prefix)
    return picture._replace(data=finished.encode())
