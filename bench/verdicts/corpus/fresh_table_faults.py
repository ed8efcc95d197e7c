"""Faults of the fresh kinds for tables; their author knew only the names of the rules."""

from __future__ import annotations

from bench.verdicts.corpus.planting import AFTER_HIGH, AFTER_LOW, HIGH, STILL, plant
from bench.verdicts.plan import Fault

AFTER_RAW = (
    "loss-stuck loss-oscillating loss-diverging exploding-gradient initial-scale update-ratio "
    "saturated-units dead-units train-eval-gap not-finite learning-rate vanishing-gradient"
)

NUMBERS: tuple[Fault, ...] = (
    plant(
        "counts-own/linear-out",
        "a Poisson mean that can be negative",
        "last-layer not-finite",
        f"{AFTER_HIGH} loss-task loss-diverging",
        last="linear",
    ),
    plant(
        "counts/cross-entropy",
        "cross entropy for counts",
        "loss-task last-layer",
        "from-logits loss-diverging growing-weights label-range exploding-gradient not-finite",
        loss="binary",
    ),
    plant(
        "counts/missing", "gaps in the table are NaN", "not-finite", AFTER_HIGH, inputs="missing"
    ),
    plant("counts/one-column", "one column × 1000", "input-scale", AFTER_RAW, inputs="one column"),
    plant(
        "counts-own/saturated",
        "tanh of inputs × 100",
        "saturated-units input-scale",
        AFTER_RAW,
        inputs="times 100",
    ),
    plant(
        "spread/log-of-zero",
        "a logarithm of a deviation that can be 0",
        "not-finite",
        AFTER_HIGH,
        spread="relu",
    ),
    plant(
        "spread/broadcast",
        "[N] broadcast with [N, 1]",
        "broadcast",
        "loss-stuck labels-logits",
        labels="flat",
    ),
    plant(
        "spread/huge-init",
        "initial weights with standard deviation 10",
        "initial-scale exploding-gradient",
        AFTER_RAW,
        kernel="normal:10",
    ),
    plant(
        "spread/zero-init",
        "initial weights 0",
        "symmetric-weights",
        f"{STILL} initial-scale dead-units no-gradient",
        kernel="zeros",
    ),
    plant(
        "spread-quantiles/relu-out",
        "ReLU output, though half of the labels are below 0",
        "output-relu",
        "dead-units last-layer",
        last="relu",
    ),
)

TABLES: tuple[Fault, ...] = (
    plant(
        "tabular/unlike-ranks",
        "one-hot labels with a sparse loss",
        "labels-logits",
        "label-range loss-task metric-task",
        labels="one-hot",
    ),
    plant("tabular/linear", "no activation", "linear-stack", activation="linear"),
    plant(
        "tabular/frozen",
        "blocks frozen with their initial weights",
        "frozen unchanged-weights",
        AFTER_LOW,
        frozen=True,
    ),
    plant("tabular/unused", "an unused weight", "no-gradient", unused=True),
    plant(
        "tabular/dropout-out",
        "dropout on the logits",
        "dropout-mode",
        "train-eval-gap loss-stuck",
        after_last="dropout",
    ),
    plant("tabular/99-to-1", "99 of 100 labels are 0", "imbalance", "one-class", labels="99 to 1"),
    plant(
        "tabular-averaged/inference",
        "dropout that never drops",
        "dropout-mode",
        dropout_training=False,
    ),
    plant(
        "tabular-averaged/binary-accuracy",
        "binary accuracy for three classes",
        "metric-task",
        metric="binary_accuracy",
    ),
    plant(
        "clicks/signs",
        "a squared error of signs: every gradient is 0",
        "loss-constant loss-stuck vanishing-gradient unchanged-weights",
        f"{AFTER_LOW} loss-task update-ratio learning-rate no-gradient",
        loss="signs",
    ),
    plant(
        "clicks/detached",
        "no gradient into the deep part",
        "no-gradient",
        "unchanged-weights frozen",
        detached=True,
    ),
    plant(
        "clicks/lost-numbers",
        "all values of one input are 0",
        "input-constant",
        f"{STILL} dead-units no-gradient input-scale",
        inputs="second constant",
    ),
    plant("clicks/thousandfold", "inputs × 1000", "input-scale", AFTER_RAW, inputs="times 1000"),
    plant(
        "clicks/tanh-out",
        "tanh with cross entropy",
        "last-layer from-logits",
        "loss-stuck not-finite loss-oscillating",
        last="tanh",
    ),
    plant(
        "clicks-weighted/unweighted",
        "one click in sixteen, no class weights",
        "imbalance",
        "metric-task",
        weights=(),
    ),
    plant(
        "triplet/detached",
        "no gradient into the codes",
        "no-gradient",
        f"{STILL} frozen",
        detached=True,
    ),
    plant("triplet/high-rate", "learning rate × 1000", HIGH, AFTER_HIGH, rate=10.0),
    plant(
        "triplet-free/one-example",
        "one example, repeated",
        "input-constant",
        f"{STILL} input-scale dead-units loss-oscillating saturated-units",
        inputs="one example",
    ),
    plant("triplet-free/high-rate", "learning rate × 50", HIGH, AFTER_HIGH, rate=5.0),
)

FAULTS: tuple[Fault, ...] = (*NUMBERS, *TABLES)
