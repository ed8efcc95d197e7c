"""Trains one case like a user's script, from data to `fit`, and records it.

This module loads Keras; only a process that trains imports it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np

from bench.verdicts.examples import Array, Examples
from bench.verdicts.fed import altered, labelled, limits
from bench.verdicts.networks import MODULES
from bench.verdicts.problems import PROBLEMS
from bench.verdicts.steps import LOSSES, stepping
from resnet_inspect import api
from resnet_inspect.config import Settings
from resnet_inspect.errors import BuildError

UNSEEN = 400


@dataclass(frozen=True)
class Training:
    """The settings of a plan that are no keywords of its network.

    `inputs`, `labels` and `checked` (validation inputs) are alterations of `fed`. `step` is that of
    `steps.stepping`. `units` 0 is the number that the labels need. `schedule` is "" (constant),
    "cosine" (warm-up, then decay) or "stairs". `averaged` keeps moving averages of the weights,
    `weights` are class weights.
    """

    data: str
    examples: int = 1024
    inputs: str = ""
    labels: str = ""
    checked: str = ""
    units: int = 0
    batch: int = 32
    steps: int = 96
    every: int = 8
    optimizer: str = "adam"
    rate: float = 0.01
    momentum: float = 0.0
    decay: float = 0.0
    clip: float | None = None
    loss: str = "sparse"
    from_logits: bool = True
    metric: str = "accuracy"
    validation: bool = True
    step: str = ""
    schedule: str = ""
    averaged: bool = False
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The result of a training: its score, None without one, and the error that stopped it."""

    score: float | None
    stopped: str = ""


def train(kind: str, plan: Mapping[str, Any], seed: int, file: Path) -> Outcome:
    """Train as planned and record into `file`, which is overwritten."""
    if kind == "tutorial":
        return _tutorial(plan, seed, file)
    names = {field.name for field in fields(Training)}
    training = Training(**{key: value for key, value in plan.items() if key in names})
    module = import_module(f"bench.verdicts.networks.{MODULES[kind]}")
    settings = {key: value for key, value in plan.items() if key not in names}
    unknown = settings.keys() - inspect.signature(module.build).parameters.keys()
    if unknown:
        raise KeyError(f"the network of kind {kind} has no setting {', '.join(sorted(unknown))}")
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng([7, seed])
    shown, unseen = (_drawn(training, rng, n) for n in (training.examples, UNSEEN))
    plain = PROBLEMS[training.data](64, np.random.default_rng(0))
    shapes = [array.shape[1:] for array in plain.inputs]
    model = stepping(training.step, module.build(shapes, training.units or plain.units, **settings))
    _compile(model, training)
    recorder = api.Recorder(file, force=True, every=training.every)
    try:
        _fit(model, training, shown, unseen, recorder)
    except Exception as error:
        recorder.stopped(error)
        return Outcome(None, f"{type(error).__name__}: {str(error).splitlines()[0][:120]}")
    with suppress(Exception):  # a faulty network may be unable to predict
        return Outcome(_score(model, training, unseen))
    return Outcome(None)


def _drawn(training: Training, rng: np.random.Generator, count: int) -> Examples:
    return PROBLEMS[training.data](count, rng)


def _compile(model: Any, training: Training) -> None:
    kinds = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": keras.optimizers.SGD,
        "rmsprop": keras.optimizers.RMSprop,
        "nadam": keras.optimizers.Nadam,
        "adagrad": keras.optimizers.Adagrad,
    }
    more: dict[str, Any] = {}
    if training.momentum:
        more["momentum"] = training.momentum
    if training.decay:
        more["weight_decay"] = training.decay
    if training.clip is not None:
        more["clipnorm"] = training.clip
    if training.averaged:
        more["use_ema"], more["ema_momentum"] = True, 0.9
    optimizer = kinds[training.optimizer](_rate(training), **more)
    metrics = [training.metric] if training.metric else None
    model.compile(optimizer, LOSSES[training.loss](training.from_logits), metrics=metrics)


def _rate(training: Training) -> Any:
    if training.schedule == "cosine":
        warm = training.steps // 8
        return keras.optimizers.schedules.CosineDecay(
            0.0, training.steps - warm, warmup_target=training.rate, warmup_steps=warm
        )
    if training.schedule == "stairs":
        return keras.optimizers.schedules.ExponentialDecay(
            training.rate, training.steps // 4, 0.4, staircase=True
        )
    return training.rate


def _fit(model: Any, training: Training, shown: Examples, unseen: Examples, recorder: Any) -> None:
    inputs = altered(training.inputs, shown.inputs)
    wanted = labelled(training.labels, shown, np.random.default_rng(5))
    per_epoch = -(-training.examples // training.batch)
    epochs = max(1, -(-training.steps // per_epoch))
    if training.steps < per_epoch:
        taken = training.steps * training.batch
        inputs, wanted = tuple(array[:taken] for array in inputs), wanted[:taken]
    validation = None
    if training.validation:
        judged = altered(training.checked or training.inputs, unseen.inputs)
        answers = labelled(training.labels, unseen, np.random.default_rng(6))
        validation = (_fed(judged), answers)
    model.fit(
        _fed(inputs),
        wanted,
        batch_size=training.batch,
        epochs=epochs,
        validation_data=validation,
        verbose=0,
        callbacks=[recorder],
        class_weight=dict(enumerate(training.weights)) or None,
    )


def _fed(inputs: tuple[Array, ...]) -> Any:
    return inputs[0] if len(inputs) == 1 else list(inputs)


def _score(model: Any, training: Training, unseen: Examples) -> float | None:
    """Return the mean recall of classes, the accuracy of labels or orders, or R² of numbers."""
    inputs = altered(training.inputs, unseen.inputs)
    predicted = np.asarray(model(_fed(inputs), training=False), dtype=np.float64)
    wanted = unseen.wanted
    if len(predicted) != len(wanted) or not np.isfinite(predicted).all():
        return None
    if unseen.answers == "ordered":
        return float((predicted < 0).mean())
    if unseen.answers == "first":
        left = np.mean((wanted - predicted[:, :1]) ** 2)
        return float(1 - left / wanted.var())
    if unseen.answers == "real":
        wanted = labelled(training.labels, unseen, np.random.default_rng(6))
        wanted = wanted.reshape(predicted.shape)
        spread = np.mean((wanted - wanted.mean(axis=0)) ** 2)
        return float(1 - np.mean((wanted - predicted) ** 2) / spread)
    if unseen.answers == "class":
        right = predicted.argmax(axis=-1) == wanted
        return float(np.mean([right[wanted == label].mean() for label in np.unique(wanted)]))
    bound, turned = limits(training.loss, from_logits=training.from_logits)
    yes = (predicted < bound) if turned else (predicted > bound)
    right = yes == (wanted > 0.5 if training.loss != "hinge" else wanted > 0)
    if unseen.answers == "labels":
        return float(right.mean())
    on = wanted > 0.5 if training.loss != "hinge" else wanted > 0
    return float((right[on].mean() + right[~on].mean()) / 2)


def _tutorial(plan: Mapping[str, Any], seed: int, file: Path) -> Outcome:
    """Train the tutorial's network; the score is the accuracy over the last tenth of the steps."""
    settings = Settings.of({"seed": seed, "device": "cpu", **plan})
    try:
        api.record(settings, out=file, force=True)
    except BuildError as error:
        return Outcome(None, str(error).splitlines()[0][:120])
    with api.open_run(file) as run:
        accuracies = list(run.scalars()["accuracy"].values())
    return Outcome(float(np.mean(accuracies[-max(1, len(accuracies) // 10) :])))
