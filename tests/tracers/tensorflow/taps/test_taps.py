"""What taps compute in a graph, against NumPy on the same arrays."""

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
    """A traced function that does nothing but tap its arguments."""

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
        """What the arguments held."""
        import tensorflow as tf

        from resnet_inspect.tracers.tensorflow.taps import readings

        fetched = self._call(*(tf.convert_to_tensor(one) for one in tensors))
        arrays = {name: value.numpy() for name, value in fetched.items()}
        for name, shape in self._taps.shapes().items():
            known = zip(shape, arrays[name].shape, strict=True)
            assert all(wanted in (size, None) for wanted, size in known), name
        return readings.read(self._taps, arrays)


def read(held: dict[str, Any], sample: int = 0, channels: tuple[str, ...] = ()) -> Readings:
    """What is read of arrays or tensors, all tapped in one graph."""
    import tensorflow as tf

    tensors = {name: tf.convert_to_tensor(value) for name, value in held.items()}
    specs = {name: tf.TensorSpec(one.shape, one.dtype) for name, one in tensors.items()}
    return Graph(specs, sample, channels)(*tensors.values())


def assert_same(found: TensorSummary, wanted: TensorSummary, name: str) -> None:
    """Counts, extremes and histogram exactly, moments to the accuracy of sums in float64."""
    for field in ("count", "nan", "posinf", "neginf", "zeros", "min", "max"):
        assert getattr(found, field) == getattr(wanted, field), (name, field)
    assert found.sketch == wanted.sketch, name
    if wanted.mean is None or wanted.min is None or wanted.max is None:
        assert (found.mean, found.std) == (None, None), name
        return
    near = 1e-12 * max(abs(wanted.min), abs(wanted.max))
    assert found.mean == pytest.approx(wanted.mean, rel=0, abs=near), name
    assert found.std == pytest.approx(wanted.std, rel=1e-9, abs=near), name


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


@pytest.mark.parametrize("least", [0, 1000], ids=["as it is", "repeated"])
@pytest.mark.parametrize("finite", [True, False], ids=["finite", "also not finite"])
def test_values_of_every_kind(least: int, finite: bool) -> None:
    held: dict[str, Array] = {}
    for name, value in VALUES.items():
        array = np.asarray(value, np.float32)
        if np.isfinite(array).all() or not finite:
            held[name] = np.resize(array, max(least, array.size)) if least else array
    found = read(held)
    assert list(found.summaries) == [tap(name) for name in held]
    bad = {}
    for name, array in held.items():
        wanted = TensorSummary.of(array)
        assert_same(found.summaries[tap(name)], wanted, name)
        assert found.sizes[tap(name)] == array.size, name
        if wanted.finite < wanted.count:
            bad[tap(name)] = NotFinite(wanted.nan, wanted.posinf, wanted.neginf)
    assert found.not_finite == bad


def test_subnormal_numbers_are_what_they_are() -> None:
    array = (RNG.normal(size=1000) * NORMAL).astype(np.float32)
    found = read({"few": array[:100], "many": array})
    assert_same(found.summaries[tap("few")], TensorSummary.of(array[:100]), "few")
    assert_same(found.summaries[tap("many")], TensorSummary.of(array), "many")


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
def test_other_types_are_summarized_as_the_floats_they_hold(dtype: str) -> None:
    import tensorflow as tf

    array = np.abs(RNG.normal(size=(8, 5, 5, 16)) * 3).round(3) * (RNG.random((8, 5, 5, 16)) > 0.5)
    tensor = tf.cast(array, dtype)
    few = tensor[0, 0]
    singles = tf.cast(tensor, tf.float32).numpy()
    found = read({"few": few, "whole": tensor})
    assert_same(found.summaries[tap("few")], TensorSummary.of(singles[0, 0]), dtype)
    assert_same(found.summaries[tap("whole")], TensorSummary.of(singles), dtype)
    found = read({"sampled": tensor}, sample=500)
    taken = Sampling.of(singles.shape, 500).take(singles)
    assert taken.size < singles.size
    assert_same(found.summaries[tap("sampled")], TensorSummary.of(taken), dtype)
    assert found.not_finite == {}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_what_is_not_finite_in_other_types(dtype: str) -> None:
    import tensorflow as tf

    array = RNG.normal(size=(8, 5, 5, 16))
    array[3, 2, 1] = [NAN, INF, INF, *[-INF] * 3, *[1.0] * 10]
    tensor = tf.cast(array, dtype)
    for sample in (0, 500):
        found = read({"few": tensor[3, 2], "many": tensor}, sample)
        assert found.not_finite == {tap("few"): NotFinite(1, 2, 3), tap("many"): NotFinite(1, 2, 3)}


