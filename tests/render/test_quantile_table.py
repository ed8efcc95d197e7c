"""The table of quantiles at several widths."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest

from resnet_inspect.render.plots.quantile_table import COLUMNS, quantile_tables
from resnet_inspect.render.screen import Screen
from resnet_inspect.stats import TensorSummary
from resnet_inspect.store.run import Run
from tests.recordings import outputs

Open = Callable[[str], Run]
Golden = Callable[[str, str], None]
Rows = list[tuple[str, TensorSummary]]


def written(rows: Rows, width: int) -> str:
    """The table as a terminal of that width shows it, without styles."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    screen = Screen(file, width=width)
    screen.console._force_terminal = True
    screen.console.no_color = True
    screen.table(quantile_tables(rows))
    file.seek(0)
    plain = file.read().replace("\x1b[1m", "").replace("\x1b[3m", "").replace("\x1b[0m", "")
    return "\n".join(line.rstrip() for line in plain.splitlines()) + "\n"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_real_numbers(recording: Open, golden: Golden, width: int) -> None:
    history = outputs(recording("v2"), "relu00_branch2a")
    text = written([(f"step {k}", summary) for k, summary in history.items()], width)
    golden(f"plots/quantiles_{width}.txt", text)
    assert max(map(len, text.splitlines())) <= width


def test_exact_numbers_bound_the_quantiles() -> None:
    text = written([("step 0", TensorSummary.of([0.0] * 50 + [1.01] * 50))], 200)
    row = dict(zip(COLUMNS, text.splitlines()[1].split("  "), strict=False))
    assert row["step"] == "step 0"
    assert text.splitlines()[1].split()[2:] == (
        ["100", "50.0", "%", "0", "0", "0", "0", "0", "1.01", "1.01", "1.01", "0.505", "0.505"]
    )


def test_the_column_of_values_that_are_not_finite_is_never_omitted() -> None:
    rows = [("step 0", TensorSummary.of([np.nan, 1.0])), ("x" * 300, TensorSummary.of([np.inf]))]
    for width in (40, 60, 200):
        text = written(rows, width)
        assert "not finite" in " ".join(text.split())
        assert "xxx…xxx" in text.replace("\n", "") or width == 40


def test_no_rows() -> None:
    assert written([], 120).split()[:2] == ["step", "count"]
