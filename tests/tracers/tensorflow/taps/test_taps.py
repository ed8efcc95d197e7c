"""Taps in a graph agree with NumPy on the same arrays."""

from __future__ import annotations

import math
from functools import cache, reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from resnet_inspect.stats import ChannelActivity, NotFinite, Sampling, Tap, TensorSummary
from resnet_inspect.stats.sampling import spread

if TYPE_CHECKING:
    from resnet_inspect.tracers.tensorflow.taps.readings import Readings

Array = NDArray[Any]
RNG = np.random.default_rng(0)
NAN, INF = np.nan, np.inf
LARGEST = float(np.finfo(np.float32).max)
NORMAL = 2.0**-126


def tap(name: str) -> Tap:
    return Tap(name, "activation", f"{name}:0")


class Graph:
    """A traced function that only taps its arguments."""

    def __init__(
        self, specs: dict[str, Any], sample: int = 0, channels: tuple[str, ...] = ()
    ) -> None:
        import tensorflow as tf

        from resnet_inspect.tracers.tensorflow.taps.points import Point
        from resnet_inspect.tracers.tensorflow.taps.taps import Taps

        self._taps = Taps((), sample)

        def body(*tensors: Any) -> Any:
            points = [
                Point(tap(name), tensor, name in channels)
                for name, tensor in zip(specs, tensors, strict=True)
            ]
            self._taps = Taps(points, sample)
            return self._taps.tensors()

        traced = tf.function(body, autograph=False)
        self._call = traced.get_concrete_function(*specs.values())

    def __call__(self, *tensors: Any) -> Readings:
        """The readings of the arguments."""
        import tensorflow as tf

        from resnet_inspect.tracers.tensorflow.taps import readings

        fetched = self._call(*(tf.convert_to_tensor(tensor) for tensor in tensors))
        arrays = {name: value.numpy() for name, value in fetched.items()}
        for name, shape in self._taps.shapes().items():
            known = zip(shape, arrays[name].shape, strict=True)
            assert all(wanted in (size, None) for wanted, size in known), name
        return readings.read(self._taps, arrays)


