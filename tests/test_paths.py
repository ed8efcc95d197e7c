"""Folders that the user's environment names."""

from __future__ import annotations

from pathlib import Path

import pytest

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
