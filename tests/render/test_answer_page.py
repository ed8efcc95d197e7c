"""The answer page of the recordings, word by word, at two widths."""

from __future__ import annotations

import io
from collections.abc import Callable

import msgspec
import pytest

from resnet_inspect import api
from resnet_inspect.graph import Note
from resnet_inspect.render.answer_page import answer_page, course
from resnet_inspect.render.screen import Screen
from resnet_inspect.store.run import Run

Open = Callable[[str], Run]
Golden = Callable[[str, str], None]


def page(run: Run, width: int, notes: tuple[Note, ...] = ()) -> str:
    """The page of a run as text."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    fixed = msgspec.structs.replace(
        run.info, device="CPU:0 (2 cores)", versions={"tensorflow": "2.21.0"}, trace_seconds=1.5
    )
    screen = Screen(file, width=width)
    found = msgspec.structs.replace(api.summarize(run), notes=notes)
    answer_page(screen, fixed, found, f"runs/{run.path.name}")
    file.seek(0)
    return "\n".join(line.rstrip() for line in file.read().splitlines()) + "\n"


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("name", ["v1", "v2", "mean_axes", "bn_axis", "filters"])
def test_the_page(recording: Open, golden: Golden, name: str, width: int) -> None:
    text = page(recording(name), width)
    golden(f"page_{name}_{width}.txt", text)
    assert max(len(line) for line in text.splitlines()) <= width


def test_hostile_names_stay_text(recording: Open) -> None:
    note = Note("[bold]x[/bold]", "\x1b[31mred :smile: [link=x]y[/link]\u202e")
    text = page(recording("v2"), 100, (note,))
    assert "[bold]x[/bold]" in text
    assert "[link=x]y[/link]" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_courses() -> None:
    assert course((8.0, 4.0, 1.0), 24) == "█▄▁"
    assert course((1.0, 1.0), 24) == "▄▄"
    assert course((1.0, float("nan"), 2.0), 24) == "▁!█"
    assert course((float("nan"),), 24) == "!"
    assert len(course(tuple(float(i) for i in range(1000)), 24)) == 24
