"""Paths: shortened, quoted for a shell, and folders from XDG variables."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from resnet_inspect import paths
from resnet_inspect.paths import user_folder


@pytest.mark.parametrize("named", ["relative", "", "./here"])
def test_a_relative_folder_is_ignored(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    assert user_folder("XDG_CACHE_HOME", ".cache") == f"{tmp_path}/.cache"


def test_an_absolute_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert user_folder("XDG_CACHE_HOME", ".cache") == str(tmp_path / "other")


def test_a_path_as_it_is_typed_leads_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir("/")
    for name in ("plain.db", "a run's file.db", "$HOME.db", "~.db"):
        file = tmp_path / name
        file.touch()
        shortened = paths.typed(str(file))
        assert shortened.startswith("~/")
        listing = subprocess.run(
            ["sh", "-c", f"ls {shortened}"], capture_output=True, text=True, check=True
        )
        assert listing.stdout.rstrip("\n") == str(file)
    monkeypatch.chdir(tmp_path)
    assert paths.typed(str(tmp_path / "a b.db")) == "'a b.db'"
