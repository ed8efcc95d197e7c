"""Faults in dense networks for binary labels, regression and several labels at once."""

from __future__ import annotations

from bench.verdicts.corpus.planting import AFTER_HIGH, AFTER_LOW, HIGH, LOW, STILL, plant
from bench.verdicts.plan import Fault

FAULTS: tuple[Fault, ...] = (
    plant(
        "binary-hinge/signs",
        "a squared error of signs: every gradient is 0",
        "loss-constant loss-stuck vanishing-gradient unchanged-weights",
        f"{AFTER_LOW} loss-task update-ratio learning-rate",
        loss="signs",
    ),
    plant(
        "binary-sigmoid/softmax-of-one",
        "softmax over one unit",
        "last-layer",
        f"{STILL} no-gradient",
        last="softmax",
    ),
    plant(
        "binary-sigmoid/missing-sigmoid",
        "a logit and from_logits=False",
        "from-logits",
        "loss-stuck last-layer not-finite loss-diverging",
        last="linear",
    ),
    plant(
        "binary-sigmoid/tanh-out",
        "tanh with cross entropy",
        "last-layer from-logits",
        last="tanh",
    ),
    plant("binary-sigmoid/squares", "absolute error for binary labels", "loss-task", loss="mae"),
    plant(
        "binary-sigmoid/99-to-1",
        "99 of 100 labels are 0",
        "imbalance",
        "one-class",
        labels="99 to 1",
    ),
    plant(
        "binary-logits/one-class",
        "all labels are 0",
        "one-class",
        "imbalance vanishing-gradient loss-constant",
        labels="one class",
    ),
    plant(
        "regression/relu-out",
        "ReLU output, though half of the labels are below 0",
        "output-relu",
        "dead-units last-layer",
        last="relu",
    ),
    plant(
        "regression/cross-entropy",
        "cross entropy for regression",
        "loss-task last-layer",
        "from-logits loss-diverging growing-weights metric-task",
        loss="binary",
    ),
    plant("regression/accuracy", "accuracy for regression", "metric-task", metric="accuracy"),
    plant(
        "regression-own/broadcast",
        "[N] broadcast with [N, 1]",
        "broadcast",
        "loss-stuck labels-logits",
        labels="flat",
    ),
    plant(
        "regression/softmax-of-one",
        "softmax over one unit",
        "last-layer",
        f"{STILL} no-gradient loss-task",
        last="softmax",
    ),
    plant(
        "regression-own/three-units",
        "three units for one label",
        "last-layer broadcast labels-logits",
        units=3,
    ),
    plant("regression/linear", "no activation", "linear-stack", activation="linear"),
    plant("regression-descent/high-rate", "learning rate × 1000", HIGH, AFTER_HIGH, rate=100.0),
    plant("regression-descent/low-rate", "learning rate ÷ 10000", LOW, AFTER_LOW, rate=1e-05),
    plant(
        "regression-log/log-of-zero",
        "a logarithm of inputs that can be 0",
        "not-finite",
        AFTER_HIGH,
        first="log",
    ),
    plant(
        "multilabel/softmax",
        "softmax for several labels at once",
        "last-layer",
        "loss-task",
        last="softmax",
    ),
    plant(
        "multilabel/categorical",
        "categorical cross entropy for several labels at once",
        "loss-task last-layer",
        "from-logits",
        loss="categorical",
    ),
    plant(
        "multilabel/missing-sigmoid",
        "logits and from_logits=False",
        "from-logits",
        "loss-stuck last-layer not-finite loss-diverging",
        last="linear",
    ),
    plant(
        "multilabel/accuracy",
        "class accuracy for several labels at once",
        "metric-task",
        metric="categorical_accuracy",
    ),
    plant(
        "multilabel/dead",
        "biases of −10",
        "dead-units",
        f"{STILL} initial-scale no-gradient",
        bias=-10.0,
    ),
    plant(
        "multilabel/99-to-1", "99 of 100 labels are 0", "imbalance", "one-class", labels="99 to 1"
    ),
    plant(
        "multilabel-norm/momentum-one",
        "moving averages with momentum 1",
        "moving-averages",
        "train-eval-gap",
        norm_momentum=1.0,
    ),
    plant(
        "binary-of-logits/doubled-sigmoid",
        "sigmoid, and another one in the loss",
        "from-logits",
        last="sigmoid",
    ),
    plant(
        "multilabel-of-logits/doubled-sigmoid",
        "sigmoid, and another one in the loss",
        "from-logits",
        last="sigmoid",
    ),
    plant(
        "regression-descent/just-too-high",
        "a learning rate just too high",
        "loss-oscillating learning-rate loss-diverging",
        AFTER_HIGH,
        rate=0.5,
    ),
)
