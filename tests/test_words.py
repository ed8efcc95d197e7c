"""The project's own texts and names avoid wording that readers had to read twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.words import ROOT, violations

# Written in the habits of others, or stored with their lines in recordings.
FOREIGN = {
    ROOT / "tests" / name
    for name in (
        *("programs", "trained", "cli/scripts", "explain/programs"),
        *("words.py", "test_words.py"),
    )
}


def test_no_text_or_name_uses_banned_wording() -> None:
    paths = [ROOT / name for name in ("resnet_inspect", "tests", "bench")]
    violated = [
        violation
        for violation in violations(paths)
        if FOREIGN.isdisjoint((violation.path, *violation.path.parents))
    ]
    assert not violated, "\n".join(map(str, violated))


@pytest.mark.parametrize(
    ("source", "wording"),
    [
        ('"""The shape it is told."""', "told"),
        ("x = f'{y} refuses these shapes'", "refuses"),
        ("# in which nobody looks", "nobody"),
        ("for one in layers: pass", "one"),
        ("class Held: pass", "Held"),
        ("def tell(): pass", "tell"),
    ],
)
def test_each_kind_of_text_and_name_is_checked(source: str, wording: str, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(source + "\n", encoding="utf-8")
    assert wording in [violation.wording for violation in violations([file])]


def test_plain_wording_passes(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    text = '"""Return the threshold of the placeholder."""\nkind = "refused"  # held-out images\n'
    file.write_text(text, encoding="utf-8")
    assert not list(violations([file]))
