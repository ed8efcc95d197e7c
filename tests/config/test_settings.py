"""Settings: defaults, checks of each field, and error texts."""

import math
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.config import FIELDS, Field, Settings
from resnet_inspect.config.fields import field_named
from resnet_inspect.config.settings import DEFAULTS, Subject
from resnet_inspect.errors import ConfigError

NAMES = [field.name for field in FIELDS]
texts = st.text('aé×~:/. "\n', max_size=8)
counts = st.integers(1, 2**31 - 1)
axes = st.permutations(range(4)).flatmap(
    lambda order: st.tuples(*(st.sampled_from((axis, axis - 4)) for axis in order))
)
VALID: dict[str, st.SearchStrategy[Any]] = {
    "n": counts,
    "ver": st.sampled_from((1, 2)),
    "filters": counts,
    "classes": counts,
    "mean_axes": st.builds(lambda order, many: order[:many], axes, st.integers(1, 4)),
    "bn_axis": st.sampled_from((-1, 1, 3)),
    "mode": st.sampled_from(("train", "eval")),
    "checkpoint": st.none() | texts.map("ckpt/{}".format),
    "optimizer": st.sampled_from(("momentum", "sgd", "adam")),
    "learning_rate": st.none() | st.floats(0, 3.4e38, exclude_min=True),
    "momentum": st.floats(0, 1, exclude_max=True),
    "weight_decay": st.floats(0, 3.4e38),
    "update_ops": st.booleans(),
    "batch_norm": st.booleans(),
    "stem_bn": st.booleans(),
    "data": st.just("shapes10") | texts.map("cifar10:{}".format) | st.just("npz:a.npz"),
    "raw": st.booleans(),
    "batch_size": counts,
    "steps": st.integers(0, 2**31 - 1),
    "evaluate": st.integers(0, 2**31 - 1),
    "every": counts,
    "seed": st.integers(0, 2**31 - 1),
    "record": st.sampled_from((None, "5-10", "5-", "-3")),
    "taps": st.sampled_from(("layers", "ops", "all", "res2*,conv1/kernel")),
    "gradients": st.booleans(),
    "sample": st.integers(0, 10**6),
    "target": st.sampled_from((None, "model.py:build", "a b/model.py:Net", "package.module:build")),
    "set": st.sampled_from(((), ("n=5",), ("n=5", "name=a b"))),
    "signature": st.none() | st.sampled_from(("serving_default", "other")),
    "tf1": st.booleans(),
    "input": st.sampled_from((None, "8,32,32,3", "x=?,3:int64; y=8:bool:batch")),
    "device": st.sampled_from(("auto", "cpu", "gpu")),
}
valid = st.fixed_dictionaries({}, optional=VALID)


