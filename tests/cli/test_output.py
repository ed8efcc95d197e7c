"""Files are written whole or not at all."""

from __future__ import annotations

import os
import resource
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


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="the page cannot be written"):
        write_whole(tmp_path, "text", "the page")
    assert list(tmp_path.iterdir()) == []


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
