"""Tests that need TensorFlow are recognized by their imports; other tests cannot import it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.frameworks import FAKES, PACKAGE, imports_tensorflow

FORBIDS = """
import os, subprocess, sys
from tests.frameworks import forbid_tensorflow
forbid_tensorflow()
command = [sys.executable, "-c", "import keras"]
for environment in (None, {"PYTHONPATH": os.getcwd()}, os.environ | {"PYTHONPATH": ""}):
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    print(done.returncode, done.stderr.splitlines()[-1])
import tensorflow
"""


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("import tensorflow as tf", True),
        ("import numpy, keras.layers", True),
        ("def test() -> None:\n    from tf_keras import layers", True),
        ("from tests.tracers.tensorflow.loops import usual", True),
        ("SCRIPT = '''\nimport keras\n'''", False),
        ("import tensorflow_fake", False),
        ("from tests.tracers import keras", False),
        ("from . import tensorflow", False),
    ],
)
def test_modules_that_import_tensorflow(tmp_path: Path, line: str, needed: bool) -> None:
    module = tmp_path / "test_it.py"
    module.write_text(f"{line}\n")
    assert imports_tensorflow(module) is needed


def test_no_process_imports_tensorflow_where_it_is_forbidden() -> None:
    words = [sys.executable, "-c", FORBIDS]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE)}
    done = subprocess.run(
        words, cwd=PACKAGE, env=environment, capture_output=True, text=True, check=False
    )
    fake = "ImportError: this TensorFlow is a fake that must not be imported"
    assert done.stdout.splitlines() == [f"1 {fake}"] * 3
    assert done.stderr.splitlines()[-1] == fake
    assert FAKES.is_dir()
