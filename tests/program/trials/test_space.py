"""Protected working folders: layers, copies, and folders that are too large."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_inspect.errors import UsageError
from resnet_inspect.program.trials import space as spaces
from resnet_inspect.program.trials.request import Isolation
from resnet_inspect.program.trials.space import Spaces, enter, located, writable


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with data beside its scripts."""
    scripts = tmp_path / "project" / "scripts"
    for folder in (scripts / ".git", scripts / "venv", scripts / "__pycache__", scripts / "sub"):
        folder.mkdir(parents=True)
    (scripts / "venv" / "pyvenv.cfg").write_text("")
    (scripts / "sub" / "weights.txt").write_text("old")
    (scripts / "sub" / "weights.txt").chmod(0o640)
    (scripts / "link.txt").symlink_to("sub/weights.txt")
    (scripts.parent / "data").mkdir()
    (scripts.parent / "data" / "x.txt").write_text("beside")
    (tmp_path / "above.txt").write_text("above")
    return scripts


def in_child(action: Callable[[], None]) -> int:
    """The exit code of a forked process that calls a function; 1 if it raises."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("isolation", [Isolation.LAYER, Isolation.COPY])
def test_changes_do_not_reach_the_folder(
    project: Path, isolation: Isolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isolation is Isolation.COPY:
        monkeypatch.setattr(spaces, "can_layer", lambda *_: False)
    made = Spaces(project, project)
    if made.isolation is not isolation:
        made.close()
        pytest.skip("this system does not allow overlays")
    before = files_of(project)
    trial = Path(made.base, "1")
    trial.mkdir()
    space = made.new(trial)

    def action() -> None:
        enter(trial, space)
        assert Path("sub/weights.txt").read_text() == "old"
        assert Path("../data/x.txt").read_text() == "beside"
        assert Path("../../above.txt").read_text() == "above"
        Path("link.txt").write_text("new")
        Path("sub/made.txt").write_text("new")
        assert Path("sub/weights.txt").read_text() == "new"
        Path("link.txt").unlink()
        assert Path.cwd() == (project if isolation is Isolation.LAYER else Path(space.run_folder))

    assert in_child(action) == 0
    assert files_of(project) == before
    assert (project / "link.txt").is_symlink()
    assert writable(space, located(space, str(project / "train.py")))
    assert not writable(space, str(project.parent / "other.py"))
    made.remove(trial)
    assert not trial.exists()
    made.close()
    assert not Path(made.base).exists()


def test_a_copy_has_links_to_repositories_and_environments(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "can_layer", lambda *_: False)
    made = Spaces(project, project)
    copy = Path(made.new(Path(made.base, "1")).run_folder)
    assert sorted(entry.name for entry in copy.iterdir()) == [".git", "link.txt", "sub", "venv"]
    assert (copy / ".git").readlink() == project / ".git"
    assert (copy / "venv").readlink() == project / "venv"
    assert (copy / "sub" / "weights.txt").stat().st_mode & 0o777 == 0o640
    assert (copy.name, copy.parent.name) == ("scripts", "project")
    made.close()


def test_a_link_to_a_file_outside_stays_a_link(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "can_layer", lambda *_: False)
    (project / "out.txt").symlink_to("../data/x.txt")
    made = Spaces(project, project)
    copy = Path(made.new(Path(made.base, "1")).run_folder)
    assert (copy / "out.txt").read_text() == "beside"
    made.close()


@pytest.mark.parametrize(("limit", "value"), [("MOST_COPIED", 2), ("MOST_FILES", 3)])
def test_a_large_folder_without_overlays(
    project: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(spaces, "can_layer", lambda *_: False)
    monkeypatch.setattr(spaces, limit, value)
    with pytest.raises(UsageError) as raised:
        Spaces(project, project)
    assert str(raised.value).startswith(
        "the working folder cannot be protected from changes by the script\n"
        f"  where:    {project}\n"
    )
    made = Spaces(project, project, in_place=True)
    assert made.isolation is Isolation.NONE
    assert made.new(Path(made.base, "1")).run_folder == str(project)
    made.close()


def test_the_folder_of_the_script_is_protected_too(project: Path) -> None:
    beside = project.parent / "data"
    made = Spaces(beside, project)
    assert made.new(Path(made.base, "1")).layered == (str(beside), str(project))
    made.close()
    made = Spaces(project.parent, project)
    assert made.new(Path(made.base, "1")).layered == (str(project.parent),)
    made.close()


def test_temporary_files_are_outside_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a layer the results of a trial would be lost."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    made = Spaces(tmp_path, tmp_path)
    assert not Path(made.base).is_relative_to(tmp_path)
    made.close()
