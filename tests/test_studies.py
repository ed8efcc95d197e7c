"""The runs of a study, how they are reused, and the continuation of an interrupted study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resnet_inspect import studies
from resnet_inspect.analysis.studies import STUDIES
from resnet_inspect.errors import ConfigError, UsageError
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run

TINY: dict[str, Any] = {"n": 1, "batch_size": 4, "steps": 2, "device": "cpu"}


def test_variants_differ_in_what_they_say_alone(tmp_path: Path) -> None:
    runs = studies.plan(STUDIES["l2"], TINY, 3, tmp_path)
    assert [(run.variant, run.seed) for run in runs] == [
        (name, seed) for name in ("with L2", "without L2") for seed in range(3)
    ]
    assert [run.settings.seed for run in runs] == [0, 1, 2, 0, 1, 2]
    assert {run.settings.values()["weight_decay"] for run in runs} == {2e-4, 0.0}
    assert len({run.file for run in runs}) == 6


def test_runs_are_found_again_by_settings_and_data(tmp_path: Path) -> None:
    def files(name: str, **changed: Any) -> set[Path]:
        return {
            planned.file for planned in studies.plan(STUDIES[name], TINY | changed, 3, tmp_path)
        }

    assert files("l2") == files("l2")
    assert not files("l2") & files("l2", steps=3)
    # Both studies use the tutorial's network with the same settings.
    assert len(files("l2") & files("sparsity")) == 3
    # An evaluated run contains more, so it is not shared with other studies.
    assert not files("l2") & files("update-ops")
    assert len(files("shapes") | files("padding")) == 1


def test_data_with_other_pictures_is_other_data(tmp_path: Path) -> None:
    import numpy as np

    names = []
    for light in (0, 1):
        file = tmp_path / "p.npz"
        images = np.full((8, 32, 32, 3), light, np.uint8)
        np.savez(file, images=images, labels=np.arange(8) % 2)
        studies._fingerprint.cache_clear()
        (run,) = studies.plan(STUDIES["shapes"], TINY | {"data": f"npz:{file}"}, 3, tmp_path)
        names.append(run.file)
    assert names[0] != names[1]


def test_every_study_plans_what_it_can_answer() -> None:
    for study in STUDIES.values():
        runs = studies.plan(study, TINY, 2)
        assert {run.variant for run in runs} == {variant.name for variant in study.variants}
        assert all(run.seconds > 0 for run in runs)


def test_usage_errors() -> None:
    with pytest.raises(UsageError, match="there is no study 'l3'"):
        studies.known("l3")
    with pytest.raises(ConfigError):
        studies.plan(STUDIES["l2"], {"n": 0})
    with pytest.raises(UsageError, match="needs more steps"):
        studies.plan(STUDIES["l2"], {"steps": 1})
    assert studies.plan(STUDIES["shapes"], {"steps": 1})[0].settings.steps == 0


@pytest.mark.tensorflow
def test_an_interrupted_study_goes_on(tmp_path: Path) -> None:
    study = STUDIES["l2"]
    runs = studies.plan(study, TINY, 1, tmp_path)

    def stop(seen: studies.Progress) -> None:
        if (seen.done, seen.step) == (1, 0):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        studies.conduct(study, runs, stop)
    first, second = (planned.file for planned in runs)
    with Run.open(second) as run:
        assert run.info.status == Status.INTERRUPTED
    assert [planned.file for planned in studies.missing(runs)] == [second]
    written = first.stat().st_mtime_ns
    heard: list[studies.Progress] = []
    result = studies.conduct(study, runs, heard.append)
    assert first.stat().st_mtime_ns == written
    assert {(progress.planned.file, progress.of) for progress in heard} == {(second, 1)}
    assert [progress.step for progress in heard] == [-1, 0, 1]
    assert heard[-1].left == 0
    assert studies.missing(runs) == []
    assert result.runs == {"with L2": [str(first)], "without L2": [str(second)]}
    assert first in result.answer.see[0].arguments
    again = studies.conduct(study, runs, lambda _: pytest.fail("nothing should be run"))
    assert again.answer == result.answer


@pytest.mark.tensorflow
def test_a_rejected_network_is_an_answer(tmp_path: Path) -> None:
    study = STUDIES["axes"]
    runs = studies.plan(study, TINY | {"batch_size": 8}, 1, tmp_path)
    result = studies.conduct(study, runs)
    assert studies.missing(runs) == []
    rejected = next(row for row in result.answer.statements if "only at the loss" in row.claim)
    assert rejected.verdict == "shown"


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["stem", "batch-norm"])
def test_one_seed_decides_nothing_about_training(name: str, tmp_path: Path) -> None:
    study = STUDIES[name]
    answer = studies.conduct(study, studies.plan(study, TINY, 1, tmp_path)).answer
    compared = [row for row in answer.statements if "seed by seed" in row.measured]
    assert compared
    assert {row.verdict for row in compared} == {"not decided"}
    facts = [row for row in answer.statements if row not in compared]
    assert "shown" in {row.verdict for row in facts}
    for table in answer.tables:
        assert {len(row) for row in table.rows} == {len(table.columns)}
        assert not [cell for row in table.rows for cell in row if "NaN" in str(cell)]
