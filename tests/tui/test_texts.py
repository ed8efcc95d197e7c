"""Lines of the panes are broken where they can be read on."""

from __future__ import annotations

from resnet_inspect.tui.widgets.texts import broken


def test_a_path_that_is_too_long_is_broken_after_a_slash() -> None:
    assert broken("line src/network/blocks.py:48 in stem", 16) == [
        "line",
        "src/network/",
        "blocks.py:48",
        "in stem",
    ]
    assert broken("/abcdefghijk", 8) == ["/abcdefg", "hijk"]
