"""Written files, copied text, configured keys and theme, and errors without a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from resnet_inspect import api
from resnet_inspect.config.browser import BrowserSettings, browser_settings
from resnet_inspect.errors import ConfigError
from resnet_inspect.store.run import Run
from resnet_inspect.tui.app import BrowseApp
from tests.recordings import FOLDER
from tests.tui.driving import Driver, browse

V1, V2 = ((FOLDER / f"{name}.db").resolve() for name in ("v1", "v2"))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def written_files(ui: Driver, key: str, count: int) -> list[Path]:
    """Press a key and wait until the folder contains `count` files."""
    await ui.press(key)
    for _ in range(200):
        await ui.app.workers.wait_for_complete()
        await ui.settle()
        files = [file for file in Path().iterdir() if file.stat().st_size]
        if len(files) >= count:
            break
    return sorted(files)


def test_s_draws_the_selection_and_copies_the_path() -> None:
    async def script(ui: Driver) -> None:
        ui.network.go_to("res20_branch2a")
        await ui.settle()
        (file,) = await written_files(ui, "s", 1)
        assert file.name == "v2-res20_branch2a.svg"
        assert ui.app.clipboard == str(file.resolve())
        assert "wrote v2-res20_branch2a.svg" in ui.shown()
        texts = "".join(ElementTree.parse(file).getroot().itertext())
        assert "relu20_branch2a" in texts
        again = await written_files(ui, "s", 2)
        assert [file.name for file in again] == ["v2-res20_branch2a-2.svg", "v2-res20_branch2a.svg"]

    browse(V2, script)


def test_each_pane_has_its_picture() -> None:
    async def script(ui: Driver) -> None:
        ui.network.go_to("relu20_branch2a")
        await ui.press("H")
        (ridges,) = await written_files(ui, "s", 1)
        assert "relu20_branch2a" in ridges.read_text(encoding="utf-8")
        await ui.press("v", "v")
        await written_files(ui, "s", 2)
        await ui.press("w")
        await written_files(ui, "s", 3)
        await ui.press("4")
        await written_files(ui, "s", 4)
        await ui.press("5")
        files = await written_files(ui, "s", 5)
        for file in files:
            ElementTree.parse(file)
        assert {file.name for file in files} == {
            "v2-relu20_branch2a-ridges.svg",
            "v2-relu20_branch2a-heat-map.svg",
            "v2-conv_block_stage2-relu20_branch2a-0-axis3.svg",
            "v2-scalars.svg",
            "v2-network.svg",
        }
        assert "cross_entropy" in Path("v2-scalars.svg").read_text(encoding="utf-8")

    browse(V2, script)


def test_r_writes_the_report() -> None:
    async def script(ui: Driver) -> None:
        (file,) = await written_files(ui, "r", 1)
        assert file.name == "v2.html"
        assert file.read_text(encoding="utf-8").lower().startswith("<!doctype html>")

    browse(V2, script)


def test_r_writes_the_report_of_both() -> None:
    async def script(ui: Driver) -> None:
        (file,) = await written_files(ui, "r", 1)
        assert file.name == "v2-v1.html"
        with Run.open(V2) as a, Run.open(V1) as b:
            assert file.read_text(encoding="utf-8") == api.report(a, b)

    browse(V2, script, other=V1)


def test_a_message_names_a_folder_that_is_not_writable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(ui: Driver) -> None:
        monkeypatch.chdir("/proc")
        await ui.press("4", "s")
        await ui.app.workers.wait_for_complete()
        await ui.settle()
        assert "cannot be written" in ui.shown()

    browse(V2, script)


def test_c_copies_the_shown_text() -> None:
    async def script(ui: Driver) -> None:
        ui.network.go_to("add00")
        await ui.settle()
        await ui.press("c")
        assert ui.app.clipboard == "add00"
        await ui.press("w", "c")
        assert ui.app.clipboard == ui.pane_text()
        await ui.press("4", "c")
        assert ui.app.clipboard.splitlines()[0].split("\t")[:3] == ["step", "loss", "cross_entropy"]
        assert len(ui.app.clipboard.splitlines()) == 4

    browse(V2, script)


def test_configured_keys_and_theme() -> None:
    settings = BrowserSettings(theme="textual-light", keys={"why": "f2", "down": "e,down"})

    async def script(ui: Driver) -> None:
        assert ui.app.theme == "textual-light"
        await ui.press("e")
        assert ui.network.cursor == 1
        await ui.press("j")
        assert ui.network.cursor == 1
        await ui.press("w")
        assert ui.screen.tabs.active == "detail"
        await ui.press("f2")
        assert ui.screen.tabs.active == "why"

    browse(V2, script, settings=settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("theme = 3", "theme"),
        ("[keys", "cannot be read"),
        ("colour = 'red'", "colour"),
        ("theme = 'monokia'", "did you mean monokai?"),
        ("[keys]\nwhi = 'f2'", "did you mean why?"),
        ("[keys]\nwhy = 'f99'", "unknown key"),
        ("[keys]\nwhy = 'q'", "the key q is assigned to two actions"),
    ],
)
def test_an_invalid_configuration_is_rejected(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "resnet-inspect"
    folder.mkdir()
    (folder / "browse.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(ConfigError) as error:
        BrowseApp(V2, browser_settings())
    assert message in str(error.value)


def test_without_a_file_the_defaults_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert browser_settings() == BrowserSettings()
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert browser_settings() == BrowserSettings()


COMMAND = [sys.executable, "-m", "resnet_inspect", "browse", str(V2)]
ROOT = Path(__file__).parents[2]


def test_without_a_terminal_it_fails_at_once_and_names_other_commands() -> None:
    done = subprocess.run(
        COMMAND, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "`browse` needs a terminal" in done.stderr
    assert f"shapes {V2.relative_to(ROOT)}; or write a page: " in done.stderr
    assert f"report {V2.relative_to(ROOT)} -o FILE.html" in done.stderr
    assert "stdin" in done.stderr


def test_with_a_terminal_on_stdin_only_it_fails_too() -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(COMMAND, cwd=ROOT, stdin=theirs, capture_output=True, check=False)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 2
    assert b"stdout" in done.stderr
