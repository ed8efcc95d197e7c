"""Healthy trainings of the fresh kinds, written without knowledge of the rules.

They contain unusual but correct settings: high rates, schedules, smoothed labels, averaged weights,
frozen parts, class weights for rare classes and columns of several types.
"""

from __future__ import annotations

from typing import Any

from bench.verdicts.corpus.healthy import MOMENTUM, ONE_HOT, SIGMOID, SOFTMAX
from bench.verdicts.plan import Healthy

YES_NO: dict[str, Any] = {"loss": "binary", "metric": "binary_accuracy"}
TAGS: dict[str, Any] = {"data": "tags", "steps": 96}
TONES: dict[str, Any] = {"data": "tones", "steps": 96}
MASKS: dict[str, Any] = {"data": "masks", "examples": 512, "steps": 48, "every": 6} | YES_NO
REVIEWS: dict[str, Any] = {"data": "reviews", "steps": 96} | YES_NO
VISITS: dict[str, Any] = {"data": "visits", "loss": "poisson", "last": "exponential", "metric": ""}
TABULAR: dict[str, Any] = {
    "data": "tabular",
    "depth": 2,
    "optimizer": "adamw",
    "decay": 0.01,
    "rate": 0.005,
}
CLICKS: dict[str, Any] = {"data": "clicks", "steps": 160} | YES_NO
STRIPES: dict[str, Any] = {"data": "gratings", "steps": 96}
COLOURS: dict[str, Any] = {
    "data": "coloured",
    "loss": "mse",
    "metric": "mean_absolute_error",
    "normalization": False,
    "hidden": 24,
    "steps": 160,
}
UNEVEN: dict[str, Any] = {"data": "uneven", "metric": "", "steps": 160}
TRIPLETS: dict[str, Any] = {"data": "triplets", "loss": "margin", "metric": ""}
COSINE: dict[str, Any] = {"schedule": "cosine"}

