"""The page of `diff` in terminals of several widths."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import msgspec
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.diff.differences import FindingsDiff, ScalarDiff, ScalarsDiff
from resnet_inspect.analysis.diff.distributions import RecordedSummaries
from resnet_inspect.analysis.diff.runs import compare
from resnet_inspect.graph import Place, PlaceKind, Training
from resnet_inspect.render.diff.page import diff_page
from resnet_inspect.render.screen import Screen
from resnet_inspect.store.run import Run
from resnet_inspect.stored import compared_run


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


def test_scalars_come_first_and_at_steps_at_which_all_were_recorded(
    recording: Callable[[str], Run],
) -> None:
    run = recording("fit")
    steps, recorded = tuple(range(60)), tuple(range(0, 60, 10))
    rows = tuple(
        ScalarDiff(name, at, (1.0,) * len(at), (2.0,) * len(at), 1.0, 0)
        for name, at in (("loss", steps), ("batch_loss", recorded))
    )
    other = api.diff(run, recording("composite"))
    diff = msgspec.structs.replace(other, scalars=ScalarsDiff(rows, (), ()))
    file = io.StringIO()
    diff_page(Screen(file, width=100), diff)
    text = file.getvalue()
    assert text.index("\nScalars\nbatch_loss: of one batch;") < text.index("\nDistributions: ")
    shown = text.partition("\nstep ")[2].partition("\n\n")[0].splitlines()[1:]
    assert [line.split()[0] for line in shown] == ["0", "10", "20", "30", "40", "50", "~"]
    assert all(len(line.split()) == 5 for line in shown[:-1])
    assert "-" not in "".join(shown[:-1])


@pytest.mark.parametrize("rate", [0.05, 0.01])
def test_recorded_settings_of_the_training_are_compared(
    recording: Callable[[str], Run], rate: float
) -> None:
    run = recording("fit")
    a = compared_run(run, RecordedSummaries([], {}))
    training = msgspec.structs.replace(run.graph.training or Training(), learning_rate=rate)
    run.__dict__["graph"] = msgspec.structs.replace(run.graph, training=training)
    b = compared_run(run, RecordedSummaries([], {}))
    rows = [(row.name, row.a, row.b) for row in compare(a, b).settings]
    assert rows == ([("learning_rate", 0.01, 0.05)] if rate == 0.05 else [])


def test_the_reason_of_a_failure_is_wrapped_in_a_pipe_too(recording: Callable[[str], Run]) -> None:
    file = io.StringIO()
    a, b = recording("v2"), recording("mean_axes")
    diff_page(Screen(file, width=90), api.diff(a, b))
    settings = file.getvalue().partition("Runs and settings")[2].partition("\n\n")[0]
    assert max(len(line.rstrip()) for line in settings.splitlines()) <= 90
    failure = b.info.facts["failure"]
    assert " ".join(failure.split())[-20:] in " ".join(settings.split())
