"""Cells of notebooks as plain Python: which lines are left out, and which are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.errors import UsageError
from resnet_inspect.script.notebook import Notebook, python_of


@pytest.mark.parametrize(
    ("cell", "python", "skipped"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1\n", [(1, "skipped: %matplotlib inline")]),
        ("x = 1\n!pip install keras", "x = 1\npass\n", [(2, "skipped: !pip install keras")]),
        ("files = !ls\nlen(files)", "files = []\nlen(files)\n", [(1, "skipped: files = !ls")]),
        ("if x:\n    %cd data", "if x:\n    pass\n", [(2, "skipped: %cd data")]),
        ("model.fit?", "pass\n", [(1, "skipped: model.fit?")]),
        (
            "%time history = fit()",
            "history = fit()\n",
            [(1, "run without its magic: %time history = fit()")],
        ),
        ("%%time\nfit()", "\nfit()\n", [(1, "run without its magic: %%time")]),
        ("%%bash\nls -l", "\n\n", [(1, "skipped: %%bash, with its cell")]),
        ("text = '''\n% no magic\n!neither\n'''", "text = '''\n% no magic\n!neither\n'''\n", []),
        ("left = 7\\\n% 4", "left = 7\\\n% 4\n", []),
        (
            "%load x\ntext = '''\n% kept\n'''",
            "pass\ntext = '''\n% kept\n'''\n",
            [(1, "skipped: %load x")],
        ),
        ("if broken print()", "if broken print()\n", []),
    ],
)
def test_lines_that_only_ipython_understands_are_left_out(
    cell: str, python: str, skipped: list[tuple[int, str]]
) -> None:
    assert python_of(cell) == (python, skipped)


@given(st.text(st.sampled_from("%!?=x1 \n'\"#\\("), max_size=60))
def test_line_numbers_stay_and_only_wrong_lines_are_changed(cell: str) -> None:
    text, skipped = python_of(cell)
    lines, before = text.splitlines(), cell.splitlines()
    if not any(what.endswith("with its cell") for _, what in skipped):
        changed = [at for at, (a, b) in enumerate(zip(before, lines, strict=False), 1) if a != b]
        assert set(changed) <= {line for line, _ in skipped}


def written(folder: Path, content: object) -> str:
    file = folder / "train.ipynb"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(file)


def test_cells_run_in_order_in_one_namespace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title"]},
        {"cell_type": "code", "source": ["def double(x):\n", "    return 2 * x"]},
        {"cell_type": "code", "source": "%matplotlib inline\ndisplay(double(4))"},
    ]
    notebook = Notebook.read(written(tmp_path, {"cells": cells, "nbformat": 4}))
    said: list[str] = []
    names: dict[str, object] = {}
    notebook.run(names, said.append)
    assert capsys.readouterr().out == "8\n"
    assert said == ["train.ipynb: cell 3, line 1 skipped: %matplotlib inline"]


def test_a_notebook_of_format_3_has_sheets(tmp_path: Path) -> None:
    sheet = {"cells": [{"cell_type": "code", "input": ["x = 5"]}]}
    names: dict[str, object] = {}
    Notebook.read(written(tmp_path, {"worksheets": [sheet]})).run(names, print)
    assert names["x"] == 5


def test_functions_of_cells_have_source_lines(tmp_path: Path) -> None:
    """TensorFlow rewrites functions from their source."""
    import inspect

    cells = [{"cell_type": "code", "source": "def double(x):\n    return 2 * x\n"}]
    names: dict[str, object] = {"__name__": "__main__"}
    Notebook.read(written(tmp_path, {"cells": cells})).run(names, print)
    function = names["double"]
    assert inspect.getsource(function) == "def double(x):\n    return 2 * x\n"  # type: ignore[arg-type]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cells": 3}', '{"cells": [{"a": 1}]}'])
def test_what_is_no_notebook_is_rejected(tmp_path: Path, content: str) -> None:
    with pytest.raises(UsageError, match="the notebook cannot be read"):
        Notebook.read(written(tmp_path, content))
