"""Activity of channels: compared with plain counting, merged, packed, and dead units."""

from __future__ import annotations

import itertools
import zlib
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from resnet_inspect.stats import ChannelActivity

shapes = st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3), st.integers(1, 4))
numbers = st.sampled_from([-1.5, -0.0, 0.0, 1e-40, 2.0, np.nan, np.inf, -np.inf])
batches = shapes.flatmap(lambda shape: arrays.arrays(np.float32, shape, elements=numbers))
cuts = st.lists(st.integers(0, 5), max_size=3).map(sorted)


@settings(deadline=None)
@given(batches)
def test_counts_as_a_loop_would(batch: NDArray[np.float32]) -> None:
    activity = ChannelActivity.of_array(batch)
    examples, height, width, channels = batch.shape
    places = list(itertools.product(range(height), range(width)))
    for c in range(channels):
        above = [[float(batch[i, y, x, c]) > 0 for y, x in places] for i in range(examples)]
        assert activity.active[c] == sum(map(sum, above))
        assert activity.examples[c] == sum(map(any, above))
        everywhere = bool(places and above) and all(map(all, above))
        assert activity.always[c] == everywhere
        assert activity.dead[c] == (bool(places and above) and not any(map(any, above)))
    assert (activity.positions, activity.of) == (examples * len(places), examples)
    assert activity.active.dtype == activity.examples.dtype == np.int64


@settings(deadline=None)
@given(batches, cuts)
def test_shards_of_a_batch_are_the_batch(batch: NDArray[np.float32], cuts: list[int]) -> None:
    parts = [ChannelActivity.of_array(part) for part in np.split(batch, cuts)]
    assert reduce(add, parts) == ChannelActivity.of_array(batch)
    assert reduce(add, reversed(parts)) == ChannelActivity.of_array(batch)


def test_batches_of_other_heights_and_widths_add_up() -> None:
    small, large = np.ones((2, 1, 1, 3)), np.zeros((4, 5, 6, 3))
    both = ChannelActivity.of_array(small) + ChannelActivity.of_array(large)
    assert (both.positions, both.of) == (2 + 120, 6)
    assert both.active.tolist() == [2, 2, 2]
    assert both.examples.tolist() == [2, 2, 2]


def test_sparse_is_not_dead() -> None:
    # 50 examples of 10 × 10 positions. Channel 0 is inactive, 1 is active in 2 % of the positions
    # and in 60 % of the examples, 2 is always active, 3 is NaN.
    batch = np.zeros((50, 10, 10, 4), np.float32)
    batch[..., 0] = -1
    batch.reshape(50, 100, 4)[:30, :3, 1] = 1
    batch.reshape(50, 100, 4)[:10, 3, 1] = 1
    batch[..., 2], batch[..., 3] = 0.5, np.nan
    activity = ChannelActivity.of_array(batch)
    assert activity.share.tolist() == [0, 0.02, 1, 0]
    assert activity.example_share.tolist() == [0, 0.6, 1, 0]
    assert activity.dead.tolist() == [True, False, False, True]
    assert activity.always.tolist() == [False, False, True, False]


def test_dead_units_differ_from_sparse_ones_at_equal_shares_of_zeros() -> None:
    half_dead, half_time = np.zeros((2, 8, 4)), np.zeros((2, 8, 4))
    half_dead[..., :2] = 1
    half_time[:, ::2] = 1
    assert (half_dead == 0).mean() == (half_time == 0).mean()
    assert ChannelActivity.of_array(half_dead).dead.sum() == 2
    assert ChannelActivity.of_array(half_time).dead.sum() == 0


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "uint8", "int64", "bool"])
def test_types(dtype: str) -> None:
    batch = np.array([[0, 1, 1], [0, 0, 1]]).astype(dtype)
    activity = ChannelActivity.of_array(batch)
    assert activity.active.tolist() == activity.examples.tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "int4"])
def test_small_types_that_frameworks_add(name: str) -> None:
    types = pytest.importorskip("ml_dtypes")
    batch = np.array([[-1, 0, 3]], np.float32).astype(getattr(types, name))
    assert ChannelActivity.of_array(batch).active.tolist() == [0, 0, 1]


