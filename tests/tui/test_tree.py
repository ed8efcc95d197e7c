"""The tree: folding, depth, filters, search."""

from __future__ import annotations

from resnet_inspect.analysis.browse.outline import NodeKind, OutlineFilter
from resnet_inspect.store.run import Run
from tests.recordings import FOLDER
from tests.tui.driving import Driver, browse

V2 = FOLDER / "v2.db"
STAGES = ["stem", "conv_block_stage0", "conv_block_stage1", "conv_block_stage2", "head"]


def test_it_opens_on_the_stages_and_folds() -> None:
    async def script(ui: Driver) -> None:
        assert ui.labels() == STAGES
        await ui.press("down", "enter")
        assert ui.labels() == [*STAGES[:2], "res00", *STAGES[2:]]
        await ui.press("right", "l")
        assert ui.network.node is not None
        assert ui.network.node.label == "res00"
        assert "add00" in ui.labels()
        await ui.press("G")
        assert ui.network.node.label == "head"
        await ui.press("g", "j", "h")
        assert ui.labels() == STAGES

    browse(V2, script)


def test_a_row_shows_shape_zeros_and_histogram_if_they_fit() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("down", "right", "right", "right")
        row = next(row for row in ui.rows() if "relu00_branch2a" in row)
        assert "8×32×32×16" in row
        assert "52.6 %" in row
        assert any(sign in row for sign in "▃▄▅▆▇█")
        await ui.pilot.resize_terminal(80, 24)
        await ui.settle()
        narrow = next(row for row in ui.rows() if "relu00_branch2a" in row)
        assert "8×32×32×16" in narrow
        assert "%" not in narrow

    browse(V2, script, size=(160, 40))


def test_the_heading_of_the_columns_stays_while_the_tree_scrolls() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("o", "G", "right", "G")
        assert ui.network.scroll_offset.y > 0
        heading, *rows = ui.shown().splitlines()[1:-2]
        assert heading.split("▕")[0].split() == ["op", "output", "zero", "histogram"]
        await ui.press("o", "g")
        heading, *rows = ui.shown().splitlines()[1:-2]
        tree = [row.split("▕")[0] for row in (heading, *rows[:2])]
        assert tree[0].split() == ["layer", "output", "zero", "histogram"]
        assert tree[0].index("zero") + len("zero") == tree[1].index("%") + 1
        assert tree[0].index("output") + len("output") == tree[1].index("×16") + len("×16")
        await ui.pilot.click(ui.network, offset=(20, 0))
        assert ui.network.cursor == 0
        await ui.pilot.click(ui.network, offset=(20, 2))
        assert ui.network.cursor == 1

    browse(V2, script, size=(120, 12))


def test_the_line_below_names_the_layer_whose_output_a_group_shows() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("down", "right", "right")
        assert ui.network.node is not None
        assert ui.network.node.label == "res00"
        assert "group row: output of add00" in ui.shown().splitlines()[-2]
        await ui.press("right", "down")
        assert ui.network.node.label == "bn00_branch2a"
        assert "group row" not in ui.shown()

    browse(V2, script, size=(80, 24))


def test_ops_can_be_shown_and_hidden_again_in_the_same_place() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("down", "right", "right", "right", "down", "down", "down")
        assert ui.network.node is not None
        assert ui.network.node.name == "res00_branch2a"
        await ui.press("o")
        assert ui.network.node.name == "res00_branch2a"
        assert {"backward", "optimizer", "loss and metrics"} <= set(ui.labels())
        await ui.press("right", "right")
        assert ui.network.node.label == "Conv2D"
        await ui.press("o")
        assert ui.network.node.name == "res00_branch2a"
        assert "backward" not in ui.labels()

    browse(V2, script)


