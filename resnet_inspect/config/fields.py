"""How each setting is spelled, checked and explained, whatever it is a setting of.

`FIELDS` is the single source for flags, environment variables, configuration files and
documentation. Long because it is one table with a few lines for each setting.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NamedTuple

from resnet_inspect.config.inputs import parse_inputs
from resnet_inspect.config.keywords import parse_keywords
from resnet_inspect.config.targets import TARGETS, kind_of
from resnet_inspect.errors import ConfigError

LARGEST = 2**63 - 1  # what a run file can store
LARGEST_FLOAT32 = 3.4028234e38
Value = int | float | bool | str | tuple[int, ...] | tuple[str, ...] | None


class Field(NamedTuple):
    """How one setting is spelled, checked and explained.

    `kind` is one of int, float, bool, str, axes, words (texts, each given by itself);
    `allowed` says what a value may be; `accepts` may raise ValueError with what is wrong.
    """

    name: str
    kind: str
    help: str
    allowed: str
    accepts: Callable[[Any], bool]
    choices: tuple[str, ...] = ()
    optional: bool = False

    @property
    def flag(self) -> str:
        """The command-line spelling, such as --batch-size."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable, such as RESNET_INSPECT_BATCH_SIZE."""
        return "RESNET_INSPECT_" + self.name.upper()

    def check(self, value: object, where: str, typed: str | None = None) -> Value:
        """Return `value` as this field holds it, or raise ConfigError naming `where`.

        `typed` is the text it was read from, if it was.
        """
        if value is None and self.optional:
            return None
        held, why = _coerce(self.kind, value), ""
        try:
            fits = held is not None and self.accepts(held)
        except ValueError as error:
            fits, why = False, f": {error}"
        if not fits:
            raise ConfigError(
                f"setting '{self.name}' has a value it cannot take",
                where=where,
                expected=self.allowed,
                got=(_spell(value) if typed is None else typed) + why,
                fix=f"give {self.name} {self.allowed}",
            )
        return held

    def parse(self, text: str, where: str) -> Value:
        """Read a flag's or an environment variable's text, or raise ConfigError."""
        value: object = text
        if self.optional and text.lower() in ("", "none"):
            value = None
        elif self.kind == "bool":
            value = {"1": True, "true": True, "yes": True, "on": True}.get(text.lower(), text)
            value = {"0": False, "false": False, "no": False, "off": False}.get(text.lower(), value)
        elif self.kind == "axes":
            value = _numbers(text.split(","), int) or text
        elif self.kind == "words":
            value = [one for one in text.split(";") if one.strip() not in ("", "none")]
        elif self.kind == "int":
            value = (_numbers([text], int) or [text])[0]
        elif self.kind == "float":
            value = (_numbers([text], float) or [text])[0]
        return self.check(value, where, text)


def field_named(name: str, where: str) -> Field:
    """Find a field by its name; raise ConfigError with the nearest names if there is none."""
    for field in FIELDS:
        if field.name == name:
            return field
    names = [field.name for field in FIELDS]
    near = get_close_matches(name, names, n=1)
    raise ConfigError(
        f"unknown setting '{name}'",
        where=where,
        expected="one of " + ", ".join(names),
        got=name,
        fix=f"did you mean '{near[0]}'?" if near else "remove it, or correct its spelling",
    )


def _numbers(texts: list[str], kind: type[int] | type[float]) -> list[int] | list[float] | None:
    try:
        return [kind(text) for text in texts]
    except ValueError:
        return None


def _coerce(kind: str, value: object) -> Value:
    """Hold `value` as `kind`, or None where it is of another type (an int passes as a float)."""
    if kind == "bool":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    if kind == "int":
        return value if isinstance(value, int) else None
    if kind == "float":
        return _as_float(value) if isinstance(value, int | float) else None
    if kind == "str":
        return value if isinstance(value, str) else None
    if not isinstance(value, list | tuple):
        return None
    if kind == "words":
        return tuple(value) if all(isinstance(item, str) for item in value) else None
    if not value:
        return None
    whole = all(isinstance(item, int) and not isinstance(item, bool) for item in value)
    return tuple(value) if whole else None


def _as_float(value: float) -> float | None:
    try:
        held = float(value)
    except OverflowError:
        return None
    return held if math.isfinite(held) else None


def _spell(value: object) -> str:
    kinds = {str: "text", bool: "truth value", int: "whole number", float: "number", list: "list"}
    return f"{value!r} ({kinds.get(type(value), type(value).__name__)})"


def _at_least(low: int) -> Callable[[Any], bool]:
    return lambda value: bool(low <= value <= LARGEST)


def _one_of(*choices: object) -> Callable[[Any], bool]:
    return lambda value: value in choices


def _axes_of_an_image_batch(axes: tuple[int, ...]) -> bool:
    return all(-4 <= axis < 4 for axis in axes) and len({axis % 4 for axis in axes}) == len(axes)


def step_range(text: str) -> tuple[int, int] | None:
    """The first and last step that a text such as 5-10 names, None if it names none."""
    first, dash, last = text.partition("-")
    if not dash or not (first + last).isascii() or not (first + last).isdigit():
        return None
    found = int(first or 0), int(last or LARGEST)
    return found if found[0] <= found[1] else None


def _names_a_model(text: str) -> bool:
    return kind_of(text) is not None


def _are_keywords(texts: tuple[str, ...]) -> bool:
    parse_keywords(texts)
    return True


