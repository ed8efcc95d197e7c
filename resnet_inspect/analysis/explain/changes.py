"""The lines of the source that a repair changes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.patches import SourceText
from resnet_inspect.errors import PatchError


class Change(NamedTuple):
    """Neighbouring lines of a file before and after a repair, without common indentation.

    `line` is the number of the first of them. `before` is empty for inserted lines.
    """

    file: str
    line: int
    before: tuple[str, ...]
    after: tuple[str, ...]


def changes(repair: Repair, files: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the changed lines in the order of files and lines.

    Args:
        repair: the repair with its edits.
        files: the texts of the files by name.

    Returns:
        The changes; empty if the text of a file is missing, or the edits do not fit it.
    """
    if any(edit.file not in files for edit in repair.edits):
        return ()
    ordered = sorted(repair.edits, key=lambda edit: (edit.file, edit.line, edit.column))
    try:
        return tuple(
            change
            for file, edits in groupby(ordered, key=lambda edit: edit.file)
            for block in _blocks(list(edits))
            for change in _changes(file, files[file], block)
        )
    except PatchError:
        return ()


def _blocks(edits: list[Edit]) -> Iterator[list[Edit]]:
    """Edits in groups whose lines are neighbours."""
    block: list[Edit] = []
    for edit in edits:
        if block and edit.line > block[-1].end_line + 1:
            yield block
            block = []
        block.append(edit)
    yield block


def _changes(file: str, text: str, edits: list[Edit]) -> Iterator[Change]:
    first, last = edits[0].line, max(edit.end_line for edit in edits)
    source = SourceText(text)
    after = SourceText(source.edited(edits))
    old = source.lines(first, last)
    new = after.lines(first, last + after.count - source.count)
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    old, new, first = old[same:], new[same:], first + same
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    if old or new:
        shown = textwrap.dedent("\n".join((*old, *new))).split("\n")
        yield Change(file, first, tuple(shown[: len(old)]), tuple(shown[len(old) :]))
