"""The sketch against NumPy: counting, merging, packing, quantiles and density."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_inspect.stats import Sketch, bins

floats = st.lists(st.floats(width=32), max_size=60)
normals = st.lists(
    st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False),
    min_size=1,
    max_size=60,
)
shares = st.integers(0, 64).map(lambda k: k / 64)  # exact in binary: ranks have no rounding


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


def test_packed_bytes_are_as_documented() -> None:
    # bins 3064 = 0x0bf8 and 3072, 8 further; counts 2 and 1; each in planes of equal bytes
    expected = bytes.fromhex("f8 08 0b 00  02 01 00 00 00 00 00 00")
    assert Sketch.of([1.0, 1.0, 2.0]).pack() == expected


def test_packing_saturates_counts() -> None:
    sketch = Sketch(np.array([3064, 3072]), np.array([2**32 + 5, 7]))
    assert Sketch.unpack(sketch.pack()).counts.tolist() == [2**32 - 1, 7]


def test_unpack_refuses_part_of_a_bin() -> None:
    with pytest.raises(ValueError, match=r"^7 bytes are no whole number of bins$"):
        Sketch.unpack(bytes(7))


@pytest.mark.parametrize("packed", [b"\xff" * 6, bytes(6)], ids=["no such bin", "empty bin"])
def test_unpack_refuses_what_pack_never_writes(packed: bytes) -> None:
    with pytest.raises(ValueError, match="bin"):
        Sketch.unpack(packed)


@settings(deadline=None)
@given(normals, st.lists(shares, min_size=1, max_size=5))
def test_quantiles_are_within_a_sixteenth(values: list[float], wanted: list[float]) -> None:
    true = np.quantile(np.array(values), wanted, method="inverted_cdf")
    found = np.array(Sketch.of(values).quantiles(wanted))
    assert found.shape == true.shape
    error = np.abs(found - true)
    assert (error <= np.where(true == 0, 2.0**-129, np.abs(true) / 16)).all()


def test_quantiles_of_many_numbers() -> None:
    values = np.random.default_rng(3).normal(0, 5, 20_000).astype(np.float32)
    wanted = (0.01, 0.25, 0.5, 0.75, 0.99, 0.999)
    true = np.quantile(values, wanted, method="inverted_cdf")
    assert np.array(Sketch.of(values).quantiles(wanted)) == pytest.approx(true, rel=1 / 16)


def test_no_numbers_have_no_quantiles() -> None:
    assert Sketch.of([np.nan]).quantiles((0.5,)) == ()


@settings(deadline=None)
@given(floats, st.integers(1, 40))
def test_density_over_all_bins_sums_to_the_count(values: list[float], cells: int) -> None:
    sketch = Sketch.of(values)
    density = sketch.density(-(2.0**128), 2.0**128, cells)
    assert density.shape == (cells,)
    assert (density >= 0).all()
    assert density.sum() == pytest.approx(sketch.total, rel=1e-12)


def test_density_on_bin_edges_is_the_plain_histogram() -> None:
    values = np.random.default_rng(4).uniform(-3, 5, 5_000).astype(np.float32)
    for low, high, cells in ((1.0, 2.0, 8), (-2.0, -1.0, 4), (0.0, 4.0, 4)):
        expected, _ = np.histogram(values[values < high], cells, (low, high))
        assert Sketch.of(values).density(low, high, cells) == pytest.approx(expected, abs=1e-6)


def test_density_shares_a_bin_by_width() -> None:
    # 1.0 lies in [1, 1.125): half below 1.0625, the rest in the second cell
    assert Sketch.of([1.0] * 10).density(0.0625, 2.0625, 2).tolist() == pytest.approx([5, 5])
    assert Sketch.of([1.0] * 10).density(1.0, 1.03125, 1).tolist() == pytest.approx([2.5])


@pytest.mark.parametrize("high", [1.0, 0.5, np.nan])
def test_density_refuses_an_empty_range(high: float) -> None:
    with pytest.raises(ValueError, match=f"low 1.0 must be below high {high}"):
        Sketch.of([1.0]).density(1.0, high, 3)


def test_equality_looks_at_bins_and_counts() -> None:
    assert Sketch.of([1.0, 2.0]) == Sketch.of([2.0, 1.01])
    assert Sketch.of([1.0, 2.0]) != Sketch.of([1.0, 2.0, 2.0])
    assert Sketch.of([1.0]) != Sketch.of([-1.0])
    assert Sketch.of([1.0]) != "a sketch"
