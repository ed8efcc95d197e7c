"""Small functions with one mistake each, as people make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from resnet_inspect.tracers.tensorflow.functions import Input

IMAGE = ("batch", "height", "width", "channel")


@dataclass(frozen=True)
class Mistake:
    """A function with what it is fed and the variables it uses (shapes by name)."""

    function: Callable[..., Any]
    inputs: Mapping[str, Input]
    weights: Mapping[str, list[int]] = field(default_factory=dict)


def kernel_channels(images: Any, kernel: Any) -> Any:
    """The kernel was made for four channels."""
    return tf.nn.conv2d(images, kernel, strides=1, padding="SAME")


def labels_batch(images: Any, labels: Any, kernel: Any) -> Any:
    """Labels of another batch size."""
    features = tf.reduce_mean(images, [1, 2])
    logits = tf.matmul(features, kernel)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def transposed(images: Any, kernel: Any) -> Any:
    """Channels-first images where channels-last ones are wanted."""
    return tf.nn.conv2d(tf.nn.relu(images), kernel, strides=1, padding="SAME")


def concatenated(images: Any, kernel: Any) -> Any:
    """Branches of different width, joined along the height."""
    wide = tf.nn.conv2d(images, kernel, strides=1, padding="SAME")
    return tf.concat([images, wide], axis=1)


def swapped(images: Any, kernel: Any) -> Any:
    """The product the wrong way round."""
    features = tf.reduce_mean(images, [1, 2])
    return tf.matmul(kernel, features)


def flattened(images: Any, kernel: Any) -> Any:
    """A dense layer made for images of 32×32, fed larger ones."""
    flat = tf.reshape(images, [tf.shape(images)[0], -1])
    return tf.matmul(flat, kernel)


MISTAKES: dict[str, Mistake] = {
    "kernel_channels": Mistake(
        kernel_channels, {"images": Input((8, 32, 32, 3), IMAGE)}, {"kernel": [3, 3, 4, 16]}
    ),
    "labels_batch": Mistake(
        labels_batch,
        {
            "images": Input((128, 8, 8, 64), IMAGE),
            "labels": Input((64,), ("batch",), "int64"),
        },
        {"kernel": [64, 10]},
    ),
    "transposed": Mistake(
        transposed, {"images": Input((8, 3, 32, 32), IMAGE)}, {"kernel": [3, 3, 3, 16]}
    ),
    "concatenated": Mistake(
        concatenated, {"images": Input((8, 16, 16, 32), IMAGE)}, {"kernel": [3, 3, 32, 64]}
    ),
    "swapped": Mistake(swapped, {"images": Input((8, 8, 8, 64), IMAGE)}, {"kernel": [64, 10]}),
    "flattened": Mistake(
        flattened, {"images": Input((8, 40, 40, 3), IMAGE)}, {"kernel": [3072, 10]}
    ),
}
