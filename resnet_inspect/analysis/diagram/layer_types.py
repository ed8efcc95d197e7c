"""Types of layers and ops that belong to the layer beside them."""

from __future__ import annotations

ACTIVATIONS = (
    "Activation", "ELU", "Elu", "Gelu", "LeakyReLU", "LeakyRelu", "PReLU", "ReLU", "Relu", "Relu6",
    "Selu", "Sigmoid", "Silu", "Softmax", "Tanh",
)  # fmt: skip
FOLLOWERS = (
    *ACTIVATIONS, "ActivityRegularization", "AlphaDropout", "BatchNormalization", "BiasAdd",
    "Dropout", "FusedBatchNormV3", "GaussianDropout", "GaussianNoise", "GroupNormalization",
    "LayerNormalization", "RMSNormalization", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D", "UnitNormalization",
)  # fmt: skip
LEADERS = ("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Pad", "PadV2", "MirrorPad")
# Types of layers that belong to the layer beside them.
BESIDE = (*FOLLOWERS, *LEADERS)
