"""The keys of the screen; each may have another in the user's configuration, by its id."""

from __future__ import annotations

from textual.binding import Binding, BindingType

KEYS: list[BindingType] = [
    Binding("slash", "search", "Search", key_display="/", id="search"),
    Binding("n", "hit(1)", "Next hit", id="next-hit"),
    Binding("N", "hit(-1)", "Hit before", id="previous-hit", show=False),
    Binding("escape", "leave", "Back to the tree", show=False, id="leave"),
    Binding("w", "why", "Why", id="why"),
    Binding("H", "tab('distribution')", "Histogram", key_display="H", id="histogram"),
    Binding("1", "tab('detail')", "Detail", show=False, id="detail"),
    Binding("2", "tab('distribution')", "Distribution", show=False, id="distribution"),
    Binding("3", "tab('why')", "Why", show=False, id="why-tab"),
    Binding("4", "tab('scalars')", "Scalars", show=False, id="scalars"),
    Binding("5", "tab('run')", "Run", show=False, id="run"),
    Binding("o", "depth", "Ops", id="depth"),
    Binding("f", "filter", "Filter", id="filter"),
    Binding("backspace", "back", "Back", id="back"),
    Binding("v", "turn('view')", "View", id="view"),
    Binding("t", "turn('tensor')", "Tensor", id="tensor"),
    Binding("y", "turn('scale')", "Scale", id="scale"),
    Binding("b", "turn('sides')", "Around BN", id="sides"),
    Binding(
        "left_square_bracket",
        "step(-1)",
        "Step before",
        show=False,
        key_display="[",
        id="step-back",
    ),
    Binding("right_square_bracket", "step(1)", "Step", key_display="]", id="step-ahead"),
    Binding("x", "axis(1)", "Axis", id="next-axis"),
    Binding("X", "axis(-1)", "Axis before", show=False, id="previous-axis"),
    Binding("s", "svg", "SVG", show=False, id="svg"),
    Binding("r", "report", "Report", show=False, id="report"),
    Binding("c", "copy", "Copy", show=False, id="copy"),
    Binding("z", "zoom", "Zoom", show=False, id="zoom"),
    Binding("ctrl+r", "reload", "Read again", show=False, id="reload"),
]
