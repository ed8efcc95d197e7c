"""The Detail pane: its content, and following its links."""

from __future__ import annotations

import pytest

from resnet_inspect.tui.panes.detail_pane import DetailPane
from resnet_inspect.tui.run.places import AxisOf, Place
from tests.recordings import FOLDER
from tests.tui.driving import Driver, browse

V1, V2, OWN = FOLDER / "v1.db", FOLDER / "v2.db", FOLDER / "own.db"


async def at(ui: Driver, name: str) -> DetailPane:
    """Select a layer or op, and open its detail."""
    ui.network.go_to(name)
    await ui.press("1", "tab")
    pane = ui.screen.query_one(DetailPane)
    pane.lines.focus()
    await ui.settle()
    return pane


async def to_line(ui: Driver, pane: DetailPane, text: str) -> None:
    """Move the cursor to the first line that contains a text."""
    lines = pane.lines
    lines.cursor = next(at for at in range(lines.count) if text in lines.text_of(at).plain)
    await ui.settle()


def test_detail_of_a_convolution_is_complete() -> None:
    async def script(ui: Driver) -> None:
        await at(ui, "res20_branch2a")
        text = ui.pane_text()
        for part in (
            "8×16×16×32 → 8×8×8×64", "kernel      3×3", "stride      2×2",
            "0 above, 1 below, 0 left, 1 right", "parameters  18,496",
            "MACs        1,179,648 per example", "/device:CPU:0",
            "8  height/4", "64  channel", "relu20_branch2a", "bn20_branch2b",
            "res20_branch2a/kernel  3×3×32×64", "resnet.py:", "return net.conv2d(",
            "Runs before (control edges)", "Momentum/update_res20_branch2a/kernel",
        ):  # fmt: skip
            assert part in text, part

    browse(V2, script)


def test_enter_follows_an_edge_and_backspace_returns() -> None:
    async def script(ui: Driver) -> None:
        pane = await at(ui, "res20_branch2a")
        await to_line(ui, pane, "relu20_branch2a")
        await ui.press("enter")
        assert ui.screen.place == Place("layer", "relu20_branch2a")
        assert ui.network.node is not None
        assert ui.network.node.name == "relu20_branch2a"
        assert ui.pane_text().startswith("relu20_branch2a")
        await to_line(ui, pane, "bn20_branch2a")
        await ui.press("enter")
        assert ui.screen.place == Place("layer", "bn20_branch2a")
        await ui.press("backspace", "backspace")
        assert ui.screen.place == Place("layer", "res20_branch2a")
        assert ui.network.node.name == "res20_branch2a"
        assert "relu20_branch2a" in pane.lines.text_of(pane.lines.cursor).plain
        await ui.press("backspace")
        assert ui.screen.place == Place("layer", "res20_branch2a")

    browse(V2, script)


@pytest.mark.slow
def test_every_link_can_be_followed() -> None:
    async def script(ui: Driver) -> None:
        for name in ("res20_branch2a", "bn00_branch2a", "dense1"):
            pane = await at(ui, name)
            links = [pane.lines.link_of(line) for line in range(pane.lines.count)]
            for link in dict.fromkeys(link for link in links if link is not None):
                ui.screen.go(Place("layer", name))
                await ui.pilot.pause()
                if isinstance(link, AxisOf):
                    continue
                ui.screen.go(link)
                await ui.pilot.pause()
                assert ui.screen.place == link
                assert ui.pane_text().replace("\n", "").startswith(link.name)

    browse(V2, script)


def test_a_variable_lists_its_readers() -> None:
    async def script(ui: Driver) -> None:
        pane = await at(ui, "res20_branch2a")
        await to_line(ui, pane, "res20_branch2a/kernel  3×3×32×64")
        await ui.press("enter")
        assert ui.screen.place == Place("variable", "res20_branch2a/kernel")
        text = ui.pane_text()
        for part in ("18,432", "trainable   yes", "l2_loss/Cast_28/ReadVariableOp",
                     "Momentum/update_res20_branch2a/kernel"):  # fmt: skip
            assert part in text
        await ui.press("2")
        assert "res20_branch2a/kernel" in ui.pane_text()
        await ui.press("3")
        assert "axis 3 = 64" in ui.pane_text()

    browse(V2, script)


def test_control_edges_and_shared_variables_of_a_user_model() -> None:
    async def script(ui: Driver) -> None:
        graph = ui.screen.recording.graph
        ordered = next(op for op in graph.ops if op.control_inputs)
        await at(ui, ordered.name)
        assert "Runs after (control edges)" in ui.pane_text()
        assert ordered.control_inputs[0] in ui.pane_text()
        await at(ui, ordered.control_inputs[0])
        assert "Runs before (control edges)" in ui.pane_text()
        assert ordered.name in ui.pane_text()
        shared = next(variable for variable in graph.variables if len(variable.readers) > 1)
        ui.screen.go(Place("variable", shared.name))
        await ui.settle()
        for reader in shared.readers:
            assert reader in ui.pane_text()

    browse(OWN, script)


def test_a_group_shows_totals() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("down", "down")
        text = ui.pane_text()
        for part in ("9 layers, 42 ops", "14,752", "3,670,016 per example", "3 ×", "add00"):
            assert part in text

    browse(V2, script)


def test_an_op_leads_to_its_layer() -> None:
    async def script(ui: Driver) -> None:
        pane = await at(ui, "conv_block_stage2/res20_branch2a/Conv2D")
        assert "strides" in ui.pane_text()
        assert "[1, 2, 2, 1]" in ui.pane_text()
        await to_line(ui, pane, "layer  ")
        await ui.press("enter")
        assert ui.screen.place == Place("layer", "res20_branch2a")

    async def with_ops(ui: Driver) -> None:
        await ui.press("o")
        await script(ui)

    browse(V2, with_ops)


def test_a_message_explains_why_a_place_is_hidden() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("f", "f")
        ui.screen.go(Place("layer", "conv1"))
        await ui.settle()
        assert "conv1 is hidden: the filter is 'ReLU' (f changes it)" in " ".join(
            ui.shown().split()
        )
        assert ui.pane_text().startswith("conv1")

    browse(V2, script)


def test_an_update_links_to_its_variable() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("o")
        pane = await at(ui, "Momentum/update_conv1/kernel")
        await to_line(ui, pane, "conv1/kernel  3×3×3×16")
        await ui.press("enter")
        assert ui.screen.place == Place("variable", "conv1/kernel")

    browse(V2, script)


def test_sizes_that_differ_between_steps_have_names() -> None:
    async def script(ui: Driver) -> None:
        await at(ui, "conv")
        text = ui.pane_text()
        assert "batch×8×8×1 → batch×6×6×4" in text
        assert "batch (8 here, 4 in the last)" in text
        assert "4.6 kB" in text  # 8 examples of 6×6×4 float32
        assert any("batch×6×6×4" in row for row in ui.rows())

    browse(FOLDER / "fit.db", script)
