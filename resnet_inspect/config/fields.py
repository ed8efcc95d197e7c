"""Defines the name, check and help text of each setting.

`FIELDS` is the only source of options, environment variables, keys of configuration files and
their documentation. Long because it is one table with a few lines for each setting.
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
    """The name, check and help text of a setting.

    Attributes:
        name: as in configuration files, such as batch_size.
        kind: int, float, bool, str, axes (a list of ints) or words (a list of texts).
        help: the text of --help.
        allowed: the allowed values, as text for errors.
        accepts: whether a value is allowed; may raise ValueError with the reason.
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
        """The command-line option, such as --batch-size."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable, such as RESNET_INSPECT_BATCH_SIZE."""
        return "RESNET_INSPECT_" + self.name.upper()

    def check(self, value: object, where: str, typed: str | None = None) -> Value:
        """Return `value` in the type of this field, or raise ConfigError.

        Args:
            value: the value to check.
            where: the place of the value, for the error.
            typed: the text that the value was parsed from, if any.
        """
        if value is None and self.optional:
            return None
        converted, reason = _coerce(self.kind, value), ""
        try:
            valid = converted is not None and self.accepts(converted)
        except ValueError as error:
            valid, reason = False, f": {error}"
        if not valid:
            raise ConfigError(
                f"invalid value for setting '{self.name}'",
                where=where,
                expected=self.allowed,
                got=(_spell(value) if typed is None else typed) + reason,
                fix=f"set {self.name} to {self.allowed}",
            )
        return converted

    def parse(self, text: str, where: str) -> Value:
        """Parse the text of an option or an environment variable. Raises ConfigError."""
        value: object = text
        if self.optional and text.lower() in ("", "none"):
            value = None
        elif self.kind == "bool":
            value = {"1": True, "true": True, "yes": True, "on": True}.get(text.lower(), text)
            value = {"0": False, "false": False, "no": False, "off": False}.get(text.lower(), value)
        elif self.kind == "axes":
            value = _numbers(text.split(","), int) or text
        elif self.kind == "words":
            value = [part for part in text.split(";") if part.strip() not in ("", "none")]
        elif self.kind == "int":
            value = (_numbers([text], int) or [text])[0]
        elif self.kind == "float":
            value = (_numbers([text], float) or [text])[0]
        return self.check(value, where, text)


def field_named(name: str, where: str) -> Field:
    """The field of this name. Raises ConfigError with a similar name if there is none."""
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
        fix=f"did you mean '{near[0]}'?" if near else "remove it, or correct the name",
    )


def _numbers(texts: list[str], kind: type[int] | type[float]) -> list[int] | list[float] | None:
    try:
        return [kind(text) for text in texts]
    except ValueError:
        return None


def _coerce(kind: str, value: object) -> Value:
    """Convert `value` to `kind`; None if the type is wrong. An int is accepted as a float."""
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
        converted = float(value)
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None


def _spell(value: object) -> str:
    kinds = {str: "text", bool: "boolean", int: "integer", float: "number", list: "list"}
    return f"{value!r} ({kinds.get(type(value), type(value).__name__)})"


def _at_least(low: int) -> Callable[[Any], bool]:
    return lambda value: bool(low <= value <= LARGEST)


def _one_of(*choices: object) -> Callable[[Any], bool]:
    return lambda value: value in choices


def _axes_of_an_image_batch(axes: tuple[int, ...]) -> bool:
    return all(-4 <= axis < 4 for axis in axes) and len({axis % 4 for axis in axes}) == len(axes)


def step_range(text: str) -> tuple[int, int] | None:
    """The first and last step of a text such as 5-10; None for another text."""
    first, dash, last = text.partition("-")
    if not dash or not (first + last).isascii() or not (first + last).isdigit():
        return None
    steps = int(first or 0), int(last or LARGEST)
    return steps if steps[0] <= steps[1] else None


def _names_a_model(text: str) -> bool:
    return kind_of(text) is not None


def _are_keywords(texts: tuple[str, ...]) -> bool:
    parse_keywords(texts)
    return True


def _describes_inputs(text: str) -> bool:
    return bool(parse_inputs(text))


def _count(name: str, text: str, low: int = 1) -> Field:
    return Field(name, "int", text, f"an integer of at least {low}", _at_least(low))


def _switch(name: str, text: str) -> Field:
    return Field(name, "bool", text, "true or false", lambda _: True)


