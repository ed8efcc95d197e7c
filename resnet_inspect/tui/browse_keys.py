"""The keys of the screens. The user can assign another key to each by its id."""

from __future__ import annotations

from textual.binding import Binding, BindingType

KEYS: list[BindingType] = [
    Binding(
        "slash",
        "search",
        "Search",
        key_display="/",
        id="search",
        tooltip="search layers and ops by name, type or variable",
    ),
    Binding("n", "hit(1)", "Next hit", id="next-hit", tooltip="go to the next search hit"),
    Binding(
        "N",
        "hit(-1)",
        "Previous hit",
        show=False,
        id="previous-hit",
        tooltip="go to the previous search hit",
    ),
    Binding(
        "escape",
        "leave",
        "Back to the tree",
        show=False,
        id="leave",
        tooltip="end the search or the zoom, or go to the tree",
    ),
    Binding("w", "why", "Why", id="why", tooltip="explain the size of the selected axis"),
    Binding(
        "H",
        "tab('distribution')",
        "Histogram",
        key_display="H",
        id="histogram",
        tooltip="open the Distribution pane",
    ),
    Binding(
        "1",
        "tab('detail')",
        "Detail",
        show=False,
        id="detail",
        tooltip="open the Detail pane: shapes, inputs, variables, source lines",
    ),
    Binding(
        "2",
        "tab('distribution')",
        "Distribution",
        show=False,
        id="distribution",
        tooltip="open the Distribution pane: histograms over the steps",
    ),
    Binding(
        "3",
        "tab('why')",
        "Why",
        show=False,
        id="why-tab",
        tooltip="open the Why pane: the origin of a size",
    ),
    Binding(
        "4",
        "tab('scalars')",
        "Scalars",
        show=False,
        id="scalars",
        tooltip="open the Scalars pane: loss, metrics, gradient norm",
    ),
    Binding(
        "5",
        "tab('run')",
        "Run",
        show=False,
        id="run",
        tooltip="open the Run pane: status, failures, what was not recorded",
    ),
    Binding(
        "6",
        "tab('findings')",
        "Findings",
        id="findings",
        tooltip="open the Findings pane: problems that check reports",
    ),
    Binding("o", "depth", "Depth", id="depth", tooltip="show ops in the tree, or only layers"),
    Binding(
        "f",
        "filter",
        "Filter",
        id="filter",
        tooltip="next filter: with parameters, ReLU, forward, backward, optimizer",
    ),
    Binding(
        "backspace",
        "back",
        "Back",
        id="back",
        tooltip="return to the last followed line",
    ),
    Binding(
        "v",
        "turn('view')",
        "View",
        id="view",
        tooltip="next view: histogram, ridges, heat map, numbers",
    ),
    Binding(
        "t",
        "turn('tensor')",
        "Tensor",
        id="tensor",
        tooltip="next tensor: output, weights, gradients",
    ),
    Binding(
        "y", "turn('scale')", "Scale", id="scale", tooltip="next scale: auto, linear, logarithmic"
    ),
    Binding(
        "b",
        "turn('sides')",
        "BN",
        id="sides",
        tooltip="show the tensors before and after batch normalization",
    ),
    Binding(
        "left_square_bracket",
        "step(-1)",
        "Previous step",
        show=False,
        key_display="[",
        id="step-back",
        tooltip="go to the previous recorded step",
    ),
    Binding(
        "right_square_bracket",
        "step(1)",
        "Step",
        key_display="]",
        id="step-ahead",
        tooltip="go to the next recorded step",
    ),
    Binding("x", "axis(1)", "Axis", id="next-axis", tooltip="explain the next axis"),
    Binding(
        "X",
        "axis(-1)",
        "Previous axis",
        show=False,
        id="previous-axis",
        tooltip="explain the previous axis",
    ),
    Binding(
        "s", "svg", "SVG", show=False, id="svg", tooltip="write the shown picture to an SVG file"
    ),
    Binding(
        "r",
        "report",
        "Report",
        show=False,
        id="report",
        tooltip="write an HTML report of the run, or of both runs",
    ),
    Binding(
        "c",
        "copy",
        "Copy",
        show=False,
        id="copy",
        tooltip="copy the text of the pane, or the name of the selection",
    ),
    Binding(
        "z",
        "zoom",
        "Zoom",
        show=False,
        id="zoom",
        tooltip="enlarge the side with the focus, or show both sides",
    ),
    Binding(
        "ctrl+r", "reload", "Reload", show=False, id="reload", tooltip="read the run file again"
    ),
]

# Additional keys where two runs are compared.
KEYS_OF_TWO: list[BindingType] = [
    Binding("d", "tab('differences')", "Differences", id="differences",
            tooltip="open the Differences pane: all differences between A and B"),
    Binding("7", "tab('differences')", "Differences", show=False, id="differences-tab",
            tooltip="open the Differences pane: all differences between A and B"),
    Binding("m", "difference(1)", "Next ≠", id="next-difference",
            tooltip="go to the next layer that differs"),
    Binding("M", "difference(-1)", "Previous ≠", show=False, id="previous-difference",
            tooltip="go to the previous layer that differs"),
]  # fmt: skip