HEALTHY: tuple[Healthy, ...] = (
    Healthy("tagging", "tagging", 0.9, "a bidirectional GRU, a prediction at every step", TAGS),
    Healthy(
        "tagging-deep",
        "tagging",
        0.9,
        "two LSTM layers, RMSprop, clipped gradients, dropout, softmax",
        TAGS
        | SOFTMAX
        | {
            "cell": "LSTM",
            "depth": 2,
            "optimizer": "rmsprop",
            "clip": 1.0,
            "dropout": 0.3,
            "steps": 128,
        },
    ),
    Healthy("signals", "signals", 0.85, "convolutions over time, Adam", TONES),
    Healthy(
        "signals-cosine",
        "signals",
        0.8,
        "rate 0.2 with warm-up and cosine, momentum, smoothed labels",
        TONES | MOMENTUM | COSINE | {"labels": "one-hot", "loss": "smoothed", "rate": 0.2},
    ),
    Healthy(
        "signals-mistaken",
        "signals",
        0.65,
        "a fifth of the labels is random, ELU, dropout",
        TONES | {"data": "mistaken", "activation": "elu", "dropout": 0.3},
    ),
    Healthy("segmentation", "segmentation", 0.85, "a small U-Net, logits", MASKS),
    Healthy(
        "segmentation-dice",
        "segmentation",
        0.85,
        "Dice loss on sigmoids, batches of 16",
        MASKS | SIGMOID | {"loss": "dice", "batch": 16},
    ),
    Healthy(
        "segmentation-norm",
        "segmentation",
        0.85,
        "batch normalization, rate 0.1, momentum 0.9",
        MASKS | MOMENTUM | {"normalization": True},
    ),
    Healthy("text", "text", 0.85, "a mean over words with padding", REVIEWS | SIGMOID),
    Healthy(
        "text-frozen",
        "text",
        0.8,
        "embeddings frozen on purpose, Nadam, strong dropout",
        REVIEWS
        | {
            "embeddings": "normal:1",
            "embedded": False,
            "width": 32,
            "hidden": 48,
            "dropout": 0.5,
            "optimizer": "nadam",
            "steps": 160,
        },
    ),
    Healthy(
        "text-of-logits",
        "text",
        0.85,
        "TensorFlow's op as the loss, Adagrad",
        REVIEWS | {"loss": "of binary logits", "optimizer": "adagrad", "rate": 0.2},
    ),
    Healthy("counts", "counts", 0.3, "Poisson loss on an exponential", VISITS),
    Healthy(
        "counts-own",
        "counts",
        0.3,
        "a hand-written Poisson loss of a softplus, tanh, L1",
        VISITS
        | {
            "loss": "own poisson",
            "last": "softplus",
            "activation": "tanh",
            "l1": 0.0003,
            "steps": 160,
        },
    ),
    Healthy(
        "spread",
        "spread",
        0.65,
        "mean and deviation, a loss written by hand",
        UNEVEN | {"loss": "gaussian", "spread": "softplus"},
    ),
    Healthy(
        "spread-quantiles",
        "spread",
        0.7,
        "median and quantiles, swish",
        UNEVEN | {"loss": "pinball", "units": 3, "activation": "swish"},
    ),
    Healthy("tabular", "tabular", 0.75, "residual blocks, columns of several types", TABULAR),
    Healthy(
        "tabular-cosine",
        "tabular",
        0.75,
        "four blocks, a rate of 0.01 with warm-up and cosine, clipped gradients",
        TABULAR | COSINE | {"depth": 4, "rate": 0.01, "clip": 1.0},
    ),
    Healthy(
        "tabular-averaged",
        "tabular",
        0.75,
        "one block used three times, averaged weights, dropout, smoothed labels",
        TABULAR
        | {
            "depth": 3,
            "tied": True,
            "averaged": True,
            "dropout": 0.3,
            "labels": "one-hot",
            "loss": "smoothed",
        },
    ),
    Healthy("clicks", "clicks", 0.75, "binary and real inputs, a sigmoid", CLICKS | SIGMOID),
    Healthy(
        "clicks-weighted",
        "clicks",
        0.65,
        "one click in sixteen, class weight 12, batches of 128",
        CLICKS
        | {
            "data": "rare_clicks",
            "weights": (1.0, 12.0),
            "batch": 128,
            "examples": 2048,
            "l2": 0.002,
            "rate": 0.01,
        },
    ),
    Healthy("separable", "separable", 0.85, "rate 0.1, momentum 0.9", STRIPES | MOMENTUM),
    Healthy(
        "separable-stairs",
        "separable",
        0.85,
        "Adam with a staircase schedule, ReLU6, L2, softmax and one-hot labels",
        STRIPES | SOFTMAX | ONE_HOT | {"schedule": "stairs", "activation": "relu6", "l2": 0.001},
    ),
    Healthy(
        "separable-of-logits",
        "separable",
        0.8,
        "TensorFlow's op as the loss, batches of 4",
        STRIPES | {"loss": "of logits", "batch": 4, "rate": 0.003, "steps": 192, "every": 16},
    ),
    Healthy(
        "colours",
        "colours",
        0.7,
        "sigmoids for three values of 0…1, mean squared error",
        COLOURS | SIGMOID,
    ),
    Healthy(
        "colours-wide",
        "colours",
        0.6,
        "a single batch with all examples, Huber loss, GELU",
        COLOURS
        | {
            "loss": "huber",
            "activation": "gelu",
            "batch": 512,
            "examples": 512,
            "steps": 60,
            "every": 6,
        },
    ),
    Healthy("triplet", "triplet", 0.75, "a margin between distances, codes of norm 1", TRIPLETS),
    Healthy(
        "triplet-free",
        "triplet",
        0.75,
        "codes of any norm, tanh, SGD with a rate of 0.1",
        TRIPLETS
        | {
            "unit_length": False,
            "activation": "tanh",
            "optimizer": "sgd",
            "rate": 0.1,
            "steps": 160,
        },
    ),
)
