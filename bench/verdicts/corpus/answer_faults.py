"""Faults in dense networks that answer otherwise: yes or no, numbers, several labels."""

from __future__ import annotations

from bench.verdicts.corpus.planting import AFTER_HIGH, AFTER_LOW, HIGH, LOW, STILL, plant
from bench.verdicts.plan import Fault

FAULTS: tuple[Fault, ...] = (
    plant(
        "binary-hinge/signs",
        "squares of signs: no gradient but 0",
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
        "tanh against cross entropy",
        "last-layer from-logits",
        last="tanh",
    ),
    plant("binary-sigmoid/squares", "absolute differences for yes or no", "loss-task", loss="mae"),
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
        "ReLU, though half the answers are below 0",
        "output-relu",
        "dead-units last-layer",
        last="relu",
    ),
    plant(
        "regression/cross-entropy",
        "cross entropy for numbers",
        "loss-task last-layer",
        "from-logits loss-diverging growing-weights metric-task",
        loss="binary",
    ),
    plant("regression/accuracy", "accuracy for numbers", "metric-task", metric="accuracy"),
    plant(
        "regression-own/broadcast",
        "[N] against [N, 1]",
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
        "three units for one number",
        "last-layer broadcast labels-logits",
        units=3,
    ),
    plant("regression/linear", "no activation", "linear-stack", activation="linear"),
    plant("regression-descent/high-rate", "learning rate × 1000", HIGH, AFTER_HIGH, rate=100.0),
    plant("regression-descent/low-rate", "learning rate ÷ 10000", LOW, AFTER_LOW, rate=1e-05),
    plant(
        "regression-log/log-of-zero",
        "a logarithm of inputs that may be 0",
        "not-finite",
        AFTER_HIGH,
        first="log",
    ),
    plant(
        "multilabel/softmax",
        "softmax over labels that stand together",
        "last-layer",
        "loss-task",
        last="softmax",
    ),
    plant(
        "multilabel/categorical",
        "categorical for several labels",
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
        "accuracy of the largest of several",
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
        "sigmoid, then the loss's own",
        "from-logits",
        last="sigmoid",
    ),
    plant(
        "multilabel-of-logits/doubled-sigmoid",
        "sigmoid, then the loss's own",
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
