"""Verdicts on recordings, with a fake check that reads runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.verdicts.__main__ import main
from bench.verdicts.cache import Cache, CaseResult, key
from bench.verdicts.corpus import named
from bench.verdicts.judging import Finding, judge
from bench.verdicts.plan import Fault, Healthy
from bench.verdicts.reasons import FRESH
from bench.verdicts.tables import page
from resnet_inspect.graph import Place, PlaceKind
from resnet_inspect.store.run import Run
from tests.recordings import FOLDER

GOOD, AXIS, MEAN, CLIPPED = named(
    ["tutorial-v2", "tutorial-v2/bn-axis", "tutorial-v2/mean-axes", "tutorial-v1"]
)


class FakeFinding:
    """A finding with a rule, a severity and a message."""

    def __init__(self, rule: str, severity: str, message: str = "the message") -> None:
        self.rule = rule
        self.severity = severity
        self.place = Place(PlaceKind.LAYER, "bn|1")
        self.message = message


def fake_check(run: Run) -> Iterator[Finding]:
    """Report a wrong axis, and by mistake every run of version 1."""
    if run.info.settings.values()["bn_axis"] == 1:
        yield FakeFinding("batch-norm-axis", "warning")
        yield FakeFinding("dead-units", "error", "units\nare dead")
    if run.info.settings.values()["ver"] == 1:
        yield FakeFinding("initial-scale", "warning")
    yield FakeFinding("frozen", "info")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Return a cache with the recordings of the tests under the keys of cases."""
    recorded = Cache(tmp_path / "cache")
    for case, recording in ((GOOD, "v2"), (AXIS, "bn_axis"), (MEAN, "mean_axes"), (CLIPPED, "v1")):
        copy = tmp_path / "copy.db"
        shutil.copy(FOLDER / f"{recording}.db", copy)
        recorded.keep(case, copy, CaseResult(case.name, 0, 0.9))
    return recorded


def test_detected_missed_and_false_positives_are_distinguished(cache: Cache) -> None:
    verdicts = judge([GOOD, AXIS, MEAN, CLIPPED], [0], cache, fake_check)
    good, axis, mean, old = verdicts.judged
    assert axis.detected
    assert axis.unrelated == ("dead-units",)
    assert not mean.detected
    assert not good.warnings
    assert good.informed == {"frozen"}
    assert old.warnings == {"initial-scale": "warning: bn|1: the message"}
    assert [verdict.case.name for verdict in verdicts.healthy("tuning")] == [
        "tutorial-v2",
        "tutorial-v1",
    ]
    assert not verdicts.healthy("held")


def test_runs_below_their_goal_or_not_recorded_do_not_count(cache: Cache) -> None:
    assert isinstance(GOOD, Healthy)
    low = CaseResult(GOOD.name, 1, GOOD.goal - 0.01)
    cache.keep(GOOD, None, low)
    cache.keep(AXIS, None, CaseResult(AXIS.name, 1, trouble="KeyError: no such setting"))
    verdicts = judge([GOOD, AXIS], [0, 1, 2], cache, fake_check)
    assert len(verdicts.judged) == 2
    assert [(case.name, result.seed) for case, result in verdicts.unqualified] == [
        ("tutorial-v2", 1),
        ("tutorial-v2/bn-axis", 1),
    ]
    assert verdicts.missing == ((GOOD, 2), (AXIS, 2))
    text = page(verdicts, {})
    assert "2 runs did not qualify, 2 were not recorded." in text
    assert f"- tutorial-v2, seed 1: its score is {GOOD.goal - 0.01}" in text
    assert "- tutorial-v2/bn-axis, seed 1: KeyError: no such setting" in text


def test_one_part_can_be_judged_and_faults_without_rules_are_listed(cache: Cache) -> None:
    (rejected,) = named(["tutorial-v2/filters"])
    for seed in (0, 1):
        cache.keep(rejected, None, CaseResult(rejected.name, seed))
        shutil.copy(FOLDER / "filters.db", cache.run(rejected, seed))
    for part, seed in (("tuning", 0), ("held", 1)):
        verdicts = judge([rejected], [0, 1], cache, fake_check, part)
        assert [verdict.result.seed for verdict in verdicts.judged] == [seed]
        assert not verdicts.faults(part)
        assert "- tutorial-v2/filters: no reason" in page(verdicts, {rejected.name: "no reason"})


