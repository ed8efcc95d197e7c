"""Calls a function in child processes of multiprocessing (spawn and forkserver)."""

from __future__ import annotations

import multiprocessing.spawn
from collections.abc import Callable
from pathlib import Path
from typing import Any

PARENT = str(Path(__file__).parents[2])
KEY = "resnet_inspect"


class _CallOnUnpickling:
    """Calls the function `module:name` with `arguments` when a child process unpickles it.

    It is part of the data that a child receives before it imports the parent's main module.
    """

    def __init__(self, module: str, name: str, arguments: tuple[Any, ...]) -> None:
        self._call = module, name, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, dict[str, Any]]]:
        """Pickle as source code, so that a child without this package also starts."""
        module, name, arguments = self._call
        code = (
            "import sys\n"
            "sys.path.append(place)\n"
            "try:\n"
            f"    from {module} import {name} as join\n"
            "except ImportError:\n"
            "    pass\n"
            "else:\n"
            "    join(*arguments)\n"
        )
        return exec, (code, {"place": PARENT, "arguments": arguments})


def in_spawned_children(module: str, function: str, arguments: tuple[Any, ...]) -> None:
    """Call `module:function` with picklable `arguments` at the start of each child process."""
    original = multiprocessing.spawn.get_preparation_data

    def preparation(name: str) -> dict[str, Any]:
        return original(name) | {KEY: _CallOnUnpickling(module, function, arguments)}

    multiprocessing.spawn.get_preparation_data = preparation
