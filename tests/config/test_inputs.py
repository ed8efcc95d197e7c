"""Inputs of a model as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.config.inputs import TYPES, InputSpec, parse_inputs, spell_inputs

sizes = st.lists(st.none() | st.integers(0, 60), max_size=5).map(tuple)


@st.composite
def specs(draw: st.DrawFn, name: str = "x") -> InputSpec:
    shape = draw(sizes)
    axes = draw(st.lists(st.sampled_from(("batch", "time", "")), min_size=1, max_size=5))
    return InputSpec(name, shape, draw(st.sampled_from(TYPES)), tuple(axes[: len(shape)]))


def spelled(spec: InputSpec) -> str:
    shape = ",".join("?" if size is None else str(size) for size in spec.sizes)
    return f"{spec.name}={shape}:{spec.dtype}" + (f":{','.join(spec.axes)}" if spec.axes else "")


@given(specs("images"), specs("labels"))
def test_what_is_written_is_read(first: InputSpec, second: InputSpec) -> None:
    if any(spec.axes and len(spec.axes) != len(spec.sizes) for spec in (first, second)):
        with pytest.raises(ValueError, match="meanings"):
            parse_inputs(f"{spelled(first)}; {spelled(second)}")
        return
    parsed = parse_inputs(f"{spelled(first)};{spelled(second)}")
    for wanted, spec in zip((first, second), parsed, strict=True):
        assert (spec.name, spec.sizes, spec.dtype) == (wanted.name, wanted.sizes, wanted.dtype)
        assert not wanted.axes or spec.axes == wanted.axes


@given(specs("images"), specs("labels"))
def test_what_is_spelled_is_read(first: InputSpec, second: InputSpec) -> None:
    whole = tuple(spec for spec in (first, second) if len(spec.axes) == len(spec.sizes))
    parsed = parse_inputs(spell_inputs(whole)) if whole else ()
    for wanted, spec in zip(whole, parsed, strict=True):
        assert (spec.name, spec.sizes, spec.dtype) == (wanted.name, wanted.sizes, wanted.dtype)
        assert not any(wanted.axes) or spec.axes == wanted.axes


def test_what_may_be_left_out() -> None:
    assert parse_inputs("8,32,32,3") == (
        InputSpec("input0", (8, 32, 32, 3), "float32", ("batch", "height", "width", "channel")),
    )
    assert parse_inputs("x=?,7::batch,time")[0] == InputSpec("x", (None, 7), axes=("batch", "time"))
    assert parse_inputs("x=:bool")[0] == InputSpec("x", (), "bool")
    assert parse_inputs("x=3; y=4; ") == parse_inputs("x=3;y=4")


WRONG: list[tuple[str, str]] = [
    ("x=8,a", "'a' is not a size"),
    ("x=-1", "'-1' is not a size"),
    ("x=8:float31", "unknown type 'float31': use one of float16"),
    ("x=8;x=9", "two inputs have the same name"),
    ("a b=3", "'a b' is not a valid name"),
    ("x=1:int8:a,b", "has 1 sizes and 2 meanings"),
    ("x=1:int8:a:b", "has more parts than"),
    ("²", "'²' is not a size"),
    ("x=8;;y=3", "an input is missing between two ;"),
    ("x=65536,32768", "has more than 2147483647 elements"),
]


@pytest.mark.parametrize(("text", "why"), WRONG)
def test_what_is_rejected(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        parse_inputs(text)
    assert why in str(caught.value)
