"""Checks the page of studies against the program: claims, questions and texts are up to date."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from resnet_inspect import studies
from resnet_inspect.analysis.studies import STUDIES
from resnet_inspect.store.run import Run
from tests.analysis.studies.made import STAND_IN

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "how_it_works" / "studies.md").read_text(encoding="utf-8")
VERDICTS = ("shown: ", "not decided: ", "contradicted: ")
STALE = "docs/how_it_works/studies.md is older than the program: run `python docs/studies.py`"


@pytest.fixture(scope="module")
def writer() -> Any:
    """The module that writes the page."""
    spec = spec_from_file_location("docs_studies", DOCS / "studies.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def claims_in(section: str) -> list[list[str]]:
    """The claims of each answer in a section, in order."""
    answers = []
    for block in re.findall(r"```text\n(.*?)\n```", section, re.DOTALL):
        claims: list[str] = []
        for line in block.splitlines():
            if line.startswith(VERDICTS):
                claims.append(line.partition(": ")[2])
            elif line.startswith("  ") and not line.startswith("   "):
                claims[-1] += " " + line.strip()
        answers.append(claims)
    return answers


def without_counts(claim: str) -> str:
    return re.sub(r"\d+ steps", "N steps", claim)


@pytest.mark.parametrize("name", list(STUDIES))
def test_claims_are_those_of_the_program(
    name: str, writer: Any, recording: Callable[[str], Run]
) -> None:
    study = STUDIES[name]
    heading = writer.heading(study)
    assert heading in PAGE, STALE
    section = PAGE.partition(heading + "\n")[2].partition("\n## ")[0]
    assert study.question in section, STALE
    runs = {
        variant.name: [studies.read(recording(STAND_IN.get(variant.name, "v2")))]
        for variant in study.variants
    }
    wanted = [without_counts(statement.claim) for statement in study.answer(runs).statements]
    every = claims_in(section)
    assert every, STALE
    for claims in every:
        assert [without_counts(claim) for claim in claims] == wanted, STALE


def test_written_texts_are_on_the_page(writer: Any) -> None:
    texts = writer.texts()
    assert texts["intro"].strip() in PAGE, STALE
    assert [text["name"] for text in texts["study"]] == [
        study.name for study in studies.questions()
    ]
    for text in texts["study"]:
        assert text["reading"].strip() in PAGE, STALE
        section = PAGE.partition(f"`study {text['name']}`\n")[2].partition("\n## ")[0]
        assert len(claims_in(section)) == 1 + len(text.get("more", ())), STALE
