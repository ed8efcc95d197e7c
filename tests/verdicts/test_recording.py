"""Cases are trained and recorded in separate processes."""

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


def test_cases_are_recorded_once_and_a_healthy_case_reaches_its_goal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One case per process also tests how long lists continue in a new process."""
    monkeypatch.setattr(recording, "CASES_A_PROCESS", 1)
    cache, stream = Cache(tmp_path / "cache"), io.StringIO()
    good, shifted = cases = named(["mlp-half", "mlp/off-by-one"])
    assert record(cases, [1], cache, stream=stream) == 2
    assert "mlp-half seed 1, score 0.9" in stream.getvalue()

    result = cache.find(good, 1)
    assert result is not None
    assert result.qualified(good)
    with Run.open(cache.run(good, 1)) as run:
        assert run.info.status is Status.COMPLETE
        assert len(run.steps()) == 96
        losses = list(run.scalars()["loss"].values())
        assert losses[-1] < losses[0] / 2

    rejected = cache.find(shifted, 1)
    assert rejected is not None
    assert not rejected.trouble
    assert "InvalidArgumentError" in rejected.stopped
    with Run.open(cache.run(shifted, 1)) as run:
        assert run.info.status is Status.FAILED

    assert sorted(file.suffix for file in cache.folder.iterdir()) == [
        ".db",
        ".db",
        ".json",
        ".json",
    ]
    assert record(cases, [1], cache, stream=stream) == 0
    assert "nothing to record" in stream.getvalue()