@pytest.mark.parametrize("repeated", [1, 500])
def test_doubles_beyond_the_range_of_floats_stay_finite(repeated: int) -> None:
    found = read({"x": np.array([1e300, 1.0, -1e300, INF, NAN] * repeated)})
    summary = found.summaries[tap("x")]
    assert (summary.min, summary.max) == (-LARGEST, LARGEST)
    assert summary.finite == 3 * repeated
    assert found.not_finite == {tap("x"): NotFinite(repeated, repeated, 0)}


SHAPES = ((8, 32, 32, 16), (8, 9, 9, 3), (7, 11, 1), (300, 17), (3, 3, 64, 64), (5000,), (2, 40, 8))


@pytest.mark.parametrize("sample", [1, 64, 1000])
def test_the_sample_is_the_one_of_the_reference(sample: int) -> None:
    """Small tensors are taken whole whatever the sample."""
    held = {str(shape): RNG.normal(size=shape).astype(np.float32) for shape in SHAPES}
    found = read(held, sample)
    for name, array in held.items():
        taken = Sampling.of(array.shape, sample if array.size > 256 else 0).take(array)
        assert_same(found.summaries[tap(name)], TensorSummary.of(taken), name)
        assert found.sizes[tap(name)] == array.size


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_what_the_sample_misses_is_counted_in_the_whole(value: float) -> None:
    shape = (8, 32, 32, 16)
    numbers = np.arange(math.prod(shape))
    missed = np.setdiff1d(numbers, Sampling.of(shape, 64).take(numbers.reshape(shape)))
    array = RNG.normal(size=shape).astype(np.float32)
    array.reshape(-1)[missed[[5, 1000, -1]]] = value
    clean = np.zeros(shape, np.float32)
    found = read({"clean": clean, "bad": array, "beside": clean + 1}, 64)
    wanted = TensorSummary.of(array)
    assert found.summaries[tap("bad")].finite == found.summaries[tap("bad")].count == 64
    assert found.not_finite == {
        tap("bad"): NotFinite(wanted.nan, wanted.posinf, wanted.neginf),
    }
    assert sum((wanted.nan, wanted.posinf, wanted.neginf)) == 3


def activity() -> Array:
    """[8, 6, 6, 16] with a dead channel, one that is always on, and one that is merely sparse."""
    array = RNG.normal(size=(8, 6, 6, 16)).astype(np.float32)
    array[..., 0] = -1000.0
    array[..., 1] = 1000.0
    array[..., 2] = -1.0
    array[::2, 3, 4, 2] = 1.0
    array[1, 1, 1, 3] = NAN
    return np.maximum(array, 0)


def test_channels_that_are_dead_sparse_or_always_on() -> None:
    array = activity()
    found = read({"relu": array, "beside": array + 1, "more": array[:3]}, 0, ("relu", "more"))
    assert set(found.channels) == {tap("relu"), tap("more")}
    assert found.channels[tap("more")] == ChannelActivity.of_array(array[:3])
    relu = found.channels[tap("relu")]
    assert relu == ChannelActivity.of_array(array)
    assert np.flatnonzero(relu.dead).tolist() == [0]
    assert np.flatnonzero(relu.always).tolist() == [1]
    assert (relu.active[2], relu.examples[2]) == (4, 4)


@pytest.mark.parametrize("sample", [64, 130, 512])
def test_channels_of_a_sample(sample: int) -> None:
    array = activity()
    sampling = Sampling.of(array.shape, sample)
    (found,) = read({"relu": array}, sample, ("relu",)).channels.values()
    wanted = ChannelActivity.of_array(sampling.take(array).reshape(sampling.examples, -1, 16))
    elsewhere = (wanted.active == 0) & (array > 0).any((0, 1, 2))
    wanted.active[elsewhere] = wanted.examples[elsewhere] = 1
    assert found == wanted
    assert found.of == min(8, sampling.runs)
    assert found.dead[0]
    assert found.always[1]


