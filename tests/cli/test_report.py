"""`report` as a process: output and errors."""

from __future__ import annotations

import gzip
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from resnet_inspect import api, reports
from resnet_inspect.analysis.page.overview import Overview
from resnet_inspect.analysis.page.report import Report, gather
from resnet_inspect.graph import Graph
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.render.report.drawing import PATIENCE, drawing
from resnet_inspect.store.run import Run
from tests.cli.conftest import Command
from tests.recordings import FOLDER, RECORDINGS

pytestmark = pytest.mark.slow

V2 = FOLDER / "v2.db"


class Parts(HTMLParser):
    """The attributes of all tags, and the texts of styles and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"style": [], "script": []}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note what is in a style or script."""
        if self.tags and self.tags[-1][0] in self.texts and data.strip():
            self.texts[self.tags[-1][0]].append(data)


@pytest.fixture
def page(command: Command, tmp_path: Path) -> str:
    """The page of a recording."""
    assert command("report", V2, "-o", "report.html").returncode == 0
    return (tmp_path / "here" / "report.html").read_text(encoding="utf-8")


def facts_of(page: str) -> dict[str, Any]:
    """What the page's script draws."""
    match = re.search(r'id="facts">([^<]+)<', page)
    assert match is not None
    facts: dict[str, Any] = msgspec.json.decode(gzip.decompress(b64decode(match[1])))
    return facts


def test_the_policy_allows_just_the_page_s_own_style_and_script(page: str) -> None:
    parts = Parts()
    parts.feed(page)
    policy = next(str(a["content"]) for t, a in parts.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    for kind, text in (("style", parts.texts["style"][0]), ("script", parts.texts["script"][-1])):
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert len(parts.texts["style"]) == 1
    assert [a.get("type") for t, a in parts.tags if t == "script"][-1] is None
    for tag, attributes in parts.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)


def test_the_script_never_parses_html_nor_asks_a_network(page: str) -> None:
    script = page.rpartition("<script>")[2]
    forbidden = ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(",
                 "XMLHttp", "WebSocket", "DOMParser", "import(", "http:", "https:")  # fmt: skip
    allowed = script.replace('"http://www.w3.org/2000/svg"', "")
    assert [word for word in forbidden if word in allowed] == []


def test_every_file_of_the_script_is_in_a_page(page: str, recording: Callable[[str], Run]) -> None:
    folder = files("resnet_inspect.render.report").joinpath("script")
    texts = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
    both = api.report(recording("v1"), recording("v2"))
    assert [name for name, text in texts.items() if text not in page + both] == []
    own = {name for name, text in texts.items() if text not in both}
    assert own == {f"{name}.js" for name in ("shapes", "why", "ops", "layers", "run")}
    assert max(len(text.splitlines()) for text in texts.values()) < 400


def test_the_same_run_gives_the_same_page(command: Command, page: str, tmp_path: Path) -> None:
    command("report", V2, "-o", "again.html")
    assert (tmp_path / "here" / "again.html").read_text(encoding="utf-8") == page


def test_the_data_has_every_layer_and_every_axis(page: str) -> None:
    facts = facts_of(page)
    assert [len(layer["axes"]) for layer in facts["layers"][-3:]] == [4, 2, 2]
    ways = [way for layer in facts["layers"] for _, way, _, _ in layer["axes"]]
    for first in ways:
        step, seen = first, set()
        while step >= 0:
            assert step not in seen
            seen.add(step)
            step = facts["ways"][step][5]
    assert [table["depth"] for table in facts["shapes"]] == ["stage", "block", "layer", "op"]


@pytest.mark.parametrize("name", ["report", "report.pdf"])
def test_other_file_types_are_rejected(command: Command, name: str) -> None:
    done = command("report", V2, "-o", name)
    assert done.returncode == 2
    assert "the report cannot have this file type" in done.stderr
    assert f"got:      {name}" in done.stderr


def test_a_place_that_cannot_be_written_is_reported(command: Command) -> None:
    done = command("report", V2, "-o", "nowhere/report.html")
    assert done.returncode == 2
    assert "the report cannot be written" in done.stderr
    assert "No such file or directory" in done.stderr


def test_a_picture_for_a_document(command: Command, tmp_path: Path) -> None:
    done = command("report", V2, "-o", "network.svg")
    if done.returncode == 4:
        assert "Graphviz" in done.stderr
        return
    picture = (tmp_path / "here" / "network.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(picture)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = "".join(root.itertext())
    assert "outputs at step 2" in texts
    assert "res20_branch1" in texts
    assert "% zero" in texts


def test_a_page_without_a_diagram_says_why(command: Command, bare: str, tmp_path: Path) -> None:
    done = command("report", V2, "-o", "report.html", PATH=bare)
    assert done.returncode == 0
    notes = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert len(notes) == 1
    assert "the page has no diagram: Graphviz is not installed" in notes[0]
    facts = facts_of((tmp_path / "here" / "report.html").read_text(encoding="utf-8"))
    closing = {part["name"]: part["blocks"] for part in facts["closing"]}
    rows = dict(closing["not-observed"][0]["rows"])
    assert rows["diagram"].startswith("Graphviz is not installed")


def test_an_engine_that_hangs_is_not_waited_for(
    recording: Callable[[str], Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "dot"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    run = recording("v2")
    (tmp_path / "pygraphviz.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    drawn = drawing(run.graph, run.lineage, timeout=0.5)
    assert drawn.picture is None
    assert "timed out after 0.5 seconds" in drawn.missing
    assert PATIENCE <= 20


def test_a_picture_without_graphviz_is_text(command: Command, bare: str, tmp_path: Path) -> None:
    done = command("report", V2, "-o", "network.svg", PATH=bare)
    assert done.returncode == 4
    assert "the diagram is in network.dot" in done.stderr
    here = tmp_path / "here"
    assert not (here / "network.svg").exists()
    assert (here / "network.dot").read_text(encoding="utf-8").startswith("digraph network {")


@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_the_page_says_what_the_answer_page_says(
    name: str, recording: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Overview] = []

    def noting(graph: Graph, lineage: Lineage, overview: Overview, *rest: Any) -> Report:
        seen.append(overview)
        return gather(graph, lineage, overview, *rest)

    monkeypatch.setattr(reports, "gather", noting)
    run = recording(name)
    api.report(run)
    assert repr(seen) == repr([api.summarize(run)])
