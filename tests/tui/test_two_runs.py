"""Two runs in the interface: differences are marked, listed and visited, as in `diff`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from resnet_inspect import api
from resnet_inspect.analysis.browse.outline import NodeKind
from resnet_inspect.analysis.diff.differences import RunDiff
from resnet_inspect.errors import InspectError
from resnet_inspect.render import spelling
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from resnet_inspect.store.writer import RunWriter
from resnet_inspect.tui.app import BrowseApp
from resnet_inspect.tui.compare_screen import CompareScreen
from resnet_inspect.tui.panes.differences_pane import DifferencesPane
from resnet_inspect.tui.run.places import Place
from resnet_inspect.tui.widgets.line_list import LineList
from tests.recordings import FOLDER
from tests.tui.driving import Driver, browse
from tests.tui.writing import Replay, hostile_graph, info_of

pytestmark = pytest.mark.slow

V1, V2, MEAN_AXES, NO_L2, BN_AXIS, OWN, OWN_MODEL = (
    FOLDER / f"{name}.db"
    for name in ("v1", "v2", "mean_axes", "no_l2", "bn_axis", "own", "own_model")
)


def diff_of(a: Path, b: Path) -> RunDiff:
    with Run.open(a) as first, Run.open(b) as second:
        return api.diff(first, second)


async def ready(ui: Driver) -> CompareScreen:
    """Return the screen after the runs were compared."""
    for _ in range(500):
        assert isinstance(ui.app.screen, CompareScreen)
        if ui.app.screen.two.result is not None:
            await ui.settle()
            return ui.app.screen
        await ui.pilot.pause(0.02)
    raise AssertionError("not compared")


def marks(ui: Driver) -> dict[str, str]:
    """Return the difference sign of each row in the tree, by name."""
    assert ui.network.differences is not None
    differences, outline = ui.network.differences, ui.network.outline
    return {node.name: differences.of(node, outline).plain.strip() for node in ui.network.nodes}


async def open_all(ui: Driver) -> None:
    """Open every row of the tree."""
    at = 0
    while at < ui.network.count:
        ui.network.cursor = at
        ui.network.action_fold_or_open()
        at += 1
    await ui.settle()


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
def test_differences_are_marked_in_the_tree(size: tuple[int, int]) -> None:
    diff = diff_of(V1, V2).graph

    async def script(ui: Driver) -> None:
        await ready(ui)
        first, second = ui.shown().splitlines()[:2]
        assert re.match(r" A  .*v1.db .*resnet8-v1", first)
        assert re.match(r" B  .*v2.db .*resnet8-v2", second)
        assert "\n m Next ≠" in ui.shown()
        folded = marks(ui)
        await open_all(ui)
        seen = marks(ui)
        leaves = {name: sign for name, sign in seen.items() if name in ui.network.outlines.graph
                  .layer_by_name}  # fmt: skip
        assert {n for n, sign in leaves.items() if sign == "~"} == {
            change.a for change in diff.changed
        }
        assert {n for n, sign in leaves.items() if sign == "−"} == {x.name for x in diff.only_a}
        assert {n for n, sign in leaves.items() if sign == "+"} == {x.name for x in diff.only_b}
        assert len(leaves) == diff.aligned + len(diff.only_a) + len(diff.only_b)
        # Layers of B only keep their position: after the normalization, before the addition.
        names = [node.name for node in ui.network.nodes]
        at = names.index("relu00_branch2b")
        assert names[at - 1 : at + 2] == ["bn00_branch2b", "relu00_branch2b", "add00"]
        counts = sum(int(sign[:-1]) for sign in folded.values() if sign.endswith("≠"))
        assert counts == len(diff.changed) + len(diff.only_a) + len(diff.only_b)
        for row in ui.shown().splitlines():
            assert len(row) <= size[0]

    browse(V1, script, size=size, other=V2)


def test_the_pane_shows_the_differences_of_diff() -> None:
    diff = diff_of(V1, V2)

    async def script(ui: Driver) -> None:
        await ready(ui)
        text = ui.pane_text()
        flat = " ".join(text.split())
        assert ui.screen.tabs.active == "differences"
        assert "26 layers in both, 20 changed, 5 only in A, 5 only in B" in flat
        for row in diff.settings:
            assert f"{row.name} {row.a} → {row.b}" in flat
        for sign, rows in (("−", diff.graph.only_a), ("+", diff.graph.only_b)):
            for lone in rows:
                assert f"\n{sign} {lone.name} →\n" in text
        for change in diff.graph.changed:
            assert f"\n~ {change.a} →\n" in text
        heading = ui.network.heading().plain
        assert heading.split() == ["layer", "distance", "output", "histogram"]
        dense = next(row for row in ui.rows() if "head" in row)
        distance = next(row for row in diff.distributions.rows if row.layer_a == "dense1")
        end = heading.index("distance") + len("distance")
        assert dense[:end].endswith(f" {spelling.number(distance.distance, 2)}")
        activations = [row for row in diff.distributions.rows if row.kind == "activation"]
        section = text.split("activations, most different first\n")[1].split("\n\n")[0]
        shown = re.findall(r"^ +([0-9.e+-]+)  (\S+)", section, re.MULTILINE)
        expected = [(spelling.number(row.distance, 2), row.layer_a) for row in activations]
        assert shown[: len(expected)] == expected
        loss = next(row for row in diff.scalars.rows if row.name == "loss")
        assert f"largest B − A {spelling.number(loss.largest)} at step {loss.step}" in flat

    browse(V1, script, size=(200, 60), other=V2)


def test_no_heading_is_cut_in_a_window_of_80_columns() -> None:
    async def script(ui: Driver) -> None:
        await ready(ui)
        await ui.press("4")
        assert "cross entropy\n  A 2.94 → 2.38  B 2.61 → 2.13" in ui.pane_text()
        width = ui.screen.pane.query_one(LineList).scrollable_content_region.width
        for key in "46":
            await ui.press(key)
            assert max(map(len, ui.pane_text().splitlines())) <= width
        assert "in both, values of A: no findings" in ui.pane_text()

    browse(V1, script, size=(80, 24), other=V2)


def test_a_line_leads_to_its_layer_and_back() -> None:
    async def script(ui: Driver) -> None:
        screen = await ready(ui)
        await ui.press("tab")
        pane = screen.query_one(DifferencesPane)
        line = next(at for at, line in enumerate(pane.lines.lines)
                    if line.text.plain == "+ relu_final →")  # fmt: skip
        pane.lines.cursor = line
        await ui.press("enter")
        assert screen.place == Place("layer", "relu_final")
        assert screen.tabs.active == "detail"
        assert ui.pane_text().startswith("+ only in B")
        assert "scope       head" in ui.pane_text()
        assert ui.network.node is not None
        assert ui.network.node.name == "relu_final"
        await ui.press("backspace")
        assert screen.tabs.active == "differences"
        assert pane.lines.cursor == line

    browse(V1, script, other=V2)


def test_m_visits_the_differing_layers_in_order_and_wraps_around() -> None:
    diff = diff_of(V2, MEAN_AXES).graph

    async def script(ui: Driver) -> None:
        await ready(ui)
        seen = []
        for _ in range(4):
            await ui.press("m")
            assert ui.screen.place is not None
            seen.append(ui.screen.place.name)
        assert seen == ["final_reduce_mean", "Reshape", "dense1", "final_reduce_mean"]
        assert set(seen) == {change.a for change in diff.changed}
        await ui.press("M")
        assert ui.screen.place == Place("layer", "dense1")
        await ui.press("1")
        text = " ".join(ui.pane_text().split())
        assert "~ changed: A → B" in text
        assert "shape 8×10 → 1×10" in text
        await ui.press("d")
        assert ui.screen.tabs.active == "differences"
        assert "status complete → failed" in " ".join(ui.pane_text().split())

    browse(V2, script, other=MEAN_AXES)


def test_equal_runs_have_no_difference() -> None:
    async def script(ui: Driver) -> None:
        await ready(ui)
        assert ui.pane_text().startswith("no difference\n")
        assert set(marks(ui).values()) == {""}
        await ui.press("m", "1")
        assert ui.pane_text().startswith("no difference between A and B")
        assert "no layer differs" in ui.shown()

    browse(V2, script, other=V2)


def test_equal_graphs_have_marks_for_different_values() -> None:
    diff = diff_of(V2, NO_L2)
    layers = {row.layer_a for row in diff.distributions.rows}

    async def script(ui: Driver) -> None:
        screen = await ready(ui)
        await open_all(ui)
        seen = {name for name, sign in marks(ui).items() if sign == "≈"}
        assert layers <= seen
        await ui.press("g", "m", "1")
        assert screen.place is not None
        assert screen.place.name in layers
        row = next(row for row in diff.distributions.rows
                   if screen.place is not None and row.layer_a == screen.place.name)  # fmt: skip
        assert f"distance {spelling.number(row.distance, 2)}" in ui.pane_text()
        assert f"first {spelling.number(row.first, 2)}" in ui.pane_text()

    browse(V2, script, other=NO_L2)


def test_distributions_of_both_runs_share_a_scale() -> None:
    async def script(ui: Driver) -> None:
        await ready(ui)
        ui.screen.go(Place("layer", "conv1"))
        await ui.press("2")
        text = ui.pane_text()
        assert "A  conv1" in text
        assert "B  conv1" in text
        assert text.index("A  conv1") < text.index("B  conv1")
        axes = [line for line in text.splitlines() if "┬" in line]
        assert len(axes) == 2
        assert axes[0] == axes[1]
        tops = re.findall(r"^ *([0-9.]+ %)", text, re.MULTILINE)
        assert len(tops) == 2
        assert tops[0] == tops[1]
        with Run.open(V1) as a, Run.open(V2) as b:
            for run in (a, b):
                summary = run.summaries(2, layers=["conv1"])["conv1"]
                assert spelling.number(summary.max) in text
        ui.screen.go(Place("layer", "relu_final"))
        await ui.settle()
        assert "B  relu_final" in ui.pane_text()
        assert "A  " not in ui.pane_text()

    browse(V1, script, other=V2)


def test_scalars_share_their_axes_and_name_the_runs() -> None:
    async def script(ui: Driver) -> None:
        await ready(ui)
        await ui.press("4")
        with Run.open(V1) as a, Run.open(V2) as b:
            ends = [[run.scalars()["loss"][step] for step in (0, 2)] for run in (a, b)]
        values_of = [" → ".join(map(spelling.number, pair)) for pair in ends]
        head, *chart = ui.pane_text().split("\n\n")[0].splitlines()
        assert head.rstrip() == f"loss  A {values_of[0]}  B {values_of[1]}"
        values = [value for pair in ends for value in pair]
        assert chart[0].split()[0] == spelling.number(max(values))
        assert chart[-2].split()[0] == spelling.number(min(values))
        assert sorted(re.findall("[AB]", "".join(chart))) == ["A", "B"]
        ui.screen.action_copy()
        assert ui.app.clipboard.splitlines()[0].startswith("step\tloss A\tloss B\t")

    browse(V1, script, other=V2)


def test_why_explains_both_runs_or_says_that_they_agree() -> None:
    async def alike(ui: Driver) -> None:
        await ready(ui)
        ui.screen.go(Place("layer", "conv1"))
        await ui.press("w")
        assert ui.pane_text().startswith("In A:\nconv1/BiasAdd:0 axis 3 = 16")
        assert ui.pane_text().endswith("In B: the same")

    async def unlike(ui: Driver) -> None:
        await ready(ui)
        ui.screen.go(Place("layer", "Reshape"))
        await ui.press("w", "x")
        in_a, in_b = ui.pane_text().split("\nIn B:\n")
        assert in_a.startswith("In A (1 in B, see below):\nReshape:0 axis 0 = 8")
        assert in_b.startswith("Reshape:0 axis 0 = 1")

    browse(V2, alike, other=NO_L2)
    browse(V2, unlike, other=MEAN_AXES)


def test_findings_are_listed_by_run_and_marked() -> None:
    findings = diff_of(V2, BN_AXIS).findings
    assert findings is not None

    async def script(ui: Driver) -> None:
        await ready(ui)
        assert any("✗" in row for row in ui.rows())
        await ui.press("6")
        text = ui.pane_text()
        assert text.startswith("− only in A: no findings")
        assert f"+ only in B: {len(findings.only_b)} error" in text
        assert findings.only_b[0].message[:30] in " ".join(text.split())
        await ui.press("enter")  # the first link is selected
        assert ui.screen.place is not None
        assert ui.screen.place.name == str(findings.only_b[0].place)

    browse(V2, script, other=BN_AXIS)


def test_ops_of_one_run_are_marked_below_their_layers() -> None:
    async def script(ui: Driver) -> None:
        screen = await ready(ui)
        await ui.press("o")
        assert screen.two.result is not None
        pairs = screen.two.result.alignment.ops
        with Run.open(V1) as a, Run.open(V2) as b:
            inside = [set(run.graph.layer_of_op) for run in (a, b)]
            lone = [op for op in b.graph.layer_by_name["pre_activation_final_norm"].ops]
        await open_all(ui)
        seen = marks(ui)
        ops = {node.name for node in ui.network.nodes if node.kind == NodeKind.OP}
        minus = {name for name in ops if seen[name] == "−"}
        assert minus == {name for name in ops & inside[0] if name not in pairs}
        plus = {name for name in ops if seen[name] == "+"}
        assert plus <= inside[1] - set(pairs.values())
        assert set(lone) <= plus

    browse(V1, script, other=V2)


def test_networks_without_layers_are_compared_by_ops() -> None:
    diff = diff_of(V2, OWN_MODEL).graph

    async def script(ui: Driver) -> None:
        screen = await ready(ui)
        assert ui.network.by_op
        lone = {row.name for row in diff.only_b}
        names = {leaf.name for leaf in ui.network.outline.leaves}
        assert len(names) == len(diff.only_a) + diff.aligned + len(lone)
        for name in lone:
            there = name if name in names else f"{name} (B)"
            screen.go(Place("op", there))
            await ui.settle()
            screen.show_tab("detail")
            assert ui.pane_text().startswith("+ only in B")
        with Run.open(OWN_MODEL) as run:
            op = next(op for op in reversed(run.graph.ops)
                      if op.name in lone and op.name in names and op.outputs[0].shape)  # fmt: skip
        screen.go(Place("op", op.name))
        await ui.press("w")
        shape = op.outputs[0].shape or ()
        assert ui.pane_text().startswith(f"In B:\n{op.name}:0 axis {len(shape) - 1} = {shape[-1]}")

    browse(V2, script, other=OWN_MODEL)


@pytest.mark.slow
@pytest.mark.parametrize(("a", "b"), [(OWN, OWN_MODEL), (OWN_MODEL, V1), (MEAN_AXES, BN_AXIS)])
def test_every_pane_of_every_place_can_be_shown(a: Path, b: Path) -> None:
    async def script(ui: Driver) -> None:
        screen = await ready(ui)
        await open_all(ui)
        for at in range(0, ui.network.count, max(1, ui.network.count // 12)):
            ui.network.cursor = at
            await ui.settle()
            for tab in ("detail", "distribution", "why", "findings"):
                screen.show_tab(tab)
                await ui.pilot.pause()
                assert ui.pane_text()

    browse(a, script, other=b)


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_a_run_without_a_graph_beside_one_with_odd_names(
    tmp_path: Path, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = tmp_path / "empty.db", tmp_path / "odd.db"
    for file, graph in zip(files, (None, hostile_graph()), strict=True):
        writer = RunWriter.create(file, info_of(status=Status.RUNNING, ended=""))
        if graph is not None:
            writer.graph(graph, 0.0)
        writer.finish(Status.COMPLETE)
    a, b = files if first else files[::-1]

    async def script(ui: Driver) -> None:
        await ready(ui)
        await open_all(ui)
        leaves = [node.name for node in ui.network.nodes if node.own is not None]
        assert {marks(ui)[name] for name in leaves} == {"+" if first else "−"}
        for key in "m1234567dMwos":
            await ui.press(key)
            for odd in ("\x1b", "\u202e"):
                assert odd not in ui.pane_text()

    browse(a, script, other=b)


def test_pictures_are_of_the_run_that_has_the_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def script(ui: Driver) -> None:
        await ready(ui)
        for name in ("conv1", "relu_final"):
            ui.screen.go(Place("layer", name))
            await ui.press("2", "s")
            for _ in range(200):
                if len(list(tmp_path.glob(f"*{name}*.svg"))) == 1:
                    break
                await ui.pilot.pause(0.02)
        assert sorted(file.name for file in tmp_path.glob("*.svg")) == [
            "v1-conv1-ridges.svg", "v2-relu_final-ridges.svg",
        ]  # fmt: skip

    browse(V1, script, other=V2)


def test_a_comparison_is_not_repeated_for_new_steps(tmp_path: Path) -> None:
    replay = Replay(tmp_path / "live.db", steps=20)
    replay.step(0)

    async def script(ui: Driver) -> None:
        await ready(ui)
        flat = " ".join(ui.pane_text().split())
        assert flat.startswith("Compared when A had 3 steps and B 1 step. Press ctrl+r")
        replay.step(1)
        await ui.poll()
        flat = " ".join(ui.pane_text().split())
        assert "B 1 step. The runs have changed since. Press ctrl+r to compare again." in flat
        assert "step 2 of 20" in ui.shown().splitlines()[1]
        await ui.press("ctrl+r")
        await ready(ui)
        assert "A had 3 steps and B 2 steps. Press ctrl+r" in " ".join(ui.pane_text().split())
        (tmp_path / "live.db").unlink()
        await ui.poll()
        assert "was removed" in ui.shown().splitlines()[1]

    browse(V2, script, other=tmp_path / "live.db")


def test_keys_are_in_the_help_of_two_runs_only() -> None:
    async def two(ui: Driver) -> None:
        await ready(ui)
        await ui.press("question_mark")
        lines = ui.app.screen.query_one("HelpList").lines  # type: ignore[attr-defined]
        text = "\n".join(line.text.plain for line in lines)
        assert text.startswith("Two networks. The network of A, plus the layers that only B has.")
        assert "open the Differences pane: all differences between A and B" in text
        assert "go to the next layer that differs" in text

    async def single(ui: Driver) -> None:
        before = ui.shown()
        await ui.press("d", "m", "7")
        assert ui.shown() == before
        await ui.press("question_mark")
        lines = ui.app.screen.query_one("HelpList").lines  # type: ignore[attr-defined]
        assert not any("differ" in line.text.plain for line in lines)

    browse(V2, two, other=V1)
    browse(V2, single)


def test_signs_have_colours() -> None:
    async def script(ui: Driver) -> None:
        await ready(ui)
        await open_all(ui)
        colours = {}
        for at, node in enumerate(ui.network.nodes):
            row = ui.network.text_of(at)
            for span in row.spans:
                sign = row.plain[span.start : span.end].strip()
                if sign in ("~", "−", "+", "≈") and not node.opens:
                    colours[sign] = str(span.style)
        assert len(set(colours.values())) == len(colours) == 4

    browse(V1, script, other=V2)


def test_a_file_that_is_no_run_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_text("text")
    for name, message in (("no.db", "not a run file"), ("none.db", "none.db")):
        with pytest.raises(InspectError, match=message):
            BrowseApp(V1, None, tmp_path / name)
