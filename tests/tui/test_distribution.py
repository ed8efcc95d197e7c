"""The Distribution pane shows the recorded values with every control."""

from __future__ import annotations

from resnet_inspect.render import spelling
from resnet_inspect.store.run import Run
from resnet_inspect.tui.panes.distribution_pane import DistributionPane
from resnet_inspect.tui.run.places import Place
from resnet_inspect.tui.run.recorded_tensors import tensor_label
from tests.recordings import FOLDER, outputs
from tests.tui.driving import Driver, browse

V2 = FOLDER / "v2.db"


async def at(ui: Driver, name: str) -> DistributionPane:
    """Select a layer and open its distributions."""
    ui.network.go_to(name)
    await ui.press("H")
    return ui.screen.query_one(DistributionPane)


def test_the_histogram_of_a_step_and_its_numbers() -> None:
    async def script(ui: Driver) -> None:
        pane = await at(ui, "relu00_branch2a")
        with Run.open(V2) as run:
            history = outputs(run, "relu00_branch2a")
        for step in (2, 1, 0):
            assert pane.slider.step == step
            summary = history[step]
            text = ui.pane_text()
            assert spelling.share(summary.zero_fraction) in text
            assert spelling.number(summary.max) in text
            assert spelling.number(summary.std) in text
            await ui.press("left_square_bracket")
        assert pane.slider.step == 0
        await ui.press("right_square_bracket")
        assert pane.slider.step == 1

    browse(V2, script)


def test_views_switch_and_show_all_steps() -> None:
    async def script(ui: Driver) -> None:
        pane = await at(ui, "add00")
        shown = []
        for view in ("ridges", "heat map", "numbers", "histogram"):
            await ui.press("v")
            assert pane.bar("view").chosen == view
            shown.append(ui.pane_text())
        assert len(set(shown)) == 4
        ridges, _, numbers, _ = shown
        assert len([line for line in ridges.splitlines() if line[:2] in ("0 ", "1 ", "2 ")]) == 3
        assert "▂" in ridges
        with Run.open(V2) as run:
            for summary in outputs(run, "add00").values():
                assert spelling.number(summary.mean) in numbers
        await ui.press("y")
        assert pane.bar("scale").chosen == "linear"
        linear = ui.pane_text()
        await ui.press("y")
        assert pane.bar("scale").chosen == "symlog"
        assert ui.pane_text() != linear
        assert "symmetric-log" in ui.pane_text()

    browse(V2, script)


def test_gradients_weights_and_their_gradients_can_be_shown() -> None:
    async def script(ui: Driver) -> None:
        pane = await at(ui, "res00_branch2a")
        assert set(pane.bar("tensor").options) == {
            "output", "output gradient", "kernel", "bias", "kernel gradient", "bias gradient",
        }  # fmt: skip
        with Run.open(V2) as run:
            for tap in run.taps():
                if tap.layer != "res00_branch2a":
                    continue
                pane.bar("tensor").choose(tensor_label(pane.recording, tap))
                await ui.settle()
                assert spelling.number(run.course(tap)[2].std) in ui.pane_text()
        pane.bar("tensor").choose("kernel")
        await ui.settle()
        assert "relative update" in ui.pane_text()

    browse(V2, script)


def test_before_and_after_normalization_side_by_side_where_there_is_room() -> None:
    async def script(ui: Driver) -> None:
        pane = await at(ui, "bn00_branch2b")
        await ui.press("b")
        assert pane.bar("sides").chosen == "before and after BN"
        lines = ui.pane_text().splitlines()
        assert any("res00_branch2a" in line and "bn00_branch2b" in line for line in lines)
        await ui.pilot.resize_terminal(90, 40)
        await ui.settle()
        lines = ui.pane_text().splitlines()
        assert not any("res00_branch2a" in line and "bn00_branch2b" in line for line in lines)
        assert any(line.startswith("res00_branch2a") for line in lines)
        assert any(line.startswith("bn00_branch2b") for line in lines)
        await at(ui, "add00")
        assert pane.bar("sides").display  # the next normalization reads it
        await at(ui, "dense1")
        assert not pane.bar("sides").display

    browse(V2, script, size=(250, 70))


def test_a_group_has_a_row_for_each_layer() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("down", "H")
        text = ui.pane_text()
        for layer in ui.screen.recording.graph.layers:
            assert (layer.name in text) == (layer.path[0] == "conv_block_stage0")

    browse(V2, script, size=(220, 50))


def test_a_message_says_that_nothing_was_recorded() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("o")
        pane = await at(ui, "loss")
        assert "No distribution of this selection was recorded" in " ".join(ui.pane_text().split())
        assert pane.picture_request(None) is None
        await ui.press("v", "t", "b", "y", "right_square_bracket")
        ui.screen.go(Place("variable", "conv1/kernel"))
        await ui.settle()
        assert "conv1/kernel" in ui.pane_text()

    browse(V2, script)


def test_values_that_are_not_finite_are_shown() -> None:
    async def script(ui: Driver) -> None:
        await at(ui, "res20_branch2b")
        assert "NaN" in ui.pane_text() or "not finite" in ui.pane_text()

    browse(FOLDER / "diverged.db", script)


def test_the_mouse_chooses_views_and_steps() -> None:
    async def script(ui: Driver) -> None:
        pane = await at(ui, "add00")
        start = next(start for start, _, option in pane.bar("view")._spans() if option == "ridges")
        await ui.pilot.click("#view", offset=(start + 1, 0))
        await ui.settle()
        assert pane.bar("view").chosen == "ridges"
        await ui.press("v", "v", "v")
        before, length, _ = pane.slider._track()
        await ui.pilot.click("#step", offset=(len(before), 0))
        await ui.settle()
        assert pane.slider.step == 0
        await ui.pilot.click("#step", offset=(len(before) + length // 2, 0))
        await ui.settle()
        assert pane.slider.step == 1

    browse(V2, script)


def test_a_group_without_recorded_outputs_has_no_controls() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("2")
        assert ui.network.node is not None
        assert ui.network.node.label == "stem"
        assert "No distribution of this selection was recorded" in ui.pane_text()
        pane = ui.screen.query_one(DistributionPane)
        assert not any(pane.bar(name).display for name in ("view", "tensor", "scale", "sides"))
        assert not pane.slider.display
        await ui.press("down", "down", "down")
        assert ui.network.node.label == "conv_block_stage2"
        assert pane.bar("scale").display
        assert pane.slider.display

    browse(FOLDER / "diverged.db", script)
