"""Computes one training step of the CIFAR-10 ResNet in eager mode with a GradientTape.

It follows the specification. Tests compare the values of a recorded network with it. Batch
normalization is computed by its formula, not by the fused op, so that it can run in float64.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tests.reference.numpy_network import EPSILON, STAGES, IntArray, schedule

Array = npt.NDArray[np.floating[Any]]
Tensor = Any  # TensorFlow ships no usable types.

TRAINABLE = ("kernel", "bias", "gamma", "beta")
DECAY = 0.99  # of the moving averages
BETA1, BETA2, ADAM_EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Network:
    """The settings of a network, which normalizes over the channels."""

    n: int
    ver: int
    filters: int = 16
    classes: int = 10
    mean_axes: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Recipe:
    """The training settings. A learning rate of None follows the schedule, by `global_step`."""

    optimizer: str = "momentum"
    learning_rate: float | None = None
    momentum: float = 0.9
    weight_decay: float = 2e-4
    update_ops: bool = True


@dataclass(frozen=True)
class ReferenceStep:
    """The results of one step. Mappings are by the name of a layer or variable.

    Attributes:
        activations: Outputs of layers; of a convolution or dense layer after its bias.
        activation_gradients: Gradients of the total loss with respect to `activations`.
        gradients: Gradients of the trainable variables.
        l2: The L2 term, multiplied by the weight decay.
        batch_variances: Unbiased variances, which update the moving averages. Normalization uses
            biased ones.
        trained: New values of the trainable variables.
        update_ratios: L2 norm of the change over that of the old value; NaN if the latter is 0.
        margin: Smallest distance of a ReLU's input from 0. If rounding changes the sign of an
            input, gradients change by several percent.
    """

    activations: dict[str, Array]
    activation_gradients: dict[str, Array]
    gradients: dict[str, Array]
    cross_entropy: float
    l2: float
    loss: float
    accuracy: float
    learning_rate: float
    batch_means: dict[str, Array]
    batch_variances: dict[str, Array]
    moving_averages: dict[str, Array]
    trained: dict[str, Array]
    slots: dict[str, Array]
    update_ratios: dict[str, float]
    margin: float

    @property
    def variables(self) -> dict[str, Array]:
        """Return all variables after the step, except counters."""
        return self.trained | self.moving_averages | self.slots


def is_trainable(name: str) -> bool:
    """Return whether a variable is trained, so that it is no moving average, slot or counter."""
    return name.rpartition("/")[2] in TRAINABLE


class _Pass:
    """One forward pass in training. Each method computes a layer and stores its output."""

    def __init__(
        self, network: Network, variables: Mapping[str, Tensor], nudges: Mapping[str, Array]
    ) -> None:
        self.activations: dict[str, Tensor] = {}
        self.means: dict[str, Tensor] = {}
        self.variances: dict[str, Tensor] = {}
        self.margins: list[float] = []
        self._network = network
        self._variables = variables
        self._nudges = nudges

    def logits(self, images: Tensor) -> Tensor:
        network = self._network
        block = {1: self._block_v1, 2: self._block_v2}[network.ver]
        x = self._conv("conv1", images)
        if network.ver == 1:
            x = self._relu("relu_conv1", self._bn("bn_conv1", x))
        for stage in range(STAGES):
            for i in range(network.n):
                x = block(f"{stage}{i}", x, stage > 0 and i == 0)
        if network.ver == 2:
            x = self._relu("relu_final", self._bn("pre_activation_final_norm", x))
        x = self._keep("final_reduce_mean", tf.reduce_mean(x, network.mean_axes, keepdims=True))
        x = self._keep("Reshape", tf.reshape(x, [-1, network.filters * 2 ** (STAGES - 1)]))
        x = tf.matmul(x, self._variables["dense1/kernel"]) + self._variables["dense1/bias"]
        return self._keep("dense1", tf.ensure_shape(x, (None, network.classes)))

    def _block_v1(self, block: str, x: Tensor, project: bool) -> Tensor:
        shortcut = self._projection(block, x) if project else x
        x = self._conv(f"res{block}_branch2a", x, 2 if project else 1)
        x = self._relu(f"relu{block}_branch2a", self._bn(f"bn{block}_branch2a", x))
        x = self._bn(f"bn{block}_branch2b", self._conv(f"res{block}_branch2b", x))
        return self._relu(f"relu{block}", self._keep(f"add{block}", shortcut + x))

    def _block_v2(self, block: str, x: Tensor, project: bool) -> Tensor:
        pre = self._relu(f"relu{block}_branch2a", self._bn(f"bn{block}_branch2a", x))
        shortcut = self._projection(block, pre) if project else x
        x = self._conv(f"res{block}_branch2a", pre, 2 if project else 1)
        x = self._relu(f"relu{block}_branch2b", self._bn(f"bn{block}_branch2b", x))
        return self._keep(f"add{block}", shortcut + self._conv(f"res{block}_branch2b", x))

    def _projection(self, block: str, x: Tensor) -> Tensor:
        return self._bn(f"bn{block}_branch1", self._conv(f"res{block}_branch1", x, 2))

    def _conv(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        product = tf.nn.conv2d(x, self._variables[f"{name}/kernel"], stride, "SAME")
        return self._keep(name, product + self._variables[f"{name}/bias"])

    def _bn(self, name: str, x: Tensor) -> Tensor:
        count = x.shape[0] * x.shape[1] * x.shape[2]
        mean = tf.reduce_mean(x, (0, 1, 2))
        variance = tf.reduce_mean(tf.square(x - mean), (0, 1, 2))
        self.means[name] = mean
        self.variances[name] = variance * (count / max(count - 1, 1))
        scaled = (x - mean) / tf.sqrt(variance + EPSILON) * self._variables[f"{name}/gamma"]
        return self._keep(name, scaled + self._variables[f"{name}/beta"])

    def _relu(self, name: str, x: Tensor) -> Tensor:
        self.margins.append(float(tf.reduce_min(tf.abs(x))))
        return self._keep(name, tf.nn.relu(x))

    def _keep(self, name: str, value: Tensor) -> Tensor:
        if name in self._nudges:
            value = value + tf.constant(self._nudges[name], value.dtype)
        self.activations[name] = value
        return value


def reference(
    variables: Mapping[str, npt.ArrayLike],
    images: Array,
    labels: IntArray,
    network: Network,
    recipe: Recipe | None = None,
    *,
    dtype: str = "float64",
    nudges: Mapping[str, Array] | None = None,
) -> ReferenceStep:
    """Compute a step from these variables, by name as in a checkpoint.

    Variables are arrays or TensorFlow variables, and are not changed. Missing slots and
    `global_step` are 0. `nudges` are added to the outputs of layers by name, for finite
    differences.
    """
    recipe = recipe or Recipe()
    before = {name: np.asarray(value).astype(dtype) for name, value in variables.items()}
    with tf.device("/CPU:0"):
        trainable = {name: tf.Variable(before[name]) for name in before if is_trainable(name)}
        with tf.GradientTape() as tape:
            run = _Pass(network, trainable, nudges or {})
            logits = run.logits(tf.constant(images, dtype))
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            cross_entropy = tf.reduce_mean(losses)
            l2 = recipe.weight_decay * tf.add_n([tf.nn.l2_loss(v) for v in trainable.values()])
            loss = cross_entropy + l2
        activation_gradients, tensors = tape.gradient(loss, (run.activations, trainable))
    gradients = _arrays(tensors)
    done = int(np.asarray(variables.get("global_step", 0)))
    rate = schedule(done) if recipe.learning_rate is None else recipe.learning_rate
    trained, slots = _updated(before, gradients, recipe, rate, done + 1)
    return ReferenceStep(
        activations=_arrays(run.activations),
        activation_gradients=_arrays(activation_gradients),
        gradients=gradients,
        cross_entropy=float(cross_entropy),
        l2=float(l2),
        loss=float(loss),
        accuracy=float(np.mean(logits.numpy().argmax(axis=1) == labels)),
        learning_rate=rate,
        batch_means=_arrays(run.means),
        batch_variances=_arrays(run.variances),
        moving_averages=_averaged(before, run, DECAY if recipe.update_ops else 1.0),
        trained=trained,
        slots=slots,
        update_ratios={name: _ratio(before[name], new) for name, new in trained.items()},
        margin=min(run.margins),
    )


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _averaged(before: Mapping[str, Array], run: _Pass, decay: float) -> dict[str, Array]:
    """Return the moving averages after the step."""
    batch = {f"{layer}/moving_mean": mean.numpy() for layer, mean in run.means.items()}
    batch |= {f"{layer}/moving_variance": value.numpy() for layer, value in run.variances.items()}
    return {name: decay * before[name] + (1 - decay) * value for name, value in batch.items()}


def _updated(
    before: Mapping[str, Array], gradients: Mapping[str, Array], recipe: Recipe, rate: float, t: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return new values and slots of the optimizer's step number `t`, which counts from 1."""
    trained: dict[str, Array] = {}
    slots: dict[str, Array] = {}
    for name, gradient in gradients.items():
        first, second, momentum = (f"{name}/{kind}" for kind in ("Adam", "Adam_1", "Momentum"))
        zero = np.zeros_like(gradient)
        if recipe.optimizer == "sgd":
            change = rate * gradient
        elif recipe.optimizer == "momentum":
            slots[momentum] = recipe.momentum * before.get(momentum, zero) + gradient
            change = rate * slots[momentum]
        elif recipe.optimizer == "adam":
            slots[first] = BETA1 * before.get(first, zero) + (1 - BETA1) * gradient
            slots[second] = BETA2 * before.get(second, zero) + (1 - BETA2) * gradient**2
            corrected = rate * math.sqrt(1 - BETA2**t) / (1 - BETA1**t)
            change = corrected * slots[first] / (np.sqrt(slots[second]) + ADAM_EPSILON)
        else:
            raise ValueError(f"optimizer must be momentum, sgd or adam, not {recipe.optimizer}")
        trained[name] = before[name] - change
    return trained, slots


def _ratio(before: Array, after: Array) -> float:
    norm = float(np.linalg.norm(before))
    return float(np.linalg.norm(after - before)) / norm if norm else float("nan")
