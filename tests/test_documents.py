"""The documents against the program: their commands, settings, fields and targets exist."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from itertools import takewhile
from pathlib import Path

import pytest

import resnet_inspect
from docs.generator import pages
from resnet_inspect.cli.parser import COMMANDS, build
from resnet_inspect.config import FIELDS
from tests.recordings import FOLDER

ROOT = Path(__file__).parents[1]
GENERATED = {ROOT / "docs" / path: text for path, text in pages().items()}
WRITTEN = {
    path: path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    if path not in GENERATED
}
PAPERS = WRITTEN | GENERATED
LINES = [
    line.partition("#")[0].strip()
    for text in PAPERS.values()
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if re.match(r"(\.venv/bin/)?resnet-inspect ", line.strip())
]


@pytest.mark.parametrize("line", LINES)
def test_every_command_line_shown_can_be_parsed(line: str) -> None:
    words = [*takewhile(lambda word: word not in ("|", ">"), shlex.split(line)[1:])]
    parsed = build(words).parse_args(words)
    assert parsed.command in COMMANDS
    if getattr(parsed, "config", None):
        assert (ROOT / parsed.config).is_file()


def test_make_targets_that_are_spoken_of_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for text in PAPERS.values():
        for target in re.findall(r"^make ([\w-]+)|`make ([\w-]+)`", text):
            assert re.search(rf"^{''.join(target)}:.*## ", makefile, re.MULTILINE), target


def test_links_lead_somewhere() -> None:
    for paper, text in PAPERS.items():
        prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose):
            if not link.startswith("https://"):
                target = Path(os.path.normpath(paper.parent / link))
                assert target.exists() or target in GENERATED, (paper, link)


def test_every_setting_is_a_flag_of_trace() -> None:
    parser = build(["trace"])
    for field in FIELDS:
        if field.name == "target":
            assert parser.parse_args(["trace", "a.py:b"]).target == "a.py:b"
            continue
        value = ["none"] if field.kind != "bool" else []
        parsed = parser.parse_args(["trace", field.flag, *value])
        assert getattr(parsed, field.name) in ("none", ["none"], True)


def test_the_whole_parser_can_be_built_for_completion() -> None:
    import shtab

    script = shtab.complete(build(), shell="bash")
    assert all(field.flag in script for field in FIELDS if field.name != "target")
    assert all(name in script for name in COMMANDS)


def test_the_python_interface_reads_a_recording() -> None:
    with resnet_inspect.open_run(FOLDER / "v2.db") as run:
        assert isinstance(run, resnet_inspect.Run)
        assert len(resnet_inspect.shapes(run, depth="block").rows) == 5
    with pytest.raises(AttributeError):
        _ = resnet_inspect.nonsense


def test_the_version_is_only_in_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    dynamic = project["tool"]["setuptools"]["dynamic"]["version"]
    assert dynamic == {"attr": "resnet_inspect.__version__"}
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {resnet_inspect.__version__}" in changes