def test_faults_count_with_any_score_but_stopped_healthy_trainings_never() -> None:
    assert CaseResult("", 0, None, "InvalidArgumentError").qualified(AXIS)
    assert not CaseResult("", 0, 1.0, "InvalidArgumentError").qualified(GOOD)


def test_fresh_kinds_are_a_separate_part(tmp_path: Path) -> None:
    well, lost = named(["text", "text/low-rate"])
    recorded = Cache(tmp_path / "cache")
    copy = tmp_path / "copy.db"
    for case, recording in ((well, "v1"), (lost, "bn_axis")):
        shutil.copy(FOLDER / f"{recording}.db", copy)
        recorded.keep(case, copy, CaseResult(case.name, 0, 0.95))
    for part in ("tuning", "held"):
        assert not judge([well, lost], [0], recorded, fake_check, part).judged
    verdicts = judge([well, lost], [0], recorded, fake_check, "fresh")
    assert [verdict.half for verdict in verdicts.judged] == ["fresh", "fresh"]
    text = page(verdicts, {})
    assert "| fresh | 1 / 1 | 0 (0 %) | 1 / 1 | 1 | 100.0 |" in text
    assert "| held | 0 / 0 | – | 0 / 0 | 0 | – |" in text
    rules = text.split("## Rules, fresh kinds\n\n")[1].split("## Rules, held-out half")[0]
    assert rules.startswith(FRESH)
    assert "| `learning-rate` | 1 | 0 | 0 | 1 | text/low-rate |" in rules
    assert "| fresh | text/low-rate | 0 | learning rate ÷ 10000 |" in text
    assert "| fresh | text | 0 | `initial-scale` | warning: bn\\|1: the message |" in text


def test_a_check_that_raises_is_a_false_positive(cache: Cache) -> None:
    def broken(run: Run) -> Iterator[Finding]:
        raise ZeroDivisionError(run.info.network)

    verdicts = judge([GOOD, AXIS], [0], cache, broken)
    good, axis = verdicts.judged
    assert good.warned
    assert not axis.detected
    text = page(verdicts, {})
    assert "| tuning | tutorial-v2 | 0 | `check` | ZeroDivisionError: resnet8-v2 |" in text
    assert "ZeroDivisionError: resnet8-v2 |  |" in text


def test_the_page_shows_all_verdicts(cache: Cache) -> None:
    verdicts = judge([GOOD, AXIS, MEAN, CLIPPED], [0], cache, fake_check)
    text = page(verdicts, {MEAN.name: "no rule reads graphs | yet"})
    assert "| tuning | 2 / 2 | 1 (50 %) | 2 / 2 | 1 | 50.0 |" in text
    assert "| held | 0 / 0 | – | 0 / 0 | 0 | – |" in text
    assert "| `batch-norm-axis` | 1 | 1 | 1 | 0 |  |" in text
    assert "| `reduced-axes` | 1 | 0 | 0 | 1 | tutorial-v2/mean-axes |" in text
    assert "no rule reads graphs \\| yet |" in text
    assert "| tuning | tutorial-v1 | 0 | `initial-scale` | warning: bn\\|1: the message |" in text
    assert "| tutorial-v2/bn-axis | 1 | `batch-norm-axis` 1 |  | `dead-units` 1 |" in text
    widths = {line.count("|") - line.count("\\|") for line in _lines_of_table(text, "## Missed")}
    assert len(widths) == 1


def test_the_key_changes_with_plan_and_seed() -> None:
    assert isinstance(AXIS, Fault)
    assert len({key(GOOD, 0), key(GOOD, 1), key(AXIS, 0), key(MEAN, 0)}) == 4
    assert key(GOOD, 0) == key(Healthy("renamed", GOOD.kind, 0.0, "", GOOD.plan), 0)


def test_the_command_lists_cases_and_rejects_unknown_names(
    cache: Cache, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "tutorial-v2", "mlp", "--cache", str(cache.folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["1/3", "tutorial", "tutorial-v2"]
    assert lines[2].split()[:3] == ["0/3", "mlp", "mlp"]
    assert main(["list", "tutorial-v3"]) == 2
    assert "unknown case: tutorial-v3" in capsys.readouterr().err


def _lines_of_table(text: str, head: str) -> list[str]:
    part = text.split(head + "\n\n")[1].split("\n\n", maxsplit=1)[0]
    return part.splitlines()
