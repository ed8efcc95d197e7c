"""Answers from committed recordings, checked against numbers read from the files' tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from resnet_inspect import studies
from resnet_inspect.analysis.studies import STUDIES
from resnet_inspect.store.run import Run
from tests.analysis.studies.by_sql import File, check, last_norm
from tests.analysis.studies.made import STAND_IN
from tests.recordings import FOLDER


def statements(study: str, recording: Callable[[str], Run]) -> tuple[list[Any], dict[str, Any]]:
    """The statements of an answer as in JSON, with one seed per variant, and the files."""
    names = {v.name: STAND_IN.get(v.name, "v2") for v in STUDIES[study].variants}
    runs = {variant: [studies.read(recording(name))] for variant, name in names.items()}
    answer = msgspec.to_builtins(STUDIES[study].answer(runs).statements)
    return answer, {variant: [str(FOLDER / f"{name}.db")] for variant, name in names.items()}


@pytest.mark.slow
@pytest.mark.parametrize("study", ["batch-norm", "stem", "sparsity", "l2", "optimizers", "axes"])
def test_comparisons(study: str, recording: Callable[[str], Run]) -> None:
    assert check(study, *statements(study, recording))


def test_single_numbers(recording: Callable[[str], Run]) -> None:
    answer, files = statements("l2", recording)
    run = File(files["with L2"][0])
    assert answer[0]["numbers"]["computed"] == pytest.approx(1e-4 * last_norm(run) ** 2)
    assert answer[0]["numbers"]["recorded"] == pytest.approx(run.scalar("l2_loss")[run.steps[-1]])
    without = File(files["without L2"][0])
    growth = last_norm(without) / without.norms()[0][0]
    assert answer[1]["numbers"]["factor"] == pytest.approx(growth)

    answer, files = statements("sparsity", recording)
    for at, ver in ((0, 1), (3, 2)):
        run = File(files[f"version {ver}"][0])
        names = run.layers("relu")
        shares = [run.output(n, "zeros")[-1] / run.output(n, "count")[-1] for n in names]
        assert answer[at]["numbers"] == pytest.approx({"least": min(shares), "most": max(shares)})
        dead = np.sum([run.dead(name) for name in names], axis=0)
        assert answer[at + 2]["numbers"] == {"dead": dead[0], "channels": dead[1]}

    answer, files = statements("batch-norm", recording)
    run = File(files["with BN, rate 0.01"][0])
    far = [
        (abs(run.output(name, "mean")[0]), abs(run.output(name, "std")[0] - 1))
        for name in run.normalized()
    ]
    assert answer[0]["numbers"]["largest"] == pytest.approx(np.max(far))
