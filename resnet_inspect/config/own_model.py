"""Which settings a model of the user's own listens to; the others are the tutorial's network's."""

from __future__ import annotations

from collections.abc import Mapping

from resnet_inspect.config.settings import Settings, field_named
from resnet_inspect.errors import ConfigError

HEEDED = ("target", "input", "seed", "device", "taps", "sample")
OF_A_FIT = ("target", "optimizer", "steps", "every", "record", "taps", "gradients", "sample")


def heeded(settings: Settings) -> tuple[str, ...]:
    """The settings that a model of the user's own listened to."""
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
        if settings.input is not None and "input" in given:
            raise ConfigError(
                "--input describes what a model of your own takes, and none is named",
                where=given["input"],
                expected="a TARGET, such as model.py:build",
                got=settings.input,
                fix="write: resnet-inspect trace FILE.py:CALLABLE --input ...",
            )
        return
    ignored = [name for name in given if name not in HEEDED]
    if ignored:
        raise ConfigError(
            f"a model of your own does not use {', '.join(ignored)}",
            where=", ".join(dict.fromkeys(given[name] for name in ignored)),
            expected="only " + ", ".join(HEEDED),
            got=", ".join(field_named(name, "").flag for name in ignored),
            fix="leave them out: it is run forward once, on random numbers",
        )
