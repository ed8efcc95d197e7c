"""Diagrams as DOT and SVG: valid, complete, escaped, reproducible, without overlaps."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import graphviz
import msgspec
import pytest

from resnet_inspect.analysis.diagram.diagram import Box, Diagram, Level, Node, Options, anchor
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.errors import RendererError, RendererMissingError
from resnet_inspect.graph import Graph
from resnet_inspect.paths import printable
from resnet_inspect.render.diagram import engine
from resnet_inspect.render.diagram.dot import dot, identifiers, literal, title_id
from resnet_inspect.render.diagram.engine import drawn
from resnet_inspect.render.diagram.look import COLOURS, PALETTE, Bars, DiagramStyle, Shade
from resnet_inspect.render.diagram.picture import picture_of
from resnet_inspect.render.svg import BOLD, text_width
from resnet_inspect.store.run import Run
from tests.recordings import TRAINED

Open = Callable[[str], Run]
Golden = Callable[[str, str], None]
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[bold]name[/bold]",
    "\"quotes\" and 'quotes'",
    "back\\slash\\n\\N\\G\\",
    "new\nline",
    "\u202eright to left",
    "x" * 300,
    "<B>not bold</B>",
    "<",
    "&lt;&amp;&#60;",
    "a/b -> c; {d} | e",
    "",
    "∇ — 数",
]
ENGINES = ["dot", "pygraphviz"]


@pytest.fixture(params=ENGINES)
def one_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each engine alone, where it is installed."""
    known = dict(engine.engines())
    if request.param not in known:
        pytest.skip(f"{request.param} is not installed")
    monkeypatch.setattr(engine, "engines", lambda: [(request.param, known[request.param])])
    return str(request.param)


def made_of(run: Run, **options: object) -> Diagram:
    return draw(
        run.graph,
        run.lineage,
        msgspec.convert(options, Options, strict=False),
        failure=run.info.failure,
    )


def hostile(graph: Graph) -> Graph:
    """The graph with hostile names for its first layers and a group."""
    names = dict(zip((layer.name for layer in graph.layers), HOSTILE, strict=False))
    layers = tuple(
        msgspec.structs.replace(
            layer,
            name=names.get(layer.name, layer.name),
            type=HOSTILE[0] if layer.type == "Relu" else layer.type,
            path=(HOSTILE[1], HOSTILE[4]) if layer.path == ("head",) else layer.path,
        )
        for layer in graph.layers
    )
    return msgspec.structs.replace(graph, layers=layers)


@pytest.mark.parametrize("name", ["v1", "v2", "filters", "mean_axes", *TRAINED])
def test_golden_dot(recording: Open, golden: Golden, name: str) -> None:
    run = recording(name)
    golden(f"diagram/{name}.dot", dot(made_of(run), DiagramStyle(title=run.info.network)))


def test_golden_dot_of_a_lineage(recording: Open, golden: Golden) -> None:
    run = recording("v2")
    target, axes = find(run.graph, "Reshape:1")
    explanations = [why(run.graph, run.lineage, target, axis) for axis in axes]
    golden(
        "diagram/lineage.dot",
        dot(draw(run.graph, run.lineage, explanations=explanations), DiagramStyle()),
    )


@pytest.mark.parametrize("level", list(Level))
def test_graphviz_parses_the_dot_text(recording: Open, level: Level) -> None:
    pygraphviz = pytest.importorskip("pygraphviz")
    made = made_of(recording("v2"), level=level, variables=True)
    read = pygraphviz.AGraph(string=dot(made, DiagramStyle()))
    titles = {title_id(cluster) for cluster in made.clusters}
    assert set(read.nodes()) == {node.id for node in made.nodes} | titles
    assert len(read.edges()) == len({(edge.tail, edge.head) for edge in made.edges})
    assert all(node.attr["label"] and node.attr["class"] for node in read.nodes_iter())
    assert "ortho" not in str(read)


