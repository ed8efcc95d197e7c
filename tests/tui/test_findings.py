"""The Findings pane and the marks of findings in the tree."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest

from resnet_inspect.analysis.browse.outline import Outline
from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.config.browser import BrowserSettings
from resnet_inspect.findings import check
from resnet_inspect.graph import place_named
from resnet_inspect.render.pages.findings_page import findings_page
from resnet_inspect.render.screen import Screen
from resnet_inspect.stats import StepRecord
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from resnet_inspect.store.writer import RunWriter
from resnet_inspect.tui.panes.findings_pane import FindingsPane
from resnet_inspect.tui.widgets.finding_marks import FindingMarks, link_to
from tests.recordings import FOLDER
from tests.tui.driving import Driver, browse
from tests.tui.writing import HOSTILE, Replay, hostile_graph, info_of

BN_AXIS, DIVERGED, MEAN_AXES, V2 = (
    FOLDER / f"{name}.db" for name in ("bn_axis", "diverged", "mean_axes", "v2")
)


def row(ui: Driver, name: str) -> str:
    """Return the row of the tree with this label."""
    return ui.rows()[ui.labels().index(name)]


def printed(path: Path, width: int) -> str:
    """Return the output of `check` in a terminal of this width."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with Run.open(path) as run:
        findings_page(Screen(file, width=width), check(run), "", "", 0)
    file.seek(0)
    return file.read().rpartition("\n\n")[0]


@pytest.mark.parametrize("path", [BN_AXIS, DIVERGED])
def test_the_pane_shows_what_check_prints(path: Path) -> None:
    async def script(ui: Driver) -> None:
        await ui.press("6")
        assert ui.screen.tabs.active == "findings"
        width = ui.screen.query_one(FindingsPane).size.width - 2 - len(" →")
        text = ui.pane_text().replace(" →", "")
        # `check` does not wrap the long commands.
        assert " ".join(text.split()).startswith(" ".join(printed(path, width).split()))
        assert text.endswith("3 recorded steps: 1 error")

    browse(path, script, size=(160, 40))


def test_a_finding_leads_to_its_layer_and_back() -> None:
    async def script(ui: Driver) -> None:
        assert "(✗)" in row(ui, "conv_block_stage0")
        assert "✗" not in row(ui, "conv_block_stage1")
        await ui.press("6", "enter")
        assert ui.screen.tabs.active == "detail"
        assert ui.screen.place is not None
        assert (ui.screen.place.kind, ui.screen.place.name) == ("layer", "bn00_branch2a")
        assert " ✗" in row(ui, "bn00_branch2a")
        assert "✗" not in row(ui, "conv_block_stage0")  # it is open: the row below has the mark
        await ui.press("backspace")
        assert ui.screen.tabs.active == "findings"
        assert ui.screen.query_one(FindingsPane).lines.cursor == 0

    browse(BN_AXIS, script)


def test_up_and_down_go_from_finding_to_finding() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("6")
        lines = ui.screen.query_one(FindingsPane).lines
        text = ui.pane_text().splitlines()
        heads = [i for i, line in enumerate(text) if line and not (i and text[i - 1])]
        assert len(heads) > 2
        for i, head in enumerate(heads):
            assert lines.cursor == head
            bottom = lines.scroll_offset.y + lines.scrollable_content_region.height
            end = text.index("", head) if "" in text[head:] else len(text)
            assert end <= bottom or lines.scroll_offset.y == head
            await ui.press("down" if i < len(heads) - 1 else "up")
        assert lines.cursor == heads[-2]

    browse(MEAN_AXES, script, size=(110, 18))


def test_a_finding_at_an_op_is_marked_at_its_layer_until_ops_are_shown() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("6", "enter")
        assert ui.screen.place is not None
        assert ui.screen.place.kind == "op"
        assert " ✗" in row(ui, "bn00_branch2a")
        ui.network.focus()
        await ui.press("o")
        ui.network.go_to(ui.screen.place.name)
        await ui.settle()
        assert " ✗" in row(ui, "FusedBatchNormV3")
        assert "✗" not in row(ui, "bn00_branch2a")

    browse(DIVERGED, script)


def test_a_healthy_run_has_no_marks_and_no_findings() -> None:
    async def script(ui: Driver) -> None:
        assert not any(sign in line for line in ui.rows() for sign in ("✗", "!", "(i)"))
        await ui.press("6")
        assert ui.pane_text() == "3 recorded steps: no findings"

    browse(V2, script)


