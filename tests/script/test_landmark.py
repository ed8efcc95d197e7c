"""A report when the program has completed a statement."""

from __future__ import annotations

import ast
import asyncio
import contextlib

import pytest

from resnet_inspect.script.landmark import landmark, statement_at

SOURCE = """\
import contextlib
total = 0
for size in (1, 2, 3):
    total += 6 // (size - 3 + fail)
    last = size
def build(size):
    '''Text.'''
    if size:
        return 1 // fail
    try:
        total
    except NameError:
        pass
    else:
        x = [size]; x.append(1 // fail)
    with contextlib.suppress(KeyError):
        del x[0 // fail]
    return
""".splitlines(keepends=True)


def reports(source: str, place: tuple[int, int | None], names: dict[str, object]) -> int:
    """How often the statement at a place is completed when the source runs."""
    count = 0

    def report() -> None:
        nonlocal count
        count += 1

    span = statement_at(source.encode(), *place)
    assert span is not None
    tree = ast.parse(source)
    landmark([span], report)(tree)
    with contextlib.suppress(ZeroDivisionError):
        exec(compile(tree, "train.py", "exec"), names)
    return count


@pytest.mark.parametrize(
    ("place", "call", "completed"),
    [
        ((4, 4), "", 3),
        ((4, None), "", 3),
        ((9, 15), "build(1)", 1),
        ((15, 20), "build(0)", 1),
        ((15, 8), "build(0)", 1),
        ((17, 8), "build(0)", 1),
        ((18, 4), "build(0)", 1),
    ],
)
def test_a_statement_is_reported_when_it_is_completed(
    place: tuple[int, int | None], call: str, completed: int
) -> None:
    source = "".join(SOURCE) + call
    assert reports(source, place, {"fail": 4}) == completed


def test_a_failing_statement_is_not_reported() -> None:
    assert reports("".join(SOURCE), (4, 4), {"fail": 0}) == 2
    assert reports("".join(SOURCE) + "build(1)", (9, 15), {"fail": 0}) == 0
    assert reports("a = 1\nb = 1 // (a - 1)\n", (2, 4), {}) == 0
    assert reports("a = 1\nb = 1 // (a - 1)\n", (1, 0), {}) == 1


def test_values_and_line_numbers_stay() -> None:
    source = "async def f():\n    return (\n        1, 2)\nvalue = f()\n"
    tree = ast.parse(source)
    span = statement_at(source.encode(), 3, 8)
    assert span == ((2, 4), (3, 13))
    landmark([span], lambda: None)(tree)
    names: dict[str, object] = {}
    exec(compile(tree, "train.py", "exec"), names)
    assert asyncio.run(names["value"]) == (1, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("if f(x):\n    pass\n", (1, 3)),
        ("for x in f():\n    pass\n", (1, 9)),
        ("def f(x=g()):\n    pass\n", (1, 8)),
        ("match f():\n    case 1:\n        pass\n", (1, 6)),
        ("x = 1\n\n", (2, None)),
        ("x = = 1\n", (1, 0)),
    ],
)
def test_no_statement(source: str, place: tuple[int, int | None]) -> None:
    assert statement_at(source.encode(), *place) is None


def test_two_statements_of_a_line() -> None:
    source = "é = 1; b = 2\n".encode()
    assert statement_at(source, 1, 0) == ((1, 0), (1, 6))
    assert statement_at(source, 1, 8) == ((1, 8), (1, 13))
    assert statement_at(source, 1, None) == ((1, 8), (1, 13))


def test_the_last_statement_of_a_span() -> None:
    """A repair may insert a statement before the one that failed."""
    source = "a = 1\nb = 2\nc = 3\n"
    seen: list[str] = []
    names: dict[str, object] = {}
    tree = ast.parse(source)
    landmark([((1, 0), (2, 5))], lambda: seen.extend(sorted(names.keys() & {"a", "b", "c"})))(tree)
    exec(compile(tree, "train.py", "exec"), names)
    assert seen == ["a", "b"]