def test_hostile_names_in_dot(recording: Open) -> None:
    pygraphviz = pytest.importorskip("pygraphviz")
    run = recording("v2")
    made = draw(hostile(run.graph), run.lineage)
    text = dot(made, DiagramStyle(title=HOSTILE[0]))
    read = pygraphviz.AGraph(string=text)
    titles = {title_id(cluster) for cluster in made.clusters}
    assert set(read.nodes()) == {node.id for node in made.nodes} | titles
    assert all(line.lstrip("\t").isprintable() for line in text.split("\n"))


def points(element: ElementTree.Element) -> list[tuple[float, float]]:
    numbers = re.findall(r"-?\d+(?:\.\d+)?", element.get("points") or element.get("d") or "")
    values = list(map(float, numbers))
    return list(zip(values[::2], values[1::2], strict=True))


def boxes(root: ElementTree.Element) -> dict[str, tuple[float, float, float, float]]:
    extents = {}
    for group in root.iter(f"{SVG}g"):
        if "node" in group.get("class", "").split():
            shape = next(e for e in group.iter() if e.tag in (f"{SVG}polygon", f"{SVG}path"))
            xs, ys = zip(*points(shape), strict=True)
            extents[group.get("id", "")] = min(xs), min(ys), max(xs), max(ys)
    return extents


@pytest.mark.parametrize("name", ["v1", "v2", "filters", "mean_axes", *TRAINED])
def test_svg_is_complete_and_boxes_do_not_overlap(
    recording: Open, one_engine: str, name: str
) -> None:
    run = recording(name)
    made = made_of(run, variables=name == "v2")
    text = picture_of(made, DiagramStyle()).text
    root = ElementTree.fromstring(text)
    places = boxes(root)
    assert set(places) == {node.id for node in made.nodes}, one_engine
    for (a, first), (b, second) in combinations(places.items(), 2):
        apart = (
            first[2] <= second[0]
            or second[2] <= first[0]
            or first[3] <= second[1]
            or second[3] <= first[1]
        )
        assert apart, (a, b)
    edges = [g for g in root.iter(f"{SVG}g") if "edge" in g.get("class", "").split()]
    assert sorted((g.get("data-tail"), g.get("data-head")) for g in edges) == sorted(
        (edge.tail, edge.head) for edge in made.edges
    )
    _, _, width, height = map(float, root.get("viewBox", "").split())
    whole = root.find(f"{SVG}g")
    assert whole is not None
    shift = re.search(r"translate\(([\d.]+)[ ,]([\d.]+)\)", whole.get("transform", ""))
    assert shift is not None
    for label in root.iter(f"{SVG}text"):
        x, y = float(label.get("x", "0")), float(label.get("y", "0"))
        assert 0 <= x + float(shift[1]) <= width
        assert 0 <= y + float(shift[2]) <= height
        assert label.get("font-family", "").startswith("Verdana,")


def test_svg_has_anchors_tooltips_and_colours_by_name(recording: Open, one_engine: str) -> None:
    run = recording("v2")
    made = draw(run.graph, run.lineage)
    text = picture_of(made, DiagramStyle(title="a title")).text
    assert text.startswith("<?xml "), one_engine
    root = ElementTree.fromstring(text)
    groups = {g.get("id"): g for g in root.iter(f"{SVG}g") if g.get("id")}
    for layer in run.graph.layers:
        group = groups[anchor("layer", layer.name)]
        assert group.get("data-layer") == layer.name
        assert {"node", "layer"} <= set(group.get("class", "").split())
        title = group.find(f"{SVG}title")
        assert title is not None
        assert (title.text or "").startswith(layer.name + "\n")
        link = next(group.iter(f"{SVG}a"))
        assert link.get("{http://www.w3.org/1999/xlink}href") == "#" + group.get("id", "")
    for element in root.iter():
        for attribute in ("fill", "stroke"):
            value = element.get(attribute, "none")
            if value not in ("none", "transparent"):
                assert any(value == pair[0] for pair in PALETTE.values()), value
    assert "prefers-color-scheme:dark" in text
    plain = picture_of(made, DiagramStyle(), "element", prefix="b-").text
    assert plain.startswith("<svg ")
    assert "<style" not in plain
    marked = [element.get("id") for element in ElementTree.fromstring(plain).iter()]
    assert all(name.startswith("b-") for name in marked if name)
    assert f"b-{anchor('layer', 'conv1')}" in marked


