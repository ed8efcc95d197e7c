"""Large runs: only visible rows are created and read, and a search finds every hit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bench.large_run import repeated, write_large
from resnet_inspect.analysis.browse.outline import Outline, OutlineFilter, OutlineNode
from resnet_inspect.graph import Graph, Op, Phase
from resnet_inspect.stats import Tap, TensorSummary
from resnet_inspect.store.run import Run
from tests.recordings import FOLDER
from tests.tui.driving import Driver, browse

OPS = 20_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_large(tmp_path_factory.mktemp("large") / "run.db", OPS, steps=1)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[OutlineNode]:
    """Collect the nodes whose children were created."""
    nodes: list[OutlineNode] = []
    children = Outline.children

    def noting(outline: Outline, node: OutlineNode) -> list[OutlineNode]:
        nodes.append(node)
        return children(outline, node)

    monkeypatch.setattr(Outline, "children", noting)
    return nodes


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often each tensor was read from the file."""
    counts: Counter[str] = Counter()
    course = Run.course

    def noting(run: Run, tap: Tap, step: int | None = None) -> dict[int, TensorSummary]:
        counts[tap.tensor] += 1
        return course(run, tap, step)

    monkeypatch.setattr(Run, "course", noting)
    return counts


@pytest.mark.slow
def test_only_opened_rows_are_created(large: Path, opened: list[OutlineNode]) -> None:
    async def script(ui: Driver) -> None:
        assert opened == []
        assert ui.labels() == ["tower0", "tower1"]
        await ui.press("o")
        assert opened == []
        assert ui.labels() == ["tower0", "tower1", "backward", "optimizer", "loss and metrics"]
        await ui.press("enter")
        assert [node.label for node in opened] == ["tower0"]
        assert len(ui.labels()) == 5 + 20
        await ui.press("enter", "enter", "down")
        assert [node.label for node in opened] == ["tower0"]

    browse(large, script)


@pytest.mark.slow
def test_distributions_are_read_once_and_of_visible_rows_only(
    large: Path, read: Counter[str]
) -> None:
    async def script(ui: Driver) -> None:
        await ui.press("o", "down")
        read.clear()
        await ui.press("enter")
        tree = ui.network
        rows, height, top = tree.count, tree.size.height, tree.scroll_offset.y
        assert rows > 2 * height
        before = read.total()
        visible = {
            str(tree.facts.output_of(node, tree.outline)) for node in tree.nodes[top : top + height]
        }
        beyond = {
            str(tree.facts.output_of(node, tree.outline)) for node in tree.nodes[top + height :]
        }
        assert read
        assert set(read) <= visible
        assert beyond - visible
        await ui.press("up", "down")
        assert read.total() == before
        assert set(read.values()) == {1}
        await ui.press("pagedown")
        assert read.total() > before
        assert set(read.values()) == {1}

    browse(large, script, size=(140, 10))


@pytest.mark.slow
def test_narrowing_a_search_finds_the_same_as_a_new_search(large: Path) -> None:
    async def script(ui: Driver) -> None:
        await ui.press("o", "slash", "r", "e", "l", "u")
        tree = ui.network
        assert tree.hits.leaves_of == tree.outline.search("relu", tree.outline.filtered())
        assert tree.shown == sum(len(places) for places in tree.hits.leaves_of.values())
        await ui.press("backspace", "s")
        assert tree.query_text == "rels"
        assert tree.hits.leaves_of == {}
        await ui.press("backspace", "backspace")
        assert tree.hits.leaves_of == tree.outline.search("re", tree.outline.filtered())

    browse(large, script)


@pytest.mark.slow
def test_a_folded_row_counts_the_hits_below_it(large: Path) -> None:
    async def script(ui: Driver) -> None:
        await ui.press("o", "slash", *"bn00_branch2a", "enter", "home", "left")
        tree = ui.network
        assert tree.nodes[0].label == "tower0"
        inside = set(tree.nodes[0].members)
        below = sum(1 for places in tree.hits.leaves_of.values() if inside & set(places))
        assert 0 < below < len(tree.hits)
        assert f"({below} hits)" in ui.rows()[0]

    browse(large, script, size=(180, 40))


@pytest.mark.slow
@pytest.mark.parametrize("text", ["e", "a", "CONV", "relu", "/b", "copy15", "mul_1/", "nowhere"])
def test_a_search_of_100000_ops_finds_the_same_as_a_plain_scan(huge: Graph, text: str) -> None:
    outline = Outline(huge, ops=True)
    assert len(outline.leaves) == 100_000
    assert outline.search(text, outline.filtered()) == _scanned(outline, text)


def test_groups_of_100000_ops_contain_each_op_once(huge: Graph) -> None:
    outline = Outline(huge, ops=True)
    for only in (
        OutlineFilter.ALL,
        OutlineFilter.RELU,
        OutlineFilter.BACKWARD,
        OutlineFilter.PARAMETERS,
    ):
        members = outline.filtered(only)
        roots = outline.roots(members)
        assert sorted(place for node in roots for place in node.members) == list(members)
        for node in roots[:3]:
            below = [place for child in outline.children(node) for place in child.members]
            assert sorted(below) == [place for place in node.members if place != node.own]


def test_an_op_with_ops_below_it_is_their_row_in_any_order() -> None:
    ops = tuple(
        Op(name, "Mul", Phase.FORWARD) for name in ("a/b", "c", "a/b/d", "a", "a/b/e", "c/f")
    )
    outline = Outline(Graph(ops), ops=True)
    roots = outline.roots(outline.filtered())
    assert [(node.label, node.own) for node in roots] == [("a", 3), ("c", 1)]
    (inner,) = outline.children(roots[0])
    assert (inner.label, inner.own, list(inner.members)) == ("b", 0, [0, 2, 4])


@pytest.fixture(scope="module")
def huge() -> Graph:
    with Run.open(FOLDER / "v2.db") as run:
        return repeated(run.graph, 100_000)


def _scanned(outline: Outline, text: str) -> dict[str, list[int]]:
    """Return the leaves by hit: the shortest path at or above a leaf that contains the text.

    The type of a leaf and the name of its variable count as its own path.
    """
    hits: dict[str, list[int]] = {}
    wanted = text.lower()
    variables = outline.graph.variables
    variable_of = {op: variable.name for variable in variables for op in variable.handles}
    for place, (path, leaf) in enumerate(zip(outline.paths, outline.leaves, strict=True)):
        parts = path.split("/")
        above = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
        hit = next((prefix for prefix in above if wanted in prefix.lower()), None)
        if hit is None and wanted in f"{leaf.type} {variable_of.get(leaf.name, '')}".lower():
            hit = path
        if hit is not None:
            hits.setdefault(hit, []).append(place)
    return hits
