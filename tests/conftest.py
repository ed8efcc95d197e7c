"""Fixtures shared by all tests, and the flag that rewrites golden files."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resnet_inspect.store.run import Run
from tests.recordings import FOLDER

GOLDEN = Path(__file__).parent / "golden"

# A parent that ignores Ctrl-C, such as a job in the background, hands that down to all programs.
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    and threading.current_thread() is threading.main_thread()
):
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """--update-golden writes the golden files instead of comparing with them."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the developer's own environment out of the tests, and them out of its cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def recording() -> Iterator[Callable[[str], Run]]:
    """Opens a committed recording by name and closes it after the test."""
    opened: list[Run] = []

    def open_recording(name: str) -> Run:
        opened.append(Run.open(FOLDER / f"{name}.db"))
        return opened[-1]

    yield open_recording
    for run in opened:
        run.close()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the golden file of that name, or rewrites the file."""

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")

    return compare