def test_colours_can_be_found_again_by_their_light_value() -> None:
    assert len({pair[0] for pair in PALETTE.values()}) == len(PALETTE) > len(COLOURS)


def test_boxes_of_several_layers_list_them(recording: Open) -> None:
    run = recording("v2")
    text = picture_of(made_of(run, level="stage"), DiagramStyle()).text
    groups = ElementTree.fromstring(text).iter(f"{SVG}g")
    listed = [json.loads(group.get("data-layers", "[]")) for group in groups]
    assert [name for names in listed for name in names] == [x.name for x in run.graph.layers]


def test_hostile_names_are_text(recording: Open, one_engine: str) -> None:
    run = recording("v2")
    made = draw(hostile(run.graph), run.lineage, Options(level=Level.LAYER))
    text = picture_of(made, DiagramStyle(title=HOSTILE[1])).text
    assert "<script" not in text, one_engine
    assert "</script" not in text
    assert "<img" not in text
    assert "\u202e" not in text
    root = ElementTree.fromstring(text)
    shown = {g.get("data-layer") for g in root.iter(f"{SVG}g")}
    assert {HOSTILE[0], HOSTILE[1], HOSTILE[3], HOSTILE[4], HOSTILE[8], HOSTILE[10]} <= shown
    titles = {(title.text or "").partition("\n")[0] for title in root.iter(f"{SVG}title")}
    assert HOSTILE[4] in titles
    assert "x" * 300 in titles
    longest = max(len("".join(label.itertext())) for label in root.iter(f"{SVG}text"))
    assert longest < 110
    words = " ".join("".join(label.itertext()) for label in root.iter(f"{SVG}text"))
    assert HOSTILE[4] in words


def test_tooltips_are_literal(one_engine: str) -> None:
    texts = [
        *filter(None, HOSTILE),
        "node",
        "-6.4",
        'a\\\\"',
        '\\"',
        '"\\',
        "a:b:c",
        "<B>&amp;</B>",
    ]
    network = graphviz.Digraph()
    for at, text in enumerate(texts):
        with network.subgraph(name=f"cluster_{at}") as inner:
            inner.attr("graph", tooltip=literal(text))
            inner.node(f"n{at}", tooltip=literal(text), URL="#a")
            inner.edge(f"n{at}", f"m{at}", tooltip=literal(text))
            inner.node(f"m{at}", tooltip=literal(text))
    links = ElementTree.fromstring(drawn(network.source, "svg").data).iter(f"{SVG}a")
    titles = [link.get("{http://www.w3.org/1999/xlink}title") for link in links]
    assert sorted(map(str, titles)) == sorted(printable(text) for text in texts * 4), one_engine


@pytest.mark.parametrize("sign", ["x", "l", "W", "m", "_"])
def test_long_names_have_room_whatever_their_signs(
    recording: Open, one_engine: str, sign: str
) -> None:
    run = recording("v2")
    first = msgspec.structs.replace(run.graph.layers[0], name=sign * 300, path=(sign * 300,))
    graph = msgspec.structs.replace(run.graph, layers=(first, *run.graph.layers[1:]))
    made = draw(graph, run.lineage)
    root = ElementTree.fromstring(picture_of(made, DiagramStyle()).text)
    name = anchor("layer", sign * 300)
    left, _, right, _ = boxes(root)[name]
    group = next(g for g in root.iter(f"{SVG}g") if g.get("id") == name)
    label = next(group.iter(f"{SVG}text"))
    shown = "".join(label.itertext())
    assert label.get("text-anchor") == "middle", one_engine
    assert float(label.get("x", "0")) == pytest.approx((left + right) / 2, abs=0.02)
    assert text_width(shown, 11) * BOLD <= right - left < 420
    title = next(line for line in dot(made, DiagramStyle()).splitlines() if "class=title" in line)
    width = re.search(r'width="?([\d.]+)', title)
    assert width is not None
    assert 72 * float(width[1]) > 90


