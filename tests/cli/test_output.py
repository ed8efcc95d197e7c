"""Files are written whole or not at all."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_inspect.cli.output import write_whole
from resnet_inspect.errors import OutputError
from tests.recordings import FOLDER


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    write_whole(file, "one", "the page")
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~_umask()
    file.chmod(0o640)
    write_whole(file, "zwei ×", "the page")
    assert file.read_text(encoding="utf-8") == "zwei ×"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [file]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "page.html"
    link.symlink_to(tmp_path / "there" / "page.html")
    write_whole(link, "text", "the page")
    assert link.is_symlink()
    assert (tmp_path / "there" / "page.html").read_text(encoding="utf-8") == "text"


def test_a_device_is_written_to() -> None:
    write_whole(Path("/dev/null"), "text", "the page")
    assert not Path("/dev/null").is_file()


def test_a_folder_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="the page cannot be written"):
        write_whole(tmp_path, "text", "the page")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("linked", [False, True])
def test_a_run_is_never_written_over(tmp_path: Path, linked: bool) -> None:
    run = tmp_path / "run.html"
    shutil.copy(FOLDER / "v2.db", run)
    file = tmp_path / "page.html" if linked else run
    if linked:
        file.symlink_to(run)
    before = run.read_bytes()
    with pytest.raises(OutputError, match="the page cannot be written over a run") as raised:
        write_whole(file, "text", "the page")
    assert raised.value.exit_code == 2
    assert "run.html" in raised.value.where + raised.value.got
    assert run.read_bytes() == before
    assert file.is_symlink() == linked


@pytest.mark.parametrize("words", [["report", "-o"], ["hist", "dense1", "-o"]])
def test_commands_do_not_write_over_the_run_they_read(tmp_path: Path, words: list[str]) -> None:
    run, link = tmp_path / "run.db", tmp_path / "picture.svg"
    shutil.copy(FOLDER / "v2.db", run)
    link.symlink_to(run)
    environment = os.environ | {"PYTHONPATH": str(FOLDER.parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", "resnet_inspect", *words, str(link)]
        + (["--run"] if words[0] == "hist" else [])
        + [str(run)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "cannot be written over a run" in done.stderr
    assert run.read_bytes() == (FOLDER / "v2.db").read_bytes()


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    write_whole(pipe, "text", "the page")
    assert reader.communicate(timeout=20)[0] == b"text"


def test_a_report_that_cannot_be_written_whole_leaves_the_older_file(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("the older one", encoding="utf-8")
    words = ["-m", "resnet_inspect", "report", str(FOLDER / "v2.db"), "-o", str(file)]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=FOLDER.parents[1],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    assert done.returncode == 2
    assert "the report cannot be written" in done.stderr
    assert "File too large" in done.stderr
    assert file.read_text(encoding="utf-8") == "the older one"
    assert list(tmp_path.iterdir()) == [file]
