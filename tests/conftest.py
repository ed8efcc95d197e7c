"""Fixtures shared by all tests, and the flag that rewrites golden files."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest

from resnet_inspect.store.run import Run
from tests import frameworks
from tests.cli.preloaded import Preloaded
from tests.recordings import FOLDER

GOLDEN = Path(__file__).parent / "golden"
# A busy machine exceeds Hypothesis' limit of 200 ms an example.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")
hypothesis.settings.register_profile("fast", max_examples=25)
INSTALLED = find_spec("tensorflow") is not None

# A parent that ignores Ctrl-C, such as a background job, passes that to its child processes.
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    and threading.current_thread() is threading.main_thread()
):
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --update-golden and --no-tensorflow."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden")
    parser.addoption(
        "--no-tensorflow",
        action="store_true",
        help="run only fast tests that need no TensorFlow; importing it fails",
    )


def pytest_configure(config: pytest.Config) -> None:
    """With --no-tensorflow, make TensorFlow raise on import and skip tests that need it."""
    if config.getoption("--no-tensorflow"):
        frameworks.forbid_tensorflow()
        hypothesis.settings.load_profile("fast")
        config.option.markexpr = "not tensorflow and not slow"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip modules that import TensorFlow if it is not installed."""
    left_out = (
        (config.getoption("--no-tensorflow") or not INSTALLED)
        and collection_path.name.startswith("test_")
        and collection_path.suffix == ".py"
        and frameworks.imports_tensorflow(collection_path)
    )
    return True if left_out else None


@pytest.hookimpl(trylast=True)  # folders mark their tests before
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of modules that import TensorFlow; skip them if it is not installed."""
    for item in items:
        if frameworks.imports_tensorflow(item.path):
            item.add_marker(pytest.mark.tensorflow)
        if not INSTALLED and item.get_closest_marker("tensorflow"):
            item.add_marker(pytest.mark.skip(reason="TensorFlow is not installed"))


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove the developer's environment, and use a separate cache folder."""
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
    """Compare a text with the golden file of that name, or rewrite the file."""

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def tensorflow_process() -> Iterator[Preloaded]:
    """A process that has imported TensorFlow, from which programs are forked."""
    started = Preloaded(tensorflow=True)
    yield started
    started.close()
