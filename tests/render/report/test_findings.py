"""The section of findings in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_inspect import reports
from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Place, PlaceKind
from resnet_inspect.paths import printable
from resnet_inspect.store.run import Run
from tests.render import hostile
from tests.render.browser import Open


def test_a_finding_leads_to_its_layer_and_box(open_page: Open) -> None:
    opened = open_page("bn_axis")
    page = opened.page
    assert page.inner_text("#findings h2") == "Findings: 1 error"
    assert page.inner_text("#findings h3") == "✗ error batch-norm-axis bn00_branch2a"
    finding = page.inner_text("#findings .finding")
    expected = "batch normalization is per height (axis 1), not per channel (and 8 more layers)"
    assert expected in finding
    for label, text in (
        ("measured", "layers bn00_branch2a, bn00_branch2b"),
        ("why", "each row or column of an image is normalized separately"),
        ("try", "set axis=-1 if the channels are the last axis"),
        ("see", "resnet-inspect why bn00_branch2a"),
    ):
        assert page.locator(f"#findings dt >> text={label}").count() == 1
        assert text in finding
    page.click("#findings h3 a")
    page.wait_for_selector("#panel:not([hidden]) h2 >> text=bn00_branch2a")
    assert page.url.endswith("#layer=bn00_branch2a")
    if page.query_selector("#picture svg"):
        assert "bn00_branch2a" in str(page.text_content("#picture .current"))
    assert "Findings" in page.inner_text("#sections")
    assert opened.messages == []


def test_a_finding_at_an_op_leads_to_the_op(open_page: Open) -> None:
    page = open_page("diverged").page
    assert page.inner_text("#findings h3").endswith(" step 1")
    page.click("#findings h3 a")
    page.wait_for_selector("#panel:not([hidden]) h2 >> text=FusedBatchNormV3")


def test_the_section_without_findings(open_page: Open) -> None:
    page = open_page("v2").page
    assert page.inner_text("#findings h2") == "Findings: no findings"
    assert page.locator("#findings .finding").count() == 0


def test_hostile_names_stay_text(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = list(Severity)
    findings = tuple(
        Finding(levels[at * 3 // len(hostile.NAMES)], name, {name: name}, name, name,
                place=Place(PlaceKind.LAYER, name),
                command=Command("why", (name,)), rule="dead-units")
        for at, name in enumerate(hostile.NAMES)
    )  # fmt: skip
    file = hostile.write(tmp_path / "hostile.db")

    def check(run: Run, ignore: object = ()) -> tuple[Finding, ...]:
        del run, ignore
        return findings

    monkeypatch.setattr(reports, "check", check)
    opened = open_page(file)
    page = opened.page
    assert page.evaluate("window.owned") is None
    assert page.locator("#findings .finding").count() == len(hostile.NAMES)
    assert page.locator("#findings img, #findings script").count() == 0
    for at, name in enumerate(hostile.NAMES):
        shown = page.locator("#findings .finding").nth(at).locator("h3 a").text_content()
        assert shown == printable(name)
    page.locator("#findings h3 a").nth(1).click()
    page.wait_for_selector("#panel:not([hidden]) h2")
    assert page.locator("#panel h2").first.text_content() == printable(hostile.NAMES[1])
    assert opened.messages == []


def test_printed_findings_are_complete_and_distinguishable_without_colour(open_page: Open) -> None:
    page = open_page("bn_axis").page
    page.emulate_media(media="print")
    assert page.is_visible("#findings .finding dd >> text=set axis=-1 if the channels")
    styles = "getComputedStyle(document.querySelector('#findings .finding'))"
    assert page.evaluate(f"{styles}.breakInside") == "avoid"
    assert page.evaluate(f"{styles}.borderLeftStyle") == "double"
