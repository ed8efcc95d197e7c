"""Other text in place of source files: the main program, modules, tracebacks, `inspect`."""

from __future__ import annotations

import ast
import importlib
import inspect
import py_compile
import sys
import traceback
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from resnet_inspect.script import launch, replacements
from resnet_inspect.script.replacements import code_of, replace_sources


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Undo what a replacement changes for the life of a process."""
    monkeypatch.setattr(replacements, "_texts", {})
    monkeypatch.setattr(replacements, "_transforms", {})
    monkeypatch.setattr(SourceFileLoader, "get_code", SourceFileLoader.get_code)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("replaced_module", "linked_module"):
        sys.modules.pop(name, None)


def replaced_module(tmp_path: Path, old: str, new: str) -> ModuleType:
    file = tmp_path / "replaced_module.py"
    file.write_text(old)
    py_compile.compile(str(file))  # the cache of bytecode has the old text
    replace_sources({str(file): new.encode()}, {})
    return importlib.import_module("replaced_module")


def test_modules_run_the_new_text_and_their_files_stay(tmp_path: Path) -> None:
    module = replaced_module(tmp_path, "size = 4\n", "size = 3\n")
    assert module.size == 3
    assert (tmp_path / "replaced_module.py").read_text() == "size = 4\n"


def test_modules_found_through_a_link(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "real.py"
    file.parent.mkdir()
    file.write_text("size = 4\n")
    (tmp_path / "linked_module.py").symlink_to(file)
    replace_sources({str(file): b"size = 3\n"}, {})
    assert importlib.import_module("linked_module").size == 3


def test_other_modules_are_unchanged(tmp_path: Path) -> None:
    (tmp_path / "linked_module.py").write_text("size = 5\n")
    replaced_module(tmp_path, "size = 4\n", "size = 3\n")
    assert importlib.import_module("linked_module").size == 5


def test_tracebacks_and_inspect_show_the_new_text(tmp_path: Path) -> None:
    new = "é = 1\n\ndef fails():\r\n    raise ValueError('漢')  # new"
    module = replaced_module(tmp_path, "def fails():\n    pass  # old\n", new)
    assert inspect.getsource(module.fails) == "def fails():\n    raise ValueError('漢')  # new\n"
    with pytest.raises(ValueError, match="漢") as raised:
        module.fails()
    last = traceback.extract_tb(raised.value.__traceback__)[-1]
    assert (last.lineno, last.line) == (4, "raise ValueError('漢')  # new")


def test_the_main_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "train.py"
    file.write_text("print('old')\n")
    replace_sources({str(file): b"import sys; print('new', sys.argv, __file__)\n"}, {})
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    assert launch.run(launch.program_of(str(file)), ["a"]) == (0, None)
    assert capsys.readouterr().out == f"new {[str(file), 'a']} {file}\n"


def test_a_transform_changes_the_syntax_tree(tmp_path: Path) -> None:
    file = tmp_path / "train.py"
    file.write_text("size = 4\n")

    def three(tree: ast.Module) -> None:
        statement = tree.body[0]
        assert isinstance(statement, ast.Assign)
        statement.value = ast.copy_location(ast.Constant(3), statement.value)

    replace_sources({}, {str(file): three})
    names: dict[str, object] = {}
    exec(code_of(str(file)), names)
    assert names["size"] == 3
