"""Finds tests that need TensorFlow; other tests get a fake that raises on import."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent
FAKES = TESTS / "fakes"
NAMES = ("tensorflow", "keras", "tf_keras", "tests.tracers.tensorflow")


@cache
def imports_tensorflow(module: Path) -> bool:
    """Whether a test module imports TensorFlow or Keras, on any of its lines."""
    source = module.read_text(encoding="utf-8")
    if not any(name in source for name in NAMES):
        return False
    imported: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.append(node.module)
    return any(f"{name}.".startswith(f"{framework}.") for name in imported for framework in NAMES)


def with_fakes(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that imports the fakes first."""
    places = [str(FAKES), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    return {**environment, "PYTHONPATH": os.pathsep.join(places)}


def forbid_tensorflow() -> None:
    """Make the fakes the only TensorFlow for this process and its child processes."""
    sys.path.insert(0, str(FAKES))
    start = subprocess.Popen.__init__

    def start_with_fakes(self: Any, *given: Any, **options: Any) -> None:
        environment = options.get("env")
        options["env"] = with_fakes(os.environ if environment is None else environment)
        start(self, *given, **options)

    subprocess.Popen.__init__ = start_with_fakes  # type: ignore[method-assign]
