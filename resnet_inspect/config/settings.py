"""What is recorded and how: the settings of one run as a validated value.

`Settings` say how to record; their `subject` says what: the tutorial's network, a model, the fit or
the loop of a program, a TensorFlow 1 function. This room knows names and values, no framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from resnet_inspect.config.fields import FIELDS, LARGEST, Value, field_named, step_range
from resnet_inspect.config.targets import short_name

RANDOM = "random numbers"
EVERY_STEP = ("steps", "every", "record", "taps", "gradients", "sample")
WHERE = ("seed", "device")
ONCE = ("taps", "sample", *WHERE)
OF_A_TRAINED_MODEL = ("optimizer", "learning_rate", "data", "batch_size")


class _Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """What is recorded. `target` is the model, function or program; None for the tutorial's."""

    @property
    def uses(self) -> tuple[str, ...]:
        """The names of the settings of a recording that have an effect."""
        return EVERY_STEP

    @property
    def fed(self) -> str:
        """The data, in words."""
        return "its own"


class Tutorial(_Subject, frozen=True):
    """The tutorial's network with its recipe; the defaults are the tutorial's own."""

    n: int = 5
    ver: int = 2
    filters: int = 16
    classes: int = 10
    mean_axes: tuple[int, ...] = (1, 2)
    bn_axis: int = -1
    batch_norm: bool = True
    stem_bn: bool = False
    mode: str = "train"
    checkpoint: str | None = None
    optimizer: str = "momentum"
    learning_rate: float | None = None
    momentum: float = 0.9
    weight_decay: float = 2e-4
    update_ops: bool = True
    data: str = "shapes10"
    raw: bool = False
    batch_size: int = 128
    evaluate: int = 0

    target: ClassVar[None] = None

    @property
    def uses(self) -> tuple[str, ...]:
        """See the base class."""
        return (*EVERY_STEP, *WHERE)

    @property
    def fed(self) -> str:
        """See the base class."""
        return self.data

    @property
    def depth(self) -> int:
        """Weighted layers on the longest path: 6n+2, as the papers count."""
        return 6 * self.n + 2


class TracedModel(_Subject, frozen=True):
    """A model that `trace` was given: run forward once, or trained if it came with a loss and an
    optimizer, whose name is then `optimizer`.
    """

    target: str
    input: str | None = None
    set: tuple[str, ...] = ()
    signature: str | None = None
    optimizer: str = ""
    learning_rate: float | None = None
    data: str = RANDOM
    batch_size: int = 128

    @property
    def uses(self) -> tuple[str, ...]:
        """See the base class."""
        return (*EVERY_STEP, *WHERE) if self.optimizer else ONCE

    @property
    def fed(self) -> str:
        """See the base class."""
        return self.data


class GraphCode(_Subject, frozen=True):
    """A function written for TensorFlow 1, run once."""

    target: str
    input: str | None = None
    set: tuple[str, ...] = ()

    @property
    def uses(self) -> tuple[str, ...]:
        """See the base class."""
        return ONCE

    @property
    def fed(self) -> str:
        """See the base class."""
        return RANDOM


class Fit(_Subject, frozen=True):
    """The `fit` of a program, with the name of its optimizer."""

    target: str
    optimizer: str = ""


class Loop(_Subject, frozen=True):
    """A training loop of a program, with the name of its optimizer."""

    target: str
    optimizer: str = ""


Subject = Tutorial | TracedModel | GraphCode | Fit | Loop


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is recorded, `subject`, and how.

    Values are checked by `Settings.of`, which all front ends use; the constructor trusts its
    arguments.
    """

    subject: Subject = Tutorial()
    steps: int = 20
    every: int = 1
    record: str | None = None
    taps: str = "layers"
    gradients: bool = True
    sample: int = 4096
    seed: int = 0
    device: str = "auto"

    @classmethod
    def of(cls, values: Mapping[str, object], where: str = "trace()") -> Settings:
        """Build settings from plain values by name, checking each one.

        Values without an effect on the subject are left out: `own_model` refuses those that
        somebody wrote. Raises ConfigError for an unknown name, a wrong type or a value out of
        range; `where` is named in the message.
        """
        checked = {name: field_named(name, where).check(v, where) for name, v in values.items()}
        kind = _kind(checked)
        of_subject = {name: v for name, v in checked.items() if name in kind.__struct_fields__}
        if kind is TracedModel and not str(of_subject.get("data", "")).startswith("npz:"):
            of_subject.pop("data", None)
        how = {name: v for name, v in checked.items() if name in cls.__struct_fields__}
        return cls(subject=kind(**of_subject), **how)  # type: ignore[arg-type]

    def values(self) -> dict[str, Any]:
        """The settings that have an effect, by name, in the order of the documentation."""
        own = msgspec.structs.asdict(self.subject)
        if isinstance(self.subject, TracedModel) and not self.subject.optimizer:
            own = {name: value for name, value in own.items() if name not in OF_A_TRAINED_MODEL}
        used = {name: getattr(self, name) for name in self.subject.uses}
        every = own | used
        return {field.name: every[field.name] for field in FIELDS if field.name in every}

    def records(self, step: int) -> bool:
        """Whether tensors are recorded at this step."""
        first, last = step_range(self.record or "0-") or (0, LARGEST)
        asked = step % self.every == 0 or step in (self.steps - 1, last)
        return first <= step <= last and asked

    @property
    def tutorial(self) -> Tutorial:
        """The subject, where it is the tutorial's network; TypeError where it is not."""
        if not isinstance(self.subject, Tutorial):
            raise TypeError(f"not the tutorial's network: {self.subject}")
        return self.subject

    @property
    def target(self) -> str | None:
        """The model, function or program; None for the tutorial's network."""
        return self.subject.target

    @property
    def network(self) -> str:
        """A short name of the subject."""
        if isinstance(self.subject, Tutorial):
            return f"resnet{self.subject.depth}-v{self.subject.ver}"
        return short_name(self.subject.target)

    @property
    def fits(self) -> bool:
        """Whether the training of a model was recorded, in a program or by `trace`."""
        trained = isinstance(self.subject, TracedModel) and bool(self.subject.optimizer)
        return trained or isinstance(self.subject, Fit | Loop)

    @property
    def planned(self) -> int:
        """How many steps there will be; 0 where nobody knows yet."""
        if self.fits:
            return self.steps
        return max(self.steps, 1) if isinstance(self.subject, Tutorial) else 1

    @property
    def trains(self) -> bool:
        """Whether the tutorial's network is trained, not only run forward."""
        return self.tutorial.mode == "train" and self.steps > 0

    def evaluates(self, step: int) -> bool:
        """Whether the tutorial's network is evaluated behind this training step."""
        often = self.tutorial.evaluate
        return bool(self.trains and often and ((step + 1) % often == 0 or step == self.steps - 1))


def _defaults() -> dict[str, Value]:
    """By name, as for the tutorial's network, which is recorded where nothing else is asked for."""
    usual = Settings()
    model = TracedModel(target="")
    known: dict[str, Value] = {"tf1": False}
    for part in (model, usual.subject, usual):
        known |= msgspec.structs.asdict(part)
    return {field.name: known[field.name] for field in FIELDS} | {"target": None}


def _kind(values: Mapping[str, object]) -> type[Tutorial] | type[TracedModel] | type[GraphCode]:
    if values.get("target") is None:
        return Tutorial
    return GraphCode if values.get("tf1") else TracedModel


DEFAULTS = _defaults()
