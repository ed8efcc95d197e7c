"""Cases trained and recorded for real, in a process of their own."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bench.verdicts import recording
from bench.verdicts.cache import Cache
from bench.verdicts.corpus import named
from bench.verdicts.recording import record
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run

pytestmark = pytest.mark.tensorflow


def test_cases_are_recorded_once_and_a_healthy_one_reaches_its_goal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a process of its own, which is how long lists go on."""
    monkeypatch.setattr(recording, "CASES_A_PROCESS", 1)
    cache, told = Cache(tmp_path / "cache"), io.StringIO()
    good, shifted = cases = named(["mlp-half", "mlp/off-by-one"])
    assert record(cases, [1], cache, told=told) == 2
    assert "mlp-half seed 1, score 0.9" in told.getvalue()

    kept = cache.find(good, 1)
    assert kept is not None
    assert kept.qualified(good)
    with Run.open(cache.run(good, 1)) as run:
        assert run.info.status is Status.COMPLETE
        assert len(run.steps()) == 96
        losses = list(run.scalars()["loss"].values())
        assert losses[-1] < losses[0] / 2

    refused = cache.find(shifted, 1)
    assert refused is not None
    assert not refused.trouble
    assert "InvalidArgumentError" in refused.stopped
    with Run.open(cache.run(shifted, 1)) as run:
        assert run.info.status is Status.FAILED

    assert sorted(one.suffix for one in cache.folder.iterdir()) == [".db", ".db", ".json", ".json"]
    assert record(cases, [1], cache, told=told) == 0
    assert "nothing to record" in told.getvalue()
