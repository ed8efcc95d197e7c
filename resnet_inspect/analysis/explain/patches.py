"""Applies the edits of a repair to the text of files, and shows the difference.

Everything outside of the edits stays byte for byte. Reads and writes no file.
"""

from __future__ import annotations

import ast
import codecs
import difflib
import io
import re
import tokenize
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from resnet_inspect.analysis.explain.explanation import Edit
from resnet_inspect.errors import PatchError

LINE_END = re.compile(r"\r\n|\r|\n")
NO_LINE_END = "\n\\ No newline at end of file\n"
Place = tuple[int, int]  # line from 1, column in UTF-8 bytes, as `ast` counts them


class SourceText:
    """The text of a Python file, with positions as `ast` counts them."""

    def __init__(self, text: str, encoding: str = "utf-8") -> None:
        self.text = text
        self.encoding = encoding
        self._starts = [0, *(match.end() for match in LINE_END.finditer(self.text))]
        first = LINE_END.search(self.text)
        self.line_end = first.group() if first else "\n"

    @classmethod
    def decoded(cls, source: bytes) -> SourceText:
        """The text of a file. Raises PatchError if Python could not decode it either."""
        try:
            encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
            return cls(source.decode(encoding), encoding)
        except (SyntaxError, UnicodeDecodeError, LookupError) as error:
            raise PatchError("the file cannot be decoded", got=str(error)) from error

    def offset(self, place: Place) -> int:
        """The index in `text` of a place. Raises PatchError outside of the text."""
        line, column = place
        if not 1 <= line <= len(self._starts) or column < 0:
            raise PatchError("an edit is outside of the file", where=f"line {line}")
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        content = self.text[start:end].rstrip("\r\n").encode()
        if column > len(content):
            raise PatchError("an edit is outside of its line", where=f"line {line}")
        try:
            return start + len(content[:column].decode())
        except UnicodeDecodeError:
            raise PatchError("an edit begins inside a character", where=f"line {line}") from None

    def place(self, offset: int) -> Place:
        """The place of an index in `text`."""
        line = bisect_right(self._starts, offset)
        return line, len(self.text[self._starts[line - 1] : offset].encode())

    def edited(self, edits: Sequence[Edit]) -> str:
        """The text after edits. Insertions at the same place keep their order.

        Raises PatchError if edits overlap or are outside of the text.
        """
        return "".join(_spliced(self.text, _splices(self, edits)))

    def encoded(self, text: str) -> bytes:
        """Another text in the encoding of this file. Raises PatchError if it has no such sign."""
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise PatchError(
                "the file's encoding cannot contain the new text",
                expected=codecs.lookup(self.encoding).name,
                got=ascii(error.object[error.start : error.end]),
            ) from error


class _Splice:
    """An edit as indices in a text."""

    def __init__(self, text: SourceText, edit: Edit) -> None:
        self.start = text.offset((edit.line, edit.column))
        self.end = text.offset((edit.end_line, edit.end_column))
        self.new = LINE_END.sub(lambda _: text.line_end, edit.new)
        if self.end < self.start:
            raise PatchError("an edit ends before it begins", where=f"line {edit.line}")


def edited(source: bytes, edits: Sequence[Edit]) -> bytes:
    """The source of a file after its edits. New lines end as the lines of the file.

    Raises:
        PatchError: edits overlap or are outside of the file, or Python cannot parse the result.
    """
    text = SourceText.decoded(source)
    after = text.encoded(text.edited(edits))
    _check(after)
    return after


def edited_text(text: str, edits: Sequence[Edit]) -> str:
    """The text of a file after its edits. Raises PatchError as `edited` does."""
    after = SourceText(text).edited(edits)
    _check(after)
    return after


def moved(source: bytes, edits: Sequence[Edit], start: Place, end: Place) -> tuple[Place, Place]:
    """The span after the edits of a span of `source`. It includes the edits inside and at its ends.

    Raises PatchError as `edited` does.
    """
    text = SourceText.decoded(source)
    splices = _splices(text, edits)
    after = SourceText("".join(_spliced(text.text, splices)))
    first = _image(splices, text.offset(start), at_end=False)
    last = _image(splices, text.offset(end), at_end=True)
    return after.place(first), after.place(last)


def difference(name: str, before: bytes, after: bytes) -> str:
    """The unified diff of a file, in the form that `git apply` and `patch -p1` accept."""
    prefixed = not name.startswith(("/", "~"))
    old, new = (f"a/{name}", f"b/{name}") if prefixed else (name, name)
    lines = difflib.unified_diff(_lines(before), _lines(after), old, new)
    return "".join(line if line.endswith("\n") else line + NO_LINE_END for line in lines)


def grouped(edits: Sequence[Edit]) -> Mapping[str, list[Edit]]:
    """The edits of each file, by its name."""
    files: dict[str, list[Edit]] = {}
    for edit in edits:
        files.setdefault(edit.file, []).append(edit)
    return files


def _check(source: str | bytes) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the user's code, such as invalid escapes
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise PatchError("the result is not valid Python", got=str(error)) from error


def _lines(source: bytes) -> list[str]:
    """The lines with their ends. Only line feeds end a line, as in other tools."""
    return list(io.StringIO(SourceText.decoded(source).text, newline="\n"))


def _splices(text: SourceText, edits: Sequence[Edit]) -> list[_Splice]:
    splices = sorted((_Splice(text, edit) for edit in edits), key=lambda item: item.start)
    for before, after in pairwise(splices):
        if after.start < before.end:
            line, _ = text.place(after.start)
            raise PatchError("two edits overlap", where=f"line {line}")
    return splices


def _spliced(text: str, splices: Sequence[_Splice]) -> Iterator[str]:
    end = 0
    for splice in splices:
        yield text[end : splice.start]
        yield splice.new
        end = splice.end
    yield text[end:]


def _image(splices: Sequence[_Splice], offset: int, *, at_end: bool) -> int:
    """The index after the edits of an index before them; `at_end` if it is the end of a span."""
    shift = 0
    for splice in splices:
        inserts = splice.start == splice.end
        if splice.end < offset or (splice.end == offset and (at_end or not inserts)):
            shift += len(splice.new) - (splice.end - splice.start)
        elif splice.start < offset:  # the index is inside of a replaced text
            return splice.start + shift + (len(splice.new) if at_end else 0)
    return offset + shift
