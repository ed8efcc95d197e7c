"""Which settings move which sizes: the forward function traced again with one setting changed.

Only shapes are asked for: variables have no values, nothing runs. An addition that refuses its
inputs is noted and passed over, so that what lies behind it is seen too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.graph.lineage import Correction, Variation
from resnet_inspect.tracers.tensorflow.construction import AbstractConstruction
from resnet_inspect.tracers.tensorflow.failures import describe
from resnet_inspect.tracers.tensorflow.layers import Layers
from resnet_inspect.tracers.tensorflow.resnet import inference

ImageShape = tuple[int, int, int]
Shapes = dict[str, tuple[int | None, ...]]
# Settings that are whole numbers and decide shapes, with the change that is tried. Height and
# width grow by a multiple of the network's strides, so that every stage sees it.
SETTINGS: dict[str, Callable[[int], int]] = {
    "filters": lambda value: value + 1,
    "n": lambda value: value + 1,
    "ver": lambda value: 3 - value,
    "classes": lambda value: value + 1,
    "batch_size": lambda value: value + 1,
}
# Settings that can keep a network from being built.
CORRECTABLE = ("mean_axes", "filters", "bn_axis", "classes")
IMAGE = ("image height", "image width", "image channels")
IMAGE_CHANGES = (8, 8, 1)


def variations(
    settings: Settings, image: ImageShape
) -> tuple[tuple[Variation, ...], frozenset[str]]:
    """One variation for each setting that decides shapes and each axis of an image.

    Also the names that the unchanged trace saw: of others a variation says nothing.
    """
    base = _trace(settings, image)
    found = []
    for name, before, after, changed, changed_image in _changes(settings, image):
        there = _trace(changed, changed_image)
        found.append(compared(name, before, after, base, there))
    return tuple(found), frozenset(base.shapes)


@dataclass(frozen=True)
class Traced:
    """Shapes of the forward function's tensors and variables, what each op takes, who refused."""

    shapes: Shapes
    inputs: dict[str, tuple[str, ...]]
    conflicts: tuple[str, ...]
    ended: bool


def compared(setting: str, before: int, after: int, base: Traced, there: Traced) -> Variation:
    """What differs in the re-trace `there`, with a setting changed, from the unchanged one."""
    moved = {n: s for n, s in there.shapes.items() if n in base.shapes and base.shapes[n] != s}
    return Variation(
        setting=setting,
        before=before,
        after=after,
        shapes=moved,
        missing=tuple(sorted(set(base.shapes) - set(there.shapes))),
        added=len(there.inputs.keys() - base.inputs.keys()),
        rewired=_rewired(base, there),
        conflicts=there.conflicts,
        ended=there.ended,
    )


def seen(
    graph: Any,
    variables: Mapping[str, tuple[int | None, ...]],
    conflicts: tuple[str, ...],
    *,
    ended: bool,
) -> Traced:
    """What there is in a graph that was traced, with the shapes of its `variables`."""
    ops = graph.get_operations()
    shapes: Shapes = dict(variables)
    for op in ops:
        for tensor in op.outputs:
            if tensor.shape.rank:
                shapes[f"{op.name}:{tensor.value_index}"] = tuple(tensor.shape.as_list())
    inputs = {
        op.name: tuple(tensor.name for tensor in op.inputs)
        for op in ops
        if op.type != "Placeholder"
    }
    return Traced(shapes, inputs, conflicts, ended)


def _rewired(base: Traced, there: Traced) -> frozenset[str]:
    common = base.inputs.keys() & there.inputs.keys()
    return frozenset(name for name in common if base.inputs[name] != there.inputs[name])


def corrections(settings: Settings, image: ImageShape) -> tuple[Correction, ...]:
    """Settings, each changed alone to the tutorial's value, with which a failed network builds.

    It builds if no layer refuses its inputs and the logits keep the batch.
    """
    found = []
    for name in CORRECTABLE:
        before, after = getattr(settings, name), getattr(Settings(), name)
        if before == after:
            continue
        there = _trace(msgspec.structs.replace(settings, **{name: after}), image)
        logits = there.shapes.get("dense1/BiasAdd:0", ())
        if not there.conflicts and logits[:1] == (settings.batch_size,):
            found.append(Correction(name, _typed(before), _typed(after)))
    return tuple(found)


def _typed(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _changes(
    settings: Settings, image: ImageShape
) -> Iterator[tuple[str, int, int, Settings, ImageShape]]:
    for name, change in SETTINGS.items():
        before = getattr(settings, name)
        after = change(before)
        yield name, before, after, msgspec.structs.replace(settings, **{name: after}), image
    for place, name in enumerate(IMAGE):
        sizes = list(image)
        sizes[place] += IMAGE_CHANGES[place]
        yield name, image[place], sizes[place], settings, (sizes[0], sizes[1], sizes[2])


def _trace(settings: Settings, image: ImageShape) -> Traced:
    """Trace the forward function for shapes, as far as it goes."""
    ended = ""
    with tf.Graph().as_default() as graph:
        images = tf.compat.v1.placeholder(tf.float32, [settings.batch_size, *image], name="images")
        tf.compat.v1.placeholder(tf.int64, [settings.batch_size], name="labels")
        made = AbstractConstruction()
        net = Layers(
            made,
            training=settings.mode == "train",
            bn_axis=settings.bn_axis,
            update_ops=False,
            batch_norm=settings.batch_norm,
        )
        try:
            inference(
                images,
                net,
                n=settings.n,
                ver=settings.ver,
                filters=settings.filters,
                classes=settings.classes,
                mean_axes=settings.mean_axes,
                stem_bn=settings.stem_bn,
            )
        except ValueError as error:
            ended = describe(error, "tracing again").op or "an op"
    conflicts = (*made.conflicts, ended) if ended else tuple(made.conflicts)
    return seen(graph, made.shapes, conflicts, ended=bool(ended))
