"""Which settings move which sizes: the forward function traced again with one setting changed.

Only shapes are asked for: variables have no values, nothing runs. An addition that refuses its
inputs is noted and passed over, so that what lies behind it is seen too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.config.settings import Tutorial
from resnet_inspect.graph import Graph
from resnet_inspect.graph.lineage import Correction, Lineage, Mismatch, Variation
from resnet_inspect.tracers.tensorflow.capture.construction import AbstractConstruction
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe
from resnet_inspect.tracers.tensorflow.sizes.lineage import lineage_with_formulas
from resnet_inspect.tracers.tensorflow.sizes.retraces import Traced, compared, seen
from resnet_inspect.tracers.tensorflow.tutorial.network import logits_of

ImageShape = tuple[int, int, int]
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
# Settings that the network's function takes by these names.
NAMES = ("n", "ver", "filters", "classes")
IMAGE = ("image height", "image width", "image channels")
IMAGE_CHANGES = (8, 8, 1)


def explain(
    graph: Any, kept: Graph, tutorial: Tutorial, image: ImageShape, mismatch: Mismatch | None = None
) -> Lineage:
    """The lineage of `kept`, which was captured from the TensorFlow graph `graph`; of one that
    failed also which settings would mend it.
    """
    found = lineage_with_formulas(graph, kept, mismatch, {n: getattr(tutorial, n) for n in NAMES})
    varied, traced = variations(tutorial, image)
    return msgspec.structs.replace(
        found,
        variations=varied,
        traced=traced,
        corrections=corrections(tutorial, image) if mismatch is not None else (),
    )


def variations(
    tutorial: Tutorial, image: ImageShape
) -> tuple[tuple[Variation, ...], frozenset[str]]:
    """One variation for each setting that decides shapes and each axis of an image.

    Also the names that the unchanged trace saw: of others a variation says nothing.
    """
    base = _trace(tutorial, image)
    found = []
    for name, before, after, changed, changed_image in _changes(tutorial, image):
        there = _trace(changed, changed_image)
        found.append(compared(name, before, after, base, there))
    return tuple(found), frozenset(base.shapes)


def corrections(tutorial: Tutorial, image: ImageShape) -> tuple[Correction, ...]:
    """Settings, each changed alone to the tutorial's value, with which a failed network builds.

    It builds if no layer refuses its inputs and the logits keep the batch.
    """
    found = []
    for name in CORRECTABLE:
        before, after = getattr(tutorial, name), getattr(Tutorial(), name)
        if before == after:
            continue
        there = _trace(msgspec.structs.replace(tutorial, **{name: after}), image)
        logits = there.shapes.get("dense1/BiasAdd:0", ())
        if not there.conflicts and logits[:1] == (tutorial.batch_size,):
            found.append(Correction(name, _typed(before), _typed(after)))
    return tuple(found)


def _typed(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _changes(
    tutorial: Tutorial, image: ImageShape
) -> Iterator[tuple[str, int, int, Tutorial, ImageShape]]:
    for name, change in SETTINGS.items():
        before = getattr(tutorial, name)
        after = change(before)
        yield name, before, after, msgspec.structs.replace(tutorial, **{name: after}), image
    for place, name in enumerate(IMAGE):
        sizes = list(image)
        sizes[place] += IMAGE_CHANGES[place]
        yield name, image[place], sizes[place], tutorial, (sizes[0], sizes[1], sizes[2])


def _trace(tutorial: Tutorial, image: ImageShape) -> Traced:
    """Trace the forward function for shapes, as far as it goes."""
    ended = ""
    with tf.Graph().as_default() as graph:
        images = tf.compat.v1.placeholder(tf.float32, [tutorial.batch_size, *image], name="images")
        tf.compat.v1.placeholder(tf.int64, [tutorial.batch_size], name="labels")
        made = AbstractConstruction()
        try:
            logits_of(images, made, tutorial)
        except ValueError as error:
            ended = describe(error, "tracing again").op or "an op"
    conflicts = (*made.conflicts, ended) if ended else tuple(made.conflicts)
    return seen(graph, made.shapes, conflicts, ended=bool(ended))
