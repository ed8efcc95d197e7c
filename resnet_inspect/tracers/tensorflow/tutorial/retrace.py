"""Finds which settings change which sizes: re-traces the forward function with one changed.

Only shapes are computed: variables have no values, and no op runs. An addition that fails is noted
and ignored, so that the layers behind it are traced, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import tensorflow as tf

from resnet_inspect.config.settings import Tutorial
from resnet_inspect.graph import Graph
from resnet_inspect.graph.lineage import Correction, Lineage, Mismatch, Variation
from resnet_inspect.tracers.tensorflow.capture.construction import AbstractConstruction
from resnet_inspect.tracers.tensorflow.failures.exceptions import failed_op
from resnet_inspect.tracers.tensorflow.sizes.lineage import lineage_with_formulas
from resnet_inspect.tracers.tensorflow.sizes.retraces import TracedShapes, compared, seen
from resnet_inspect.tracers.tensorflow.tutorial.network import logits_of

ImageShape = tuple[int, int, int]
# Integer settings that determine shapes, with the change that is tried.
SETTINGS: dict[str, Callable[[int], int]] = {
    "filters": lambda value: value + 1,
    "n": lambda value: value + 1,
    "ver": lambda value: 3 - value,
    "classes": lambda value: value + 1,
    "batch_size": lambda value: value + 1,
}
# Settings that can make building the network fail.
CORRECTABLE = ("mean_axes", "filters", "bn_axis", "classes")
# Settings that are parameters of the network's function.
NAMES = ("n", "ver", "filters", "classes")
IMAGE = ("image height", "image width", "image channels")
# Height and width grow by a multiple of the network's strides, so that every stage changes.
IMAGE_CHANGES = (8, 8, 1)


def explain(
    graph: Graph,
    tutorial: Tutorial,
    image: ImageShape,
    mismatch: Mismatch | None = None,
) -> Lineage:
    """The lineage of `graph`.

    With a `mismatch`, the lineage also has the settings that correct the failure.
    """
    settings = {name: getattr(tutorial, name) for name in NAMES}
    lineage = lineage_with_formulas(graph, mismatch, settings)
    varied, traced = variations(tutorial, image)
    return msgspec.structs.replace(
        lineage,
        variations=varied,
        traced=traced,
        corrections=corrections(tutorial, image) if mismatch is not None else (),
    )


def variations(
    tutorial: Tutorial, image: ImageShape
) -> tuple[tuple[Variation, ...], frozenset[str]]:
    """One variation for each setting that determines shapes and each axis of an image.

    The second value is the names of the tensors in the unchanged trace. A variation covers only
    these.
    """
    base = _trace(tutorial, image)
    varied = []
    for name, before, after, changed, changed_image in _changes(tutorial, image):
        retrace = _trace(changed, changed_image)
        varied.append(compared(name, before, after, base, retrace))
    return tuple(varied), frozenset(base.shapes)


def corrections(tutorial: Tutorial, image: ImageShape) -> tuple[Correction, ...]:
    """Settings that correct a failed network if they are changed to the tutorial's value.

    Each setting is changed alone. It corrects the network if no layer fails and the logits have
    the size of the batch.
    """
    corrected = []
    for name in CORRECTABLE:
        before, after = getattr(tutorial, name), getattr(Tutorial(), name)
        if before == after:
            continue
        retrace = _trace(msgspec.structs.replace(tutorial, **{name: after}), image)
        logits = retrace.shapes.get("dense1/BiasAdd:0", ())
        if not retrace.conflicts and logits[:1] == (tutorial.batch_size,):
            corrected.append(Correction(name, _spell(before), _spell(after)))
    return tuple(corrected)


def _spell(value: object) -> str:
    """The value in the notation of the command line."""
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


def _trace(tutorial: Tutorial, image: ImageShape) -> TracedShapes:
    """The shapes of the forward function, up to the op that ends the trace if one fails."""
    rejected = ""
    with tf.Graph().as_default() as graph:
        images = tf.compat.v1.placeholder(tf.float32, [tutorial.batch_size, *image], name="images")
        tf.compat.v1.placeholder(tf.int64, [tutorial.batch_size], name="labels")
        made = AbstractConstruction()
        try:
            logits_of(images, made, tutorial)
        except ValueError as error:
            rejected = failed_op(error) or "an op"
    conflicts = (*made.conflicts, rejected) if rejected else tuple(made.conflicts)
    return seen(graph, made.shapes, conflicts, ended=bool(rejected))
