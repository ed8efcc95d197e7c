"""Lines of the panes are wrapped at readable places."""

from __future__ import annotations

from resnet_inspect.tui.widgets.texts import broken


def test_a_long_path_is_wrapped_after_a_slash() -> None:
    assert broken("line src/network/blocks.py:48 in stem", 16) == [
        "line",
        "src/network/",
        "blocks.py:48",
        "in stem",
    ]
    assert broken("/abcdefghijk", 8) == ["/abcdefg", "hijk"]