def _describes_inputs(text: str) -> bool:
    return bool(parse_inputs(text))


def _count(name: str, text: str, low: int = 1) -> Field:
    return Field(name, "int", text, f"a whole number of at least {low}", _at_least(low))


def _choice(name: str, text: str, *choices: str) -> Field:
    return Field(name, "str", text, "one of " + ", ".join(choices), _one_of(*choices), choices)


FIELDS: tuple[Field, ...] = (
    Field(
        "target",
        "str",
        f"a model of your own instead of the tutorial's: {TARGETS}",
        TARGETS,
        _names_a_model,
        optional=True,
    ),
    Field(
        "input",
        "str",
        "what the model of your own takes, where it does not say so itself or is to get something "
        "else: NAME=SIZES:TYPE:MEANINGS, several with ; between",
        "inputs such as images=8,32,32,3:float32:batch,height,width,channel; labels=8:int64",
        _describes_inputs,
        optional=True,
    ),
    Field(
        "set",
        "words",
        "a setting of the callable that makes a model of your own, KEY=VALUE; may be given again",
        "settings such as units=16, each key once",
        _are_keywords,
    ),
    Field(
        "signature",
        "str",
        "which signature of a SavedModel is traced; left out: serving_default, or the only one",
        "a name",
        bool,
        optional=True,
    ),
    Field(
        "tf1",
        "bool",
        "FILE.py:CALLABLE is written for TensorFlow 1 and is given its API by import tensorflow",
        "true or false",
        lambda _: True,
    ),
    _count("n", "blocks per stage; the network has 6n+2 layers"),
    Field("ver", "int", "1 post-activation, 2 pre-activation", "1 or 2", _one_of(1, 2)),
    _count("filters", "channels of the first stage (the stem always has 16)"),
    _count("classes", "classes the last layer tells apart"),
    Field(
        "mean_axes",
        "axes",
        "axes the final mean runs over",
        "distinct axes of a batch of images, each from -4 to 3, such as 1,2",
        _axes_of_an_image_batch,
    ),
    Field(
        "bn_axis",
        "int",
        "axis batch normalization keeps",
        "-1 or 3 (channels) or 1 (height: the known mistake)",
        _one_of(-1, 3, 1),
    ),
    Field(
        "batch_norm",
        "bool",
        "batch normalization; without it each layer hands on what it was to normalize",
        "true or false",
        lambda _: True,
    ),
    Field(
        "stem_bn",
        "bool",
        "a batch normalization behind the stem's convolution in version 2, as version 1 has it",
        "true or false",
        lambda _: True,
    ),
    _choice("mode", "train the network, or only evaluate it", "train", "eval"),
    Field(
        "checkpoint",
        "str",
        "TensorFlow 1 checkpoint to start from",
        "a path",
        bool,
        optional=True,
    ),
    _choice("optimizer", "how gradients move the weights", "momentum", "sgd", "adam"),
    Field(
        "learning_rate",
        "float",
        "one constant rate instead of the schedule",
        "a number above 0",
        lambda rate: 0 < rate <= LARGEST_FLOAT32,
        optional=True,
    ),
    Field(
        "momentum",
        "float",
        "momentum of the momentum optimizer",
        "a number from 0 to below 1",
        lambda momentum: 0 <= momentum < 1,
    ),
    Field(
        "weight_decay",
        "float",
        "factor of the L2 term; 0 leaves it out",
        "a number of at least 0",
        lambda factor: 0 <= factor <= LARGEST_FLOAT32,
    ),
    Field(
        "update_ops",
        "bool",
        "update batch normalization's moving averages",
        "true or false",
        lambda _: True,
    ),
    Field(
        "data",
        "str",
        "shapes10, cifar10:PATH or npz:PATH",
        "shapes10, cifar10:PATH or npz:PATH",
        lambda name: name == "shapes10" or name.partition(":")[0] in ("cifar10", "npz"),
    ),
    Field(
        "raw",
        "bool",
        "feed pictures as they are: 0…255, neither distorted nor standardized",
        "true or false",
        lambda _: True,
    ),
    _count("batch_size", "examples in one step"),
    _count("steps", "training steps; 0 runs one batch forward only", low=0),
    _count(
        "evaluate",
        "behind every so many training steps, and the last, evaluate the network on other pictures "
        "than it is trained on, by its moving averages and by each batch's own; 0 never does",
        low=0,
    ),
    _count("every", "record tensors at every so many steps, and at the last"),
    Field(
        "record",
        "str",
        "record tensors only at these steps: the first and the last, such as 5-10 or 5-",
        "two step numbers with - between, of which one may be left out",
        lambda text: step_range(text) is not None,
        optional=True,
    ),
    Field(
        "taps",
        "str",
        "tensors to record: layers, ops (of the forward pass), all, or patterns of names of "
        "layers, ops and variables, such as res2*,conv1/kernel",
        "layers, ops, all or patterns such as res2*",
        lambda text: all(part.strip() for part in text.split(",")),
    ),
    Field(
        "gradients",
        "bool",
        "record gradients too, of layers' outputs and of weights",
        "true or false",
        lambda _: True,
    ),
    _count("sample", "elements of a large tensor that are summarized; 0 takes all of them", low=0),
    Field(
        "seed",
        "int",
        "seed of weights, order and distortions",
        "a whole number from 0 to 2147483647",
        lambda seed: 0 <= seed < 2**31,
    ),
    _choice("device", "where to compute", "auto", "cpu", "gpu"),
)
