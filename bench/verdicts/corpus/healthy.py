"""Healthy trainings, usual and unusual ones: no rule may report a warning.

Goals are scores on unseen examples. Learning rates and sizes were chosen so that trainings exceed
their goals. A training below its goal does not count as healthy.
"""

from __future__ import annotations

from typing import Any

from bench.verdicts.plan import Healthy

ONE_HOT: dict[str, Any] = {"labels": "one-hot", "loss": "categorical"}
SOFTMAX: dict[str, Any] = {"last": "softmax", "from_logits": False}
SIGMOID: dict[str, Any] = {"last": "sigmoid", "from_logits": False}
TUTORIAL: dict[str, Any] = {"n": 1, "batch_size": 32, "steps": 60, "every": 6}
BLOBS: dict[str, Any] = {"data": "blobs"}
RINGS: dict[str, Any] = {"data": "rings", "loss": "binary", "metric": "binary_accuracy"}
WAVES: dict[str, Any] = {"data": "waves", "loss": "mse", "metric": "mean_absolute_error"}
TOPICS: dict[str, Any] = {"data": "topics", "loss": "binary", "metric": "binary_accuracy"}
PICTURES: dict[str, Any] = {"data": "pictures", "steps": 128}
CURVES: dict[str, Any] = {"data": "curves", "loss": "mse", "metric": ""}
LETTERS: dict[str, Any] = {"data": "tokens", "steps": 96}
ROWS: dict[str, Any] = {"data": "sequences", "steps": 128}
PAIRS: dict[str, Any] = {"data": "pairs", "loss": "contrastive", "metric": "", "steps": 160}
SGD: dict[str, Any] = {"optimizer": "sgd"}
MOMENTUM: dict[str, Any] = {"optimizer": "sgd", "rate": 0.1, "momentum": 0.9}


def _tutorial(name: str, goal: float, words: str, **plan: Any) -> Healthy:
    return Healthy(name, "tutorial", goal, words, TUTORIAL | plan)


