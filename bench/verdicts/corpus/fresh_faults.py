"""Faults of the fresh kinds for sequences and images; their author knew only names of rules."""

from __future__ import annotations

from bench.verdicts.corpus.planting import AFTER_HIGH, AFTER_LOW, HIGH, LOW, STILL, plant
from bench.verdicts.plan import Fault

UNBOUNDED = "loss-stuck last-layer loss-diverging loss-oscillating not-finite train-eval-gap"
OF_DEAD = f"{STILL} initial-scale no-gradient"

SEQUENCES: tuple[Fault, ...] = (
    plant(
        "tagging/mixed-batch",
        "a reshape mixes examples",
        "batch-axis",
        "loss-stuck train-eval-gap",
        mixing=True,
    ),
    plant(
        "tagging/missing-softmax",
        "logits, from_logits=False",
        "from-logits",
        f"{UNBOUNDED} exploding-gradient",
        from_logits=False,
    ),
    plant(
        "tagging/off-by-one",
        "tags 1…4 for 4 units",
        "label-range labels-logits",
        "not-finite",
        labels="from one",
    ),
    plant(
        "tagging-deep/softmax-over-steps",
        "a second softmax, over the steps",
        "last-layer from-logits reduced-axes",
        "loss-stuck",
        softmax_axis=1,
    ),
    plant("tagging/high-rate", "learning rate × 1000", HIGH, AFTER_HIGH, rate=10.0),
    plant(
        "tagging/norm-over-steps",
        "normalization per step instead of per feature",
        "batch-norm-axis",
        norm_axis=1,
    ),
    plant(
        "tagging/shuffled",
        "labels of other examples",
        "loss-stuck",
        "train-eval-gap",
        labels="shuffled",
    ),
    plant(
        "tagging-deep/too-few-units",
        "3 units for 4 tags",
        "label-range labels-logits",
        "last-layer not-finite",
        units=3,
    ),
    plant(
        "text-of-logits/doubled-sigmoid",
        "sigmoid, and another one in the loss",
        "from-logits",
        "last-layer loss-stuck",
        last="sigmoid",
    ),
    plant(
        "text/softmax-of-one",
        "softmax over one unit",
        "last-layer",
        f"{STILL} no-gradient",
        last="softmax",
    ),
    plant("text/low-rate", "learning rate ÷ 10000", LOW, AFTER_LOW, rate=1e-06),
    plant(
        "text/huge-embeddings",
        "embeddings with standard deviation 100",
        "initial-scale",
        "loss-stuck update-ratio exploding-gradient saturated-units loss-oscillating learning-rate",
        embeddings="normal:100",
    ),
    plant(
        "text/only-padding",
        "all words are 0, the padding",
        "input-constant",
        f"{STILL} not-finite dead-units no-gradient",
        inputs="constant",
    ),
    plant(
        "text/differences",
        "absolute error for binary labels",
        "loss-task",
        "loss-stuck",
        loss="mae",
    ),
    plant(
        "text-frozen/nearly-all",
        "dropout 0.97",
        "dropout-mode",
        "loss-stuck train-eval-gap loss-oscillating frozen",
        dropout=0.97,
    ),
)

WAVES: tuple[Fault, ...] = (
    plant("signals/norm-over-time", "normalization per time step", "batch-norm-axis", norm_axis=1),
    plant(
        "signals/mean-axes",
        "mean over channels, not over time",
        "reduced-axes",
        "loss-stuck train-eval-gap",
        mean_axes=(2,),
    ),
    plant(
        "separable/momentum-one",
        "moving averages with momentum 1",
        "moving-averages",
        "train-eval-gap",
        norm_momentum=1.0,
    ),
    plant(
        "signals/batch-of-one",
        "batches of one signal",
        "batch-size-one",
        "loss-oscillating loss-stuck train-eval-gap dead-units",
        batch=1,
    ),
    plant(
        "signals/one-class",
        "all labels are 0",
        "one-class",
        "imbalance vanishing-gradient loss-constant dead-units",
        labels="one class",
    ),
    plant(
        "signals/constant-init",
        "constant initial weights",
        "symmetric-weights",
        "initial-scale loss-stuck",
        kernel="constant:0.05",
    ),
    plant("signals-cosine/high-rate", "learning rate × 1000", HIGH, AFTER_HIGH, rate=200.0),
    plant(
        "signals-mistaken/linear",
        "no activation",
        "linear-stack",
        "loss-stuck",
        activation="linear",
    ),
)

