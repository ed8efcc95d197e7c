"""Calculations of sizes as text."""

from __future__ import annotations

import pytest

from resnet_inspect.analysis.sizes.calculations import calculation


@pytest.mark.parametrize(
    ("op_type", "size", "terms", "text"),
    [
        ("ConcatV2", 24, [16, 8], "16 + 8"),
        ("Pad", 11, [6, 2, 3], "6 + 2 + 3"),
        ("Reshape", 3136, [7, 7, 64], "7 × 7 × 64"),
        ("Reshape", 25, [16, 10, 10, 8], "16 × 10 × 10 × 8 / 512"),
        ("Reshape", 7, [3, 5], ""),
        ("Conv2D", 10, [12, 3], "12 − 3 + 1"),
        ("Conv2D", 5, [12, 3], ""),
        ("Tile", 8, [4, 2], "4 × 2"),
        ("Split", 6, [24], "24 / 4"),
        ("Conv2D", 30, [32], ""),
        ("Conv2DBackpropInput", 16, [8], "2 × 8"),
        ("ConcatV2", 25, [16, 8], ""),
        ("Reshape", None, [None, 8], ""),
        ("Sub", 8, [], ""),
        ("Conv2D", 6, [8, 3], "8 − 3 + 1"),
        ("Conv2D", 8, [8, 3], ""),  # padded
        ("Conv2DBackpropInput", 10, [8, 3], "8 + 3 − 1"),
        ("Conv2DBackpropInput", 12, [8, 3], ""),
        ("StridedSlice", 5, [5, 10], "10 − 5"),
        ("StridedSlice", 11, [12, 1], "12 − 1"),
        ("StridedSlice", 4, [12, 1], ""),
    ],
)
def test_a_calculation_has_the_size_as_its_result(
    op_type: str, size: int | None, terms: list[int | None], text: str
) -> None:
    assert calculation(op_type, size, terms) == text


@pytest.mark.parametrize(
    ("size", "length", "stride", "text"),
    [
        (8, 17, 2, "(17 − 3) / 2 + 1"),
        (8, 18, 2, "⌊(18 − 3) / 2⌋ + 1"),
        (9, 18, 2, ""),
    ],
)
def test_a_convolution_without_padding_counts_the_positions_of_its_window(
    size: int, length: int, stride: int, text: str
) -> None:
    assert calculation("DepthwiseConv2dNative", size, [length, 3], stride) == text


@pytest.mark.parametrize(
    ("size", "length", "window", "stride", "text"),
    [
        (17, 8, 3, 2, "(8 − 1) × 2 + 3"),
        (24, 8, 2, 3, "3 × 8"),  # Keras fills the gap behind the last window
        (18, 8, 3, 2, ""),
    ],
)
def test_the_output_of_a_transposed_convolution(
    size: int, length: int, window: int, stride: int, text: str
) -> None:
    assert calculation("Conv2DBackpropInput", size, [length, window], stride) == text
