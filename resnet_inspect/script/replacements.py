"""Runs other text in place of a program's source files, which stay unchanged.

Applies to the main program and to imported modules of this process. Tracebacks and `inspect` show
the text that runs.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import linecache
import os
from collections.abc import Callable, Mapping
from importlib.machinery import SourceFileLoader
from types import CodeType

Transform = Callable[[ast.Module], None]
_texts: dict[str, bytes] = {}
_transforms: dict[str, Transform] = {}


def replace_sources(texts: Mapping[str, bytes], transforms: Mapping[str, Transform]) -> None:
    """Run these texts from now on, for the life of the process.

    Args:
        texts: the new text of each file.
        transforms: functions that change the syntax tree of a file in place.
    """
    _texts.update({os.path.realpath(file): text for file, text in texts.items()})
    _transforms.update({os.path.realpath(file): change for file, change in transforms.items()})
    original = SourceFileLoader.get_code
    if getattr(original, "replaces", False):
        return

    def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
        file = loader.get_filename(fullname)
        # Code that is not replaced may be in the cache of bytecode.
        return code_of(file) if is_replaced(file) else original(loader, fullname)

    get_code.replaces = True  # type: ignore[attr-defined]
    SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]


def is_replaced(file: str) -> bool:
    """Whether a file runs with another text or syntax tree."""
    real = os.path.realpath(file)
    return real in _texts or real in _transforms


def code_of(file: str) -> CodeType:
    """The code of a Python file, from its replacement if there is one."""
    real = os.path.realpath(file)
    source = _texts.get(real)
    if source is None:
        with io.open_code(file) as stream:
            source = stream.read()
    else:
        text = importlib.util.decode_source(source)
        lines = list(io.StringIO(text if text.endswith("\n") else f"{text}\n", newline="\n"))
        # None as modification time: Python keeps these lines for tracebacks and `inspect`.
        linecache.cache[file] = (len(text), None, lines, file)
    change = _transforms.get(real)
    if change is None:
        return compile(source, file, "exec", dont_inherit=True)
    tree = ast.parse(source, file)
    change(tree)
    code: CodeType = compile(tree, file, "exec", dont_inherit=True)
    return code
