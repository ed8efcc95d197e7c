"""Edits of source files: bytes outside of the edits, positions, encodings, and the diff."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.analysis.explain.explanation import Edit
from resnet_inspect.analysis.explain.patches import (
    SourceText,
    difference,
    edited,
    edited_text,
    grouped,
    moved,
)
from resnet_inspect.errors import PatchError

SIGNS = st.text(st.sampled_from("ab =1\t\f#é漢🙂\x0b\x1c\u2028'"), max_size=8)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def edit(span: tuple[int, int, int, int], new: str) -> Edit:
    return Edit("train.py", *span, new)


@pytest.mark.parametrize(
    ("source", "after"),
    [
        (b"x = 4\n", b"x = 3\n"),
        (b"x = 4", b"x = 3"),
        (b"if True:\r\n\tx = 4  # a\r\n", b"if True:\r\n\tx = 3  # a\r\n"),
        (b"a = 1\rx = 4\r", b"a = 1\rx = 3\r"),
        ("é = '漢🙂'; x = 4  # ü\n".encode(), "é = '漢🙂'; x = 3  # ü\n".encode()),
        (
            "# coding: latin-1\né = 'ü'; x = 4\n".encode("latin-1"),
            "# coding: latin-1\né = 'ü'; x = 3\n".encode("latin-1"),
        ),
        (b"\xef\xbb\xbfx = 4\n", b"\xef\xbb\xbfx = 3\n"),
        (b"a = '\x0b\x1c'\n\x0cx = 4 ;\n", b"a = '\x0b\x1c'\n\x0cx = 3 ;\n"),
    ],
)
def test_all_bytes_beside_the_edit_stay(source: bytes, after: bytes) -> None:
    node = next(
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and node.value == 4
    )
    assert node.end_col_offset is not None
    span = (node.lineno, node.col_offset, node.lineno, node.end_col_offset)
    assert edited(source, [edit(span, "3")]) == after


def test_new_lines_end_as_the_lines_of_the_file() -> None:
    source = b"def f(x):\r\n    return g(x)\r\n"
    inserted = edited(source, [edit((2, 4, 2, 4), "x = h(x)\n    ")])
    assert inserted == b"def f(x):\r\n    x = h(x)\r\n    return g(x)\r\n"


def test_several_edits_and_insertions_at_one_place() -> None:
    edits = [edit((1, 8, 1, 9), "20"), edit((1, 4, 1, 4), "a("), edit((1, 4, 1, 4), "b(")]
    edits.append(edit((1, 9, 1, 9), "))"))
    assert edited(b"x = 1 + 2  #\n", edits) == b"x = a(b(1 + 20))  #\n"


@pytest.mark.parametrize(
    ("source", "spans", "message"),
    [
        (b"x = 1234\n", [(1, 4, 1, 6), (1, 5, 1, 7)], "two edits overlap\n  where:    line 1"),
        (b"x = 1\n", [(1, 4, 1, 9)], "an edit is outside of its line\n  where:    line 1"),
        (b"x = 1\n", [(4, 0, 4, 0)], "an edit is outside of the file\n  where:    line 4"),
        (b"x = 1\n", [(1, 4, 1, 2)], "an edit ends before it begins\n  where:    line 1"),
        (
            "é = 1\n".encode(),
            [(1, 1, 1, 2)],
            "an edit begins inside a character\n  where:    line 1",
        ),
        (b"\xff = 1\n", [(1, 0, 1, 1)], "the file cannot be decoded"),
    ],
)
def test_edits_that_do_not_fit(
    source: bytes, spans: list[tuple[int, int, int, int]], message: str
) -> None:
    with pytest.raises(PatchError) as raised:
        edited(source, [edit(span, "y") for span in spans])
    assert str(raised.value).startswith(message)


def test_a_result_that_is_not_python() -> None:
    with pytest.raises(PatchError, match="the result is not valid Python"):
        edited(b"x = f(1)\n", [edit((1, 7, 1, 8), "")])


def test_a_sign_that_the_encoding_lacks() -> None:
    source = b"# coding: latin-1\nx = 'a'\n"
    with pytest.raises(PatchError) as raised:
        edited(source, [edit((2, 4, 2, 7), "'漢'")])
    assert str(raised.value) == (
        "the file's encoding cannot contain the new text\n"
        "  expected: iso8859-1\n"
        "  got:      '\\u6f22'"
    )


def test_edits_by_file() -> None:
    first, second = Edit("a.py", 1, 0, 1, 0, "x"), Edit("b.py", 1, 0, 1, 0, "y")
    assert grouped([first, second, first]) == {"a.py": [first, first], "b.py": [second]}


@st.composite
def texts_with_edits(draw: st.DrawFn) -> tuple[str, list[Edit], str]:
    """Comments in many lines, edits at random places, and the text that they must give."""
    end = draw(ENDS)
    lines = draw(st.lists(SIGNS.map(lambda text: f"#{text}"), min_size=1, max_size=5))
    text = end.join(lines) + draw(st.sampled_from(["", end]))
    inside = [at for at, sign in enumerate(text) if sign not in "\r\n#"]
    cuts = sorted(draw(st.lists(st.sampled_from(inside or [0]), unique=True, max_size=6)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    words = [draw(SIGNS) for _ in spans]
    places = [(place_of(text, start), place_of(text, stop)) for start, stop in spans]
    edits = [edit((*first, *last), word) for (first, last), word in zip(places, words, strict=True)]
    pieces, at = [], 0
    for (start, stop), word in zip(spans, words, strict=True):
        pieces += [text[at:start], word]
        at = stop
    return text, draw(st.permutations(edits)), "".join([*pieces, text[at:]])


def place_of(text: str, index: int) -> tuple[int, int]:
    """The line and the column in bytes of an index, by reading sign for sign."""
    line, column, at = 1, 0, 0
    while at < index:
        if text[at : at + 2] == "\r\n":
            at, line, column = at + 2, line + 1, 0
            continue
        ends = text[at] in "\r\n"
        line, column = (line + 1, 0) if ends else (line, column + len(text[at].encode()))
        at += 1
    return line, column


@given(texts_with_edits())
def test_random_edits(case: tuple[str, list[Edit], str]) -> None:
    text, edits, wanted = case
    assert edited(text.encode(), edits) == wanted.encode()
    assert edited_text(text, edits) == wanted


@given(st.lists(SIGNS, max_size=4), ENDS)
def test_places_and_offsets_are_inverse(lines: list[str], end: str) -> None:
    text = SourceText(end.join(lines))
    for offset in range(len(text.text)):
        if text.text[offset] not in "\r\n":
            assert text.place(offset) == place_of(text.text, offset)
            assert text.offset(text.place(offset)) == offset


SOURCE = b"a = 1\nb = f(\n    a)\nc = 2\n"


@pytest.mark.parametrize(
    ("span", "new", "after"),
    [
        ((1, 4, 1, 5), "10", ((2, 0), (3, 6))),  # before the span
        ((1, 0, 1, 0), "z = 0\n", ((3, 0), (4, 6))),
        ((2, 0, 2, 0), "z = 0\n", ((2, 0), (4, 6))),  # an insertion at the start belongs to it
        ((3, 4, 3, 5), "a + 1", ((2, 0), (3, 10))),
        ((3, 6, 3, 6), "[0]", ((2, 0), (3, 9))),  # and one at the end
        ((4, 4, 4, 5), "3", ((2, 0), (3, 6))),
        ((2, 4, 3, 6), "g()", ((2, 0), (2, 7))),  # the end is replaced
        ((1, 4, 2, 2), "0; b =", ((1, 4), (2, 6))),  # a replacement across the start
    ],
)
def test_spans_after_edits(
    span: tuple[int, int, int, int], new: str, after: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    assert moved(SOURCE, [edit(span, new)], (2, 0), (3, 6)) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"x = 4\n", b"x = 3\n"),
        (b"x = 4", b"x = 3"),
        (b"a\nb\nx = 4", b"a\nb\nx = 4\n"),
        (b"a\r\nx = 4\r\n", b"a\r\nx = 3\r\n"),
        ("a\x0c\u2028b\nx = '漢'\n".encode(), "a\x0c\u2028b\nx = 'é'\n".encode()),
        (b"# coding: utf-8\nx\n\ny\n", b"# coding: utf-8\nx\n\nz\ny\n"),
    ],
)
def test_git_applies_the_difference(tmp_path: Path, before: bytes, after: bytes) -> None:
    file = tmp_path / "train.py"
    file.write_bytes(before)
    patch = difference("train.py", before, after)
    subprocess.run(
        ["git", "apply", "--unsafe-paths", "-"], cwd=tmp_path, input=patch.encode(), check=True
    )
    assert file.read_bytes() == after


def test_the_difference_word_by_word() -> None:
    assert difference("train.py", b"a\nx = 4", b"a\nx = 3") == (
        "--- a/train.py\n"
        "+++ b/train.py\n"
        "@@ -1,2 +1,2 @@\n"
        " a\n"
        "-x = 4\n"
        "\\ No newline at end of file\n"
        "+x = 3\n"
        "\\ No newline at end of file\n"
    )
    assert difference("/lib/a.py", b"x\n", b"y\n").startswith("--- /lib/a.py\n+++ /lib/a.py\n")
    assert difference("train.py", b"", b"") == ""