PICTURES: tuple[Fault, ...] = (
    plant(
        "segmentation/bytes",
        "masks of 0 and 255",
        "label-range labels-logits",
        "loss-diverging loss-task last-layer growing-weights exploding-gradient update-ratio",
        labels="times 255",
    ),
    plant(
        "segmentation/missing-sigmoid",
        "logits, from_logits=False",
        "from-logits",
        f"{UNBOUNDED} exploding-gradient",
        from_logits=False,
    ),
    plant(
        "segmentation/relu-out",
        "ReLU on the logits",
        "output-relu",
        "dead-units last-layer loss-stuck",
        last="relu",
    ),
    plant(
        "segmentation/empty",
        "all masks are empty",
        "one-class",
        "imbalance vanishing-gradient loss-constant dead-units metric-task",
        labels="one class",
    ),
    plant("segmentation/dead", "biases of −10", "dead-units", OF_DEAD, bias=-10.0),
    plant(
        "segmentation/detached",
        "no gradient into the bottleneck",
        "no-gradient",
        "unchanged-weights",
        detached=True,
    ),
    plant(
        "segmentation-dice/squeezed",
        "masks without a channel axis: [16, 16, 16] with [16, 16, 16, 1]",
        "broadcast",
        "labels-logits loss-stuck metric-task",
        labels="squeezed",
    ),
    plant(
        "segmentation-dice/missing-sigmoid",
        "logits where the loss expects 0…1",
        "last-layer from-logits",
        f"{UNBOUNDED} exploding-gradient loss-constant",
        last="linear",
    ),
    plant("separable/low-rate", "learning rate ÷ 10000", LOW, AFTER_LOW, rate=1e-05),
    plant(
        "separable/batch-mean",
        "mean over the batch axis, too",
        "batch-axis reduced-axes",
        "labels-logits",
        mean_axes=(0, 1),
    ),
    plant(
        "separable/norm-in-inference",
        "training=False, gamma and beta train",
        "batch-norm-mode moving-averages",
        "train-eval-gap loss-diverging exploding-gradient not-finite loss-stuck dead-units",
        norm_training=False,
    ),
    plant(
        "colours/raw",
        "images in 0…255",
        "input-scale",
        f"{AFTER_HIGH} initial-scale learning-rate loss-diverging",
        inputs="0 to 255",
    ),
    plant(
        "separable-of-logits/doubled-softmax",
        "softmax, and another one in the loss",
        "from-logits",
        "last-layer loss-stuck",
        last="softmax",
    ),
    plant(
        "separable-stairs/sigmoids",
        "sigmoids with categorical cross entropy",
        "last-layer from-logits",
        "loss-stuck",
        last="sigmoid",
    ),
    plant(
        "colours/softmax",
        "softmax for three independent values of 0…1",
        "last-layer",
        "loss-stuck loss-task",
        last="softmax",
    ),
    plant(
        "colours/bytes",
        "sigmoids for labels of 0…255",
        "last-layer label-range",
        f"{STILL} saturated-units dead-units loss-task",
        labels="times 255",
    ),
    plant(
        "colours/categorical",
        "categorical cross entropy for three values of 0…1",
        "loss-task last-layer",
        "from-logits labels-logits",
        loss="categorical",
    ),
    plant(
        "colours/validated-raw",
        "validated on images in 0…255",
        "train-eval-gap",
        "input-scale saturated-units",
        checked="0 to 255",
    ),
    plant("colours/accuracy", "accuracy for values of 0…1", "metric-task", metric="accuracy"),
)

FAULTS: tuple[Fault, ...] = (*SEQUENCES, *WAVES, *PICTURES)
