"""Which settings a model of the user's own listens to; the others are the tutorial's network's."""

from __future__ import annotations

from collections.abc import Mapping

from resnet_inspect.config.settings import Settings, field_named
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
OF_A_FIT = ("target", "optimizer", "steps", "every", "record", "taps", "gradients", "sample")


def heeded(settings: Settings) -> tuple[str, ...]:
    """The settings that a model of the user's own listened to."""
    if settings.mode == "trained":
        return (*HEEDED, "optimizer", *TRAINED)
    return OF_A_FIT if settings.fits else HEEDED


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


def check_own_model(settings: Settings, given: Mapping[str, str]) -> None:
    """Raise ConfigError for settings that would go unheard: `given` names those that somebody
    wrote, with the place where.
    """
    if settings.target is None:
        _refuse_without_target(settings, given)
        return
    for name, kind in ONLY.items():
        if name in given and getattr(settings, name) and kind_of(settings.target) is not kind:
            raise ConfigError(
                f"--{name} {OWN[name]}, and the target is none",
                where=given[name],
                expected=f"a {kind} as TARGET",
                got=f"a {kind_of(settings.target)}, {settings.target}",
                fix=f"leave --{name} out",
            )
    if "tf1" in given and settings.tf1 and not is_in_file(settings.target):
        raise ConfigError(
            f"--tf1 {OWN['tf1']}, and the target is none",
            where=given["tf1"],
            expected="FILE.py:CALLABLE as TARGET",
            got=settings.target,
            fix="name the file itself, old_resnet.py:inference, or leave --tf1 out",
        )
    callable_given = kind_of(settings.target) is TargetKind.CALLABLE and not settings.tf1
    heard = (*HEEDED, *TRAINED) if callable_given else HEEDED
    ignored = [name for name in given if name not in heard]
    if "data" in given and settings.data.startswith("cifar10"):
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
    usual = Settings()
    asked = [
        name
        for name in TRAINED
        if getattr(settings, name) != getattr(usual, name)
        and not (name == "steps" and settings.steps == 0)
    ]
    if asked:
        raise ConfigError(
            f"a model that is only run forward does not use {', '.join(asked)}",
            where=f"target {settings.target}",
            expected="a callable that returns (model, loss, optimizer), to be trained",
            got=", ".join(field_named(name, "").flag for name in asked),
            fix="leave them out, or return the three, as model.compile takes them",
        )


def _refuse_without_target(settings: Settings, given: Mapping[str, str]) -> None:
    for name, about in OWN.items():
        value = getattr(settings, name)
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
                fix=f"write: resnet-inspect trace TARGET --{name}"
                + (" ..." if name != "tf1" else ""),
            )
