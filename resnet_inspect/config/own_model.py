"""Rejects settings that have no effect on a user's model or training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resnet_inspect.commands import Command
from resnet_inspect.config.fields import field_named
from resnet_inspect.config.settings import Settings, TracedModel
from resnet_inspect.config.targets import TargetKind, is_in_file, kind_of
from resnet_inspect.errors import ConfigError

# Settings of a user's model alone, each with its purpose.
OWN = {
    "input": "describes the inputs of your model",
    "set": "passes arguments to the callable that builds your model",
    "signature": "chooses a signature of a SavedModel",
    "tf1": "runs a file written for TensorFlow 1",
}
USED = ("target", *OWN, "batch_size", "seed", "device", "taps", "sample")
# Settings that also have an effect on a model with a loss and an optimizer.
USED_IN_TRAINING = ("data", "steps", "every", "record", "gradients", "learning_rate")
# Settings of one kind of target.
ONLY = {"set": TargetKind.CALLABLE, "signature": TargetKind.SAVED_MODEL}


def check_of_fit(given: Mapping[str, object]) -> None:
    """Raise ConfigError for settings that have no effect on a Recorder."""
    used = ("every", "record", "taps", "gradients", "sample")
    for name in given:
        if name not in used:
            raise ConfigError(
                f"Recorder has no setting '{name}'",
                where="Recorder()",
                expected="one of out, force, " + ", ".join(used),
                got=name,
                fix="leave it out; your script sets the model and its training",
            )


def check_own_model(values: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """Raise ConfigError for settings without effect on the recording.

    Args:
        values: all settings by name.
        given: the settings that the user wrote, each with its place.
    """
    target: str | None = values.get("target")
    if target is None:
        _reject_without_target(values, given)
        return
    for name, kind in ONLY.items():
        if name in given and values[name] and kind_of(target) is not kind:
            raise ConfigError(
                f"--{name} {OWN[name]}; the target is not a {kind}",
                where=given[name],
                expected=f"a {kind} as TARGET",
                got=f"a {kind_of(target)}, {target}",
                fix=f"leave out --{name}",
            )
    if "tf1" in given and values["tf1"] and not is_in_file(target):
        raise ConfigError(
            f"--tf1 {OWN['tf1']}; the target is not in a file",
            where=given["tf1"],
            expected="FILE.py:CALLABLE as TARGET",
            got=target,
            fix="name the file, such as old_resnet.py:inference, or leave out --tf1",
        )
    trainable = kind_of(target) is TargetKind.CALLABLE and not values.get("tf1")
    used = [*USED, *(USED_IN_TRAINING if trainable else ())]
    if values.get("tf1"):
        used.remove("batch_size")
    unused = [name for name in given if name not in used]
    if "steps" in unused and values["steps"] == 0:  # a forward pass
        unused.remove("steps")
    if "data" in given and str(values["data"]).startswith("cifar10"):
        unused.append("data")
    if unused:
        raise ConfigError(
            f"your model does not use {', '.join(unused)}",
            where=", ".join(dict.fromkeys(given[name] for name in unused)),
            expected="only "
            + ", ".join(used)
            + "; the last six only with a loss and an optimizer; data as npz:PATH" * trainable,
            got=", ".join(field_named(name, "").flag for name in unused),
            fix="leave them out" + "; the model runs forward once" * (not trainable),
        )


def check_forward(settings: Settings) -> None:
    """Raise ConfigError for settings of a training if the model only runs forward.

    steps=0 requests a forward pass and is accepted.
    """
    usual = Settings(subject=TracedModel(target=""))
    unused = [name for name in USED_IN_TRAINING if _value(settings, name) != _value(usual, name)]
    if settings.steps == 0 and "steps" in unused:
        unused.remove("steps")
    if unused:
        raise ConfigError(
            f"a model that only runs forward does not use {', '.join(unused)}",
            where=f"target {settings.target}",
            expected="a callable that returns (model, loss, optimizer)",
            got=", ".join(field_named(name, "").flag for name in unused),
            fix="leave them out, or return (model, loss, optimizer) as model.compile takes them",
        )


def _value(settings: Settings, name: str) -> object:
    return getattr(settings if name in Settings.__struct_fields__ else settings.subject, name)


def _reject_without_target(values: Mapping[str, Any], given: Mapping[str, str]) -> None:
    for name, purpose in OWN.items():
        value = values.get(name)
        if name in given and value:
            raise ConfigError(
                f"--{name} {purpose}, and TARGET is missing",
                where=given[name],
                expected="a TARGET, such as model.py:build",
                got=", ".join(value)
                if isinstance(value, tuple)
                else value
                if isinstance(value, str)
                else "--tf1",
                fix=(
                    "write: ",
                    Command(
                        "trace", ("TARGET",), (f"--{name}", *(("...",) if name != "tf1" else ()))
                    ),
                ),
            )
