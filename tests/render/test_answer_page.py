"""The text of the answer page of the recordings, at two widths."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.findings import check
from resnet_inspect.graph import Note, Place, PlaceKind
from resnet_inspect.render.pages.answer_page import answer_page
from resnet_inspect.render.pages.findings_page import findings_count
from resnet_inspect.render.pages.grid_table import course
from resnet_inspect.render.screen import Screen
from resnet_inspect.store.run import Run
from tests.recordings import RECORDINGS, TRAINED

Open = Callable[[str], Run]
Golden = Callable[[str, str], None]


def page(run: Run, width: int, notes: tuple[Note, ...] = ()) -> str:
    """The page of a run as text."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    fixed = msgspec.structs.replace(
        run.info, device="CPU:0 (2 cores)", versions={"tensorflow": "2.21.0"}, trace_seconds=1.5
    )
    screen = Screen(file, width=width)
    overview = msgspec.structs.replace(api.summarize(run), notes=notes)
    answer_page(screen, fixed, overview, Path("runs", run.path.name))
    file.seek(0)
    return "\n".join(line.rstrip() for line in file.read().splitlines()) + "\n"


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("name", ["v1", "v2", "mean_axes", "bn_axis", "filters", "units", *TRAINED])
def test_the_page(recording: Open, golden: Golden, name: str, width: int) -> None:
    text = page(recording(name), width)
    golden(f"page/{name}_{width}.txt", text)
    assert max(len(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("width", [41, 64, 108])
@pytest.mark.parametrize("name", RECORDINGS)
def test_no_row_of_a_table_takes_two_lines(recording: Open, name: str, width: int) -> None:
    run = recording(name)
    overview = api.summarize(run)
    sections = re.split(r"\n\n(?=\S)", page(run, width))
    assert max(len(line) for section in sections for line in section.splitlines()) <= width
    for title, rows in (
        ("Output of each", len(overview.blocks)),
        ("Gradients and updates", len(overview.learning)),
        ("Scalars over", len(overview.scalars)),
        ("Shapes, from", len(overview.flow)),
    ):
        for section in (section for section in sections if section.startswith(title)):
            lines = section.splitlines()
            starts = ("block", "layer", "scalar", "from")
            head = next(at for at, line in enumerate(lines) if line.startswith(starts))
            table, below = lines[head + 1 : head + 1 + rows], lines[head + 1 + rows :]
            assert not below or below[0].startswith("too narrow for: "), section
            if title.startswith("Output") and lines[head].startswith("layer"):
                assert len({line.split("  ")[0] for line in table}) == rows


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


def finding_of(severity: Severity, number: int) -> Finding:
    """A finding of a layer with that number."""
    message = f"the problem of layer {number}, in a text of such " + "length " * 40 + "END"
    return Finding(
        severity,
        message,
        {},
        "why",
        "fix",
        place=Place(PlaceKind.LAYER, f"conv{number}"),
        rule="dead-units",
    )


def with_findings(run: Run, findings: tuple[Finding, ...], width: int = 80) -> str:
    """The page of a run with these findings."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    overview = msgspec.structs.replace(api.summarize(run), findings=findings)
    answer_page(Screen(file, width=width), run.info, overview, Path("runs/a.db"))
    file.seek(0)
    return file.read()


def test_findings_are_shortened_and_the_worst_comes_first(recording: Open) -> None:
    levels = [Severity.ERROR, *[Severity.WARNING] * 5, Severity.INFO]
    text = with_findings(recording("v2"), tuple(map(finding_of, levels, range(7))))
    _, _, section = text.partition("Findings: 1 error, 5 warnings, 1 info\n")
    section, _, _ = section.partition("\n\n")
    heads = [line for line in section.splitlines() if "dead-units" in line]
    assert heads[0] == "  ✗ error  dead-units  conv0"
    assert heads[1:] == [f"  ! warning  dead-units  conv{at}" for at in range(1, 5)]
    assert section.splitlines()[-1] == "  … and 2 more: resnet-inspect check runs/a.db"
    assert section.count(" …\n") == 5  # a shortened message ends with …
    assert "END" not in section
    assert max(len(line) for line in section.splitlines()) <= 80


def test_without_findings_a_line_says_so(recording: Open) -> None:
    text = with_findings(recording("v2"), ())
    assert text.count("check: no findings") == 1
    assert "Findings" not in text
    assert "resnet-inspect check" not in text


def test_the_failure_of_a_run_is_shown_once(recording: Open) -> None:
    run = recording("filters")
    assert [finding.rule for finding in api.summarize(run).findings] == ["run-failed"]
    text = page(run, 80)
    assert "\nFindings: 1 error, shown above\n" in text
    assert "run-failed  " not in text
    assert "no findings" not in text
    assert text.count("Dimensions must be equal") == 1


def test_names_in_findings_stay_text(recording: Open) -> None:
    named = msgspec.structs.replace(
        finding_of(Severity.ERROR, 0), place=Place(PlaceKind.OTHER, "\x1b[31m[b]x\u202e")
    )
    text = with_findings(recording("v2"), (named,), width=200)
    assert "[b]x" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("name", ["filters", "mean_axes", "bn_axis"])
def test_the_number_of_findings_is_that_of_check(recording: Open, name: str) -> None:
    run = recording(name)
    assert f"\nFindings: {findings_count(check(run))}" in page(run, 80)
