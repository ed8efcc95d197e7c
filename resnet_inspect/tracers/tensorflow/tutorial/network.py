"""Builds the tutorial's network from its settings, for training, evaluation and re-traces."""

from __future__ import annotations

from resnet_inspect.config.settings import Tutorial
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor
from resnet_inspect.tracers.tensorflow.tutorial.layers import Layers
from resnet_inspect.tracers.tensorflow.tutorial.resnet import inference


def logits_of(
    images: Tensor, made: Construction, tutorial: Tutorial, *, update_ops: bool = False
) -> Tensor:
    """Logits [batch, classes] of images [batch, height, width, channels]; adds layers to `made`.

    Moving averages are updated if both `update_ops` and `tutorial.update_ops` are true.
    """
    net = Layers(
        made,
        training=tutorial.mode == "train",
        bn_axis=tutorial.bn_axis,
        update_ops=update_ops and tutorial.update_ops,
        batch_norm=tutorial.batch_norm,
    )
    return inference(
        images,
        net,
        n=tutorial.n,
        ver=tutorial.ver,
        filters=tutorial.filters,
        classes=tutorial.classes,
        mean_axes=tutorial.mean_axes,
        stem_bn=tutorial.stem_bn,
    )
