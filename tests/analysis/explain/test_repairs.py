"""The repairs of recorded crashes: what they are called, and what they write."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from resnet_inspect.analysis.explain.changes import changes
from resnet_inspect.analysis.explain.explain import explain
from resnet_inspect.analysis.explain.explanation import Explanation
from resnet_inspect.analysis.explain.patches import edited_text, grouped
from resnet_inspect.analysis.explain.repairs.catalogue import MOST_REPAIRS
from tests.explain.recorder import crash, names

MOST_SHOWN = 3  # repairs whose lines the golden files contain


@pytest.mark.parametrize("name", names())
def test_repairs_are_ranked_and_change_these_lines(
    name: str, golden: Callable[[str, str], None]
) -> None:
    recorded = crash(name)
    explanation = explain(recorded)
    golden(f"repairs/{name}.txt", written(explanation, recorded.files))


@pytest.mark.parametrize("name", names())
def test_patched_files_can_be_parsed(name: str) -> None:
    recorded = crash(name)
    repairs = explain(recorded).repairs
    assert 0 < len(repairs) <= MOST_REPAIRS
    assert list(repairs) == sorted(repairs, key=lambda repair: repair.cost)
    for repair in repairs:
        for file, edits in grouped(repair.edits).items():
            ast.parse(edited_text(recorded.files[file], edits))


def written(explanation: Explanation, files: dict[str, str]) -> str:
    """Return the titles of repairs, and the lines that the first of them change."""
    lines: list[str] = []
    for number, repair in enumerate(explanation.repairs):
        lines.append(f"{number + 1}. {repair.title} (line {repair.line.line})")
        for change in changes(repair, files) if number < MOST_SHOWN else ():
            lines += [f"   - {line}" for line in change.before]
            lines += [f"   + {line}" for line in change.after]
    return "\n".join(lines) + "\n"
