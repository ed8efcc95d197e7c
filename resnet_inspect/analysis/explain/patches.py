"""Applies edits to the texts of files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from resnet_inspect.analysis.explain.explanation import Edit


def apply(files: Mapping[str, str], edits: Iterable[Edit]) -> dict[str, str]:
    """Return the texts of the files after the edits; other files are unchanged.

    Raises:
        ValueError: edits overlap, or lie outside of their file.
    """
    texts = dict(files)
    by_file: dict[str, list[Edit]] = {}
    for edit in edits:
        by_file.setdefault(edit.file, []).append(edit)
    for name, changes in by_file.items():
        texts[name] = _applied(texts.get(name, ""), changes)
    return texts


def _applied(text: str, edits: list[Edit]) -> str:
    lines = text.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    content = b"".join(lines)
    spans = []
    for order, edit in enumerate(edits):
        first, last = (
            _offset(starts, edit.line, edit.column),
            _offset(starts, edit.end_line, edit.end_column),
        )
        spans.append((first, last, order, edit.new.encode()))
    spans.sort()
    result, at = b"", 0
    for first, last, _, new in spans:
        if first < at or last < first or last > len(content):
            raise ValueError(f"edits overlap at byte {first}")
        result += content[at:first] + new
        at = last
    return (result + content[at:]).decode()


def _offset(starts: list[int], line: int, column: int) -> int:
    if not 0 < line <= len(starts):
        raise ValueError(f"line {line} does not exist")
    return starts[line - 1] + column
