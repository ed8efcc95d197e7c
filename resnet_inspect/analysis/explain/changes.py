"""The lines of the source that a repair changes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import NamedTuple

from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.patches import LINE_END, edited_text, grouped
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
        The changes; empty if the text of a file is missing, or if an edit does not fit it.
    """
    edits = grouped(repair.edits)
    if not set(edits) <= set(files):
        return ()
    try:
        edited = {file: edited_text(files[file], edits[file]) for file in edits}
    except PatchError:
        return ()
    return tuple(
        change for file in sorted(edited) for change in _changes(file, files[file], edited[file])
    )


def _changes(file: str, before: str, after: str) -> Iterator[Change]:
    old, new = LINE_END.split(before), LINE_END.split(after)
    for tag, i, j, m, n in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            shown = textwrap.dedent("\n".join((*old[i:j], *new[m:n]))).split("\n")
            yield Change(file, i + 1, tuple(shown[: j - i]), tuple(shown[j - i :]))
