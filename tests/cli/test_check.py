"""`check` on committed recordings: text, JSON, exit codes, rules left out and explained."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import resnet_inspect
from resnet_inspect.analysis.check import rules
from resnet_inspect.analysis.check.judge import FORMER_NAMES
from tests.cli.conftest import Command
from tests.recordings import FOLDER, RECORDINGS, TRAINED

Golden = Callable[[str, str], None]
HEALTHY = ("v1", "v2", "no_l2", "own", "own_model", *TRAINED)


@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_text(command: Command, golden: Golden, tmp_path: Path, name: str) -> None:
    shutil.copy(FOLDER / f"{name}.db", tmp_path / "here")
    done = command("check", f"{name}.db", COLUMNS="100")
    assert (done.returncode, done.stderr) == (0, "")
    golden(f"check/{name}.txt", done.stdout)


def test_json(command: Command, golden: Golden, tmp_path: Path) -> None:
    shutil.copy(FOLDER / "mean_axes.db", tmp_path / "here")
    done = command("check", "mean_axes.db", "--json")
    document = json.loads(done.stdout)
    assert document.pop("run") == "mean_axes.db"
    golden("check/mean_axes.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_said_of_what_is_right(name: str) -> None:
    with resnet_inspect.open_run(FOLDER / f"{name}.db") as run:
        assert resnet_inspect.check(run) == ()


def test_findings_decide_the_exit_code_if_they_are_to(command: Command) -> None:
    wrong, right = FOLDER / "bn_axis.db", FOLDER / "v2.db"
    assert command("check", wrong).returncode == 0
    assert command("check", wrong, "--fail-on", "error").returncode == 1
    assert command("check", wrong, "--fail-on", "info").returncode == 1
    assert command("check", right, "--fail-on", "info").returncode == 0
    ignoring = ("check", wrong, "--fail-on", "error", "--ignore", "batch-norm-axis")
    assert command(*ignoring).returncode == 0


def test_a_rule_that_there_is_not(command: Command) -> None:
    for words, flag in ((("--ignore", "dead-unit"), "--ignore"), (("--explain", "x"), "--explain")):
        done = command("check", FOLDER / "v2.db", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"unknown rule '{words[1]}'" in done.stderr
        assert f"flag {flag}" in done.stderr


@pytest.mark.parametrize(("former", "name"), FORMER_NAMES.items())
def test_former_names_of_rules_are_accepted(command: Command, former: str, name: str) -> None:
    explained = command("check", "--explain", former).stdout
    assert explained == command("check", "--explain", name).stdout
    assert explained.startswith(f"{name}\n")
    rows = json.loads(command("check", FOLDER / "filters.db", "--json").stdout)["findings"]
    assert [finding["rule"] for finding in rows] == ["run-failed"]
    left = command("check", FOLDER / "filters.db", "--ignore", former, "--json").stdout
    assert json.loads(left)["findings"] == []


def test_every_rule_explains_itself(command: Command) -> None:
    text = command("check", "--explain", "all", COLUMNS="80").stdout
    assert max(map(len, text.splitlines())) <= 80
    for name, module in rules().items():
        assert f"\n{name}\n" in f"\n{text}"
        words = " ".join((module.__doc__ or "").split())
        assert "Threshold:" in words, name
        single = " ".join(command("check", "--explain", name).stdout.split())
        assert single == f"{name} {words}"
    for part in ("Background", "Threshold", "Not reported"):
        begun = [line for line in text.splitlines() if line.startswith(f"   {part}: ")]
        assert len(begun) == text.count(f"{part}: ") > 0


def test_rules_are_explained_to_programs(command: Command) -> None:
    done = command("check", "--explain", "batch-axis", "--json")
    (rule,) = json.loads(done.stdout)["rules"]
    assert rule["rule"] == "batch-axis"
    assert rule["text"].split() == (rules()["batch-axis"].__doc__ or "").split()
    every = json.loads(command("check", "--explain", "all", "--json").stdout)["rules"]
    assert [row["rule"] for row in every] == list(rules())


def test_a_run_without_steps_says_what_was_not_checked(command: Command) -> None:
    said = "no step was recorded: rules on recorded values were skipped"
    assert command("check", FOLDER / "mean_axes.db").stdout.splitlines()[-1] == said
    assert said not in command("check", FOLDER / "v2.db").stdout


@pytest.mark.parametrize("name", ["mean_axes", "bn_axis", "diverged"])
def test_the_commands_that_show_more_work_unchanged(
    command: Command, tmp_path: Path, name: str
) -> None:
    odd = tmp_path / "here" / "a run's file.db"
    shutil.copy(FOLDER / f"{name}.db", odd)
    shutil.copy(FOLDER / "v2.db", tmp_path / "here" / "newer.db")
    for finding in json.loads(command("check", odd.name, "--json").stdout)["findings"]:
        words = shlex.split(finding["command"], comments=True)
        assert odd.name in words
        done = command(*words[1:])
        if words[1] == "browse":  # these tests have no terminal
            assert "needs a terminal" in done.stderr
        else:
            assert (done.returncode, done.stderr) == (0, ""), words
