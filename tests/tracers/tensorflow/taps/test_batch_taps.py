"""Records of a batch made inside a graph agree with those made by NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_inspect.stats import BatchPart

GENERATOR = np.random.default_rng(1)


@dataclass
class Case:
    name: str
    values: NDArray[Any]


CASES = [
    Case("pictures", GENERATOR.normal(1, 3, (5, 4, 4, 3)).astype(np.float32)),
    Case("labels", GENERATOR.integers(0, 10, 32)),
    Case("column", GENERATOR.integers(0, 3, (16, 1)).astype(np.float32)),
    Case("one_hot", np.eye(7, dtype=np.float32)[GENERATOR.integers(0, 7, 9)]),
    Case("regression", GENERATOR.normal(size=8)),
    Case("odd", np.array([[np.nan, 1], [np.inf, 2], [0, 2]], np.float32)),
    Case("wide", GENERATOR.normal(size=(3, 9000)).astype(np.float32)),
    Case("large", GENERATOR.normal(size=(70, 30, 30, 3)).astype(np.float32)),
    Case("many", GENERATOR.integers(0, 5, (70_000, 1)).astype(np.float32)),
    Case("alike", np.ones((6, 3), np.float32)),
    Case("one", np.array([[2.0, -1.0]])),
    Case("half", GENERATOR.normal(size=(4, 6)).astype(np.float16)),
]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_graph_and_numpy_agree(case: Case, jit: bool) -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.taps.batch import BatchTaps

    taps: list[Any] = []

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec([None, *case.values.shape[1:]], case.values.dtype)],
        jit_compile=jit,
        autograph=False,
    )
    def step(x: Any) -> Any:
        if not taps:
            taps.append(BatchTaps({"x": x}))
        taps[0].assign()
        return x

    step(case.values)
    part, expected = taps[0].read()["x"], BatchPart.of(case.values)
    for name in BatchPart.__struct_fields__:
        assert getattr(part, name) == pytest.approx(getattr(expected, name), rel=1e-9, abs=1e-12)
    assert part.classes == expected.classes


def test_texts_and_scalars_are_not_recorded() -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.taps.batch import BatchTaps

    taps = BatchTaps({"words": tf.constant(["a"]), "one": tf.constant(1.0)})
    taps.assign()
    assert taps.read() == {}