def test_equal_diagrams_give_equal_pictures(recording: Open, one_engine: str) -> None:
    run = recording("v2")
    texts = {picture_of(made_of(run), DiagramStyle()).text for _ in range(2)}
    assert len(texts) == 1, one_engine
    script = (
        "from resnet_inspect.store.run import Run\n"
        "from resnet_inspect.analysis.diagram.drawing import draw\n"
        "from resnet_inspect.render.diagram.dot import dot\n"
        "from resnet_inspect.render.diagram.look import DiagramStyle\n"
        f"run = Run.open({str(run.path)!r})\n"
        "print(dot(draw(run.graph, run.lineage), DiagramStyle()))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_bars_and_shades_are_drawn(recording: Open, one_engine: str) -> None:
    made = made_of(recording("v2"))
    look = DiagramStyle(
        bars={"layer-conv1": Bars((0.0, 0.5, 1.0), "0 … 3")},
        shades={"layer-conv1": Shade(4, "zeros 97 %")},
        measure="zeros",
        legend=((0, "low"), (4, "high")),
    )
    root = ElementTree.fromstring(picture_of(made, look).text)
    group = next(g for g in root.iter(f"{SVG}g") if g.get("id") == "layer-conv1")
    paths = [p for p in group.iter(f"{SVG}path") if "f-inverse" in p.get("class", "")]
    assert len(paths) == 1, one_engine
    assert paths[0].get("d", "").count("z") == 3
    words = ["".join(label.itertext()) for label in group.iter(f"{SVG}text")]
    assert {"conv1", "zeros 97 %", "0 … 3"} <= {word.strip() for word in words}
    assert "▄█" in dot(made, look._replace(svg=False))


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_other_forms(recording: Open, one_engine: str, form: str) -> None:
    data = picture_of(made_of(recording("v1"), level="block"), DiagramStyle(), form).data
    assert data[:5] in (b"\x89PNG\r", b"%PDF-"), one_engine


def test_the_text_for_graphviz_is_a_form(recording: Open) -> None:
    made = made_of(recording("v1"))
    assert picture_of(made, DiagramStyle(), "dot").text == dot(made, DiagramStyle())


def test_no_engine_at_all(recording: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "engines", list)
    made = made_of(recording("v2"))
    with pytest.raises(RendererMissingError) as caught:
        picture_of(made, DiagramStyle(), "png")
    assert "apt install graphviz" in caught.value.fix
    assert caught.value.source == dot(made, DiagramStyle(svg=False))


def program(folder: Path, body: str) -> str:
    """A program called `dot`."""
    file = folder / "dot"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return str(file)


def only(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    """Make this `dot` the only installed engine."""
    program(folder, body)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    known = [(name, command) for name, command in engine.engines() if name == "dot"]
    monkeypatch.setattr(engine, "engines", lambda: known)


def ended(pid: int) -> bool:
    """Whether a process has ended; a zombie counts as ended."""
    for _ in range(100):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except FileNotFoundError:
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("then", ["sleep 60", "exit 0"])
def test_an_engine_that_hangs_is_stopped_with_its_children(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, then: str
) -> None:
    pids = tmp_path / "pids"
    only(monkeypatch, tmp_path, f"sleep 60 & echo $$ $! > {pids}; {then}")
    with pytest.raises(RendererError, match=r"timed out after 8 seconds"):
        drawn("digraph {}", "svg", timeout=8)
    started = pids.read_text().split()
    assert len(started) == 2
    assert all(ended(int(pid)) for pid in started)


def test_children_are_stopped_that_outlive_their_engine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    left = program(tmp_path, f"sleep 60 & echo $! > {pid}")
    monkeypatch.setattr(engine, "engines", lambda: [("left", [left])])
    with pytest.raises(RendererError, match=r"timed out after 2 seconds"):
        drawn("digraph {}", "svg", timeout=2)
    assert ended(int(pid.read_text()))


@pytest.mark.parametrize("sign", ["an edge", "\\344\\377", "数"])
def test_a_complete_picture_is_accepted_with_any_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sign: str
) -> None:
    body = f"printf 'lost {sign}\\n' >&2; echo '<svg></svg>'; exit 3"
    only(monkeypatch, tmp_path, body)
    picture = drawn("digraph {}", "svg")
    assert picture.data.strip() == b"<svg></svg>"
    shown = sign.replace("\\344\\377", "\ufffd\ufffd")
    assert picture.note == f"dot exited with code 3 but the picture is complete: lost {shown}"


def test_a_picture_without_the_boxes_is_rejected(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = engine.engines()
    if not known:
        pytest.skip("no Graphviz here")
    empty = ("empty", [program(tmp_path, "echo '<svg></svg>'")])
    monkeypatch.setattr(engine, "engines", lambda: [empty])
    with pytest.raises(RendererError) as caught:
        drawn('digraph {a [id="a"]}', "svg", required=["a"])
    assert caught.value.got == "empty exited with code 0: the picture lacks 1 of 1 boxes"
    monkeypatch.setattr(engine, "engines", lambda: [empty, *known])
    picture = drawn('digraph {a [id="a"]}', "svg", required=["a"])
    assert b'id="a"' in picture.data
    assert picture.note.endswith(f"lacks 1 of 1 boxes; {known[0][0]} drew the picture")


def test_a_picture_contains_every_identifier(recording: Open, one_engine: str) -> None:
    made = draw(hostile(recording("v2").graph), recording("v2").lineage)
    assert not picture_of(made, DiagramStyle()).note, one_engine
    with pytest.raises(RendererError, match="Graphviz could not draw the diagram"):
        drawn(dot(made, DiagramStyle()), "svg", required=[*identifiers(made), "layer-of-another"])


@pytest.mark.parametrize(
    ("body", "code"),
    [("echo '<svg>'; exit 0", 0), ("echo bad >&2; exit 1", 1), ("kill -9 $$", 137)],
)
def test_an_incomplete_picture_is_rejected(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str, code: int
) -> None:
    only(monkeypatch, tmp_path, body)
    with pytest.raises(RendererError, match="Graphviz could not draw the diagram") as caught:
        drawn("digraph {}", "svg")
    reason = "bad" if code == 1 else "no picture"
    assert caught.value.got == f"dot exited with code {code}: {reason}"


def test_messages_of_dot_are_shown_without_a_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch, tmp_path, "echo no room >&2; echo '<svg></svg>'")
    with pytest.raises(RendererError) as caught:
        drawn('digraph {a [id="a"]}', "svg", required=["a"])
    assert caught.value.got == "dot exited with code 0: no room"


def test_the_next_engine_draws_after_the_first_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = engine.engines()
    if not known:
        pytest.skip("no Graphviz here")
    broken = ("broken", [program(tmp_path, "exit 1")])
    monkeypatch.setattr(engine, "engines", lambda: [broken, *known])
    assert b"</svg>" in drawn("digraph {a}", "svg").data


def test_the_engine_on_the_path_comes_first() -> None:
    names = [name for name, _ in engine.engines()]
    assert names == [name for name in ENGINES if name in names]
    assert ("dot" in names) == (shutil.which("dot") is not None)


def test_a_node_alone_has_a_label() -> None:
    made = Diagram(Level.LAYER, (Node("layer-", Box.LAYER, "", ""),), (), ())
    assert "label=<" in dot(made, DiagramStyle())
