"""The keys of the screen; each may have another in the user's configuration, by its id."""

from __future__ import annotations

from textual.binding import Binding, BindingType

KEYS: list[BindingType] = [
    Binding(
        "slash",
        "search",
        "Search",
        key_display="/",
        id="search",
        tooltip="search names, types and variables",
    ),
    Binding("n", "hit(1)", "Next hit", id="next-hit", tooltip="go to the next hit"),
    Binding(
        "N", "hit(-1)", "Hit before", id="previous-hit", tooltip="go to the hit before", show=False
    ),
    Binding(
        "escape",
        "leave",
        "Back to the tree",
        show=False,
        id="leave",
        tooltip="end the search or the zoom, go to the tree",
    ),
    Binding("w", "why", "Why", id="why", tooltip="why the selected axis has its size"),
    Binding(
        "H",
        "tab('distribution')",
        "Histogram",
        key_display="H",
        id="histogram",
        tooltip="show distributions",
    ),
    Binding("1", "tab('detail')", "Detail", show=False, id="detail", tooltip="pane: detail"),
    Binding(
        "2",
        "tab('distribution')",
        "Distribution",
        show=False,
        id="distribution",
        tooltip="pane: distribution",
    ),
    Binding("3", "tab('why')", "Why", show=False, id="why-tab", tooltip="pane: why"),
    Binding("4", "tab('scalars')", "Scalars", show=False, id="scalars", tooltip="pane: scalars"),
    Binding(
        "5",
        "tab('run')",
        "Run",
        show=False,
        id="run",
        tooltip="pane: the run, failures, what was not observed",
    ),
    Binding(
        "6",
        "tab('findings')",
        "Findings",
        id="findings",
        tooltip="pane: findings, what is wrong with the run",
    ),
    Binding("o", "depth", "Depth", id="depth", tooltip="show ops, or layers only"),
    Binding(
        "f",
        "filter",
        "Filter",
        id="filter",
        tooltip="only with parameters, only ReLU, forward, backward, optimizer",
    ),
    Binding("backspace", "back", "Back", id="back", tooltip="come back from where a line led"),
    Binding("v", "turn('view')", "View", id="view", tooltip="histogram, ridges, heat map, numbers"),
    Binding(
        "t",
        "turn('tensor')",
        "Tensor",
        id="tensor",
        tooltip="output, gradient, weights, their gradients",
    ),
    Binding("y", "turn('scale')", "Scale", id="scale", tooltip="linear or logarithmic"),
    Binding("b", "turn('sides')", "BN", id="sides", tooltip="before and after batch normalization"),
    Binding(
        "left_square_bracket",
        "step(-1)",
        "Step before",
        show=False,
        key_display="[",
        id="step-back",
        tooltip="a recorded step back",
    ),
    Binding(
        "right_square_bracket",
        "step(1)",
        "Step",
        key_display="]",
        id="step-ahead",
        tooltip="a recorded step ahead",
    ),
    Binding("x", "axis(1)", "Axis", id="next-axis", tooltip="explain the next axis"),
    Binding(
        "X",
        "axis(-1)",
        "Axis before",
        show=False,
        id="previous-axis",
        tooltip="explain the axis before",
    ),
    Binding(
        "s", "svg", "SVG", show=False, id="svg", tooltip="write the picture of what is shown as SVG"
    ),
    Binding(
        "r",
        "report",
        "Report",
        show=False,
        id="report",
        tooltip="write the HTML report of the run, or of both",
    ),
    Binding("c", "copy", "Copy", show=False, id="copy", tooltip="copy what is shown"),
    Binding("z", "zoom", "Zoom", show=False, id="zoom", tooltip="give the window to one side"),
    Binding(
        "ctrl+r", "reload", "Read again", show=False, id="reload", tooltip="read the run file again"
    ),
]

# Those that two runs have besides.
KEYS_OF_TWO: list[BindingType] = [
    Binding("d", "tab('differences')", "Differences", id="differences",
            tooltip="pane: all differences between the two runs"),
    Binding("7", "tab('differences')", "Differences", show=False, id="differences-tab",
            tooltip="pane: all differences between the two runs"),
    Binding("m", "difference(1)", "Next ≠", id="next-difference",
            tooltip="go to the next layer that differs"),
    Binding("M", "difference(-1)", "≠ before", show=False, id="previous-difference",
            tooltip="go to the layer before that differs"),
]  # fmt: skip
