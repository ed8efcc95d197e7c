"""The recorded failures of the programs, in crashes/. `tests.explain.record` writes them."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from resnet_inspect.analysis.page.failure import FailureFacts, failure_facts
from resnet_inspect.config import Settings
from resnet_inspect.config.settings import Fit, GraphCode
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.graph.lineage import Lineage
from tests.explain.answers import FOLDER, Answer, answers
from tests.frameworks import PACKAGE

CRASHES = FOLDER / "crashes"
PACKAGES = re.compile(r"[^\"'\s]*/site-packages/")


def failed() -> list[str]:
    """The keys of the programs with a recorded failure."""
    return [key for key, answer in answers().items() if _file(answer).exists()]


def facts_of(key: str) -> FailureFacts:
    """The facts about the recorded failure of a program."""
    answer = answers()[key]
    failure = msgspec.json.decode(_file(answer).read_bytes(), type=Failure)
    name = answer.program.name
    subject = Fit(name) if answer.target is None else GraphCode(f"{name}:{answer.target}")
    return failure_facts(failure, Graph(()), Lineage(), Settings(subject=subject))


def write(answer: Answer, failure: Failure | None, folder: Path) -> None:
    """Write the failure of a program that was recorded in a folder; None removes its file.

    The paths of the folder, of this repository and of installed packages are shortened.
    """
    file = _file(answer)
    if failure is None:
        file.unlink(missing_ok=True)
        return
    text = msgspec.json.encode(failure).decode()
    for place in (folder / answer.key).parent, PACKAGE:
        text = text.replace(f"{place}/", "")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(PACKAGES.sub("site-packages/", text) + "\n", encoding="utf-8")


def _file(answer: Answer) -> Path:
    return CRASHES / f"{answer.key}.json"
