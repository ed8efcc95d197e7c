"""Graph rewrites of TensorFlow must be the same with and without taps.

oneDNN fuses a convolution or product with its bias and activation. TensorFlow splits sums of
gradients in steps that need much memory. oneDNN must be switched on before TensorFlow is imported,
so the trainings run in separate processes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_inspect.store.run import Run

PLACE = Path(__file__).parents[4]
KINDS = (
    "partly_frozen",
    "sum_near_limit",
    "product_and_tanh",
    "generator",
    "swish_and_dropout",
    "gelu_of_any_batch",
)


def trained(*folder: str) -> dict[str, str]:
    """Digests of weights by kind."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.tracers.tensorflow.fit.fused_kernels", *folder],
        cwd=PLACE,
        env=dict(os.environ) | {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, str], Path]:
    """Digests without recording, digests with recording, and the folder of the runs."""
    folder = tmp_path_factory.mktemp("fused")
    return trained(), trained(str(folder)), folder


@pytest.mark.parametrize("kind", KINDS)
def test_training_is_the_same_to_the_bit(
    kind: str, both: tuple[dict[str, str], dict[str, str], Path]
) -> None:
    plain, recorded, folder = both
    assert recorded[kind] == plain[kind]
    with Run.open(folder / f"{kind}.db") as run:
        notes = {note.subject: note.text for note in run.graph.notes}
        assert not {"taps", "sums"} & set(notes)
        assert run.summaries(0)


def test_a_step_beyond_the_limit_has_a_note(
    both: tuple[dict[str, str], dict[str, str], Path],
) -> None:
    with Run.open(both[2] / "sum_beyond_limit.db") as run:
        assert "sums its gradients in any order" in str(run.graph.notes)
