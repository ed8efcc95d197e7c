"""Runs that are empty, failed or interrupted, or contain hostile names."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_inspect.graph import Graph
from resnet_inspect.paths import printable
from resnet_inspect.store.info import Status
from tests.recordings import FOLDER, TRAINED
from tests.tui.driving import Driver, browse
from tests.tui.writing import HOSTILE, Replay, hostile_graph, write_graph

EVERYTHING = (
    "down", "right", "down", "enter", "H", "v", "v", "v", "v", "t", "y", "b", "w", "x", "4", "5",
    "1", "tab", "down", "down", "enter", "backspace", "escape", "o", "f", "f", "f", "f", "f", "f",
    "slash", "a", "enter", "n", "N", "escape", "z", "z", "question_mark", "question_mark", "c",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("graph", [None, Graph(ops=())])
def test_a_run_without_a_graph(tmp_path: Path, graph: Graph | None) -> None:
    path = write_graph(tmp_path / "empty.db", graph, Status.INTERRUPTED)

    async def script(ui: Driver) -> None:
        assert ui.screen.tabs.active == "run"
        assert "interrupted" in ui.shown()
        assert ui.labels() == []
        await ui.press(*EVERYTHING)
        await ui.press("1")
        assert "Nothing is selected." in ui.pane_text()

    browse(path, script)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_crash_is_explained_first(size: tuple[int, int]) -> None:
    async def script(ui: Driver) -> None:
        assert ui.screen.tabs.active == "run"
        shown = ui.shown()
        assert "loss mse compares the output" in shown
        assert max(map(len, shown.splitlines())) <= size[0]
        page = ui.pane_text()
        assert page.startswith("units: regressor: failed while")
        assert page.index("\ncall  ") < page.index("\nfix  ") < page.index("\nnetwork  ")
        assert "+ layers.Dense(3" in page
        await ui.press("6")
        assert "run-failed" in ui.pane_text()
        assert "see: resnet-inspect explain" in " ".join(ui.pane_text().split())

    browse(FOLDER / "units.db", script, size=size)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mean_axes", "filters"])
def test_a_failed_run_opens_on_the_run_pane(name: str) -> None:
    async def script(ui: Driver) -> None:
        assert ui.screen.tabs.active == "run"
        assert "failed" in ui.shown()
        assert "Failed while building the network" in ui.pane_text()
        await ui.press(*EVERYTHING)

    browse(FOLDER / f"{name}.db", script)


@pytest.mark.slow
def test_an_interrupted_run_shows_its_last_step(tmp_path: Path) -> None:
    replay = Replay(tmp_path / "stopped.db", steps=20)
    replay.step(0)
    replay.writer.finish(Status.INTERRUPTED, reason="stopped by the user")

    async def script(ui: Driver) -> None:
        assert "interrupted · 1 of 20 steps · stopped by the user" in ui.shown()
        await ui.press(*EVERYTHING)

    browse(replay.path, script)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["v1", "v2", "own", "own_model", "diverged", *TRAINED])
def test_every_key_works_in_every_recording(name: str) -> None:
    async def script(ui: Driver) -> None:
        await ui.press(*EVERYTHING)
        assert ui.labels()

    browse(FOLDER / f"{name}.db", script)


@pytest.mark.slow
def test_names_are_text(tmp_path: Path) -> None:
    path = write_graph(tmp_path / "hostile.db", hostile_graph())

    async def script(ui: Driver) -> None:
        assert len(ui.labels()) == len(HOSTILE)
        for at, name in enumerate(HOSTILE):
            ui.network.cursor = at
            await ui.settle()
            text = ui.pane_text().replace("\n", "")
            shown = printable(f"{name}/{name}")
            assert shown.replace(" ", "") in text.replace(" ", ""), name
            assert "\x1b" not in ui.shown()
            assert "\u202e" not in ui.shown()
            await ui.press("w", "H", "c", "1")
        assert "[bold red]not bold[/]" in ui.shown()
        for name in HOSTILE:
            await ui.press("slash", *name[:5].replace("\n", "").replace("\x1b", ""), "escape")
        assert len(ui.labels()) == len(HOSTILE)
        assert "[/]" in ui.rows()[1]

    browse(path, script, size=(200, 40))


@pytest.mark.slow
def test_long_and_wide_names_do_not_break_lines(tmp_path: Path) -> None:
    path = write_graph(tmp_path / "hostile.db", hostile_graph())

    async def script(ui: Driver) -> None:
        from rich.cells import cell_len

        for width in (80, 100, 140, 250):
            await ui.pilot.resize_terminal(width, 30)
            await ui.settle()
            for at in range(ui.network.count):
                assert ui.network.text_of(at).cell_len <= ui.network.size.width
                ui.network.cursor = at
                await ui.settle()
                lines = ui.screen.pane.query_one("LineList")
                for line in ui.pane_text().splitlines():
                    assert cell_len(line) <= lines.size.width

    browse(path, script)


@pytest.mark.slow
def test_resized_while_in_use() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("down", *["right"] * 4)
        for size in ((80, 24), (250, 70), (40, 10), (20, 5), (120, 40)):
            await ui.pilot.resize_terminal(*size)
            for tab in "12345":
                await ui.press(tab)
            assert ui.network.node is not None
            assert ui.network.node.name == "bn00_branch2a"
        assert "bn00_branch2a" in ui.shown()

    browse(FOLDER / "v2.db", script)
