"""The Why pane: any axis, its proof, and links along its path."""

from __future__ import annotations

import pytest

from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.store.run import Run
from resnet_inspect.tui.panes.detail_pane import DetailPane
from resnet_inspect.tui.panes.why_pane import WhyPane
from resnet_inspect.tui.run.places import Place
from tests.recordings import FOLDER
from tests.tui.driving import Driver, browse

V2 = FOLDER / "v2.db"


def test_the_64_of_the_reshape() -> None:
    async def script(ui: Driver) -> None:
        ui.network.go_to("Reshape")
        await ui.press("w")
        assert ui.screen.tabs.active == "why"
        text = ui.pane_text()
        for part in ("Reshape:0 axis 1 = 64", "resnet.py:", "danger", "depends on", "filters",
                     "Effect of each setting", "Path to the origin of the size",
                     "Path to the origin ("):  # fmt: skip
            assert part in text, part
        await ui.press("x")
        assert "Reshape:0 axis 0 = 8" in ui.pane_text()
        await ui.press("X")
        assert "axis 1 = 64" in ui.pane_text()

    browse(V2, script)


@pytest.mark.slow
def test_w_on_an_axis_of_the_detail_explains_this_axis() -> None:
    async def script(ui: Driver) -> None:
        ui.network.go_to("res20_branch2a")
        await ui.press("1")
        pane = ui.screen.query_one(DetailPane)
        pane.lines.focus()
        for axis in range(4):
            await ui.press("1")
            pane.lines.focus()
            pane.lines.cursor = next(
                at for at in range(pane.lines.count)
                if pane.lines.text_of(at).plain.startswith(f"axis {axis}")
            )  # fmt: skip
            await ui.press("w")
            assert f"BiasAdd:0 axis {axis} = " in ui.pane_text()

    browse(V2, script)


def test_enter_on_a_step_of_the_path_goes_there() -> None:
    async def script(ui: Driver) -> None:
        ui.network.go_to("add20")
        await ui.press("w", "tab")
        pane = ui.screen.query_one(WhyPane)
        pane.lines.focus()
        await ui.settle()
        links = [pane.lines.link_of(at) for at in range(pane.lines.count)]
        last = max(at for at, link in enumerate(links) if isinstance(link, Place))
        pane.lines.cursor = last
        target = links[last]
        await ui.press("enter")
        assert ui.screen.place == target == Place("variable", "res20_branch1/kernel")
        assert ui.screen.tabs.active == "detail"
        await ui.press("backspace")
        assert ui.screen.place == Place("layer", "add20")
        assert ui.screen.tabs.active == "why"
        assert pane.lines.cursor == last

    browse(V2, script)


@pytest.mark.parametrize("name", ["dense1", "bn10_branch2a", "add20", "final_reduce_mean"])
def test_the_pane_shows_the_explanation_of_the_command(name: str) -> None:
    async def script(ui: Driver) -> None:
        ui.network.go_to(name)
        await ui.press("w")
        pane = ui.screen.query_one(WhyPane)
        with Run.open(V2) as run:
            target = Target.of(run.graph, run.graph.layer_by_name[name].output)
            for axis in range(len(target.shape)):
                explanation = why(run.graph, run.lineage, target, axis)
                pane.axes.choose(pane.axes.options[axis])
                await ui.settle()
                text = ui.pane_text().replace("\n", " ")
                for step in explanation.chain:
                    assert step.place.rpartition("/")[2].split()[0] in text.replace(" ", "") + text
                for row in explanation.proof:
                    assert f"{row.before} → {row.after}" in text
                if explanation.formula is not None:
                    assert explanation.formula.text in text

    browse(V2, script)


def test_a_scalar_has_no_axes_to_explain() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("o")
        ui.network.go_to("loss")
        await ui.press("w")
        assert "scalar: it has no axes" in ui.pane_text().replace("\n", " ")
        ui.network.go_to("Momentum/update_conv1/kernel")
        await ui.press("w", "x", "X")
        assert "Select a layer" in ui.pane_text()

    browse(V2, script)
