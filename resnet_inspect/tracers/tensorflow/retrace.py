"""Which settings move which sizes: the forward function traced again with one setting changed.

Only shapes are asked for: variables have no values, nothing runs. An addition that refuses its
inputs is noted and passed over, so that what lies behind it is seen too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.config import Settings
from resnet_inspect.graph.lineage import Correction, Variation
from resnet_inspect.tracers.tensorflow.construction import AbstractConstruction
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


def variations(settings: Settings, image: ImageShape) -> tuple[Variation, ...]:
    """One variation for each setting that decides shapes, and for each axis of an image."""
    base, ops, _ = _shapes(settings, image)
    found = []
    for name, before, after, changed, changed_image in _changes(settings, image):
        try:
            shapes, there, conflicts = _shapes(changed, changed_image)
        except ValueError as error:
            conflicts = (str(error).splitlines()[0],)
            shapes, there = {}, frozenset()
        found.append(
            Variation(
                setting=name,
                before=before,
                after=after,
                shapes={n: s for n, s in shapes.items() if n in base and base[n] != s},
                missing=tuple(sorted(ops - there)),
                added=len(there - ops),
                conflicts=conflicts,
            )
        )
    return tuple(found)


def corrections(settings: Settings, image: ImageShape) -> tuple[Correction, ...]:
    """Settings, each changed alone to the tutorial's value, with which a failed network builds.

    It builds if no layer refuses its inputs and the logits keep the batch.
    """
    found = []
    for name in CORRECTABLE:
        before, after = getattr(settings, name), getattr(Settings(), name)
        if before == after:
            continue
        try:
            shapes, _, conflicts = _shapes(
                msgspec.structs.replace(settings, **{name: after}), image
            )
        except ValueError:
            continue
        logits = shapes.get("dense1/BiasAdd:0", ())
        if not conflicts and logits[:1] == (settings.batch_size,):
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


def _shapes(
    settings: Settings, image: ImageShape
) -> tuple[Shapes, frozenset[str], tuple[str, ...]]:
    """Shapes of the forward function's tensors and variables, names of its ops, conflicts."""
    with tf.Graph().as_default() as graph:
        images = tf.compat.v1.placeholder(tf.float32, [settings.batch_size, *image], name="images")
        made = AbstractConstruction()
        net = Layers(
            made,
            training=settings.mode == "train",
            bn_axis=settings.bn_axis,
            update_ops=False,
        )
        inference(
            images,
            net,
            n=settings.n,
            ver=settings.ver,
            filters=settings.filters,
            classes=settings.classes,
            mean_axes=settings.mean_axes,
        )
        ops = graph.get_operations()
    found: Shapes = dict(made.shapes)
    for op in ops:
        for tensor in op.outputs:
            if tensor.shape.rank:
                found[f"{op.name}:{tensor.value_index}"] = tuple(tensor.shape.as_list())
    return found, frozenset(_real(ops)), tuple(made.conflicts)


def _real(ops: list[Any]) -> Iterator[str]:
    return (op.name for op in ops if op.type != "Placeholder")
