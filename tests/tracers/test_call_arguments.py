"""Arguments that give the sizes of layers, found in source text."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from resnet_inspect.tracers.call_arguments import ArgumentFinder
from resnet_inspect.tracers.layer_creations import CreationFrame

LIBRARY = """
def network(shape, classes, width=8):
    x = Conv2D(width * 4, 3)(images)
    x = squeezed(x, 10)
    return Dense(classes)(x)

def small(shape, classes):
    return network(shape, classes=classes, width=3)

def squeezed(x, filters):
    return Conv2D(filters, 1)(x)
"""
PROGRAM = """
few = 10
first = small((32, 32, 3), few)
second = small((32, 32, 3), classes=10)
wrapped = Bidirectional(LSTM(6, return_sequences=True))
twice = UpSampling2D()
thrice = UpSampling2D(3)
settings = UpSampling2D(**options)
made = create(UpSampling2D)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files library.py and program.py."""
    (tmp_path / "library.py").write_text(LIBRARY, "utf-8")
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    return tmp_path


def frame(file: Path, call: str, **values: int) -> CreationFrame:
    """Return the frame that executes the first call with this text."""
    tree = ast.parse(file.read_text("utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    node = next(node for node in nodes if ast.unparse(node) == call)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    owner = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
    return CreationFrame(
        str(file),
        node.lineno,
        owner[0].name if owner else "<module>",
        (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset),
        values,
        tuple(argument.arg for argument in owner[0].args.args) if owner else (),
        file.name == "library.py",
    )


def arguments(*frames: CreationFrame, size: int) -> list[tuple[str, int]]:
    """Return the text and line of each argument."""
    formulas = ArgumentFinder(Path, str)(frames, size)
    return [(formula.text, formula.source.line) for formula in formulas]


@pytest.mark.parametrize(
    ("call", "argument", "line"),
    [("small((32, 32, 3), few)", "few", 3), ("small((32, 32, 3), classes=10)", "10", 4)],
)
def test_an_argument_is_followed_through_functions_of_a_library(
    folder: Path, call: str, argument: str, line: int
) -> None:
    library, program = folder / "library.py", folder / "program.py"
    frames = (
        frame(library, "Dense(classes)", classes=10, width=3),
        frame(library, "network(shape, classes=classes, width=3)", classes=10),
        frame(program, call, few=10),
    )
    assert arguments(*frames, size=10) == [(argument, line)]


def test_equal_numbers_are_not_arguments_that_a_library_passes_on(folder: Path) -> None:
    # 10 filters beside 10 classes, and a kernel of 3 rows beside pictures of 3 channels.
    library, program = folder / "library.py", folder / "program.py"
    outer = (
        frame(library, "network(shape, classes=classes, width=3)", classes=10),
        frame(program, "small((32, 32, 3), classes=10)"),
    )
    squeezed = frame(library, "squeezed(x, 10)", classes=10, width=3)
    filters = frame(library, "Conv2D(filters, 1)", filters=10)
    assert arguments(filters, squeezed, *outer, size=10) == []
    convolved = frame(library, "Conv2D(width * 4, 3)", classes=10, width=3)
    assert arguments(convolved, *outer, size=3) == []
    assert arguments(convolved, *outer, size=12) == []


def test_a_wrapper_has_the_arguments_of_its_layer(folder: Path) -> None:
    wrapper = frame(folder / "program.py", "Bidirectional(LSTM(6, return_sequences=True))")
    assert arguments(wrapper, size=24) == [("4 × 6", 5)]
    assert arguments(wrapper, size=7) == []


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("UpSampling2D()", "size=(2, 2)"),
        ("UpSampling2D(3)", None),
        ("UpSampling2D(**options)", None),  # which may have a size
        ("create(UpSampling2D)", None),
    ],
)
def test_a_default_is_an_argument_that_the_call_lacks(
    folder: Path, call: str, expected: str | None
) -> None:
    find = ArgumentFinder(Path, str)
    creation = (frame(folder / "program.py", call),)
    default = find.default(creation, "UpSampling2D", "size=(2, 2)", "size", 0)
    assert (default and default.text) == expected
    library = frame(folder / "library.py", "Dense(classes)")
    assert find.default((library, *creation), "UpSampling2D", "size=(2, 2)", "size", 0) is None