def test_channels_of_small_and_empty_tensors() -> None:
    few, empty = np.eye(3, dtype=np.float32), np.zeros((0, 4, 3), np.float32)
    held = {"few": few, "empty": empty, "vector": few[0], "no pixels": np.zeros((2, 0, 3), "f4")}
    found = read(held, 0, tuple(held))
    assert found.channels[tap("few")] == ChannelActivity.of_array(few)
    assert found.channels[tap("empty")] == ChannelActivity.of_array(empty)
    assert found.channels[tap("no pixels")] == ChannelActivity.of_array(held["no pixels"])
    assert tap("vector") not in found.channels


def test_one_tensor_under_two_names_is_read_once_and_told_twice() -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.taps import readings
    from resnet_inspect.tracers.tensorflow.taps.points import Point
    from resnet_inspect.tracers.tensorflow.taps.taps import Taps

    array = activity()
    made: list[Taps] = []

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def body(x: Any) -> Any:
        first, second = Point(tap("first"), x, channels=True), Point(tap("second"), x)
        made.append(Taps([first, second, Point(tap("third"), x + 1)], 0))
        return made[0].tensors()

    fetched = {name: value.numpy() for name, value in body(tf.constant(array)).items()}
    assert len(fetched["samples"]) == 2 * array.size
    found = readings.read(made[0], fetched)
    assert found.summaries[tap("second")] == found.summaries[tap("first")]
    assert found.channels[tap("second")] == found.channels[tap("first")]
    assert found.not_finite[tap("second")] == found.not_finite[tap("first")] == NotFinite(1, 0, 0)
    assert found.sizes[tap("second")] == array.size
    assert_same(found.summaries[tap("third")], TensorSummary.of(array + 1), "third")


def test_tensors_of_sizes_known_only_when_run() -> None:
    import tensorflow as tf

    spec = {"rows": tf.TensorSpec([None, 5]), "any": tf.TensorSpec(None), "known": tf.TensorSpec(3)}
    graph = Graph(spec, sample=64)
    known = np.arange(3, dtype=np.float32)
    for rows in (np.zeros((0, 5)), RNG.normal(size=(1000, 5)), np.full((7, 5), NAN)):
        held = rows.astype(np.float32)
        found = graph(held, held[:, 0], known)
        some = held[spread(1000, 51)] if len(held) == 1000 else held
        assert_same(found.summaries[tap("rows")], TensorSummary.of(some), "rows")
        column = held[:, 0][spread(1000, 256)] if len(held) == 1000 else held[:, 0]
        assert_same(found.summaries[tap("any")], TensorSummary.of(column), "any")
        assert_same(found.summaries[tap("known")], TensorSummary.of(known), "known")
        assert found.sizes[tap("rows")] == held.size
        assert (tap("rows") in found.not_finite) == bool(np.isnan(held).any())


def test_shards_of_a_batch_together_are_the_whole() -> None:
    array = activity()
    array[5, 0, 0, :3] = INF, -INF, NAN
    shards = {str(i): array[i : i + 2] for i in range(0, 8, 2)}
    found = read(shards | {"whole": array}, 0, (*shards, "whole"))
    parts = [found.summaries[tap(name)] for name in shards]
    assert_same(reduce(add, parts), found.summaries[tap("whole")], "shards")
    activities = [found.channels[tap(name)] for name in shards]
    assert reduce(add, activities) == found.channels[tap("whole")]


def test_steps_together_are_the_whole() -> None:
    graph = _of_300()
    steps = RNG.normal(size=(6, 300)).astype(np.float32)
    found = reduce(add, (graph(step).summaries[tap("x")] for step in steps))
    assert_same(found, TensorSummary.of(steps), "steps")


def test_nothing_tapped_gives_nothing() -> None:
    from resnet_inspect.tracers.tensorflow.taps.taps import Taps

    assert all(0 in one.shape for one in Taps((), 64).tensors().values())


def test_types_that_cannot_be_read_are_not_tapped() -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.taps.points import is_number

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def body(x: Any) -> Any:
        assert is_number(tf.cast(x, tf.int8))
        assert not any(is_number(tf.cast(x, kind)) for kind in ("int4", "uint4", "complex64"))
        return x

    body.get_concrete_function(tf.TensorSpec([3]))
