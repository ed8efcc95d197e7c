"""Inputs of a model of one's own, as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.config.inputs import TYPES, InputSpec, parse_inputs

sizes = st.lists(st.none() | st.integers(0, 10**6), max_size=5).map(tuple)


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


def test_what_may_be_left_out() -> None:
    assert parse_inputs("8,32,32,3") == (
        InputSpec("input0", (8, 32, 32, 3), "float32", ("batch", "height", "width", "channel")),
    )
    assert parse_inputs("x=?,7::batch,time")[0] == InputSpec("x", (None, 7), axes=("batch", "time"))
    assert parse_inputs("x=:bool")[0] == InputSpec("x", (), "bool")


@pytest.mark.parametrize(
    "text",
    ["x=8,a", "x=-1", "x=8:float31", "x=8;x=9", "a b=3", "x=1:int8:a,b", "x=1:int8:a:b", "²"],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_inputs(text)