def read(values: dict[str, Any], sample: int = 0, channels: tuple[str, ...] = ()) -> Readings:
    """The readings of arrays or tensors, all tapped in one graph."""
    import tensorflow as tf

    tensors = {name: tf.convert_to_tensor(value) for name, value in values.items()}
    specs = {name: tf.TensorSpec(tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
    return Graph(specs, sample, channels)(*tensors.values())


def assert_same(summary: TensorSummary, expected: TensorSummary, name: str) -> None:
    """Compare counts, extremes and histogram exactly, moments to the accuracy of float64 sums."""
    for field in ("count", "nan", "posinf", "neginf", "zeros", "min", "max"):
        assert getattr(summary, field) == getattr(expected, field), (name, field)
    assert summary.sketch == expected.sketch, name
    if expected.mean is None or expected.min is None or expected.max is None:
        assert (summary.mean, summary.std) == (None, None), name
        return
    near = 1e-12 * max(abs(expected.min), abs(expected.max))
    assert summary.mean == pytest.approx(expected.mean, rel=0, abs=near), name
    assert summary.std == pytest.approx(expected.std, rel=1e-9, abs=near), name


VALUES: dict[str, Any] = {
    "ordinary": RNG.normal(size=(7, 11, 3)),
    "some not finite": [0.0, -0.0, NAN, INF, -INF, NAN, 1.5, -2.5],
    "none finite": [NAN, INF, -INF],
    "all NaN": [NAN] * 40,
    "all infinite": [-INF] * 3,
    "all zero": np.zeros(100),
    "zeros of both signs": [0.0, -0.0, 0.0],
    "constant": np.full(30, 0.1),
    "large mean": 1e6 + RNG.normal(size=5000),
    "huge": [1e30, -1e30, 3e38, -3e38],
    "huge beside small": [1e30, 1.0, -1e-30],
    "all the largest": np.full(40, LARGEST),
    "mostly the lowest": [LARGEST, *[-LARGEST] * 9],
    "smallest normal": [NORMAL, -NORMAL, 3 * NORMAL],
    "scalar": 3.0,
    "one element": [[[-7.5]]],
    "empty": np.zeros((0, 5)),
    "empty last axis": np.zeros((4, 0)),
    "batch of one pixel": RNG.normal(size=(1, 1, 1, 4)),
}


@pytest.mark.parametrize("least", [0, 1000], ids=["once", "repeated"])
@pytest.mark.parametrize("finite", [True, False], ids=["finite", "also not finite"])
def test_values_of_every_kind(least: int, finite: bool) -> None:
    values: dict[str, Array] = {}
    for name, value in VALUES.items():
        array = np.asarray(value, np.float32)
        if np.isfinite(array).all() or not finite:
            values[name] = np.resize(array, max(least, array.size)) if least else array
    readings = read(values)
    assert list(readings.summaries) == [tap(name) for name in values]
    bad = {}
    for name, array in values.items():
        expected = TensorSummary.of(array)
        assert_same(readings.summaries[tap(name)], expected, name)
        assert readings.sizes[tap(name)] == array.size, name
        if expected.finite < expected.count:
            bad[tap(name)] = NotFinite(expected.nan, expected.posinf, expected.neginf)
    assert readings.not_finite == bad


def test_subnormal_numbers_are_not_flushed_to_zero() -> None:
    array = (RNG.normal(size=1000) * NORMAL).astype(np.float32)
    result = read({"few": array[:100], "many": array})
    assert_same(result.summaries[tap("few")], TensorSummary.of(array[:100]), "few")
    assert_same(result.summaries[tap("many")], TensorSummary.of(array), "many")


@cache
def _of_300() -> Graph:
    import tensorflow as tf

    return Graph({"x": tf.TensorSpec([300])})


@settings(deadline=None, max_examples=50)
@given(arrays(np.float32, 300, elements=st.floats(width=32, allow_subnormal=False), fill=None))
def test_any_numbers(array: Array) -> None:
    assert_same(_of_300()(array).summaries[tap("x")], TensorSummary.of(array), "x")


TYPES = (
    *("float8_e4m3fn", "float8_e5m2", "float16", "bfloat16", "float64", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)


@pytest.mark.parametrize("dtype", TYPES)
def test_other_types_are_summarized_as_float32(dtype: str) -> None:
    import tensorflow as tf

    array = np.abs(RNG.normal(size=(8, 5, 5, 16)) * 3).round(3) * (RNG.random((8, 5, 5, 16)) > 0.5)
    tensor = tf.cast(array, dtype)
    few = tensor[0, 0]
    singles = tf.cast(tensor, tf.float32).numpy()
    result = read({"few": few, "whole": tensor})
    assert_same(result.summaries[tap("few")], TensorSummary.of(singles[0, 0]), dtype)
    assert_same(result.summaries[tap("whole")], TensorSummary.of(singles), dtype)
    result = read({"sampled": tensor}, sample=500)
    taken = Sampling.of(singles.shape, 500).take(singles)
    assert taken.size < singles.size
    assert_same(result.summaries[tap("sampled")], TensorSummary.of(taken), dtype)
    assert result.not_finite == {}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_values_that_are_not_finite_in_other_types(dtype: str) -> None:
    import tensorflow as tf

    array = RNG.normal(size=(8, 5, 5, 16))
    array[3, 2, 1] = [NAN, INF, INF, *[-INF] * 3, *[1.0] * 10]
    tensor = tf.cast(array, dtype)
    for sample in (0, 500):
        result = read({"few": tensor[3, 2], "many": tensor}, sample)
        assert result.not_finite == {
            tap("few"): NotFinite(1, 2, 3),
            tap("many"): NotFinite(1, 2, 3),
        }


@pytest.mark.parametrize("repeated", [1, 500])
def test_doubles_beyond_the_range_of_floats_stay_finite(repeated: int) -> None:
    result = read({"x": np.array([1e300, 1.0, -1e300, INF, NAN] * repeated)})
    summary = result.summaries[tap("x")]
    assert (summary.min, summary.max) == (-LARGEST, LARGEST)
    assert summary.finite == 3 * repeated
    assert result.not_finite == {tap("x"): NotFinite(repeated, repeated, 0)}


SHAPES = ((8, 32, 32, 16), (8, 9, 9, 3), (7, 11, 1), (300, 17), (3, 3, 64, 64), (5000,), (2, 40, 8))


@pytest.mark.parametrize("sample", [1, 64, 1000])
def test_the_sample_is_the_one_of_the_reference(sample: int) -> None:
    """Small tensors are always taken whole."""
    values = {str(shape): RNG.normal(size=shape).astype(np.float32) for shape in SHAPES}
    result = read(values, sample)
    for name, array in values.items():
        taken = Sampling.of(array.shape, sample if array.size > 256 else 0).take(array)
        assert_same(result.summaries[tap(name)], TensorSummary.of(taken), name)
        assert result.sizes[tap(name)] == array.size


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_values_outside_of_the_sample_that_are_not_finite_are_counted(value: float) -> None:
    shape = (8, 32, 32, 16)
    numbers = np.arange(math.prod(shape))
    missed = np.setdiff1d(numbers, Sampling.of(shape, 64).take(numbers.reshape(shape)))
    array = RNG.normal(size=shape).astype(np.float32)
    array.reshape(-1)[missed[[5, 1000, -1]]] = value
    clean = np.zeros(shape, np.float32)
    result = read({"clean": clean, "bad": array, "beside": clean + 1}, 64)
    wanted = TensorSummary.of(array)
    assert result.summaries[tap("bad")].finite == result.summaries[tap("bad")].count == 64
    assert result.not_finite == {
        tap("bad"): NotFinite(wanted.nan, wanted.posinf, wanted.neginf),
    }
    assert sum((wanted.nan, wanted.posinf, wanted.neginf)) == 3


def activity() -> Array:
    """[8, 6, 6, 16] with a dead channel, an always active channel, and a sparse channel."""
    array = RNG.normal(size=(8, 6, 6, 16)).astype(np.float32)
    array[..., 0] = -1000.0
    array[..., 1] = 1000.0
    array[..., 2] = -1.0
    array[::2, 3, 4, 2] = 1.0
    array[1, 1, 1, 3] = NAN
    return np.maximum(array, 0)


def test_channels_that_are_dead_sparse_or_always_active() -> None:
    array = activity()
    result = read({"relu": array, "beside": array + 1, "more": array[:3]}, 0, ("relu", "more"))
    assert set(result.channels) == {tap("relu"), tap("more")}
    assert result.channels[tap("more")] == ChannelActivity.of_array(array[:3])
    relu = result.channels[tap("relu")]
    assert relu == ChannelActivity.of_array(array)
    assert np.flatnonzero(relu.dead).tolist() == [0]
    assert np.flatnonzero(relu.always).tolist() == [1]
    assert (relu.active[2], relu.examples[2]) == (4, 4)


@pytest.mark.parametrize("sample", [64, 130, 512])
def test_channels_of_a_sample(sample: int) -> None:
    array = activity()
    sampling = Sampling.of(array.shape, sample)
    (result,) = read({"relu": array}, sample, ("relu",)).channels.values()
    wanted = ChannelActivity.of_array(sampling.take(array).reshape(sampling.examples, -1, 16))
    elsewhere = (wanted.active == 0) & (array > 0).any((0, 1, 2))
    wanted.active[elsewhere] = wanted.examples[elsewhere] = 1
    assert result == wanted
    assert result.of == min(8, sampling.runs)
    assert result.dead[0]
    assert result.always[1]


def test_channels_of_small_and_empty_tensors() -> None:
    few, empty = np.eye(3, dtype=np.float32), np.zeros((0, 4, 3), np.float32)
    values = {"few": few, "empty": empty, "vector": few[0], "no pixels": np.zeros((2, 0, 3), "f4")}
    result = read(values, 0, tuple(values))
    assert result.channels[tap("few")] == ChannelActivity.of_array(few)
    assert result.channels[tap("empty")] == ChannelActivity.of_array(empty)
    assert result.channels[tap("no pixels")] == ChannelActivity.of_array(values["no pixels"])
    assert tap("vector") not in result.channels


def test_a_tensor_with_two_taps_is_sampled_once() -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.taps import readings
    from resnet_inspect.tracers.tensorflow.taps.points import Point
    from resnet_inspect.tracers.tensorflow.taps.taps import Taps

    array = activity()
    taps: list[Taps] = []

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def body(x: Any) -> Any:
        first, second = Point(tap("first"), x, channels=True), Point(tap("second"), x)
        taps.append(Taps([first, second, Point(tap("third"), x + 1)], 0))
        return taps[0].tensors()

    fetched = {name: value.numpy() for name, value in body(tf.constant(array)).items()}
    assert len(fetched["samples"]) == 2 * array.size
    result = readings.read(taps[0], fetched)
    assert result.summaries[tap("second")] == result.summaries[tap("first")]
    assert result.channels[tap("second")] == result.channels[tap("first")]
    assert result.not_finite[tap("second")] == result.not_finite[tap("first")] == NotFinite(1, 0, 0)
    assert result.sizes[tap("second")] == array.size
    assert_same(result.summaries[tap("third")], TensorSummary.of(array + 1), "third")


def test_tensors_of_sizes_known_only_at_run_time() -> None:
    import tensorflow as tf

    spec = {"rows": tf.TensorSpec([None, 5]), "any": tf.TensorSpec(None), "known": tf.TensorSpec(3)}
    graph = Graph(spec, sample=64)
    known = np.arange(3, dtype=np.float32)
    for rows in (np.zeros((0, 5)), RNG.normal(size=(1000, 5)), np.full((7, 5), NAN)):
        values = rows.astype(np.float32)
        result = graph(values, values[:, 0], known)
        some = values[spread(1000, 51)] if len(values) == 1000 else values
        assert_same(result.summaries[tap("rows")], TensorSummary.of(some), "rows")
        column = values[:, 0][spread(1000, 256)] if len(values) == 1000 else values[:, 0]
        assert_same(result.summaries[tap("any")], TensorSummary.of(column), "any")
        assert_same(result.summaries[tap("known")], TensorSummary.of(known), "known")
        assert result.sizes[tap("rows")] == values.size
        assert (tap("rows") in result.not_finite) == bool(np.isnan(values).any())


def test_merged_shards_equal_the_whole_batch() -> None:
    array = activity()
    array[5, 0, 0, :3] = INF, -INF, NAN
    shards = {str(i): array[i : i + 2] for i in range(0, 8, 2)}
    result = read(shards | {"whole": array}, 0, (*shards, "whole"))
    parts = [result.summaries[tap(name)] for name in shards]
    assert_same(reduce(add, parts), result.summaries[tap("whole")], "shards")
    activities = [result.channels[tap(name)] for name in shards]
    assert reduce(add, activities) == result.channels[tap("whole")]


def test_merged_steps_equal_the_whole() -> None:
    graph = _of_300()
    steps = RNG.normal(size=(6, 300)).astype(np.float32)
    merged = reduce(add, (graph(step).summaries[tap("x")] for step in steps))
    assert_same(merged, TensorSummary.of(steps), "steps")


def test_without_taps_all_vectors_are_empty() -> None:
    from resnet_inspect.tracers.tensorflow.taps.taps import Taps

    assert all(0 in vector.shape for vector in Taps((), 64).tensors().values())


def test_types_that_cannot_be_read_are_not_tapped() -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.taps.points import is_number

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def body(x: Any) -> Any:
        assert is_number(tf.cast(x, tf.int8))
        assert not any(is_number(tf.cast(x, kind)) for kind in ("int4", "uint4", "complex64"))
        return x

    body.get_concrete_function(tf.TensorSpec([3]))
