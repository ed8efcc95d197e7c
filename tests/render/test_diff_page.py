"""The page of `diff` in terminals of several widths."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import msgspec
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.diff.differences import FindingsDiff
from resnet_inspect.graph import Place, PlaceKind
from resnet_inspect.render.diff.page import diff_page
from resnet_inspect.render.screen import Screen
from resnet_inspect.store.run import Run


class Terminal(io.StringIO):
    """A file that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class FakeFinding(msgspec.Struct, frozen=True):
    """A finding with the fields that the page reads."""

    rule: str
    place: Place
    message: str


@pytest.fixture
def page(recording: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The page of two recordings at a width, without colours."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    def drawn(a: str, b: str, depth: str, width: int) -> str:
        file = Terminal()
        diff_page(Screen(file, width=width), api.diff(recording(a), recording(b), depth))
        return re.sub("\x1b\\[[0-9;]*m", "", file.getvalue())

    return drawn


@pytest.mark.parametrize("pair", [("v1", "v2"), ("v2", "bn_axis"), ("v2", "mean_axes")])
@pytest.mark.parametrize("depth", ["layer", "op"])
@pytest.mark.parametrize("width", [80, 160])
def test_nothing_is_wider_than_the_terminal(
    page: Callable[..., str], pair: tuple[str, str], depth: str, width: int
) -> None:
    lines = page(*pair, depth, width).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].startswith("A  ")


def test_a_narrow_terminal_gets_what_changed_below_the_names(page: Callable[..., str]) -> None:
    wide, narrow = (
        [line.rstrip() for line in page("v1", "v2", "op", width).splitlines()]
        for width in (160, 80)
    )
    name = "conv_block_stage0/res00_branch2a/Conv2D"
    assert name in narrow
    below = narrow[narrow.index(name) + 1]
    assert below == "  inputs: relu_conv1:0 → conv_block_stage0/relu00_branch2a:0"
    assert any(line.startswith(f"{name} ") and " inputs " in line for line in wide)


def test_columns_that_are_left_out_are_named(page: Callable[..., str]) -> None:
    text = page("v2", "diverged", "layer", 64)
    assert "too narrow for: KS, per step; --json has everything" in text
    assert "not finite" in text


def test_findings_of_one_run_only_are_listed(recording: Callable[[str], Run]) -> None:
    run = recording("v2")
    findings = FindingsDiff(
        (FakeFinding("dead-units", Place(PlaceKind.LAYER, "relu_final"), "8 of 64 are dead"),), ()
    )
    diff = msgspec.structs.replace(api.diff(run, run), findings=findings)
    file = Terminal()
    diff_page(Screen(file, width=100), diff)
    assert "Findings only in A" in file.getvalue()
    assert "8 of 64 are dead" in file.getvalue()
    assert "no difference" not in file.getvalue()


def test_the_reason_of_a_failure_is_wrapped_in_a_pipe_too(recording: Callable[[str], Run]) -> None:
    file = io.StringIO()
    a, b = recording("v2"), recording("mean_axes")
    diff_page(Screen(file, width=90), api.diff(a, b))
    settings = file.getvalue().partition("Runs and settings")[2].partition("\n\n")[0]
    assert max(len(line.rstrip()) for line in settings.splitlines()) <= 90
    failure = b.info.facts["failure"]
    assert " ".join(failure.split())[-20:] in " ".join(settings.split())
