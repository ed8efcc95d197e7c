"""The CIFAR-10 ResNet of the tutorial: 6n+2 layers in three stages, version 1 or 2.

Version 1: activation after the addition (He et al. 2015, arXiv 1512.03385, section 4.2); version 2:
before the convolutions (He et al. 2016, arXiv 1603.05027). Written for users: ops show its lines.
"""

from __future__ import annotations

import tensorflow as tf

from resnet_inspect.tracers.tensorflow.capture.construction import Tensor, he_normal
from resnet_inspect.tracers.tensorflow.tutorial.layers import Layers


def inference(
    images: Tensor,
    net: Layers,
    *,
    n: int,
    ver: int,
    filters: int,
    classes: int,
    mean_axes: tuple[int, ...],
    stem_bn: bool = False,
) -> Tensor:
    """Logits [batch, classes] of images [batch, height, width, channels]."""
    block = block_v1 if ver == 1 else block_v2
    with net.group("stem"):
        # The tutorial hard-codes 16 here: this number does not depend on `filters`.
        x = net.conv2d(images, 16, 3, strides=1, name="conv1")
        if ver == 1 or stem_bn:
            x = net.batch_normalization(x, name="bn_conv1")
        if ver == 1:
            x = net.relu(x, name="relu_conv1")
    for stage in range(3):
        stage_filter = filters * 2**stage
        with net.group(f"conv_block_stage{stage}"):
            for i in range(n):
                project = i == 0 and stage > 0
                with net.group(f"res{stage}{i}"), tf.name_scope(f"conv_block_stage{stage}"):
                    x = block(x, net, stage_filter, f"{stage}{i}", project)

    with net.group("head"):
        if ver == 2:
            x = net.batch_normalization(x, name="pre_activation_final_norm")
            x = net.relu(x, name="relu_final")
        x = net.reduce_mean(x, mean_axes, name="final_reduce_mean")
        x = net.reshape(x, [-1, filters * 2**2], name="Reshape")
        return net.dense(x, classes, name="dense1")


def block_v1(x: Tensor, net: Layers, filters: int, at: str, project: bool) -> Tensor:
    """Post-activation: conv, BN, ReLU, conv, BN, addition, ReLU."""
    strides = 2 if project else 1
    shortcut = x
    if project:
        shortcut = convolve(x, net, filters, 1, strides, f"res{at}_branch1")
        shortcut = net.batch_normalization(shortcut, name=f"bn{at}_branch1")
    x = convolve(x, net, filters, 3, strides, f"res{at}_branch2a")
    x = net.batch_normalization(x, name=f"bn{at}_branch2a")
    x = net.relu(x, name=f"relu{at}_branch2a")
    x = convolve(x, net, filters, 3, 1, f"res{at}_branch2b")
    x = net.batch_normalization(x, name=f"bn{at}_branch2b")
    x = net.add(shortcut, x, name=f"add{at}")
    return net.relu(x, name=f"relu{at}")


def block_v2(x: Tensor, net: Layers, filters: int, at: str, project: bool) -> Tensor:
    """Pre-activation: BN, ReLU, conv, BN, ReLU, conv, addition; a projection follows the ReLU."""
    strides = 2 if project else 1
    shortcut = x
    x = net.batch_normalization(x, name=f"bn{at}_branch2a")
    x = net.relu(x, name=f"relu{at}_branch2a")
    if project:
        shortcut = convolve(x, net, filters, 1, strides, f"res{at}_branch1")
        shortcut = net.batch_normalization(shortcut, name=f"bn{at}_branch1")
    x = convolve(x, net, filters, 3, strides, f"res{at}_branch2a")
    x = net.batch_normalization(x, name=f"bn{at}_branch2b")
    x = net.relu(x, name=f"relu{at}_branch2b")
    x = convolve(x, net, filters, 3, 1, f"res{at}_branch2b")
    return net.add(shortcut, x, name=f"add{at}")


def convolve(x: Tensor, net: Layers, filters: int, size: int, strides: int, name: str) -> Tensor:
    """A block's convolution, initialized by variance scaling (fan in, scale 2)."""
    return net.conv2d(x, filters, size, strides=strides, name=name, kernel_initializer=he_normal)
