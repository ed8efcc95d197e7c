"""Origins of sizes and receptive fields of the fourteen networks, worked out by hand.

An origin is an expression and its line in the network's script, an axis of an input or variable,
or a calculation and the origins of its terms. A receptive field is its size, the stride between
neighbours, and where that of position 0 begins. `reasons` explain answers of the program that
differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Expected:
    """What is known about a network without Keras and without the program.

    Attributes:
        target: the script that is recorded, or the function that is traced.
        origins: the origin of six axes, by name and axis.
        fields: receptive fields, by layer, if the network moves windows.
        reasons: why the program's answer about a place differs, by place.
        settings: settings of a traced function.
    """

    target: str
    origins: dict[str, str]
    fields: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()


NETWORKS: dict[str, Expected] = {
    "autoencoder": Expected(
        "recipes/autoencoder.py",
        {
            "conv2d:1": "8 / 2: data:0 axis 1",
            "conv2d:3": "`4`, autoencoder.py:20",
            "flatten:1": "4 × 4 × 4: data:0 axis 1; data:0 axis 2; `4`, autoencoder.py:20",
            "dense:1": "`width`, autoencoder.py:22",
            "reshape:3": "`4`, autoencoder.py:29",
            "conv2d_transpose:1": "2 × 4: `4`, autoencoder.py:29",
        },
        {
            "conv2d": "3×3/2 from 0",
            "dense": "whole input",
            "conv2d_transpose": "whole input",
        },
    ),
    "cnn": Expected(
        "recipes/cnn.py",
        {
            "random_flip:3": "data:0 axis 3",
            "conv2d_1:3": "`filters`, cnn.py:24",
            "max_pooling2d:1": "16 / 2: data:0 axis 1",
            "separable_conv2d:1": "4 − 3 + 1: data:0 axis 1; `3`, cnn.py:28",
            "global_average_pooling2d:1": "`16`, cnn.py:28",
            "dense:1": "`4`, cnn.py:30",
        },
        {
            "conv2d": "3×3/1 from −1",
            "max_pooling2d": "4×4/2 from −1",
            "separable_conv2d": "18×18/4 from −3",
        },
    ),
    "mlp": Expected(
        "recipes/mlp.py",
        {
            "dense:0": "data:0 axis 0",
            "dense:1": "`16`, mlp.py:19",
            "dropout:1": "`16`, mlp.py:19",
            "leaky_re_lu:1": "`8`, mlp.py:21",
            "dense_2:1": "`2`, mlp.py:23",
            "sequential/dense/kernel:0": "data:0 axis 1",
        },
    ),
    "several": Expected(
        "recipes/several.py",
        {
            "dense:1": "`8`, several.py:26",
            "embedding:2": "`3`, several.py:27",
            "depthwise_conv2d:1": "8 − 3 + 1: data_2:0 axis 1; `3`, several.py:28",
            "global_max_pooling2d:1": "data_2:0 axis 3",
            "concatenate:1": "8 + 3 + 3: `8`, several.py:26; `3`, several.py:27; data_2:0 axis 3",
            "group_normalization:1": "`8`, several.py:31",
        },
        {"depthwise_conv2d": "3×3/1 from 0", "price": "whole input"},
    ),
    "siamese": Expected(
        "recipes/siamese.py",
        {
            "dense:1": "`8`, siamese.py:31",
            "dense_1 (call 2):1": "`4`, siamese.py:31",
            "encoder:1": "`4`, siamese.py:31",
            "distance:0": "data:0 axis 0",
            "distance:1": "Sum keeps reduced axes with size 1 (keepdims=True)",
            "encoder/dense/kernel:0": "data:0 axis 1",
        },
    ),
    "text": Expected(
        "recipes/text.py",
        {
            "embedding:1": "data:0 axis 1",
            "embedding:2": "`8`, text.py:26",
            # A quarter of the kernel in each direction.
            "bidirectional:2": "6 + 6: " + "; ".join(2 * ["24 / 4 of `4 × 6`, text.py:27"]),
            "sequential/bidirectional/forward_lstm/lstm_cell/kernel:1": "`4 × 6`, text.py:27",
            "gru:1": "15 / 3: `3 × 5`, text.py:28",
            "dense:1": "`1`, text.py:29",
        },
    ),
    "transfer": Expected(
        "recipes/transfer.py",
        {
            "subtract:3": "data:0 axis 3",
            "Conv1:1": "32 / 2: data:0 axis 1",
            "block_1_pad:1": "16 + 1: data:0 axis 1; a constant of Keras",
            "block_1_depthwise:1": "(17 − 3) / 2 + 1: data:0 axis 1; "
            "block_1_depthwise/kernel axis 0",
            "global_average_pooling2d:1": "block_3_expand/kernel axis 3",
            "dense:1": "`1`, transfer.py:20",
        },
        {
            "Conv1": "3×3/2 from 0",
            "expanded_conv_depthwise": "7×7/2 from −2",
            "block_1_depthwise": "11×11/4 from −2",
            "block_2_depthwise": "19×19/4 from −6",
            "dense": "whole input",
        },
    ),
    "transformer": Expected(
        "recipes/transformer.py",
        {
            "embedding:2": "`width`, transformer.py:17",
            "positions:1": "data:0 axis 1",
            "multi_head_attention:1": "data:0 axis 1",
            "dense:2": "`inner`, transformer.py:31",
            "block:2": "`width`, transformer.py:17",
            "dense_4:2": "`20`, transformer.py:57",
        },
    ),
    "u_net": Expected(
        "recipes/u_net.py",
        {
            "max_pooling2d:1": "16 / 2: data:0 axis 1",
            "batch_normalization_4:3": "`filters`, u_net.py:25",
            "up_sampling2d:1": "4 × 2: data:0 axis 1; default `size=(2, 2)`, u_net.py:38",
            "concatenate:3": "16 + 8: `filters`, u_net.py:25; `filters`, u_net.py:25",
            "concatenate_1:3": "8 + 4: `filters`, u_net.py:25; `filters`, u_net.py:25",
            "conv2d_10:3": "`1`, u_net.py:40",
        },
        {
            "conv2d_1": "5×5/1 from −2",
            "max_pooling2d_1": "16×16/4 from −6",
            "conv2d_5": "32×32/4 from −14",
            "conv2d_7": "40×40/2 from −18",
        },
    ),
    "vae": Expected(
        "recipes/vae.py",
        {
            "conv2d:3": "`4`, vae.py:29",
            "flatten:1": "4 × 4 × 4: data:0 axis 1; data:0 axis 2; `4`, vae.py:29",
            "sampling:1": "`2`, vae.py:30",
            "reshape:3": "`2`, vae.py:34",
            "conv2d_transpose:1": "2 × 4: `4`, vae.py:34",
            "conv2d_transpose:3": "`1`, vae.py:35",
        },
        {"conv2d": "3×3/2 from 0", "mean": "whole input", "conv2d_transpose": "whole input"},
    ),
    "MobileNetV2": Expected(
        "models.py:application",
        {
            "Conv1:1": "64 / 2: keras_tensor:0 axis 1",
            "block_1_pad:1": "32 + 1: keras_tensor:0 axis 1; a constant of Keras",
            "block_1_depthwise:1": "(33 − 3) / 2 + 1: keras_tensor:0 axis 1; "
            "block_1_depthwise/kernel axis 0",
            "block_2_add:3": "block_1_project/kernel axis 3",
            "global_average_pooling2d:1": "Conv_1/kernel axis 3",
            "predictions:1": "`classes`, models.py:68",
        },
        {
            "Conv1": "3×3/2 from 0",
            "block_1_depthwise": "11×11/4 from −2",
            "block_6_depthwise": "75×75/16 from −22",
            "Conv_1": "491×491/32 from −214",
            "predictions": "whole input",
        },
        {},
        ("name=MobileNetV2", "size=64.0"),
    ),
    "EfficientNetB0": Expected(
        "models.py:application",
        {
            "rescaling:3": "keras_tensor:0 axis 3",
            "stem_conv_pad:1": "64 + 1: keras_tensor:0 axis 1; a constant of Keras",
            "stem_conv:1": "(65 − 3) / 2 + 1: keras_tensor:0 axis 1; stem_conv/kernel axis 0",
            "block1a_se_squeeze:1": "stem_conv/kernel axis 3",
            "block2b_add:3": "block2b_project_conv/kernel axis 3",
            "predictions:1": "`classes`, models.py:68",
        },
        {
            "stem_conv": "3×3/2 from 0",
            "block1a_dwconv": "7×7/2 from −2",
            "block1a_se_excite": "whole input",
            "predictions": "whole input",
        },
        {
            "layers": "Outside of a training, Dropout returns its input and creates no op. The run "
            "has no row for it.",
        },
        ("name=EfficientNetB0", "size=64.0"),
    ),
    "gpt": Expected(
        "networks/gpt.py:gpt",
        {
            "tokens:1": "keras_tensor:0 axis 1",
            "embedding:2": "`width`, gpt.py:45",
            "multi_head_attention:1": "keras_tensor:0 axis 1",
            "dense:2": "`4 × width`, gpt.py:32",
            "block_11:2": "`width`, gpt.py:45",
            "dense_24:2": "`words`, gpt.py:48",
        },
    ),
    "two_towers": Expected(
        "networks/two_towers.py:two_towers",
        {
            "embedding (call 2):1": "query:0 axis 1",
            "embedding:2": "`width`, two_towers.py:16",
            "conv1d:2": "`width`, two_towers.py:17",
            "query_tower:1": "`units`, two_towers.py:25",
            "document_tower:1": "`units`, two_towers.py:26",
            "dot:1": "ExpandDims adds this axis",
        },
        {"conv1d": "3/1 from −1", "query_tower": "whole input"},
    ),
}
