"""A witness is not finite whenever its tensor is not, for values placed in a small network."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

NAN, INF = np.nan, np.inf
VALUES = st.sampled_from([NAN, INF, -INF, 3e38, -3e38, 1e30, 1e20, -1.0, 0.0])
BATCH, SIZE, CHANNELS = 2, 4, 3


class Network:
    """Convolution, bias, normalization, ReLU, addition, mean and dense, with all gradients.

    All inputs are fed, so that any value can be placed anywhere; `shapes` are their shapes by name.
    An input `into X` is added to the tensor X; `wrong` is the gradient of the logits.
    """

    def __init__(self) -> None:
        import tensorflow as tf

        from resnet_inspect.tracers.tensorflow.taps.witness import witness

        image = (BATCH, SIZE, SIZE, CHANNELS)
        channel, kernel = (CHANNELS,), (3, 3, CHANNELS, CHANNELS)
        self.shapes: dict[str, tuple[int, ...]] = {
            "image": image,
            **{f"kernel{i}": kernel for i in range(3)},
            **{f"bias{i}": channel for i in range(3)},
            **{f"gamma{i}": channel for i in range(2)},
            **{f"beta{i}": channel for i in range(2)},
            "into relu": image,
            "dense": (CHANNELS, 5),
            "into logits": (BATCH, 5),
            "wrong": (BATCH, 5),
        }
        self.names: list[str] = []

        def body(*fed: Any) -> Any:
            given = dict(zip(self.shapes, fed, strict=True))
            x = given["image"]
            watched = {}

            def keep(name: str, tensor: Any) -> Any:
                watched[name] = tensor
                return tensor

            def conv(i: int, x: Any) -> Any:
                product = keep(f"product{i}", tf.nn.conv2d(x, given[f"kernel{i}"], 1, "SAME"))
                return keep(f"conv{i}", tf.nn.bias_add(product, given[f"bias{i}"]))

            def norm(i: int, x: Any) -> Any:
                scaled = (given[f"gamma{i}"], given[f"beta{i}"])
                return keep(f"bn{i}", tf.compat.v1.nn.fused_batch_norm(x, *scaled)[0])

            x = conv(0, x)
            y = keep("relu0", tf.nn.relu(norm(0, x)))
            y = keep("relu1", tf.nn.relu(norm(1, conv(1, y)) + given["into relu"]))
            x = keep("add", x + conv(2, y))
            mean = keep("mean", tf.reshape(tf.reduce_mean(x, (1, 2)), [-1, CHANNELS]))
            logits = keep("logits", tf.matmul(mean, given["dense"]) + given["into logits"])
            sources = [*watched.items(), *given.items()]
            outcome = tf.gradients(logits, [x for _, x in sources], grad_ys=given["wrong"])
            for (name, _), gradient in zip(sources, outcome, strict=True):
                if gradient is not None:
                    watched[f"gradient of {name}"] = gradient
            shown = {name: witness(tensor) for name, tensor in watched.items()}
            self.names = [name for name in watched if shown[name] is not None]
            return [
                [tf.reduce_all(tf.math.is_finite(x)) for x in (watched[name], shown[name])]
                for name in self.names
            ]

        specs = [tf.TensorSpec(shape) for shape in self.shapes.values()]
        self._call = tf.function(body, autograph=False).get_concrete_function(*specs)

    def __call__(self, fed: dict[str, NDArray[np.float32]]) -> dict[str, tuple[bool, bool]]:
        """Whether tensor and witness are finite, by the tensor's name."""
        import tensorflow as tf

        finite = self._call(*(tf.constant(fed[name]) for name in self.shapes))
        pairs = ((bool(tensor), bool(shown)) for tensor, shown in finite)
        return dict(zip(self.names, pairs, strict=True))


@cache
def network() -> Network:
    return Network()


def ordinary(seed: int) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(size=shape).astype(np.float32) for name, shape in network().shapes.items()
    }


def test_ordinary_numbers_have_finite_witnesses() -> None:
    for seed in range(3):
        assert set(network()(ordinary(seed)).values()) == {(True, True)}


def test_which_tensors_have_witnesses() -> None:
    """Inputs and outputs of normalizations and biases, and tensors that are forwarded to them."""
    names = set(network().names)
    forward = {"product0", "conv0", "bn0", "relu0", "product1", "conv1", "bn1"}
    backward = {f"gradient of {name}" for name in ("conv0", "bn0", "conv1", "bn1", "add")}
    assert forward | backward <= names
    assert not names & {"mean", "logits", "relu1", "gradient of relu0"}


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_tensor_that_is_not_finite_is_never_missed(data: st.DataObject) -> None:
    fed = ordinary(data.draw(st.integers(0, 3)))
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(list(network().shapes)))
        flat = fed[name].reshape(-1)
        if data.draw(st.booleans()):
            flat[data.draw(st.integers(0, flat.size - 1))] = data.draw(VALUES)
        else:
            flat[:] = data.draw(VALUES)
    missed = [name for name, (tensor, shown) in network()(fed).items() if shown and not tensor]
    assert missed == []


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_normalizations_have_no_witness(dtype: str) -> None:
    """Their outputs can overflow for moderate scale, offset and variance in float32."""
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.taps.witness import witness

    witnesses = []

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def body(x: Any, scale: Any) -> Any:
        y = tf.compat.v1.nn.fused_batch_norm(x, scale, scale)[0]
        witnesses.extend([witness(y), witness(tf.nn.relu(y)), witness(x)])
        return y

    channel = tf.TensorSpec([3])
    body.get_concrete_function(tf.TensorSpec([2, 4, 4, 3], dtype), channel)
    assert witnesses[:2] == [None, None]
    assert witnesses[2] is not None
    body.get_concrete_function(tf.TensorSpec([2, 4, 4, 3]), channel)
    assert all(small is not None for small in witnesses[3:])


def test_tensors_without_a_witness() -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.taps.witness import witness

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def body(x: Any, scale: Any) -> Any:
        y = tf.nn.relu(x)
        fixed = tf.compat.v1.nn.fused_batch_norm(x, scale, scale, scale, scale, is_training=False)
        assert witness(x) is None
        assert witness(y) is None
        assert witness(fixed[0]) is None
        return y * 2, tf.sigmoid(x), fixed[0]

    body.get_concrete_function(tf.TensorSpec([2, 4, 4, 3]), tf.TensorSpec([3]))