def test_a_live_run_is_checked_again(tmp_path: Path) -> None:
    replay = Replay(tmp_path / "live.db", steps=20)

    async def until(ui: Driver, text: str) -> None:
        for _ in range(200):
            if text in ui.pane_text():
                return
            await ui.pilot.pause(0.02)
            await ui.poll()
        raise AssertionError(ui.pane_text())

    async def script(ui: Driver) -> None:
        await ui.press("6")
        assert ui.pane_text() == "0 recorded steps: no findings"
        replay.step(0)
        await until(ui, "1 recorded step: no findings")
        replay.writer.step(StepRecord(1, 0.1, {"loss": float("nan")}, {}, {}))
        await until(ui, "loss is not finite from step 1 on")

    browse(replay.path, script)


def test_it_is_in_help_palette_and_footer() -> None:
    async def script(ui: Driver) -> None:
        assert "6 Findings" in ui.shown()
        titles = {command.title for command in ui.app.get_system_commands(ui.app.screen)}
        assert "Findings" in titles
        await ui.press("6")
        assert "6 Findings" not in ui.shown()  # the pane is open already
        await ui.press("question_mark")
        assert ui.shown().startswith("Findings. The findings of check, worst first")
        assert "open the Findings pane: problems that check reports" in ui.shown()

    browse(V2, script, size=(160, 40))


def test_marks_differ_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(ui: Driver) -> None:
        assert "(✗)" in ui.shown()
        await ui.press("6")
        assert "✗ error  batch-norm-axis" in ui.shown()

    browse(BN_AXIS, script, settings=BrowserSettings())


def test_the_worst_of_several_is_marked() -> None:
    with Run.open(V2) as run:
        graph = run.graph
    outline = Outline(graph, ops=False)
    marks = FindingMarks(graph)
    levels = {"conv1/kernel": Severity.WARNING, "bn00_branch2a": Severity.INFO}
    levels |= {"conv1:0": Severity.ERROR, "loss": Severity.ERROR}
    findings = [
        Finding(level, "", {}, "", "", place=place_named(graph, name))
        for name, level in levels.items()
    ]
    findings.append(msgspec.structs.replace(findings[0], place=place_named(graph, "add00")))
    order = list(Severity)
    marks.show(sorted(findings, key=lambda finding: order.index(finding.severity)))
    signs = {}
    roots = outline.roots(outline.filtered())
    for node in roots:
        signs[node.name] = marks.of(node, outline, folded=True).plain
    assert signs["stem"] == " (!)"
    assert signs["conv_block_stage0"] == " (!)"
    assert signs["conv_block_stage1"] == ""
    stage = next(node for node in roots if node.name == "conv_block_stage0")
    assert marks.of(stage, outline, folded=False).plain == ""
    (block,) = outline.children(stage)
    rows = {n.name: marks.of(n, outline, folded=True).plain for n in outline.children(block)}
    assert rows["add00"] == " !"
    assert rows["bn00_branch2a"] == " i"
    assert set(rows.values()) == {" !", " i", ""}


def test_links_of_findings_by_name() -> None:
    with Run.open(V2) as run:
        graph = run.graph
    kinds = {}
    for name in ("conv1", "conv1/kernel", "Reshape:0", "learning_rate_of_nothing", ""):
        place = link_to(place_named(graph, name))
        kinds[name] = place.kind if place else None
    assert kinds["conv1"] == "layer"
    assert kinds["conv1/kernel"] == "variable"
    assert kinds["Reshape:0"] == "op"
    assert kinds["learning_rate_of_nothing"] is None
    assert kinds[""] is None


def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    graph = hostile_graph()
    writer = RunWriter.create(tmp_path / "odd.db", info_of(status=Status.RUNNING, ended=""))
    writer.graph(graph, 0.0)
    writer.finish(Status.COMPLETE)
    findings = tuple(
        Finding(
            Severity.WARNING,
            name,
            {"name": name},
            name,
            name,
            place=place_named(graph, f"{name}/{name}"),
            rule="r",
        )
        for name in HOSTILE
    )

    async def script(ui: Driver) -> None:
        pane = ui.screen.query_one(FindingsPane)
        pane.findings = findings
        pane.post_message(FindingsPane.FindingsChanged(findings))
        await ui.press("6")
        text = ui.pane_text()
        assert "[bold red]not bold[/]" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        marked = [line for line in ui.rows() if "!" in line]
        assert len(marked) == len(ui.rows())
        await ui.press("enter")
        assert ui.screen.tabs.active == "detail"

    browse(tmp_path / "odd.db", script, size=(160, 40))
