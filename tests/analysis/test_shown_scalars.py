"""The scalars that pages show."""

from __future__ import annotations

import math

import pytest

from resnet_inspect.analysis.browse.scalars import shown_scalars


@pytest.mark.parametrize(
    ("loss", "batch", "shown"),
    [
        ({0: 2.0, 1: 1.5, 2: 1.25}, {0: 2.0, 2: 1.25 + 1e-7}, ["loss"]),  # a training loop
        ({0: 2.0, 1: math.nan}, {0: 2.0, 1: math.nan}, ["loss"]),
        ({0: 2.0, 1: 1.5, 2: 1.25}, {0: 2.0, 2: 0.9}, ["loss", "batch_loss"]),  # a fit
        ({0: 2.0}, {0: 2.0, 1: 1.5}, ["loss", "batch_loss"]),
    ],
)
def test_a_loss_is_shown_once(
    loss: dict[int, float], batch: dict[int, float], shown: list[str]
) -> None:
    assert list(shown_scalars({"loss": loss, "batch_loss": batch})) == shown


def test_a_loss_of_batches_alone_is_shown() -> None:
    assert list(shown_scalars({"batch_loss": {0: 1.0}})) == ["batch_loss"]
