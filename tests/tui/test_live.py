"""Runs that are still being written, and files that change while they are open."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from resnet_inspect.render import spelling
from resnet_inspect.store.info import Status, Writer
from resnet_inspect.store.run import Run
from resnet_inspect.tui.panes.distribution_pane import DistributionPane
from resnet_inspect.tui.run.opened_run import REMOVED, REPLACED, OpenedRun
from resnet_inspect.tui.widgets.line_list import LineList
from tests.recordings import FOLDER, outputs
from tests.tui.driving import Driver, browse
from tests.tui.writing import Replay


def test_panes_follow_and_the_header_counts(tmp_path: Path) -> None:
    replay = Replay(tmp_path / "live.db", steps=20)

    async def script(ui: Driver) -> None:
        assert "running · step 0 of 20" in ui.shown()
        ui.network.go_to("add00")
        await ui.press("H")
        assert "No step was recorded" in ui.pane_text()
        replay.step(0)
        replay.step(1)
        await ui.poll()
        pane = ui.screen.query_one(DistributionPane)
        assert "step 2 of 20" in ui.shown()
        assert pane.slider.step == 1
        with Run.open(replay.path) as run:
            summary = outputs(run, "add00")[1]
        assert spelling.number(summary.std) in ui.pane_text()
        replay.step(2)
        await ui.poll()
        assert "step 3 of 20" in ui.shown()
        assert "steps/s" in ui.shown()
        assert pane.slider.step == 2
        await ui.press("left_square_bracket")
        replay.step(3)
        await ui.poll()
        assert pane.slider.step == 1  # an older step stays selected
        await ui.press("4")
        before = ui.pane_text()
        replay.step(4)
        await ui.poll()
        assert ui.pane_text() != before
        replay.writer.finish(Status.COMPLETE)
        await ui.poll()
        assert "complete · 5 of 20 steps" in ui.shown()
        assert "steps/s" not in ui.shown()

    browse(replay.path, script)


def test_the_header_says_that_the_writer_was_killed(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = Writer.current()
    writer = Writer(dead.pid, _started(dead.pid), started.host, started.boot, started.namespace)
    replay = Replay(tmp_path / "live.db", steps=20, writer=writer)
    replay.step(0)

    async def script(ui: Driver) -> None:
        assert "running" in ui.shown()
        dead.communicate(b"\n")
        await ui.poll()
        assert "interrupted · 1 of 20 steps · the process was killed" in ui.shown()

    browse(replay.path, script)


def _started(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def test_a_removed_file_is_reported_and_its_data_stays(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    shutil.copy(FOLDER / "v2.db", path)

    async def script(ui: Driver) -> None:
        path.unlink()
        await ui.poll()
        assert REMOVED in ui.shown()
        await ui.press("down", "right", "H", "3", "4", "5", "1")
        assert "conv_block_stage0" in ui.pane_text()
        await ui.press("ctrl+r")
        assert "the run file does not exist" in ui.shown()
        shutil.copy(FOLDER / "v1.db", path)
        await ui.poll()
        assert REPLACED in ui.shown()
        await ui.press("ctrl+r")
        assert "resnet8-v1 · complete" in ui.shown()
        assert REPLACED not in ui.shown()

    browse(path, script)


def test_a_file_that_becomes_invalid_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    shutil.copy(FOLDER / "v2.db", path)

    async def script(ui: Driver) -> None:
        path.unlink()
        path.write_bytes(b"no run" * 1000)
        await ui.poll()
        await ui.press("ctrl+r")
        assert "not a run file" in ui.shown()
        await ui.press("down")
        assert "conv_block_stage0" in ui.pane_text()

    browse(path, script)


def test_the_rate_is_that_of_the_last_steps(tmp_path: Path) -> None:
    replay = Replay(tmp_path / "live.db", steps=20)
    recording = OpenedRun(replay.path)
    assert recording.state.rate is None
    assert recording.poll() is recording.poll()
    replay.step(0)
    assert recording.poll().rate is not None
    before = recording.state
    assert recording.poll() is before
    recording.close()


def test_the_scroll_position_stays_when_steps_arrive(tmp_path: Path) -> None:
    replay = Replay(tmp_path / "live.db", steps=20)
    for step in range(12):
        replay.step(step)

    async def script(ui: Driver) -> None:
        for tab in ("5", "4"):
            await ui.press(tab, "tab")
            lines = ui.screen.pane.query_one(LineList)
            lines.focus()
            await ui.press("j", "j", "j")
            assert lines.scroll_offset.y == 3
            replay.step(12 + int(tab))
            await ui.poll()
            assert lines.scroll_offset.y == 3

    browse(replay.path, script, size=(80, 24))


def test_the_run_page_uses_unicode_characters() -> None:
    async def script(ui: Driver) -> None:
        assert "×" in ui.pane_text()
        assert "?" not in ui.pane_text().replace("GPU?", "")

    browse(FOLDER / "mean_axes.db", script)


def test_the_header_reports_values_that_are_not_finite() -> None:
    async def script(ui: Driver) -> None:
        assert "not finite from step 1 on" in ui.shown()

    browse(FOLDER / "diverged.db", script)