def test_nan_of_any_type_and_tiny_doubles() -> None:
    types = pytest.importorskip("ml_dtypes")
    batch = np.array([[3, np.nan]], types.bfloat16)
    assert ChannelActivity.of_array(batch).active.tolist() == [1, 0]
    assert ChannelActivity.of_array([[1e-300, -1e-300]]).active.tolist() == [1, 0]


def test_without_counts_no_channel_is_dead() -> None:
    for shape in ((0, 4, 3), (5, 0, 3), (0, 3)):
        activity = ChannelActivity.of_array(np.zeros(shape))
        assert not activity.dead.any()
        assert not activity.always.any()
        assert activity.share.tolist() == activity.example_share.tolist() == [0, 0, 0]
    assert ChannelActivity.of_array(np.zeros((2, 0))).dead.shape == (0,)


@settings(deadline=None)
@given(batches)
def test_survives_packing(batch: NDArray[np.float32]) -> None:
    activity = ChannelActivity.of_array(batch)
    assert ChannelActivity.unpack(activity.pack()) == activity
    assert len(activity.pack()) == 24 + 16 * batch.shape[-1]


def test_packed_bytes_are_as_documented() -> None:
    activity = ChannelActivity.of_array([[1.0, 0.0], [2.0, 3.0], [4.0, 0.0]])
    counts = bytes.fromhex("03 01" + " 00" * 14 + "03 01" + " 00" * 14)
    assert activity.pack()[:4] == b"chn1"
    assert activity.pack()[8:] == bytes([3, *bytes(7), 3, *bytes(7)]) + counts
    assert activity.pack()[4:8] == zlib.crc32(activity.pack()[8:]).to_bytes(4, "little")


@settings(deadline=None)
@given(batches, st.data())
def test_damaged_bytes_are_rejected(batch: NDArray[np.float32], data: st.DataObject) -> None:
    packed = bytearray(ChannelActivity.of_array(batch).pack())
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="damaged or of another kind"):
        ChannelActivity.unpack(bytes(packed))


@pytest.mark.parametrize("cut", [1, 16, 24, 40])
def test_incomplete_bytes_are_rejected(cut: int) -> None:
    packed = ChannelActivity.of_array([[1.0]]).pack()
    with pytest.raises(ValueError, match="channels"):
        ChannelActivity.unpack(packed[:-cut])


@pytest.mark.parametrize(
    ("active", "examples", "positions", "of"),
    [
        ([3], [3], 9, 2),  # in more examples than were counted
        ([10], [1], 9, 9),  # in more positions than were counted
        ([1], [2], 9, 9),  # in more examples than positions
        ([1], [0], 9, 9),  # in a position of no example
        ([-1], [-1], 9, 9),
        ([0], [0], 1, 0),
        ([0], [0], -1, 1),
        ([0, 0], [0], 1, 1),
        ([[0]], [[0]], 1, 1),
    ],
)
def test_impossible_counts_are_rejected(
    active: Any, examples: Any, positions: int, of: int
) -> None:
    with pytest.raises(
        ValueError, match=r"impossible counts|than were counted|two arrays of shape"
    ):
        ChannelActivity(np.array(active), np.array(examples), positions, of)


def test_arrays_without_channels_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"expected shape \[batch, ..., channels\], got \[3\]"):
        ChannelActivity.of_array([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="expected real numbers, got complex128"):
        ChannelActivity.of_array([[1j]])
    with pytest.raises(ValueError, match=r"^cannot merge counts of 1 and 2 channels$"):
        _ = ChannelActivity.of_array([[1.0]]) + ChannelActivity.of_array([[1.0, 1.0]])


def test_equality_compares_every_count() -> None:
    activity = ChannelActivity.of_array([[[1.0], [0.0]]])
    assert activity == ChannelActivity.of_array([[[0.0], [7.0]]])
    assert activity != ChannelActivity.of_array([[[1.0], [1.0]]])
    assert activity != ChannelActivity.of_array([[[1.0]], [[0.0]]])
    assert activity != "counts"
