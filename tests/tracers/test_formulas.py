"""`FormulaFinder` on a source text that is written out here."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.graph import Source
from resnet_inspect.tracers.formulas import FormulaFinder

TEXT = """\
def outer(x, *, filters, classes, n):
    first = conv(x, 16)
    for stage in range(3):
        wide = filters * 2**stage
        alias = wide
        for i in range(n):
            x = inner(x, wide, f"{stage}{i}")
    x = reshape(x, [-1, filters * 2**2])
    x = other(x, alias)
    x = odd(x, (filters + 1) * 2 - classes)
    return dense(
        x,
        classes,
    )


def inner(x, filters, name):
    return conv(x, filters, 3)


broken = lambda: 7
"""


@pytest.fixture
def find(tmp_path: Path) -> FormulaFinder:
    """A finder for a file with the text above, and filters=16, classes=10, n=2."""
    (tmp_path / "net.py").write_text(TEXT)
    (tmp_path / "bad.py").write_text("def (:\n")
    return FormulaFinder({"filters": 16, "classes": 10, "n": 2}, lambda file: tmp_path / file)


def at(*lines: int, file: str = "net.py") -> list[Source]:
    """Frames at these lines, innermost first."""
    return [Source(file, line, "f", "") for line in lines]


@pytest.mark.parametrize(
    ("lines", "size", "text", "values", "line"),
    [
        ((8,), 64, "filters × 2²", {"filters": 16}, 8),
        ((2,), 16, "16", {}, 2),
        ((7,), 64, "filters × 2^stage", {"filters": 16, "stage": 2}, 4),
        ((7,), 32, "filters × 2^stage", {"filters": 16, "stage": 1}, 4),
        ((18, 7), 64, "filters × 2^stage", {"filters": 16, "stage": 2}, 4),
        ((18, 7), 3, "3", {}, 18),
        ((10,), 24, "(filters + 1) × 2 − classes", {"classes": 10, "filters": 16}, 10),
        ((11,), 10, "classes", {"classes": 10}, 13),
    ],
)
def test_formula_of_a_size(
    find: FormulaFinder,
    lines: tuple[int, ...],
    size: int,
    text: str,
    values: dict[str, int],
    line: int,
) -> None:
    formula = find(at(*lines), size)[0]
    assert (formula.text, formula.values, formula.source.line) == (text, values, line)
    assert formula.source.text == TEXT.splitlines()[line - 1].strip()


@pytest.mark.parametrize(
    ("frames", "size"),
    [
        (at(8), 65),
        (at(7), 256),
        (at(18), 16),  # a parameter of the same name as a setting, in an inner function
        (at(9), 64),  # an alias of another name
        (at(7), 1),  # a loop variable inside an f-string is not a size
        (at(21), 7),
        (at(99), 16),
        (at(1, file="absent.py"), 16),
        (at(1, file="bad.py"), 16),
        ([], 16),
    ],
)
def test_no_formula(find: FormulaFinder, frames: list[Source], size: int) -> None:
    formulas = find([*frames, *at(2)] if frames == at(18) else frames, size)
    assert [formula for formula in formulas if formula.source.line != 2] == []


@given(st.integers(1, 400), st.integers(0, 6), st.integers(1, 50))
def test_formula_has_the_value_of_the_size(filters: int, power: int, more: int) -> None:
    import tempfile

    size = (filters + more) * 2**power
    with tempfile.TemporaryDirectory() as folder:
        text = f"def f(x, filters):\n    return g(x, (filters + {more}) * 2 ** {power})\n"
        (Path(folder) / "net.py").write_text(text)
        find = FormulaFinder({"filters": filters}, lambda file: Path(folder) / file)
        texts = [formula.text for formula in find(at(2), size)]
    assert any(text.startswith(f"(filters + {more}) × 2") for text in texts)


NOT_SIZES = """\
def build(x, pairs):
    x = split(x[2], -2, axis=2)[:, 2]
    x = [cell(x) for _ in range(2)][0]
    x = halves(x, window(x, 2)) * 2
    x = Gate(2)(x) * 2
    return x[:, :2]
"""


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([(2, "build")], 0),  # an index, a negative number and the position of an axis
        ([(3, "build")], 0),  # the range of a loop
        ([(6, "build")], 1),  # the end of a slice
        ([(9, "window"), (4, "build")], 1),  # the argument of the call, not the factor
        ([(9, "halves"), (4, "build")], 0),
        ([(9, "call"), (4, "build")], 0),
        ([(9, "call"), (5, "build")], 1),
        ([(9, "split"), (2, "build")], 0),
    ],
)
def test_only_sizes_are_formulas(
    tmp_path: Path, frames: list[tuple[int, str]], expected: int
) -> None:
    (tmp_path / "net.py").write_text(NOT_SIZES)
    find = FormulaFinder({}, lambda file: tmp_path / file)
    sources = [Source("net.py", line, function, "") for line, function in frames]
    assert len(find(sources, 2)) == expected
