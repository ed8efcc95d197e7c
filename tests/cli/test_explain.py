"""`explain`: the run that it chooses, its page, its JSON and its errors."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resnet_inspect.analysis.explain.explanation import Explanation
from resnet_inspect.analysis.page.failure import FailureFacts
from resnet_inspect.render.documents import failure_fields, json_document
from resnet_inspect.render.pages.explanation_page import explanation_page, print_page
from resnet_inspect.render.screen import Screen
from resnet_inspect.store.run import Run
from resnet_inspect.stored import failure_of
from tests.cli.conftest import Command
from tests.crashes import EXAMPLES, write_run
from tests.recordings import FOLDER

NAMES = ("wrong_units", "dtype", "unknown")


def facts_in(file: Path) -> FailureFacts:
    """The facts about the failure of a run."""
    with Run.open(file) as run:
        facts = failure_of(run)
    assert facts is not None
    return facts


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_a_run(command: Command, tmp_path: Path, name: str, width: int) -> None:
    file = write_run(tmp_path / "here" / "failed.db", EXAMPLES[name].failure)
    done = command("explain", "failed.db", COLUMNS=str(width))
    assert (done.returncode, done.stderr) == (0, "")
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    print_page(Screen(printed, width=width), explanation_page(facts_in(file)))
    printed.seek(0)
    assert done.stdout == printed.read()
    assert done.stdout.splitlines()[-1]


def test_json_has_the_documented_fields(command: Command, tmp_path: Path) -> None:
    file = write_run(tmp_path / "here" / "failed.db", EXAMPLES["wrong_units"].failure)
    done = command("explain", "failed.db", "--json")
    document: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, document["schema_version"], document["run"]) == (0, 1, "failed.db")
    facts = facts_in(file)
    explanation = msgspec.convert(document["explanation"], Explanation)
    assert explanation == facts.explanation
    fields = [field.name for field in msgspec.structs.fields(Explanation)]
    assert [*document["explanation"]] == fields
    assert document["error"] == {
        "kind": "ValueError",
        "message": facts.failure.message,
        "during": "tracing the training step",
        "op": "",
        "source": [],
    }
    assert document["rejected_call"] is None
    assert document["settings"] == document["dangers"] == []
    assert len(document["changes"]) == len(facts.changes)


def test_a_run_without_a_crash_shows_the_rejected_call(command: Command) -> None:
    done = command("explain", FOLDER / "filters.db", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    golden = (FOLDER.parent / "golden" / "explain" / "old_run.txt").read_text(encoding="utf-8")
    assert "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n" == golden
    document = json.loads(command("explain", FOLDER / "filters.db", "--json").stdout)
    assert document["explanation"] is None
    assert document["rejected_call"]["function"] == "add"
    assert [side["size"] for side in document["rejected_call"]["sides"]] == [16, 32]


def test_a_run_that_did_not_fail(command: Command) -> None:
    done = command("explain", FOLDER / "v2.db")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "resnet-inspect: the run has no failure to explain\n"
        f"  where:    {FOLDER / 'v2.db'}\n"
        "  expected: a run that failed\n"
        "  got:      status complete\n"
        f"  do:       find problems in the run: resnet-inspect check {FOLDER / 'v2.db'}\n"
    )


def test_the_newest_failed_run_is_chosen(command: Command, tmp_path: Path) -> None:
    runs = tmp_path / "here" / "runs"
    runs.mkdir()
    failure = EXAMPLES["dtype"].failure
    write_run(runs / "a.db", failure, "2026-01-01T00:00:00+00:00")
    write_run(runs / "b.db", failure, "2026-01-02T00:00:00+00:00")
    chosen = "reading runs/b.db (newest run that failed)\n"
    assert command("explain").stderr == chosen
    shutil.copy(FOLDER / "v2.db", runs / "v2.db")
    with Run.open(runs / "v2.db") as run:
        assert run.info.created > "2026-01-02"
    done = command("explain", "--json")
    assert done.stderr == "reading runs/b.db (newest run that failed; 1 newer run did not fail)\n"
    assert json.loads(done.stdout)["run"] == "runs/b.db"
    assert command("explain", "runs/a.db").stderr == ""


def test_without_a_failed_run_the_error_says_so(command: Command, tmp_path: Path) -> None:
    done = command("explain")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no run yet" in done.stderr
    runs = tmp_path / "here" / "runs"
    runs.mkdir()
    for name in ("v1", "v2"):
        shutil.copy(FOLDER / f"{name}.db", runs)
    done = command("explain")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "resnet-inspect: no run failed\n"
        "  where:    runs/\n"
        "  expected: a run that failed\n"
        "  got:      2 runs that did not fail\n"
        "  do:       find problems in the newest run: resnet-inspect check\n"
    )


def test_a_damaged_file_has_its_exit_code(command: Command, tmp_path: Path) -> None:
    damaged = tmp_path / "here" / "damaged.db"
    damaged.write_bytes((FOLDER / "v2.db").read_bytes()[:40_000])
    assert command("explain", "damaged.db").returncode == 5
    assert command("explain", "absent.db").returncode == 2


def test_check_shows_the_explanation_without_its_verdict(command: Command, tmp_path: Path) -> None:
    file = write_run(tmp_path / "here" / "failed.db", EXAMPLES["wrong_units"].failure)
    facts = facts_in(file)
    assert facts.explanation is not None
    done = command("check", "failed.db", COLUMNS="400")
    assert done.returncode == 0
    finding, _, explanation = done.stdout.partition("\nWhy it failed\n")
    said = f"the run failed while tracing the training step: {facts.explanation.verdict}"
    assert said in " ".join(finding.split())
    assert "see: resnet-inspect explain failed.db" in finding
    page = command("explain", "failed.db", COLUMNS="400").stdout
    assert explanation.startswith(page.partition("\n\n")[2])


def names_in(value: object) -> Iterator[str]:
    """The names of all fields of a JSON value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from () if name == "values" else names_in(inner)
    elif isinstance(value, list):
        for item in value:
            yield from names_in(item)


def test_the_reference_names_every_field(tmp_path: Path) -> None:
    text = (FOLDER.parents[1] / "docs" / "reference" / "json.md").read_text(encoding="utf-8")
    section = text.partition("## `explain --json`")[2].partition("\n## ")[0]
    documented = set(re.findall(r"`(?:… )?(\w+)(?:\[\])?(?:\.\w+\[\])?`", section))
    for example in EXAMPLES.values():
        explanation = msgspec.json.decode(msgspec.json.encode(example.explanation))
        assert set(names_in(explanation)) <= documented
    facts = facts_in(write_run(tmp_path / "failed.db", EXAMPLES["dtype"].failure))
    assert set(names_in(json.loads(json_document(run="a.db", **failure_fields(facts))))) <= {
        *documented,
        "schema_version",
    }
