"""Counting, merging and packing of a sketch; test_reading.py tests its estimates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_inspect.stats import Sketch, bins

floats = st.lists(st.floats(width=32), max_size=60)


@settings(deadline=None)
@given(floats)
def test_counts_each_finite_value_in_its_own_bin(values: list[float]) -> None:
    taken = np.array(values, dtype=np.float32)
    finite = taken[np.isfinite(taken)]
    used, counts = np.unique(bins.bin_of_code()[bins.codes_of(finite)], return_counts=True)
    sketch = Sketch.of(taken.reshape(1, -1))
    assert sketch.bins.tolist() == used.tolist()
    assert sketch.counts.tolist() == counts.tolist()
    assert sketch.total == finite.size


@settings(deadline=None)
@given(floats)
def test_counts_per_code_give_the_same_sketch(values: list[float]) -> None:
    codes = bins.codes_of(np.array(values, dtype=np.float32))
    assert Sketch.from_codes(np.bincount(codes, minlength=4096)) == Sketch.of(values)


@settings(deadline=None)
@given(floats, floats)
def test_merging_is_sketching_the_union(left: list[float], right: list[float]) -> None:
    assert Sketch.of(left) + Sketch.of(right) == Sketch.of(left + right)


@settings(deadline=None)
@given(floats)
def test_survives_packing(values: list[float]) -> None:
    packed = Sketch.of(values).pack()
    assert Sketch.unpack(packed) == Sketch.of(values)
    assert len(packed) == 6 * len(Sketch.of(values).bins)


@settings(deadline=None)
@given(st.lists(floats, max_size=4))
def test_pack_all_equals_pack_of_each(parts: list[list[float]]) -> None:
    sketches = [Sketch.of(values) for values in parts]
    sketches += [Sketch(np.array([3064]), np.array([2**32 + 5]))]
    assert Sketch.pack_all(sketches) == [sketch.pack() for sketch in sketches]
    assert Sketch.pack_all([]) == []


def test_packed_bytes_are_as_documented() -> None:
    # bins 3064 = 0x0bf8 and 3072, 8 further; counts 2 and 1; each in planes of equal bytes
    expected = bytes.fromhex("f8 08 0b 00  02 01 00 00 00 00 00 00")
    assert Sketch.of([1.0, 1.0, 2.0]).pack() == expected


def test_packing_saturates_counts() -> None:
    sketch = Sketch(np.array([3064, 3072]), np.array([2**32 + 5, 7]))
    assert Sketch.unpack(sketch.pack()).counts.tolist() == [2**32 - 1, 7]


def test_unpack_rejects_part_of_a_bin() -> None:
    with pytest.raises(ValueError, match=r"^expected 6 bytes a bin, got 7 bytes$"):
        Sketch.unpack(bytes(7))


@pytest.mark.parametrize("packed", [b"\xff" * 6, bytes(6)], ids=["no such bin", "empty bin"])
def test_unpack_rejects_bytes_that_pack_never_writes(packed: bytes) -> None:
    with pytest.raises(ValueError, match="bin"):
        Sketch.unpack(packed)


def test_equality_compares_bins_and_counts() -> None:
    assert Sketch.of([1.0, 2.0]) == Sketch.of([2.0, 1.01])
    assert Sketch.of([1.0, 2.0]) != Sketch.of([1.0, 2.0, 2.0])
    assert Sketch.of([1.0]) != Sketch.of([-1.0])
    assert Sketch.of([1.0]) != "a sketch"
