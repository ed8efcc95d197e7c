"""The lines that a repair changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.analysis.explain.changes import Change, changes
from resnet_inspect.analysis.explain.explanation import Edit, Line, Repair

TEXT = """\
def build():
    x = Input((3,))
    y = Dense(4)(x)  # é
    return y

build()
"""


def repair(*edits: Edit) -> Repair:
    """A repair with these edits."""
    return Repair("rule", "title", Line("a.py", 1, "", ""), edits)


def of(*edits: Edit, text: str = TEXT) -> tuple[Change, ...]:
    """The changes of a file a.py by these edits."""
    return changes(repair(*edits), {"a.py": text})


def test_a_replacement() -> None:
    edit = Edit("a.py", 3, 14, 3, 15, "5")
    assert of(edit) == (Change("a.py", 3, ("y = Dense(4)(x)  # é",), ("y = Dense(5)(x)  # é",)),)


def test_columns_are_bytes() -> None:
    edit = Edit("a.py", 1, 11, 1, 12, "5")
    assert of(edit, text="é = Dense(4)") == (
        Change("a.py", 1, ("é = Dense(4)",), ("é = Dense(5)",)),
    )


def test_an_insertion_has_no_lines_before() -> None:
    edit = Edit("a.py", 4, 0, 4, 0, "    y = Flatten()(y)\n    y = Dense(1)(y)\n")
    assert of(edit) == (Change("a.py", 4, (), ("y = Flatten()(y)", "y = Dense(1)(y)")),)


def test_a_deletion_has_no_lines_after() -> None:
    assert of(Edit("a.py", 3, 0, 4, 0, "")) == (Change("a.py", 3, ("y = Dense(4)(x)  # é",), ()),)


def test_common_indentation_is_left_out_and_other_indentation_kept() -> None:
    edit = Edit("a.py", 3, 4, 3, 19, "if x:\n        y = x")
    (change,) = of(edit)
    assert change.after == ("if x:", "    y = x  # é")


def test_neighbouring_edits_are_one_change_and_distant_ones_several() -> None:
    first, second = Edit("a.py", 2, 15, 2, 16, "7"), Edit("a.py", 3, 14, 3, 15, "5")
    last = Edit("a.py", 6, 0, 6, 5, "make")
    near, far = of(last, second, first)
    assert near == Change(
        "a.py",
        2,
        ("x = Input((3,))", "y = Dense(4)(x)  # é"),
        ("x = Input((7,))", "y = Dense(5)(x)  # é"),
    )
    assert far == Change("a.py", 6, ("build()",), ("make()",))


def test_files_are_separate_and_a_missing_text_gives_no_changes() -> None:
    edits = Edit("a.py", 6, 0, 6, 5, "a"), Edit("b.py", 1, 0, 1, 1, "c")
    both = changes(repair(*edits), {"a.py": TEXT, "b.py": "b = 1"})
    assert [(change.file, change.after) for change in both] == [
        ("a.py", ("a()",)),
        ("b.py", ("c = 1",)),
    ]
    assert changes(repair(*edits), {"a.py": TEXT}) == ()


@pytest.mark.parametrize("edit", [Edit("a.py", 99, 3, 99, 5, "x"), Edit("a.py", 3, 4, 3, 5, "(")])
def test_edits_that_do_not_fit_the_text_give_no_changes(edit: Edit) -> None:
    assert of(edit) == ()


@given(st.lists(st.text("ab é#", max_size=6), min_size=1, max_size=6), st.data())
def test_changes_applied_to_the_lines_give_the_edited_text(
    comments: list[str], data: st.DataObject
) -> None:
    lines = [f"# {comment}" for comment in comments]
    number = data.draw(st.integers(1, len(lines)))
    line = lines[number - 1]
    begin = data.draw(st.integers(1, len(line)))
    end = data.draw(st.integers(begin, len(line)))
    new = data.draw(st.sampled_from(["", "x", "x\n# ", "\n#\n# é"]))
    edit = Edit("a.py", number, len(line[:begin].encode()), number, len(line[:end].encode()), new)
    text = "\n".join(lines)
    after = [*lines[: number - 1], line[:begin] + new + line[end:], *lines[number:]]
    for change in reversed(of(edit, text=text)):
        at = change.line - 1
        lines[at : at + len(change.before)] = change.after
    assert "\n".join(lines) == "\n".join(after)
