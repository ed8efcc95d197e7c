"""What a script may do wrong, or otherwise, to inputs and labels on their way to `fit`."""

from __future__ import annotations

import numpy as np

from bench.verdicts.examples import Array, Examples


def altered(how: str, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    """Inputs as they are (""), "times 1000", "0 to 255", "constant" (all zero), "one example"
    again and again, "one column" (the first, times 1000), "second constant" (all zero) or
    "missing" (one number in 300 is NaN, as where a table has gaps).
    """
    if how == "times 1000":
        return tuple(one * np.float32(1000) for one in inputs)
    if how == "times 100":
        return tuple(one * np.float32(100) for one in inputs)
    if how == "0 to 255":
        return tuple((one * 60 + 128).clip(0, 255).astype(np.float32) for one in inputs)
    if how == "constant":
        return tuple(np.zeros_like(one) for one in inputs)
    if how == "one example":
        return tuple(np.repeat(one[:1], len(one), axis=0) for one in inputs)
    if how == "one column":
        scale = np.ones(inputs[0].shape[-1], np.float32)
        scale[0] = 1000
        return (inputs[0] * scale, *inputs[1:])
    if how == "second constant":
        return (inputs[0], np.zeros_like(inputs[1]))
    if how == "missing":
        gaps = [np.random.default_rng(8).random(one.shape) < 1 / 300 for one in inputs]
        return tuple(
            np.where(gap, np.float32("nan"), one) for gap, one in zip(gaps, inputs, strict=True)
        )
    if how:
        raise KeyError(how)
    return inputs


def labelled(how: str, examples: Examples, rng: np.random.Generator) -> Array:
    """Labels as they are ("") or: "one-hot", "from one", "one class", "shuffled", "99 to 1" (the
    first class wins over all but one example in a hundred), "flat" ([count] instead of
    [count, 1]), "squeezed" (without the last axis), "times 255", "all off".
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
        kept = rng.random(len(wanted)) < 0.012
        return np.where(kept.reshape((-1,) + (1,) * (wanted.ndim - 1)), wanted, 0).astype(
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
    """Where an answer turns from no to yes, and whether it is yes below."""
    if loss == "contrastive":
        return 0.5, True
    return (
        0.0 if loss in ("hinge", "of binary logits") or (loss == "binary" and from_logits) else 0.5
    ), False