def _choice(name: str, text: str, *choices: str) -> Field:
    return Field(name, "str", text, "one of " + ", ".join(choices), _one_of(*choices), choices)


FIELDS: tuple[Field, ...] = (
    Field(
        "target",
        "str",
        f"trace this model instead of the tutorial's: {TARGETS}",
        TARGETS,
        _names_a_model,
        optional=True,
    ),
    Field(
        "input",
        "str",
        "describe inputs as NAME=SIZES:TYPE:MEANINGS, separated by ;",
        "inputs such as images=8,32,32,3:float32:batch,height,width,channel; labels=8:int64",
        _describes_inputs,
        optional=True,
    ),
    Field(
        "set",
        "words",
        "pass a keyword argument to CALLABLE; repeatable",
        "keyword arguments such as units=16, each key once",
        _are_keywords,
    ),
    Field(
        "signature",
        "str",
        "trace this signature of a SavedModel (default: serving_default, or the only one)",
        "a name",
        bool,
        optional=True,
    ),
    _switch("tf1", "run FILE.py:CALLABLE with the TensorFlow 1 API"),
    _count("n", "set blocks per stage; the depth is 6n+2"),
    Field(
        "ver",
        "int",
        "choose version 1 (post-activation) or 2 (pre-activation)",
        "1 or 2",
        _one_of(1, 2),
    ),
    _count("filters", "set channels of the first stage; the stem has 16"),
    _count("classes", "set the number of classes"),
    Field(
        "mean_axes",
        "axes",
        "set the axes of the final mean",
        "distinct axes of an image batch, each from -4 to 3, such as 1,2",
        _axes_of_an_image_batch,
    ),
    Field(
        "bn_axis",
        "int",
        "set the axis that batch normalization keeps",
        "-1 or 3 (channels) or 1 (height: the known mistake)",
        _one_of(-1, 3, 1),
    ),
    _switch("batch_norm", "use batch normalization"),
    _switch("stem_bn", "normalize after the stem's convolution in version 2"),
    _choice("mode", "train the network, or only evaluate it", "train", "eval"),
    Field(
        "checkpoint",
        "str",
        "start from this TensorFlow 1 checkpoint",
        "a path",
        bool,
        optional=True,
    ),
    _choice("optimizer", "choose the optimizer", "momentum", "sgd", "adam"),
    Field(
        "learning_rate",
        "float",
        "use a constant learning rate (default: the tutorial's schedule)",
        "a number above 0",
        lambda rate: 0 < rate <= LARGEST_FLOAT32,
        optional=True,
    ),
    Field(
        "momentum",
        "float",
        "set the momentum of the momentum optimizer",
        "a number from 0 to below 1",
        lambda momentum: 0 <= momentum < 1,
    ),
    Field(
        "weight_decay",
        "float",
        "set the factor of the L2 loss; 0 disables it",
        "a number of at least 0",
        lambda factor: 0 <= factor <= LARGEST_FLOAT32,
    ),
    _switch("update_ops", "update the moving averages of batch normalization"),
    Field(
        "data",
        "str",
        "read images from shapes10, cifar10:PATH or npz:PATH",
        "shapes10, cifar10:PATH or npz:PATH",
        lambda name: name == "shapes10" or name.partition(":")[0] in ("cifar10", "npz"),
    ),
    _switch("raw", "feed images as 0 to 255, without distortion or standardization"),
    _count("batch_size", "set the examples per step"),
    _count("steps", "set the training steps; 0 runs one forward pass", low=0),
    _count("evaluate", "evaluate every N steps on held-out images; 0 disables it", low=0),
    _count("every", "record tensors at every Nth step and the last"),
    Field(
        "record",
        "str",
        "record tensors only in these steps, such as 5-10",
        "a first and a last step separated by -, such as 5-10, 5- or -10",
        lambda text: step_range(text) is not None,
        optional=True,
    ),
    Field(
        "taps",
        "str",
        "record these tensors: layers, ops, all, or name patterns",
        "layers, ops, all or patterns such as res2*",
        lambda text: all(part.strip() for part in text.split(",")),
    ),
    _switch("gradients", "record gradients of layer outputs and weights"),
    _count("sample", "summarize at most N elements per tensor; 0 means all", low=0),
    Field(
        "seed",
        "int",
        "set the seed of weights, order and distortions",
        "an integer from 0 to 2147483647",
        lambda seed: 0 <= seed < 2**31,
    ),
    _choice("device", "choose the device", "auto", "cpu", "gpu"),
)