def error_of(name: str, value: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        Settings.of({name: value}, "here")
    return caught.value


def spelled(value: Any) -> str:
    """A value as a user types it."""
    if isinstance(value, tuple):
        return (";" if value and isinstance(value[0], str) else ",").join(map(str, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def test_defaults_are_the_tutorials() -> None:
    assert DEFAULTS == {
        "target": None,
        "input": None,
        "set": (),
        "signature": None,
        "tf1": False,
        "n": 5,
        "ver": 2,
        "filters": 16,
        "classes": 10,
        "mean_axes": (1, 2),
        "bn_axis": -1,
        "batch_norm": True,
        "stem_bn": False,
        "mode": "train",
        "checkpoint": None,
        "optimizer": "momentum",
        "learning_rate": None,
        "momentum": 0.9,
        "weight_decay": 0.0002,
        "update_ops": True,
        "data": "shapes10",
        "raw": False,
        "batch_size": 128,
        "steps": 20,
        "evaluate": 0,
        "every": 1,
        "record": None,
        "taps": "layers",
        "gradients": True,
        "sample": 4096,
        "seed": 0,
        "device": "auto",
    }
    assert Settings.of({}) == Settings()
    own = {"target", "input", "set", "signature", "tf1"}
    assert Settings().values() == {n: v for n, v in DEFAULTS.items() if n not in own}


@pytest.mark.parametrize(("n", "depth"), [(1, 8), (3, 20), (5, 32), (18, 110)])
def test_depth(n: int, depth: int) -> None:
    assert Settings.of({"n": n}).tutorial.depth == depth


def test_every_setting_has_one_field() -> None:
    kinds = (Settings, *get_args(Subject))
    names = [name for kind in kinds for name in kind.__struct_fields__]
    assert set(NAMES) == {*names, "tf1"} - {"subject"}
    assert tuple(DEFAULTS) == tuple(NAMES)
    assert set(VALID) == set(NAMES)


@pytest.mark.parametrize("field", FIELDS, ids=NAMES)
def test_defaults_pass_their_own_check(field: Field) -> None:
    default = DEFAULTS[field.name]
    assert field.check(default, "here") == default
    assert field.parse(spelled(default), "here") == default


def test_flags_and_variables_are_unique() -> None:
    assert len({field.flag for field in FIELDS}) == len(FIELDS)
    assert len({field.variable for field in FIELDS}) == len(FIELDS)
    assert field_named("batch_size", "").flag == "--batch-size"
    assert field_named("batch_size", "").variable == "RESNET_INSPECT_BATCH_SIZE"


@given(valid)
def test_settings_survive_json(values: dict[str, Any]) -> None:
    made = Settings.of(values)
    kept = made.values()
    if made.target is None:
        assert values.keys() - kept.keys() <= {"target", "input", "set", "signature", "tf1"}
    for name in kept.keys() & values.keys():
        random = made.target is not None and name == "data" and not values[name].startswith("npz")
        assert kept[name] == ("random numbers" if random else values[name])
    assert msgspec.json.decode(msgspec.json.encode(made), type=Settings) == made


@given(valid)
def test_typed_text_means_the_value(values: dict[str, Any]) -> None:
    for name, value in values.items():
        assert field_named(name, "").parse(spelled(value), "here") == value


WRONG: list[tuple[str, object, str]] = [
    ("n", 0, "0 (integer)"),
    ("n", -1, "-1 (integer)"),
    ("n", 2**63, "9223372036854775808 (integer)"),
    ("n", True, "True (boolean)"),
    ("n", 5.0, "5.0 (number)"),
    ("n", "5", "'5' (text)"),
    ("n", None, "None (NoneType)"),
    ("n", [5], "[5] (list)"),
    ("n", {}, "{} (dict)"),
    ("ver", 3, "3 (integer)"),
    ("ver", True, "True (boolean)"),
    ("filters", 0, "0 (integer)"),
    ("classes", 1.5, "1.5 (number)"),
    ("mean_axes", [], "[] (list)"),
    ("mean_axes", 1, "1 (integer)"),
    ("mean_axes", "1,2", "'1,2' (text)"),
    ("mean_axes", [1, 1], "[1, 1] (list)"),
    ("mean_axes", [1, -3], "[1, -3] (list)"),
    ("mean_axes", [4], "[4] (list)"),
    ("mean_axes", [-5], "[-5] (list)"),
    ("mean_axes", [1, True], "[1, True] (list)"),
    ("mean_axes", [1.0], "[1.0] (list)"),
    ("mean_axes", (1, -3), "(1, -3) (tuple)"),
    ("bn_axis", 0, "0 (integer)"),
    ("bn_axis", 2, "2 (integer)"),
    ("mode", "TRAIN", "'TRAIN' (text)"),
    ("mode", 1, "1 (integer)"),
    ("checkpoint", "", "'' (text)"),
    ("checkpoint", 7, "7 (integer)"),
    ("optimizer", "rmsprop", "'rmsprop' (text)"),
    ("learning_rate", 0.0, "0.0 (number)"),
    ("learning_rate", -0.1, "-0.1 (number)"),
    ("learning_rate", math.nan, "nan (number)"),
    ("learning_rate", math.inf, "inf (number)"),
    ("learning_rate", True, "True (boolean)"),
    ("learning_rate", "0.1", "'0.1' (text)"),
    ("momentum", 1, "1 (integer)"),
    ("momentum", -0.1, "-0.1 (number)"),
    ("weight_decay", 1e39, "1e+39 (number)"),
    ("weight_decay", -1e-9, "-1e-09 (number)"),
    ("weight_decay", -math.inf, "-inf (number)"),
    ("update_ops", 1, "1 (integer)"),
    ("update_ops", "true", "'true' (text)"),
    ("data", "mnist", "'mnist' (text)"),
    ("data", "shapes10:here", "'shapes10:here' (text)"),
    ("data", "", "'' (text)"),
    ("raw", None, "None (NoneType)"),
    ("batch_size", 0, "0 (integer)"),
    ("steps", -1, "-1 (integer)"),
    ("every", 0, "0 (integer)"),
    ("seed", -1, "-1 (integer)"),
    ("device", "tpu", "'tpu' (text)"),
]


@pytest.mark.parametrize(("name", "value", "got"), WRONG)
def test_wrong_values(name: str, value: object, got: str) -> None:
    error = error_of(name, value)
    assert error.what == f"invalid value for setting '{name}'"
    assert (error.where, error.got) == ("here", got)
    assert error.expected == field_named(name, "").allowed


def test_an_integer_beyond_any_float_is_rejected() -> None:
    what = "invalid value for setting 'learning_rate'"
    assert error_of("learning_rate", 10**400).what == what


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("learning_rate", 1, 1.0),
        ("learning_rate", None, None),
        ("mean_axes", [1, 2], (1, 2)),
        ("mean_axes", (-3, 2), (-3, 2)),
        ("mean_axes", [3], (3,)),
        ("momentum", 0, 0.0),
        ("steps", 0, 0),
    ],
)
def test_values_are_kept_as_their_kind(name: str, value: object, kept: object) -> None:
    stored = Settings.of({name: value}).values()[name]
    assert (stored, type(stored)) == (kept, type(kept))
