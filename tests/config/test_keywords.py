"""Keyword arguments of a user's callable, and kinds of targets."""

from __future__ import annotations

import pytest

from resnet_inspect.config import Settings, resolve
from resnet_inspect.config.keywords import parse_keywords
from resnet_inspect.config.targets import TargetKind, kind_of, short_name
from resnet_inspect.errors import ConfigError


def test_values_are_numbers_truth_values_or_text() -> None:
    texts = [
        "n=5",
        "m=-3",
        "rate=1e-3",
        "half=.5",
        "on=true",
        "off=False",
        "name=a=b; c",
        "no=",
        "weights=None",
        "as=none",
    ]
    keywords = parse_keywords(texts)
    assert keywords == {
        "n": 5,
        "m": -3,
        "rate": 0.001,
        "half": 0.5,
        "on": True,
        "off": False,
        "name": "a=b; c",
        "no": "",
        "weights": None,
        "as": "none",
    }
    assert [type(keywords[name]) for name in ("n", "rate", "on")] == [int, float, bool]
    assert parse_keywords(["x=nan", "y=inf"]) == {"x": "nan", "y": "inf"}


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (("n",), "'n' is not key=value"),
        (("a-b=3",), "'a-b=3' is not key=value"),
        (("n=1", "n=2"), "n is set twice"),
    ],
)
def test_what_is_no_keyword_is_rejected(texts: tuple[str, ...], why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.of({"target": "a.py:b", "set": texts})
    assert caught.value.got.endswith(why)


def test_flags_are_taken_as_they_are_and_a_variable_is_parted() -> None:
    flags: dict[str, str | bool | list[str]] = {"target": "a.py:b", "set": ["name=a;b", "n=2"]}
    assert resolve(flags, {}, None).settings.values()["set"] == ("name=a;b", "n=2")
    settings = resolve({"target": "a.py:b"}, {"RESNET_INSPECT_SET": "n=1; m=2;"}, None).settings
    assert parse_keywords(settings.values()["set"]) == {"n": 1, "m": 2}


@pytest.mark.parametrize(
    ("target", "kind", "name"),
    [
        ("a/b.py:build", TargetKind.CALLABLE, "build"),
        ("package.module:Net", TargetKind.CALLABLE, "Net"),
        ("models/m.keras", TargetKind.KERAS_FILE, "m"),
        ("M.H5", TargetKind.KERAS_FILE, "M"),
        ("saved/1/", TargetKind.SAVED_MODEL, "1"),
        (".", TargetKind.SAVED_MODEL, "model"),
    ],
)
def test_targets_by_their_names(target: str, kind: TargetKind, name: str) -> None:
    assert (kind_of(target), short_name(target)) == (kind, name)


def test_a_file_alone_names_no_model() -> None:
    assert kind_of("model.py") is None
    assert kind_of(" ") is None
