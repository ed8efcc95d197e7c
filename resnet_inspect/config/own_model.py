"""Which settings a model of the user's own listens to; the others are the tutorial's network's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resnet_inspect.commands import Command
from resnet_inspect.config.fields import field_named
from resnet_inspect.config.settings import Settings, TracedModel
from resnet_inspect.config.targets import TargetKind, is_in_file, kind_of
from resnet_inspect.errors import ConfigError

# What only a model of one's own has, with what each is about.
OWN = {
    "input": "describes what a model of your own takes",
    "set": "is for the callable that makes a model of your own",
    "signature": "chooses one of a SavedModel's signatures",
    "tf1": "is for a file that is written for TensorFlow 1",
}
HEEDED = ("target", *OWN, "seed", "device", "taps", "sample")
# What a model heeds that comes with a loss and an optimizer.
TRAINED = ("data", "batch_size", "steps", "every", "record", "gradients", "learning_rate")
# Settings that concern one kind of target.
ONLY = {"set": TargetKind.CALLABLE, "signature": TargetKind.SAVED_MODEL}


def check_of_fit(given: Mapping[str, object]) -> None:
    """Raise ConfigError for settings that a recorder of somebody's own training cannot heed."""
    heard = ("every", "record", "taps", "gradients", "sample")
    for name in given:
        if name not in heard:
            raise ConfigError(
                f"a recorder has no setting '{name}'",
                where="Recorder()",
                expected="one of out, force, " + ", ".join(heard),
                got=name,
                fix="leave it out: the model and its training are your own",
            )


def check_own_model(values: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """Raise ConfigError for values without an effect on what is recorded: `given` names those that
    somebody wrote, with the place where.
    """
    target: str | None = values.get("target")
    if target is None:
        _refuse_without_target(values, given)
        return
    for name, kind in ONLY.items():
        if name in given and values[name] and kind_of(target) is not kind:
            raise ConfigError(
                f"--{name} {OWN[name]}, and the target is none",
                where=given[name],
                expected=f"a {kind} as TARGET",
                got=f"a {kind_of(target)}, {target}",
                fix=f"leave --{name} out",
            )
    if "tf1" in given and values["tf1"] and not is_in_file(target):
        raise ConfigError(
            f"--tf1 {OWN['tf1']}, and the target is none",
            where=given["tf1"],
            expected="FILE.py:CALLABLE as TARGET",
            got=target,
            fix="name the file itself, old_resnet.py:inference, or leave --tf1 out",
        )
    callable_given = kind_of(target) is TargetKind.CALLABLE and not values.get("tf1")
    heard = (*HEEDED, *TRAINED) if callable_given else HEEDED
    ignored = [name for name in given if name not in heard]
    if "data" in given and str(values["data"]).startswith("cifar10"):
        ignored.append("data")
    if ignored:
        raise ConfigError(
            f"a model of your own does not use {', '.join(ignored)}",
            where=", ".join(dict.fromkeys(given[name] for name in ignored)),
            expected="only "
            + ", ".join(heard)
            + (" (data: npz:PATH; the last seven for one that comes with loss and optimizer)")
            * callable_given,
            got=", ".join(field_named(name, "").flag for name in ignored),
            fix="leave them out" + ": it is run forward once" * (not callable_given),
        )


def check_forward(settings: Settings) -> None:
    """Raise ConfigError for settings of a training that a model which is only run forward would
    leave unheard; steps=0 asks for that.
    """
    usual = Settings(subject=TracedModel(target=""))
    asked = [name for name in TRAINED if _value(settings, name) != _value(usual, name)]
    if settings.steps == 0 and "steps" in asked:
        asked.remove("steps")
    if asked:
        raise ConfigError(
            f"a model that is only run forward does not use {', '.join(asked)}",
            where=f"target {settings.target}",
            expected="a callable that returns (model, loss, optimizer), to be trained",
            got=", ".join(field_named(name, "").flag for name in asked),
            fix="leave them out, or return the three, as model.compile takes them",
        )


def _value(settings: Settings, name: str) -> object:
    return getattr(settings if name in Settings.__struct_fields__ else settings.subject, name)


def _refuse_without_target(values: Mapping[str, Any], given: Mapping[str, str]) -> None:
    for name, about in OWN.items():
        value = values.get(name)
        if name in given and value:
            raise ConfigError(
                f"--{name} {about}, and none is named",
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
