"""Texts are wrapped at readable places, measured in terminal columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from resnet_inspect.paths import printable
from resnet_inspect.render.labels import column, fitted, shortened, wrapped

TEXTS = st.text(st.sampled_from("ab‖/-.,…é 卷积层，。Ｗ한\n\t\x1b"), max_size=60)


def test_a_long_path_is_wrapped_after_a_slash() -> None:
    assert wrapped("line src/network/blocks.py:48 in stem", 16) == [
        "line",
        "src/network/",
        "blocks.py:48",
        "in stem",
    ]
    assert wrapped("/abcdefghijk", 8) == ["/abcdefg", "hijk"]


def test_chinese_is_wrapped_between_characters_and_not_before_punctuation() -> None:
    assert wrapped("层conv1的梯度消失，损失不再下降。", 12) == [
        "层conv1的梯",
        "度消失，损失",
        "不再下降。",
    ]
    assert wrapped("梯度消失了，损失", 10) == ["梯度消失", "了，损失"]


@given(TEXTS, st.integers(4, 30))
def test_lines_fit_and_contain_the_whole_text(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(printable(text).split())


@given(st.lists(TEXTS, min_size=1), st.integers(1, 30))
def test_the_texts_of_a_column_have_one_width(texts: list[str], width: int) -> None:
    widths = {cell_len(text) for text in column(texts, width)}
    assert len(widths) == 1
    assert max(widths) <= width
    assert all(cell_len(fitted(text, width)) <= width for text in texts)


def test_shortened_names_stay_different() -> None:
    kernels = ["encoder/residual/dense_a/kernel", "encoder/residual/dense_b/kernel"]
    assert [fitted(name, 16) for name in kernels] == ["encoder/…/kernel"] * 2
    assert shortened([*kernels, "short"], 16) == ["encoder…a/kernel", "encoder…b/kernel", "short"]
    assert shortened(kernels, 8) == ["…a/kern…", "…b/kern…"]
    far = ["start/one/" + 20 * "x" + "/end", "start/two/" + 20 * "x" + "/end"]
    assert len(set(shortened(far, 12))) == 2
    assert shortened([far[0], far[0]], 12) == [fitted(far[0], 12)] * 2


@given(st.lists(TEXTS, min_size=1, unique_by=printable, max_size=6), st.integers(6, 30))
def test_different_texts_of_a_column_are_different(texts: list[str], width: int) -> None:
    cuts = shortened(texts, width)
    assert all(cell_len(cut) <= width for cut in cuts)
    assert len(set(cuts)) == len(texts)