HEALTHY: tuple[Healthy, ...] = (
    _tutorial("tutorial-v2", 0.3, "the recipe: learning rate 0.1, momentum, L2", ver=2),
    _tutorial("tutorial-v1", 0.3, "version 1", ver=1),
    _tutorial("tutorial-n2", 0.25, "14 layers", ver=1, n=2, steps=90, every=9),
    _tutorial("tutorial-adam", 0.3, "Adam, 0.003", ver=2, optimizer="adam", learning_rate=0.003),
    Healthy("mlp", "mlp", 0.9, "Adam, logits, class numbers", BLOBS),
    Healthy("mlp-softmax", "mlp", 0.9, "softmax and one-hot labels", BLOBS | ONE_HOT | SOFTMAX),
    Healthy("mlp-sparse-softmax", "mlp", 0.9, "softmax and class numbers", BLOBS | SOFTMAX),
    Healthy(
        "mlp-half",
        "mlp",
        0.9,
        "no hidden layer, SGD with a rate of 0.5",
        BLOBS | SGD | {"depth": 0, "rate": 0.5},
    ),
    Healthy(
        "mlp-tanh", "mlp", 0.9, "tanh, momentum 0.9", BLOBS | MOMENTUM | {"activation": "tanh"}
    ),
    Healthy(
        "mlp-gelu",
        "mlp",
        0.9,
        "GELU and layer normalization",
        BLOBS | {"activation": "gelu", "normalization": "layer"},
    ),
    Healthy(
        "mlp-deep",
        "mlp",
        0.88,
        "6 ReLU layers, He's initial weights",
        BLOBS | {"depth": 6, "kernel": "he_normal", "rate": 0.002, "steps": 128},
    ),
    Healthy(
        "mlp-deep-norm",
        "mlp",
        0.85,
        "5 layers, normal initial weights, batch normalization",
        BLOBS | {"depth": 5, "kernel": "normal:0.5", "normalization": "batch", "rate": 0.005},
    ),
    Healthy("mlp-dropout", "mlp", 0.88, "dropout 0.5", BLOBS | {"dropout": 0.5, "width": 64}),
    Healthy(
        "mlp-rare",
        "mlp",
        0.85,
        "one class of four has 1 in 12 examples",
        {"data": "rare"},
    ),
    Healthy(
        "mlp-no-bias",
        "mlp",
        0.88,
        "without biases, orthogonal initial weights",
        BLOBS | {"use_bias": False, "kernel": "orthogonal"},
    ),
    Healthy(
        "mlp-sparse",
        "mlp",
        0.88,
        "wide ReLU layers with a bias below 0: mostly zeros",
        BLOBS | {"width": 128, "bias": -0.4},
    ),
    Healthy(
        "mlp-tiny-batch",
        "mlp",
        0.85,
        "batches of 4",
        BLOBS | {"batch": 4, "rate": 0.003, "steps": 256},
    ),
    Healthy(
        "mlp-large-batch",
        "mlp",
        0.9,
        "a single batch with all examples",
        BLOBS | {"batch": 1024, "rate": 0.02, "steps": 60, "every": 6},
    ),
    Healthy(
        "mlp-l2",
        "mlp",
        0.88,
        "L2 and decoupled decay",
        BLOBS | {"l2": 0.001, "optimizer": "adamw", "decay": 0.01},
    ),
    Healthy(
        "mlp-strong-l2",
        "mlp",
        0.9,
        "L2 of 0.01, rate 0.1, momentum 0.9",
        BLOBS | MOMENTUM | {"l2": 0.01},
    ),
    Healthy(
        "mlp-of-logits", "mlp", 0.9, "TensorFlow's op as the loss", BLOBS | {"loss": "of logits"}
    ),
    Healthy("mlp-own-step", "mlp", 0.9, "a custom training step", BLOBS | {"step": "own"}),
    Healthy(
        "mlp-own-loss",
        "mlp",
        0.9,
        "a cross entropy written by hand",
        BLOBS | SOFTMAX | {"labels": "one-hot", "loss": "own entropy"},
    ),
    Healthy(
        "mlp-descent",
        "mlp",
        0.85,
        "SGD with a rate of 0.1, no validation",
        BLOBS | SGD | {"rate": 0.1, "steps": 160, "validation": False},
    ),
    Healthy("binary-sigmoid", "binary", 0.9, "sigmoid and cross entropy", RINGS | SIGMOID),
    Healthy("binary-logits", "binary", 0.9, "a logit, RMSprop", RINGS | {"optimizer": "rmsprop"}),
    Healthy(
        "binary-of-logits",
        "binary",
        0.9,
        "TensorFlow's op as the loss",
        RINGS | {"loss": "of binary logits"},
    ),
    Healthy(
        "binary-hinge",
        "binary",
        0.9,
        "tanh with a hinge loss, labels −1 and 1",
        {"data": "sides", "loss": "hinge", "metric": "", "last": "tanh"},
    ),
    Healthy("regression", "regression", 0.8, "mean squared error", WAVES),
    Healthy(
        "regression-huber",
        "regression",
        0.8,
        "Huber loss, tanh",
        WAVES | {"loss": "huber", "activation": "tanh", "rate": 0.02},
    ),
    Healthy(
        "regression-descent",
        "regression",
        0.6,
        "SGD with a rate of 0.1",
        WAVES | SGD | {"rate": 0.1, "steps": 160},
    ),
    Healthy(
        "regression-own",
        "regression",
        0.8,
        "a squared error written by hand",
        WAVES | {"loss": "own squares", "metric": ""},
    ),
    Healthy(
        "regression-log",
        "regression",
        0.35,
        "a guarded logarithm of the inputs",
        WAVES | {"first": "guarded log"},
    ),
    Healthy("multilabel", "multilabel", 0.8, "six sigmoids", TOPICS | SIGMOID),
    Healthy("multilabel-logits", "multilabel", 0.8, "six logits", TOPICS),
    Healthy(
        "multilabel-of-logits",
        "multilabel",
        0.8,
        "TensorFlow's op as the loss",
        TOPICS | {"loss": "of binary logits"},
    ),
    Healthy(
        "multilabel-norm",
        "multilabel",
        0.8,
        "batch normalization, momentum 0.9, rate 0.1",
        TOPICS | MOMENTUM | SIGMOID | {"normalization": "batch"},
    ),
    Healthy("cnn", "cnn", 0.7, "batch normalization, Adam", PICTURES),
    Healthy("cnn-momentum", "cnn", 0.65, "rate 0.1, momentum 0.9", PICTURES | MOMENTUM),
    Healthy(
        "cnn-of-logits",
        "cnn",
        0.65,
        "TensorFlow's op as the loss",
        PICTURES | MOMENTUM | {"loss": "of logits"},
    ),
    Healthy(
        "cnn-l2",
        "cnn",
        0.6,
        "L2 of 0.005, rate 0.1, momentum 0.9",
        PICTURES | MOMENTUM | {"l2": 0.005},
    ),
    Healthy(
        "cnn-plain",
        "cnn",
        0.7,
        "without normalization",
        PICTURES | {"normalization": False, "filters": (16, 32), "steps": 160},
    ),
    Healthy(
        "cnn-scaled",
        "cnn",
        0.6,
        "inputs 0…255, scaled to −1…1 by the first layer",
        {"data": "grey", "scaled": True, "steps": 160},
    ),
    Healthy(
        "cnn-residual",
        "cnn",
        0.7,
        "shortcuts, dropout, softmax",
        PICTURES | SOFTMAX | {"residual": True, "filters": (12, 12, 12), "dropout": 0.2},
    ),
    Healthy("lstm", "lstm", 0.8, "LSTM", ROWS),
    Healthy("lstm-gru", "lstm", 0.8, "GRU, softmax", ROWS | SOFTMAX | {"cell": "GRU"}),
    Healthy(
        "lstm-both-ways",
        "lstm",
        0.8,
        "bidirectional, clipped gradients",
        ROWS | {"cell": "Bidirectional", "clip": 1.0, "width": 32},
    ),
    Healthy(
        "lstm-clipped",
        "lstm",
        0.6,
        "a SimpleRNN, SGD, clipped gradients",
        ROWS
        | SGD
        | {
            "cell": "SimpleRNN",
            "activation": "relu",
            "rate": 0.3,
            "clip": 1.0,
            "recurrent": "identity",
            "steps": 192,
            "every": 16,
        },
    ),
    Healthy("autoencoder", "autoencoder", 0.6, "positive and negative values", CURVES),
    Healthy(
        "autoencoder-sigmoid",
        "autoencoder",
        0.6,
        "values from 0 to 1, cross entropy",
        {"data": "shades", "loss": "binary", "last": "sigmoid", "from_logits": False, "metric": ""},
    ),
    Healthy(
        "autoencoder-noise",
        "autoencoder",
        0.6,
        "noise on the inputs",
        CURVES | {"noise": 0.3, "activation": "elu"},
    ),
    Healthy("vae", "vae", 0.5, "a sampled code", CURVES),
    Healthy("transformer", "transformer", 0.85, "embeddings, whose gradients are sparse", LETTERS),
    Healthy(
        "transformer-yes-no",
        "transformer",
        0.85,
        "one sigmoid, dropout",
        {"data": "orders", "loss": "binary", "metric": "binary_accuracy", "dropout": 0.1} | SIGMOID,
    ),
    Healthy("siamese", "siamese", 0.75, "distance of two codes", PAIRS),
    Healthy(
        "siamese-sigmoid",
        "siamese",
        0.75,
        "a sigmoid on the difference",
        PAIRS | SIGMOID | {"loss": "binary", "answer": "dense", "metric": "binary_accuracy"},
    ),
    Healthy(
        "finetuned",
        "finetuned",
        0.65,
        "a frozen base in inference mode",
        PICTURES | {"rate": 0.02},
    ),
    Healthy(
        "finetuned-inference",
        "finetuned",
        0.65,
        "half of the base trains, its normalization in inference mode, as in Keras' guide",
        PICTURES | {"frozen": "half", "rate": 0.005},
    ),
    Healthy(
        "finetuned-half",
        "finetuned",
        0.65,
        "the first half frozen",
        PICTURES | {"frozen": "half", "base_training": None, "rate": 0.005},
    ),
)