def test_search_keeps_parents_counts_hits_and_restores_the_tree() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("down", "down")
        await ui.press("slash", *"branch2b")
        assert ui.network.node is not None
        assert ui.network.node.name == "bn00_branch2b"
        assert ui.labels()[:5] == [
            "conv_block_stage0", "res00", "bn00_branch2b", "relu00_branch2b", "res00_branch2b",
        ]  # fmt: skip
        assert "9 hits" in ui.shown()
        await ui.press("enter", "n")
        assert ui.network.node.name == "relu00_branch2b"
        await ui.press("N", "N")
        assert ui.network.node.name == "res20_branch2b"
        await ui.press("escape")
        assert ui.network.node.name == "res20_branch2b"  # the selection among the hits stays
        assert "res00" not in ui.labels()
        await ui.press("g", "slash", *"dense", "escape")
        assert ui.network.node.label == "stem"

    browse(V2, script)


def test_a_search_without_hits_shows_zero_hits() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("slash", *"zebra")
        assert ui.labels() == []
        assert "0 hits" in ui.shown()
        await ui.press("enter", "down", "enter", "n", "w", "H", "escape")
        assert ui.labels() == STAGES

    browse(V2, script)


def test_filters_limit_the_tree() -> None:
    async def script(ui: Driver) -> None:
        for only in list(OutlineFilter)[1:]:
            await ui.press("f")
            assert ui.network.only == only
            kept = list(ui.network.outline.filtered(only))
            assert ui.network.shown == len(kept)
            assert f"only {only}" in ui.shown()
        await ui.press("f")
        assert ui.network.only == OutlineFilter.ALL

    browse(V2, script)


def test_the_mouse_selects_and_folds() -> None:
    async def script(ui: Driver) -> None:
        await ui.pilot.click("#tree", offset=(8, 3))
        await ui.settle()
        assert ui.network.node is not None
        assert ui.network.node.label == "conv_block_stage1"
        assert "conv_block_stage1" in ui.pane_text()
        await ui.pilot.click("#tree", offset=(0, 3))
        await ui.settle()
        assert "res10" in ui.labels()

    browse(V2, script)


def test_a_row_with_values_that_are_not_finite_is_marked() -> None:
    async def script(ui: Driver) -> None:
        for key in ("G", "left", "up", "right", "down", "right"):
            await ui.press(key)
        with Run.open(FOLDER / "diverged.db") as run:
            summaries = run.summaries(run.recorded_steps()[-1])
        marked = {
            node.name for at, node in enumerate(ui.network.nodes)
            if " !NaN" in ui.network.text_of(at).plain and node.kind == NodeKind.LAYER
        }  # fmt: skip
        shown = {node.name for node in ui.network.nodes}
        assert marked == {name for name, summary in summaries.items() if summary.nan} & shown
        assert marked

    browse(FOLDER / "diverged.db", script, size=(160, 40))


def test_hits_are_found_in_folded_rows_and_at_the_other_depth() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("slash", *"bn0", "enter", "g", "h")
        assert "2 hits" in ui.rows()[0]
        await ui.press("n")
        assert ui.network.node is not None
        assert ui.network.node.name == "bn00_branch2a"
        await ui.press("o")
        assert ui.network.node.name == "bn00_branch2a"
        before = ui.network.node.key
        await ui.press("n")
        assert ui.network.node.key != before
        assert "bn00" in ui.network.node.label

    browse(V2, script)


def test_a_search_finds_the_layers_and_ops_of_variables() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("slash", *"conv1/kernel")
        assert ui.network.node is not None
        assert ui.network.node.name == "conv1"
        await ui.press("escape", "o", "slash", *"conv1/kernel")
        names = {node.name for node in ui.network.nodes}
        assert "conv1/Conv2D/ReadVariableOp/resource" in names

    browse(V2, script)


def test_a_scroll_bar_hides_no_part_of_a_row() -> None:
    async def script(ui: Driver) -> None:
        await ui.press("down", "right", "right", "right", "right")
        assert ui.network.count > ui.network.size.height  # there is a bar
        lines = ui.shown().splitlines()
        for at in range(ui.network.size.height - 1):
            assert ui.network.text_of(at).plain in lines[at + 2]  # below header and heading

    browse(V2, script, size=(80, 12))
