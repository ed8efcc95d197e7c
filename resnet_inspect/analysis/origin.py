"""Where a size that a Reshape fixes comes from: its literal, and the layer it must agree with."""

from __future__ import annotations

from collections import deque

import msgspec

from resnet_inspect.graph import Graph, Layer, Source
from resnet_inspect.graph.tensors import Shape

# Layers whose weights decide how many channels their output has.
CHANNEL_MAKERS = ("Conv2D", "MatMul")


class ReshapeOrigin(msgspec.Struct, frozen=True):
    """A size written as a literal in a reshape.

    `literal` is the shape as written; `op` and `axis` say where its `size` shows. `layer` is
    the nearest layer before it that makes channels, `channels` how many it makes, and `through`
    the layers in between, nearest to `layer` first. `source` is None where no line is known.
    """

    op: str
    axis: int
    size: int
    literal: tuple[int, ...]
    source: Source | None
    incoming: Shape
    layer: str
    channels: int | None
    through: tuple[str, ...]


def reshape_origins(graph: Graph) -> tuple[ReshapeOrigin, ...]:
    """The literal sizes of every reshape layer whose channels a layer before it decides."""
    found = [_origin(graph, layer) for layer in graph.layers if layer.type == "Reshape"]
    return tuple(origin for origin in found if origin is not None)


def _origin(graph: Graph, layer: Layer) -> ReshapeOrigin | None:
    main = graph.op_by_name[layer.main]
    written = graph.op_by_name[main.inputs[1].op]
    literal = written.attrs.get("value")
    way = _way_from_channel_maker(graph, layer)
    if not isinstance(literal, list) or way is None:
        return None
    sizes = tuple(int(size) for size in literal)
    axis = max((place for place, size in enumerate(sizes) if size > 0), default=None)
    if axis is None:
        return None
    shape = graph.spec(way[0].output).shape
    return ReshapeOrigin(
        op=main.name,
        axis=axis,
        size=sizes[axis],
        literal=sizes,
        source=written.source[0] if written.source else None,
        incoming=graph.spec(main.inputs[0]).shape,
        layer=way[0].name,
        channels=shape[-1] if shape else None,
        through=tuple(step.name for step in way[1:]),
    )


def _way_from_channel_maker(graph: Graph, layer: Layer) -> list[Layer] | None:
    """The shortest way of layers from one that makes channels to just before `layer`.

    Where an addition joins two equally short ways, the one through the layer made later counts:
    a block's own branch rather than its shortcut.
    """
    made_by = {made.output: made for made in graph.layers}
    place = {made.name: number for number, made in enumerate(graph.layers)}

    def before(step: Layer) -> list[Layer]:
        found = [made_by[ref] for ref in step.inputs if ref in made_by]
        return sorted(found, key=lambda made: place[made.name], reverse=True)

    ways = deque([made] for made in before(layer))
    seen: set[str] = set()
    while ways:
        way = ways.popleft()
        if way[0].type in CHANNEL_MAKERS:
            return way
        if way[0].name not in seen:
            seen.add(way[0].name)
            ways.extend([made, *way] for made in before(way[0]))
    return None
