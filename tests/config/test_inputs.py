"""Inputs of a model of one's own, as text."""

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
def test_what_is_written_is_read(one: InputSpec, other: InputSpec) -> None:
    if any(spec.axes and len(spec.axes) != len(spec.sizes) for spec in (one, other)):
        with pytest.raises(ValueError, match="meanings"):
            parse_inputs(f"{spelled(one)}; {spelled(other)}")
        return
    for wanted, found in zip(
        (one, other), parse_inputs(f"{spelled(one)};{spelled(other)}"), strict=True
    ):
        assert (found.name, found.sizes, found.dtype) == (wanted.name, wanted.sizes, wanted.dtype)
        assert not wanted.axes or found.axes == wanted.axes


@given(specs("images"), specs("labels"))
def test_what_is_spelled_is_read(one: InputSpec, other: InputSpec) -> None:
    whole = tuple(spec for spec in (one, other) if len(spec.axes) == len(spec.sizes))
    found = parse_inputs(spell_inputs(whole)) if whole else ()
    for wanted, held in zip(whole, found, strict=True):
        assert (held.name, held.sizes, held.dtype) == (wanted.name, wanted.sizes, wanted.dtype)
        assert not any(wanted.axes) or held.axes == wanted.axes


def test_what_may_be_left_out() -> None:
    assert parse_inputs("8,32,32,3") == (
        InputSpec("input0", (8, 32, 32, 3), "float32", ("batch", "height", "width", "channel")),
    )
    assert parse_inputs("x=?,7::batch,time")[0] == InputSpec("x", (None, 7), axes=("batch", "time"))
    assert parse_inputs("x=:bool")[0] == InputSpec("x", (), "bool")
    assert parse_inputs("x=3; y=4; ") == parse_inputs("x=3;y=4")


WRONG: list[tuple[str, str]] = [
    ("x=8,a", "'a' is no size"),
    ("x=-1", "'-1' is no size"),
    ("x=8:float31", "'float31' is no type: one of float16"),
    ("x=8;x=9", "two inputs have the same name"),
    ("a b=3", "'a b' is no name"),
    ("x=1:int8:a,b", "has 1 sizes and 2 meanings"),
    ("x=1:int8:a:b", "has more parts than"),
    ("²", "'²' is no size"),
    ("x=8;;y=3", "nothing stands between two ;"),
    ("x=65536,32768", "has more than 2147483647 elements"),
]


@pytest.mark.parametrize(("text", "why"), WRONG)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        parse_inputs(text)
    assert why in str(caught.value)
