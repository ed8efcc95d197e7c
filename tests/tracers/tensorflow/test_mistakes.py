"""What is said of each mistake, word by word."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from resnet_inspect.analysis.postmortem import Postmortem, postmortem
from resnet_inspect.render.postmortem_page import postmortem_lines

NAMES = (
    "kernel_channels",
    "labels_batch",
    "transposed",
    "concatenated",
    "swapped",
    "flattened",
)


def examined(name: str) -> Postmortem:
    """The explanation of a mistake."""
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.functions import trace_function
    from tests.tracers.tensorflow.mistakes import MISTAKES

    mistake = MISTAKES[name]
    variables = {n: tf.Variable(tf.zeros(shape)) for n, shape in mistake.weights.items()}
    function = partial(mistake.function, **variables)
    outcome, lineage = trace_function(function, mistake.inputs, variables)
    assert outcome.failure is not None
    assert outcome.failure.source
    assert outcome.failure.source[0].file.endswith("mistakes.py")
    found = postmortem(outcome.graph, lineage)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_explanation(name: str, golden: Callable[[str, str], None]) -> None:
    lines = [f"{label:<10} {text}".rstrip() for label, text in postmortem_lines(examined(name))]
    golden(f"mistake_{name}.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("kernel_channels", {3, 4}),
        ("labels_batch", {64, 128}),
        ("transposed", {32, 3}),
        ("swapped", {10, 8}),
        ("flattened", {4800, 3072}),
    ],
)
def test_the_two_sizes_that_disagree(name: str, sizes: set[int]) -> None:
    assert {side.size for side in examined(name).sides} == sizes


def test_what_would_help_was_tried() -> None:
    assert "axis=3" in examined("concatenated").others
    assert "a and b swapped" in examined("swapped").others
    assert any("transposed" in hint for hint in examined("transposed").hints)
    flat = examined("flattened")
    assert dict(flat.tensors)["Reshape:0"] == "batch 8 × height·width·channel 4800"
