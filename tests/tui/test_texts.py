"""Lines of the panes are wrapped at readable places."""

from __future__ import annotations

from resnet_inspect.tui.widgets.texts import wrap_lines


def test_a_long_path_is_wrapped_after_a_slash() -> None:
    assert wrap_lines("line src/network/blocks.py:48 in stem", 16) == [
        "line",
        "src/network/",
        "blocks.py:48",
        "in stem",
    ]
    assert wrap_lines("/abcdefghijk", 8) == ["/abcdefg", "hijk"]
