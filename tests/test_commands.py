"""Commands as values: their text, and that suggested commands read the right run."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_inspect import studies
from resnet_inspect.analysis.studies import STUDIES
from resnet_inspect.cli.main import main
from resnet_inspect.cli.parser import build
from resnet_inspect.cli.run_argument import names_and_run, run_file
from resnet_inspect.commands import Command, called, spelled
from resnet_inspect.errors import UsageError
from resnet_inspect.findings import check
from resnet_inspect.store.run import Run
from tests.analysis.studies.made import STAND_IN
from tests.recordings import FOLDER

Capture = pytest.CaptureFixture[str]
NAMES = ("plain.db", "a run's file.db", "$HOME.db", "-x.db", "~.db", "new\nline.db")
FAILING = ("bn_axis", "diverged", "filters", "mean_axes", "no_l2", "v1", "v2")


def read_by(command: Command) -> Path:
    """Return the run that a command reads when a user types it."""
    words = shlex.split(spelled(command), comments=True)[1:]
    parsed = build(words).parse_args(words)
    if parsed.command == "hist":
        return run_file(names_and_run(parsed.layers, parsed.run, parsed.run_flag)[1])
    if parsed.command == "why":
        names = [parsed.tensor]
        return run_file(names_and_run(names, parsed.run, parsed.run_flag, most=1)[1])
    if parsed.command == "diff":
        return Path(parsed.a)
    return run_file(parsed.run)


@pytest.mark.parametrize("name", FAILING)
def test_commands_of_findings_read_that_run(
    name: str, recording: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    for finding in check(recording(name)):
        if finding.command is not None:
            assert read_by(finding.command) == Path(f"{name}.db")


@pytest.mark.parametrize("name", list(STUDIES))
def test_commands_of_studies_read_a_run(
    name: str, recording: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = {
        variant.name: [studies.read(recording(STAND_IN.get(variant.name, "v2")))]
        for variant in STUDIES[name].variants
    }
    monkeypatch.chdir(FOLDER)
    see = STUDIES[name].answer(runs).see
    assert see
    for command in see:
        assert read_by(command) in [Path(run.file.name) for (run,) in runs.values()]


def test_words_reach_the_program_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("conv1", "a b", "it's", "$HOME", "~/x", "*", "")
    text = spelled(Command("'%s\\n'", words, ("--flag", "a;b"), program="printf"))
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == [*words, "--flag", "a;b"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_found_again(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / name).touch()
    monkeypatch.setenv("HOME", str(home))
    for folder in (home, tmp_path):
        monkeypatch.chdir(folder)
        text = spelled(Command("-1", (home / name,), program="ls"))
        done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True)
        assert Path(done.stdout.removesuffix("\n")).samefile(home / name)


def test_a_remark_is_a_comment() -> None:
    command = Command("browse", remark="pane Scalars").of(Path("a.db"))
    assert spelled(command) == "resnet-inspect browse a.db  # pane Scalars"


def test_the_program_has_the_name_of_its_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "bin" / "resnet-inspect"
    script.parent.mkdir()
    script.touch(0o755)
    monkeypatch.setattr(sys, "executable", str(script.with_name("python")))
    by_script = ["bin/python", str(script), "runs"]
    by_module = ["a python", "-X", "dev", "-m", "resnet_inspect", "runs"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert called(by_script) == "bin/resnet-inspect"
    assert called(by_module) == "'a python' -X dev -m resnet_inspect"
    assert called(["python", "-m", "pytest", "resnet_inspect"]) == "resnet-inspect"
    monkeypatch.setenv("PATH", str(script.parent))
    assert called(by_script) == called(by_module) == "resnet-inspect"


@pytest.mark.parametrize(
    ("words", "names", "run"),
    [
        (["conv1", "b.db"], ["conv1"], "b.db"),
        (["b.db", "conv1"], ["conv1"], "b.db"),
        (["b.db"], [], "b.db"),
        (["conv1", "bn00", "plain"], ["conv1", "bn00"], "plain"),
    ],
)
def test_the_run_is_distinguished_from_names(
    words: list[str], names: list[str], run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").write_bytes((FOLDER / "v2.db").read_bytes()[:100])
    monkeypatch.chdir(tmp_path)
    assert names_and_run(words, None, None) == (names, run)
    assert names_and_run(words, None, "other.db") == (words, "other.db")


def test_one_name_then_one_run() -> None:
    assert names_and_run(["conv1"], "typo", None, most=1) == (["conv1"], "typo")
    for names, run in ((["a.db"], "b.db"), (["a"], "b")):
        with pytest.raises(UsageError, match="too many arguments"):
            names_and_run(names, run, "c.db" if run == "b" else None, most=1)


@pytest.mark.parametrize("words", [["why"], ["why", "any.db"]])
def test_why_without_a_name_fails_before_it_needs_a_run(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert "`why` needs a tensor to explain" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["why", "--full", "Reshape:1", "a.db"],
        ["why", "Reshape:1", "--full", "a.db"],
        ["why", "Reshape:1", "a.db", "--full"],
        ["why", "Reshape:1", "--run", "a.db", "--full"],
    ],
)
def test_flags_work_at_any_position(words: list[str]) -> None:
    parsed = build(words).parse_args(words)
    assert parsed.full
    assert names_and_run([parsed.tensor], parsed.run, parsed.run_flag, most=1) == (
        ["Reshape:1"],
        "a.db",
    )


@pytest.mark.parametrize("name", ["shapes", "why", "hist", "graph", "check", "report", "browse"])
def test_run_is_positional_and_the_old_option_is_accepted(name: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        build([name]).parse_args([name, "--help"])
    text = capsys.readouterr().out
    assert "[RUN]" in text
    assert "--run" not in text
    words = [name, "--run", "a.db", *(["-o", "a.html"] if name == "report" else [])]
    parsed = build(words).parse_args(words)
    assert run_file(parsed.run, parsed.run_flag) == Path("a.db")
    with pytest.raises(UsageError, match="two runs are named"):
        run_file("b.db", parsed.run_flag)


@pytest.mark.parametrize("option", ["-o", "--output", "--out"])
@pytest.mark.parametrize("name", ["trace", "run", "graph"])
def test_every_spelling_of_output_is_accepted(name: str, option: str) -> None:
    words = [name, option, "a.svg", *(["train.py"] if name == "run" else [])]
    assert build(words).parse_args(words).output == Path("a.svg")
