"""The settings of a run as a validated value: what is recorded, and how.

`Settings.subject` is what is recorded: the tutorial's network, a model, the fit or loop of a
program, or a TensorFlow 1 function. This module knows names and values but no framework.
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
    """What is recorded. `target` is the model, function or program; None for the tutorial."""

    @property
    def uses(self) -> tuple[str, ...]:
        """The names of the settings in `Settings` that have an effect."""
        return EVERY_STEP

    @property
    def fed(self) -> str:
        """The training data, as text."""
        return "from your program"


class Tutorial(_Subject, frozen=True):
    """The tutorial's network and its training; the defaults are those of the tutorial."""

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
        """The number of layers with weights on the longest path, 6n+2 as in the papers."""
        return 6 * self.n + 2


class TracedModel(_Subject, frozen=True):
    """The TARGET of `trace`. A model with a loss and an optimizer is trained, others run forward.

    `optimizer` is the name of the optimizer, "" without one. `batch_size` replaces unknown first
    axes of inputs; with None they are 128 in a training, and stay unknown in a forward pass.
    """

    target: str
    input: str | None = None
    set: tuple[str, ...] = ()
    signature: str | None = None
    optimizer: str = ""
    learning_rate: float | None = None
    data: str = RANDOM
    batch_size: int | None = None

    @property
    def uses(self) -> tuple[str, ...]:
        """See the base class."""
        return (*EVERY_STEP, *WHERE) if self.optimizer else ONCE

    @property
    def fed(self) -> str:
        """See the base class."""
        return self.data


class GraphCode(_Subject, frozen=True):
    """A function written for TensorFlow 1. It runs once."""

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
    """A `fit` of a program; `optimizer` is the name of the optimizer."""

    target: str
    optimizer: str = ""


class Loop(_Subject, frozen=True):
    """A training loop of a program; `optimizer` is the name of the optimizer."""

    target: str
    optimizer: str = ""


Subject = Tutorial | TracedModel | GraphCode | Fit | Loop


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is recorded, `subject`, and how.

    `Settings.of` checks its arguments; the constructor does not.
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
        """Build settings from plain values by name and check each value.

        Values without effect on the subject are dropped; `own_model` rejects them where the user
        wrote them. Raises ConfigError, which shows `where`, for an unknown name, a wrong type or
        a value out of range.
        """
        checked = {name: field_named(name, where).check(v, where) for name, v in values.items()}
        kind = _kind(checked)
        of_subject = {name: v for name, v in checked.items() if name in kind.__struct_fields__}
        if kind is TracedModel and not str(of_subject.get("data", "")).startswith("npz:"):
            of_subject.pop("data", None)
        how = {name: v for name, v in checked.items() if name in cls.__struct_fields__}
        return cls(subject=kind(**of_subject), **how)  # type: ignore[arg-type]

    def values(self) -> dict[str, Any]:
        """The settings that have an effect, by name, in the order of `FIELDS`."""
        own = msgspec.structs.asdict(self.subject)
        if isinstance(self.subject, TracedModel) and not self.subject.optimizer:
            own = {name: value for name, value in own.items() if name not in OF_A_TRAINED_MODEL}
        used = {name: getattr(self, name) for name in self.subject.uses}
        every = own | used
        return {field.name: every[field.name] for field in FIELDS if field.name in every}

    def records(self, step: int) -> bool:
        """Whether tensors are recorded at this step."""
        first, last = step_range(self.record or "0-") or (0, LARGEST)
        selected = step % self.every == 0 or step in (self.steps - 1, last)
        return first <= step <= last and selected

    @property
    def tutorial(self) -> Tutorial:
        """The subject as the tutorial's network. Raises TypeError for another subject."""
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
    def judges_inputs(self) -> bool:
        """Whether rules apply to the inputs. Those of a single forward pass are random numbers."""
        return self.fits or isinstance(self.subject, Tutorial)

    @property
    def planned(self) -> int:
        """The planned number of steps; 0 if unknown."""
        if self.fits:
            return self.steps
        return max(self.steps, 1) if isinstance(self.subject, Tutorial) else 1

    @property
    def trains(self) -> bool:
        """Whether the tutorial's network is trained, not only run forward."""
        return self.tutorial.mode == "train" and self.steps > 0

    def evaluates(self, step: int) -> bool:
        """Whether the tutorial's network is evaluated after this training step."""
        often = self.tutorial.evaluate
        return bool(self.trains and often and ((step + 1) % often == 0 or step == self.steps - 1))


def _defaults() -> dict[str, Value]:
    """All defaults by name. The default subject is the tutorial's network."""
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
