"""The texts of --help: options, defaults, examples, exit codes, and the keys of `browse`."""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from resnet_inspect import studies
from resnet_inspect.cli.commands import browse, study
from resnet_inspect.cli.parser import COMMANDS, build, module
from resnet_inspect.errors import EXIT_OK, EXIT_RUN_FILE, EXIT_USAGE
from tests.cli.conftest import Command
from tests.recordings import FOLDER

MOST_WORDS = 10
WIDTH = 80
V2 = str(FOLDER / "v2.db")
CHARACTERS = {
    "slash": "/",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}
# A command line for each command that reads a run, without RUN.
READING: dict[str, list[str]] = {
    "shapes": [],
    "why": ["Reshape:1"],
    "hist": [],
    "graph": ["--json"],
    "check": [],
    "report": ["-o", "page.html"],
}


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The main parser and those of all commands and subcommands, by name."""
    waiting = [("resnet-inspect", build())]
    for name, parser in waiting:
        yield name, parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                waiting += [(f"{name} {word}", child) for word, child in action.choices.items()]


PARSERS = dict(parsers())


def examples(parser: argparse.ArgumentParser) -> list[str]:
    """The command lines under `examples:`, without comments."""
    text = parser.format_help().partition("\nexamples:\n")[2].partition("\n\n")[0]
    return [line.partition(" #")[0].strip() for line in text.splitlines()]


@pytest.mark.parametrize("name", PARSERS)
def test_every_example_parses(name: str) -> None:
    lines = examples(PARSERS[name])
    assert 2 <= len(lines) <= 3
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "resnet-inspect"
        assert build(words).parse_args(words).command in COMMANDS
        assert f"{line} ".startswith(f"{name.removesuffix(' show')} ")


@pytest.mark.parametrize("name", PARSERS)
def test_texts_are_short_and_lower_case(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH + 2))
    lines = PARSERS[name].format_help().partition("\n\n")[2].splitlines()  # without the usage
    assert max(map(len, lines)) <= WIDTH
    texts = {str(action.dest): action.help for action in PARSERS[name]._actions}
    if name == "resnet-inspect":
        texts |= COMMANDS
    texts.pop("command", None)
    texts.pop("action", None)
    for option, text in texts.items():
        if text == argparse.SUPPRESS:
            continue
        assert text, option
        words = text.partition(" (default")[0].split()
        assert len(words) <= MOST_WORDS, (option, text)
        assert not words[0][0].isupper() or words[0] == "Python", (option, text)
        assert not text.endswith(".")


def test_defaults_are_shown() -> None:
    texts = {name: " ".join(parser.format_help().split()) for name, parser in PARSERS.items()}
    for name, text in (
        ("trace", "set blocks per stage; the depth is 6n+2 (default: 5)"),
        ("run", "record tensors at every Nth step and the last (default: 10)"),
        ("graph", "draw at most N boxes (default: 400)"),
        ("shapes", "(default: layer)"),
        ("shapes", "run file to read (default: newest run in runs/ that did not fail)"),
    ):
        assert text in texts[f"resnet-inspect {name}"]
    for text in texts.values():
        assert "(default: None)" not in text
        assert "(default: False)" not in text


def test_defaults_of_a_study_are_its_own() -> None:
    assert {name: studies.USUAL[name] for name in study.USUAL} == study.USUAL
    text = " ".join(PARSERS["resnet-inspect study"].format_help().split())
    assert f"train each variant with N seeds (default: {studies.SEEDS})" in text
    assert "set the examples per step (default: 32)" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_exit_codes_are_listed_in_order(name: str) -> None:
    text = PARSERS[f"resnet-inspect {name}"].format_help().partition("\nexit codes:\n")[2]
    codes = [int(line.split()[0]) for line in text.splitlines()]
    assert codes == sorted(module(name).EXITS)
    assert codes[0] == EXIT_OK


@pytest.mark.parametrize("name", READING)
def test_listed_exit_codes_happen(command: Command, tmp_path: Path, name: str) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(Path(V2).read_bytes()[:40_000])
    for file, code in ((V2, EXIT_OK), ("absent.db", EXIT_USAGE), (damaged, EXIT_RUN_FILE)):
        done = command(name, *READING[name], "--run", file)
        assert done.returncode == code, done.stderr
        assert code in module(name).EXITS


def test_a_damaged_file_is_no_error_where_code_5_is_not_listed(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "damaged.db").write_bytes(Path(V2).read_bytes()[:40_000])
    assert command("runs", tmp_path).returncode == EXIT_OK
    assert EXIT_RUN_FILE not in module("runs").EXITS


def runs_of(folder: Path, *names: str) -> Path:
    """A folder runs/ with copies of recordings; each is one day newer than the one before."""
    runs = folder / "here" / "runs"
    runs.mkdir()
    for day, name in enumerate(names, 1):
        with sqlite3.connect(shutil.copy(FOLDER / f"{name}.db", runs)) as database:
            database.execute(
                "UPDATE run SET value = json_set(value, '$.created', ?) WHERE key = 'info'",
                (f"2026-01-{day:02}T00:00:00+00:00",),
            )
        database.close()
    return runs


@pytest.mark.parametrize("name", READING)
def test_commands_report_the_run_that_they_chose(
    command: Command, tmp_path: Path, name: str
) -> None:
    runs_of(tmp_path, "v1", "v2", "mean_axes", "filters")
    done = command(name, *READING[name])
    assert done.returncode == EXIT_OK, done.stderr
    assert done.stderr.splitlines()[:2] == [
        "reading runs/v2.db (newest run that did not fail; 2 newer runs failed)",
        "warning: newest run runs/filters.db failed while building the network; "
        "to read it: resnet-inspect explain runs/filters.db",
    ]
    named = command(name, *READING[name], "--run", "runs/v1.db")
    assert "reading" not in named.stderr


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("mean_axes", "v1"), "reading runs/v1.db (newest run)"),
        (
            ("v1", "mean_axes"),
            "reading runs/v1.db (newest run that did not fail; 1 newer run failed)",
        ),
        (("mean_axes", "filters"), "reading runs/filters.db (newest run; all runs failed)"),
    ],
)
def test_failed_runs_are_skipped_unless_all_failed(
    command: Command, tmp_path: Path, names: tuple[str, ...], text: str
) -> None:
    runs_of(tmp_path, *names)
    assert command("check").stderr.splitlines()[0] == text


def test_browse_lists_its_keys() -> None:
    from resnet_inspect.tui.app import BrowseApp
    from resnet_inspect.tui.preferences import actions

    listed = [key for names in browse.KEYS for key in names.split()]
    assert len(set(listed)) == len(listed)
    bindings = [key for binding in actions(BrowseApp).values() for key in binding.key.split(",")]
    assert set(listed) == {*(CHARACTERS.get(key, key) for key in bindings), "ctrl+p"}
    text = PARSERS["resnet-inspect browse"].format_help()
    assert all(f"  {names} " in text for names in browse.KEYS)


def test_help_has_no_color_codes_and_fits_a_pipe(command: Command) -> None:
    for name in COMMANDS:
        done = command(name, "--help")
        assert (done.returncode, done.stderr) == (EXIT_OK, "")
        assert not re.search(r"\x1b|\t", done.stdout)
