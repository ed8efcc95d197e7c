"""Faults in image networks: the tutorial's, convolutional ones, a fine-tuned one."""

from __future__ import annotations

from bench.verdicts.corpus.planting import AFTER_HIGH, AFTER_LOW, HIGH, LOW, plant
from bench.verdicts.plan import Fault

FAULTS: tuple[Fault, ...] = (
    plant(
        "tutorial-v2/mean-axes",
        "mean over width and channels",
        "reduced-axes batch-axis",
        "labels-logits",
        mean_axes=[2, 3],
    ),
    plant("tutorial-v2/bn-axis", "normalization over height", "batch-norm-axis", bn_axis=1),
    plant("tutorial-v2/filters", "the first convolution ignores `filters`", "", filters=32),
    plant("tutorial-v2/raw", "images in 0…255", "input-scale", raw=True),
    plant(
        "tutorial-v2/update-ops",
        "update ops left out",
        "moving-averages",
        "train-eval-gap",
        update_ops=False,
    ),
    plant(
        "tutorial-v1/update-ops",
        "update ops left out",
        "moving-averages",
        "train-eval-gap",
        update_ops=False,
    ),
    plant("tutorial-v2/high-rate", "learning rate × 1000", HIGH, AFTER_HIGH, learning_rate=100.0),
    plant("tutorial-v1/low-rate", "learning rate ÷ 10000", LOW, AFTER_LOW, learning_rate=1e-05),
    plant(
        "tutorial-v1/overflow",
        "weights overflow in the first step",
        "not-finite",
        f"{AFTER_HIGH} learning-rate loss-diverging",
        learning_rate=1e19,
    ),
    plant(
        "tutorial-v2/batch-of-one",
        "batches of one image",
        "batch-size-one",
        "loss-oscillating loss-stuck dead-units",
        batch_size=1,
    ),
    plant("tutorial-v2/no-l2", "L2 left out", "growing-weights", weight_decay=0.0),
    plant("cnn/bn-axis", "normalization over height", "batch-norm-axis", norm_axis=1),
    plant(
        "cnn/mean-axes",
        "mean over width and channels",
        "reduced-axes",
        "loss-stuck",
        mean_axes=(2, 3),
    ),
    plant(
        "cnn/batch-mean",
        "mean over the batch axis, too",
        "batch-axis reduced-axes",
        "labels-logits",
        mean_axes=(0, 1),
    ),
    plant("cnn/mixed-batch", "a reshape mixes examples", "batch-axis", "loss-stuck", mixing=True),
    plant("cnn/grey", "images in 0…255", "input-scale", inputs="0 to 255"),
    plant(
        "cnn/momentum-one",
        "moving averages with momentum 1",
        "moving-averages",
        "train-eval-gap",
        norm_momentum=1.0,
    ),
    plant(
        "cnn/bn-inference",
        "training=False, gamma and beta train",
        "batch-norm-mode moving-averages",
        "train-eval-gap",
        norm_training=False,
    ),
    plant(
        "cnn/bn-last", "normalization after the last layer", "batch-norm-mode", after_last="batch"
    ),
    plant(
        "cnn/batch-of-one",
        "batches of one image",
        "batch-size-one",
        "loss-oscillating loss-stuck train-eval-gap",
        batch=1,
    ),
    plant(
        "cnn/validated-raw", "validated on unscaled images", "train-eval-gap", checked="times 100"
    ),
    plant(
        "cnn/one-class",
        "all labels are 0",
        "one-class",
        "imbalance vanishing-gradient loss-constant",
        labels="one class",
    ),
    plant("cnn-l2/no-l2", "L2 left out, weights grow by half", "growing-weights", l2=0.0),
    plant("cnn-momentum/high-rate", "learning rate × 1000", HIGH, AFTER_HIGH, rate=100.0),
    plant(
        "cnn-plain/dead",
        "biases of −10",
        "dead-units",
        f"{AFTER_LOW} vanishing-gradient initial-scale",
        bias=-10.0,
    ),
    plant(
        "cnn-plain/constant-init",
        "constant initial weights",
        "symmetric-weights",
        "initial-scale loss-stuck",
        kernel="constant:0.02",
    ),
    plant(
        "cnn-residual/missing-softmax",
        "logits and from_logits=False",
        "from-logits",
        "not-finite loss-stuck last-layer",
        last="linear",
    ),
    plant("cnn-scaled/scaled-away", "the rescaling layer is missing", "input-scale", scaled=False),
    plant(
        "finetuned/all-frozen",
        "the new layer is frozen too",
        "frozen unchanged-weights",
        f"{AFTER_LOW} no-gradient",
        frozen="all",
    ),
    plant("finetuned/low-rate", "learning rate ÷ 10000", LOW, AFTER_LOW, rate=2e-06),
    plant(
        "finetuned/blank",
        "all images black",
        "input-constant",
        "loss-stuck loss-constant dead-units input-scale",
        inputs="constant",
    ),
    plant(
        "cnn-of-logits/doubled-softmax",
        "softmax, and another one in the loss",
        "from-logits",
        last="softmax",
    ),
)
