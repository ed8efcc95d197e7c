"""Changes of inputs and labels before `fit`, as a script may make them."""

from __future__ import annotations

import numpy as np

from bench.verdicts.examples import Array, Examples


def altered(how: str, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return the inputs, changed as `how` says.

    "" returns them unchanged, "constant" returns zeros, "one example" repeats the first one, "one
    column" multiplies the first column by 1000, "second constant" replaces the second input by
    zeros, and "missing" replaces one value in 300 by NaN, like gaps in a table.
    """
    if how == "times 1000":
        return tuple(array * np.float32(1000) for array in inputs)
    if how == "times 100":
        return tuple(array * np.float32(100) for array in inputs)
    if how == "0 to 255":
        return tuple((array * 60 + 128).clip(0, 255).astype(np.float32) for array in inputs)
    if how == "constant":
        return tuple(np.zeros_like(array) for array in inputs)
    if how == "one example":
        return tuple(np.repeat(array[:1], len(array), axis=0) for array in inputs)
    if how == "one column":
        scale = np.ones(inputs[0].shape[-1], np.float32)
        scale[0] = 1000
        return (inputs[0] * scale, *inputs[1:])
    if how == "second constant":
        return (inputs[0], np.zeros_like(inputs[1]))
    if how == "missing":
        gaps = [np.random.default_rng(8).random(array.shape) < 1 / 300 for array in inputs]
        return tuple(
            np.where(gap, np.float32("nan"), array) for gap, array in zip(gaps, inputs, strict=True)
        )
    if how:
        raise KeyError(how)
    return inputs


def labelled(how: str, examples: Examples, rng: np.random.Generator) -> Array:
    """Return the labels, changed as `how` says.

    "" returns them unchanged, "99 to 1" leaves one example in a hundred in another class than the
    first, "flat" returns [count] instead of [count, 1], and "squeezed" removes the last axis.
    """
    wanted = examples.wanted
    if how == "one-hot":
        return np.eye(examples.units, dtype=np.float32)[wanted]
    if how == "one-hot, one class":
        return np.eye(examples.units, dtype=np.float32)[np.zeros_like(wanted)]
    if how == "from one":
        return wanted + 1
    if how == "one class":
        return np.zeros_like(wanted)
    if how == "shuffled":
        return rng.permutation(wanted)
    if how == "99 to 1":
        rare = rng.random(len(wanted)) < 0.012
        return np.where(rare.reshape((-1,) + (1,) * (wanted.ndim - 1)), wanted, 0).astype(
            wanted.dtype
        )
    if how == "flat":
        return wanted.reshape(-1)
    if how == "squeezed":
        return wanted[..., 0]
    if how == "times 255":
        return wanted * 255
    if how:
        raise KeyError(how)
    return wanted


def limits(loss: str, *, from_logits: bool) -> tuple[float, bool]:
    """Return the threshold between no and yes, and whether yes is below it."""
    if loss == "contrastive":
        return 0.5, True
    return (
        0.0 if loss in ("hinge", "of binary logits") or (loss == "binary" and from_logits) else 0.5
    ), False
