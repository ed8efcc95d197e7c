"""The whole screen: tabs, palette, help, key line, zoom, Scalars pane, Run pane."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from resnet_inspect.analysis.browse.outline import OutlineFilter
from resnet_inspect.render import spelling
from resnet_inspect.store.run import Run
from resnet_inspect.tui.browse_screen import BrowseScreen
from resnet_inspect.tui.help_screen import HelpScreen
from resnet_inspect.tui.widgets.key_line import KeyLine
from resnet_inspect.tui.widgets.line_list import LineList
from resnet_inspect.tui.widgets.network_tree import NetworkTree
from tests.recordings import FOLDER
from tests.tui.driving import Driver, browse

V2 = FOLDER / "v2.db"


def test_the_header_shows_the_run() -> None:
    async def script(ui: Driver) -> None:
        head = ui.shown().splitlines()[0]
        for part in ("resnet8-v2", "complete", "3 of 3 steps", "CPU:0", "v2.db"):
            assert part in head

    browse(V2, script)


def test_scalars_are_those_of_the_run() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("4")
        text = ui.pane_text()
        with Run.open(V2) as run:
            for name, values in run.scalars().items():
                first, last = spelling.number(values[0]), spelling.number(values[2])
                assert f"{name.replace('_', ' ')}  {first} → {last}" in text
            weights = [variable.name for variable in run.graph.variables if variable.trainable]
            taps = {tap.tensor: tap for tap in run.taps() if tap.kind == "gradient"}
            sizes = run.sizes()
            norms = [
                math.sqrt(
                    sum(
                        run.course(taps[name])[step].sum_of_squares
                        * sizes[taps[name]] / run.course(taps[name])[step].count
                        for name in weights
                    )
                )
                for step in (0, 2)
            ]  # fmt: skip
        first, last = map(spelling.number, norms)
        assert f"gradient norm  {first} → {last}" in text

    browse(V2, script)


def test_the_run_pane_shows_the_page_of_trace() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("5")
        text = ui.pane_text()
        for part in (
            "resnet8-v2",
            "Shapes, from the images to the logits",
            "Output of each block",
            "Next",
        ):
            assert part.lower() in text.lower()

    browse(V2, script)


def test_every_action_is_in_the_palette_and_does_the_same() -> None:
    async def script(ui: Driver) -> None:
        commands = {row.title: row for row in ui.app.get_system_commands(ui.app.screen)}
        for binding in _bindings(BrowseScreen, NetworkTree, LineList):
            allowed = ui.screen.check_action(*_action(binding.action))
            if allowed is True and binding.id != "follow":  # in the tree, enter folds
                assert binding.description in commands or _elsewhere(binding), binding.description
        ui.screen.pane.query_one(LineList).focus()
        await ui.settle()
        assert "Follow" in {row.title for row in ui.app.get_system_commands(ui.app.screen)}
        await commands[next(name for name in commands if name == "Why")].callback()
        await ui.settle()
        assert ui.screen.tabs.active == "why"
        commands["Filter: ReLU"].callback()
        await ui.settle()
        assert "only ReLU" in ui.shown()
        await ui.press("ctrl+p")
        assert "Search for commands" in ui.shown()
        await ui.press("escape")

    browse(V2, script)


def _bindings(*holders: type[DOMNode]) -> list[Binding]:
    return [key for holder in holders for key in holder.BINDINGS if isinstance(key, Binding)]


def _elsewhere(binding: Binding) -> bool:
    """Whether another key with another name has the same action, as for pane 2."""
    return binding.id in ("distribution", "why-tab")


def _action(text: str) -> tuple[str, tuple[object, ...]]:
    from textual.actions import parse

    _, name, parameters = parse(text)
    return name, parameters


def test_help_lists_every_key_and_is_scrolled_and_closed_by_keys() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("question_mark")
        assert isinstance(ui.app.screen, HelpScreen)
        lines = ui.app.screen.query_one(LineList)
        text = "\n".join(lines.text_of(at).plain for at in range(lines.count))
        assert text.startswith("Network. Stages, blocks")
        plain = " ".join(text.split())
        for binding in _bindings(BrowseScreen, NetworkTree, LineList):
            assert (binding.tooltip or binding.description) in plain
        for key in ("/", "[", "ctrl+r", "pgdn"):
            assert any(line.startswith(key) or f" {key}" in line for line in text.splitlines())
        assert lines.count > lines.size.height
        await ui.press("G")
        assert lines.scroll_offset.y > 0
        await ui.press("escape", "2", "tab", "f1")
        assert isinstance(ui.app.screen, HelpScreen)
        assert "Distribution. The distribution of a tensor" in ui.shown()
        await ui.press("q")
        assert isinstance(ui.app.screen, BrowseScreen)

    browse(V2, script, size=(80, 24))


def test_the_key_line_lists_the_available_keys() -> None:
    async def script(ui: Driver) -> None:
        def footer() -> str:
            return ui.shown().splitlines()[-1]

        assert ui.app.screen.query_one(KeyLine)
        assert "Search" in footer()
        assert "View" not in footer()
        assert "Next hit" not in footer()
        ui.network.go_to("add00")
        await ui.press("H")
        assert "View" in footer()
        await ui.press("w")
        assert "Axis" in footer()
        assert "View" not in footer()
        await ui.press("slash", *"relu", "enter")
        assert "Next hit" in footer()

    browse(V2, script, size=(160, 40))


def test_zoom_gives_the_whole_window_to_one_side() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("z")
        assert ui.network.size.width > 110
        assert not ui.screen.tabs.display
        await ui.press("z")
        assert ui.screen.tabs.display
        await ui.press("4")
        ui.screen.pane.query_one(LineList).focus()
        await ui.press("z")
        assert not ui.network.display
        await ui.press("escape")
        assert ui.network.display

    browse(V2, script)


def test_all_tabs_fit_a_window_of_80_columns() -> None:
    async def script(ui: Driver) -> None:
        for key in "16":
            await ui.press(key)
            tabs = ui.shown().splitlines()[1].split("▕")[1]
            assert tabs.split() == ["Detail", "Distribution", "Why", "Scalars", "Run", "Findings"]

    browse(V2, script, size=(80, 24))


@pytest.mark.parametrize(
    ("key", "follows"), [("1", True), ("2", False), ("5", False), ("6", False)]
)
def test_enter_is_shown_only_where_lines_have_links(key: str, follows: bool) -> None:
    async def script(ui: Driver) -> None:
        await ui.press(key)
        ui.screen.pane.query_one(LineList).focus()
        await ui.settle()
        assert ("Follow" in ui.shown().splitlines()[-1]) == follows

    browse(V2, script)


def test_enter_folds_only_groups() -> None:
    async def script(ui: Driver) -> None:
        assert "Fold" in ui.shown().splitlines()[-1]
        await ui.press("right", "down")
        assert ui.network.node is not None
        assert ui.network.node.label == "conv1"
        assert "Fold" not in ui.shown().splitlines()[-1]
        await ui.press("up")
        assert "Fold" in ui.shown().splitlines()[-1]
        await ui.press("slash", *"relu_final", "enter")
        assert not {"Fold", "Follow"} & set(ui.shown().splitlines()[-1].split())

    browse(V2, script)


def test_tabs_can_be_clicked() -> None:
    async def script(ui: Driver) -> None:
        for name in ("scalars", "why", "run", "detail", "distribution"):
            await ui.pilot.click(f"#--content-tab-{name}")
            await ui.settle()
            assert ui.screen.tabs.active == name
            assert ui.pane_text()

    browse(V2, script)


def test_the_screen_is_readable_without_colours(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(ui: Driver) -> None:
        await ui.press("down", *["right"] * 4)
        await ui.press("H", "v", "v")
        assert "[heat map]" in ui.shown()
        assert any(sign in ui.pane_text() for sign in "=+*#%@")
        assert "▾ conv_block_stage0" in ui.shown()

    browse(V2, script)


def test_zoom_ends_when_the_other_side_is_opened() -> None:
    async def script(ui: Driver) -> None:
        ui.network.go_to("add00")
        await ui.press("z", "w")
        assert ui.screen.tabs.display
        assert "axis 3" in ui.shown()
        ui.screen.pane.query_one(LineList).focus()
        await ui.press("z")
        assert not ui.network.display
        await ui.press("slash", *"relu", "enter")
        assert ui.network.display

    browse(V2, script)


@pytest.mark.slow
def test_the_pane_follows_every_change_of_the_selection() -> None:
    async def script(ui: Driver) -> None:
        def agree() -> None:
            node = ui.network.node
            shown = ui.pane_text().splitlines()[0]
            assert shown == (node.name if node is not None else "Nothing is selected.")

        for _ in OutlineFilter:
            await ui.press("f")
            agree()
        await ui.press("down", "slash", *"bn00_branch2a", "escape")
        agree()
        await ui.press("slash", *"bn00_branch2a", "enter", "o")
        agree()
        await ui.press("escape")
        agree()
        await ui.press("slash", *"zzzz")
        agree()
        await ui.press("escape")
        agree()

    browse(V2, script)


def test_a_click_on_a_key_acts_like_the_key() -> None:
    async def script(ui: Driver) -> None:
        keys = ui.app.screen.query_one(KeyLine)
        at = keys.line().plain.index("Distribution")
        await ui.pilot.click(KeyLine, offset=(at, 0))
        await ui.settle()
        assert ui.screen.tabs.active == "distribution"
        await ui.pilot.hover(KeyLine, offset=(keys.line().plain.index("Why"), 0))
        assert keys.tooltip == "explain the size of the selected axis"

    browse(V2, script)


def test_an_ellipsis_replaces_keys_that_do_not_fit() -> None:
    async def script(ui: Driver) -> None:
        line = ui.app.screen.query_one(KeyLine).line().plain
        assert line.endswith("…  ? Help  q Quit")
        assert len(line) <= 40
        await ui.pilot.click(KeyLine, offset=(line.index("Help"), 0))
        await ui.settle()
        assert not isinstance(ui.app.screen, BrowseScreen)
        await ui.press("escape")
        await ui.pilot.resize_terminal(200, 24)
        await ui.settle()
        assert "…" not in ui.app.screen.query_one(KeyLine).line().plain

    browse(V2, script, size=(40, 24))


def test_the_run_pane_works_after_the_file_was_removed(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    shutil.copy(V2, path)

    async def script(ui: Driver) -> None:
        path.unlink()
        await ui.press("5")
        assert "Output of each block" in ui.pane_text()

    browse(path, script)
