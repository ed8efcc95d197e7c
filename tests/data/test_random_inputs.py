"""Random inputs by shape."""

from __future__ import annotations

import numpy as np

from resnet_inspect.config.inputs import parse_inputs
from resnet_inspect.data import RandomInputs


def test_shapes_types_and_values() -> None:
    inputs = RandomInputs(parse_inputs("x=64,32,3; y=?:int64; z=4,?:bool; w=5:float16"), seed=1)
    x, y, z, w = inputs.batch(0)
    assert [(array.shape, array.dtype.name) for array in (x, y, z, w)] == [
        ((64, 32, 3), "float32"),
        ((8,), "int64"),
        ((4, 9), "bool"),
        ((5,), "float16"),
    ]
    assert abs(float(x.mean())) < 0.05
    assert abs(float(x.std()) - 1) < 0.05
    assert set(y.tolist()) <= {0, 1}


def test_a_batch_depends_on_seed_and_number_alone() -> None:
    specs = parse_inputs("x=4,4")
    (first,) = RandomInputs(specs, seed=1).batch(3)
    assert np.array_equal(first, RandomInputs(specs, seed=1).batch(3)[0])
    assert not np.array_equal(first, RandomInputs(specs, seed=2).batch(3)[0])
    assert not np.array_equal(first, RandomInputs(specs, seed=1).batch(4)[0])


def test_sizes_that_need_not_be_equal_are_not_and_the_batch_is_one() -> None:
    inputs = RandomInputs(parse_inputs("x=?,?,3; y=?,7; z=5,?"), seed=0)
    assert [array.shape for array in inputs.batch(0)] == [(8, 9, 3), (8, 7), (5, 10)]
    assert inputs.chosen() == [
        "x axis 0 is 8",
        "x axis 1 is 9",
        "y axis 0 is 8",
        "z axis 1 is 10",
    ]


def test_single_precision_is_drawn_as_such() -> None:
    (x,) = RandomInputs(parse_inputs("x=5"), seed=1).batch(0)
    assert np.array_equal(x, np.random.default_rng([1, 2, 0]).standard_normal(5, np.float32))
