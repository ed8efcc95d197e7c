"""Shape tables fit narrow and wide terminals, and name what they leave out."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import msgspec
import pytest

from resnet_inspect.analysis.costs.macs import Uncounted
from resnet_inspect.analysis.receptive.receptive_field import ReceptiveField, ReceptiveFields
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeTable, shapes
from resnet_inspect.render.pages.shape_table import shape_tables
from resnet_inspect.render.receptive_field import receptive_fields
from resnet_inspect.render.screen import Screen
from resnet_inspect.store.run import Run

Open = Callable[[str], Run]
RUNS = ("v2", "own", "own_model", "composite", "fit", "mean_axes")
COLUMNS = ("MACs", "phase", "type", "memory", "params", "kernel/stride, pad", "receptive field")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def lines(table: ShapeTable, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("TERM", "xterm")
    written = Terminal()
    Screen(written, width=width).table(shape_tables(table, width))
    return re.sub(r"\x1b\[[0-9;]*m", "", written.getvalue()).splitlines()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("depth", list(Depth))
@pytest.mark.parametrize("name", RUNS)
def test_no_cell_is_broken(
    recording: Open, monkeypatch: pytest.MonkeyPatch, name: str, depth: Depth, width: int
) -> None:
    graph = recording(name).graph
    for fields in (None, ReceptiveFields(graph)):
        table = shapes(graph, depth, None, fields)
        shown = lines(table, width, monkeypatch)
        assert max(map(len, shown)) <= width
        header, body = shown[0], shown[1 : len(table.rows) + 1]
        assert header.startswith("name ")
        assert shown[len(table.rows) + 1].startswith("total, forward")
        caption = " ".join(line.strip() for line in shown[len(table.rows) + 2 :])
        names = [line.split("  ")[0] for line in body]
        for row, shown_name in zip(table.rows, names, strict=True):
            parts = re.sub(r"~\d+$", "", shown_name).split("…")
            assert re.fullmatch(".*".join(map(re.escape, parts)), row.name)
            assert len(parts) == 1 or "long names are cut" in caption
        assert len(set(names)) == len({row.name for row in table.rows})
        for column in COLUMNS:
            assert (column in header) != (column in caption) or column not in caption


def test_names_are_cut_only_where_there_is_no_room(
    recording: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = shapes(recording("v2").graph, Depth.LAYER)
    assert "…" not in "".join(lines(table, 80, monkeypatch))
    rows = tuple(msgspec.structs.replace(row, name=row.name + "_long" * 9) for row in table.rows)
    long = msgspec.structs.replace(table, rows=rows)
    wide = lines(long, 200, monkeypatch)
    assert "…" not in "".join(wide)
    narrow = lines(long, 80, monkeypatch)
    assert "MACs" in narrow[0]
    assert narrow[1].startswith("conv1_long_lon…")
    caption = "too narrow for: inputs, memory, type; long names are cut; --json has everything"
    assert " ".join(" ".join(narrow[len(rows) + 2 :]).split()) == caption


def test_a_total_without_all_ops_is_a_lower_bound(
    recording: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = shapes(recording("v2").graph, Depth.LAYER)
    totals = msgspec.structs.replace(table.totals, uncounted=(Uncounted("loop", "unknown"),))
    partly = msgspec.structs.replace(table, totals=totals)
    assert "≥ 12,501,632" in lines(partly, 140, monkeypatch)[-1]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ((), ""),
        ((ReceptiveField("x", (1, 2), size=(7, 7), stride=(4, 4), offset=(-3, -3)),),
         "7×7/4 from −3"),
        ((ReceptiveField("x", (1, 2), size=(3, 5), stride=(0.5, 1), offset=(-1, 0)),),
         "3×5/0.5×1 from −1, 0"),
        ((ReceptiveField("x", (1, 2), whole=True),), "whole input"),
        ((ReceptiveField("x", (1, 2), unknown="Cumsum"),), "? after Cumsum"),
        ((ReceptiveField("left", (1,), size=(3,), stride=(1,), offset=(0,)),
          ReceptiveField("right", (1,), whole=True)), "left: 3/1 from 0, right: whole input"),
    ],
)  # fmt: skip
def test_the_spelling_of_fields(fields: tuple[ReceptiveField, ...], text: str) -> None:
    assert receptive_fields(fields) == text
