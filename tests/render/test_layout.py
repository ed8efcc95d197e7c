"""The layout of diagrams: texts do not overlap, and no line crosses a text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resnet_inspect.analysis.diagram.diagram import Diagram, Level, Options
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.render.diagram import engine
from resnet_inspect.render.diagram.dot import dot, title_id
from resnet_inspect.render.diagram.look import DiagramStyle
from resnet_inspect.store.run import Run
from tests.analysis.deep_graphs import deep
from tests.render.layout import Layout, Text, faults, laid_out

Open = Callable[[str], Run]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not engine.engines(), reason="no Graphviz here"),
]
LEVELS = [Level.STAGE, Level.BLOCK, Level.LAYER]


def whole(made: Diagram, layout: Layout) -> None:
    """Check that each group has its title inside, and each edge a line."""
    assert len(layout.lines) == len(made.edges)
    titles: dict[str, list[Text]] = {}
    for text in layout.texts:
        if text.kind == "title":
            titles.setdefault(text.owner, []).append(text)
    assert set(titles) == {title_id(cluster) for cluster in made.clusters}
    for cluster in made.clusters:
        left, bottom, right, top = layout.clusters[cluster.id]
        for text in titles[title_id(cluster)]:
            assert left < text.left
            assert text.right < right
            assert bottom < text.bottom
            assert text.top < top


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
@pytest.mark.parametrize("expand", [False, True], ids=["folded", "expanded"])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["v1", "v2"])
def test_no_text_is_covered(
    recording: Open, name: str, level: Level, expand: bool, rankdir: str
) -> None:
    run = recording(name)
    for graph in (run.graph, deep(run.graph, 5)):
        made = draw(graph, run.lineage, Options(level=level, expand=expand))
        layout = laid_out(dot(made, DiagramStyle(title=name, rankdir=rankdir)))
        whole(made, layout)
        assert faults(layout) == []


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
@pytest.mark.parametrize("level", LEVELS)
def test_no_text_is_covered_where_a_size_is_traced(
    recording: Open, level: Level, rankdir: str
) -> None:
    run = recording("v2")
    target, axes = find(run.graph, "Reshape:1")
    explanations = [why(run.graph, run.lineage, target, axis) for axis in axes]
    made = draw(run.graph, run.lineage, Options(level=level), explanations=explanations)
    layout = laid_out(dot(made, DiagramStyle(rankdir=rankdir)))
    whole(made, layout)
    assert faults(layout) == []


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
@pytest.mark.parametrize("name", ["mean_axes", "bn_axis", "filters"])
def test_no_text_is_covered_in_a_network_that_failed(
    recording: Open, name: str, rankdir: str
) -> None:
    run = recording(name)
    for level in LEVELS:
        made = draw(run.graph, run.lineage, Options(level=level), failure=run.info.failure)
        layout = laid_out(dot(made, DiagramStyle(rankdir=rankdir)))
        whole(made, layout)
        assert faults(layout) == []


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
@pytest.mark.parametrize("level", list(Level))
def test_no_text_is_covered_in_a_users_model(recording: Open, level: Level, rankdir: str) -> None:
    run = recording("own")
    for variables in (False, True):
        made = draw(run.graph, run.lineage, Options(level=level, variables=variables))
        layout = laid_out(dot(made, DiagramStyle(rankdir=rankdir)))
        whole(made, layout)
        assert [fault for fault in faults(layout) if "through edge" not in fault] == []


@pytest.mark.parametrize("name", ["v1", "v2"])
@pytest.mark.parametrize("extra", ["variables", "backward"])
def test_with_more_edges_lines_cross_only_labels_of_edges(
    recording: Open, name: str, extra: str
) -> None:
    """Labels of edges are drawn last, with a halo; names of boxes and groups are not crossed."""
    run = recording(name)
    for level in LEVELS:
        options = Options(level=level, variables=extra == "variables", backward=extra == "backward")
        layout = laid_out(dot(draw(run.graph, run.lineage, options), DiagramStyle()))
        assert [fault for fault in faults(layout) if "through edge" not in fault] == []


def test_a_covered_text_is_found() -> None:
    """The check works: it reports a line that crosses the label of a group."""
    bare = 'digraph {subgraph "cluster_a" {id=a; label="a long name of a group"; b [label=b]; }'
    layout = laid_out(bare + "c -> b [id=e]}")
    assert faults(layout) == ["e runs through title 'a long name of a group' of a"]
    text = Text("edge", "e", "8×64", 0, 0, 30, 10)
    apart = text._replace(owner="f", left=30.0, right=60.0)
    upon = text._replace(owner="f", left=20.0, right=50.0)
    assert not faults(Layout([text, apart], {}, {}, {}))
    assert faults(Layout([text, upon], {}, {}, {})) == ["edge '8×64' lies on edge '8×64'"]
