"""Programs with silent shape mistakes are detected; programs that look like them are not.

The programs in `right` are correct. Those in `wrong` run without an error and compute something
else than intended; answers.toml has the complete texts of their findings.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from resnet_inspect.analysis.check import Finding
from resnet_inspect.analysis.sizes.dangers import DangerKind, dangers, unjudged
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.findings import check
from resnet_inspect.store.run import Run
from tests.silent.recording import record

FOLDER = Path(__file__).parent
RIGHT = sorted((FOLDER / "programs" / "right").glob("*.py"))
WRONG = sorted((FOLDER / "programs" / "wrong").glob("*.py"))
ANSWERS = tomllib.loads((FOLDER / "answers.toml").read_text(encoding="utf-8"))
RULES = {
    "batch-axis",
    "broadcast",
    "reduced-axes",
    "repeated-labels",
    "reshape-rows",
    "size-one-axis",
}
OF_THE_BATCH = {DangerKind.MIXED, DangerKind.SCRAMBLED}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the runs of all programs."""
    folder = tmp_path_factory.mktemp("silent")
    for programs, name in ((RIGHT, "right"), (WRONG, "wrong")):
        (folder / name).mkdir()
        record(programs, folder / name)
    return folder


def of_shapes(run: Run) -> list[Finding]:
    """The findings of a run about shapes."""
    return [finding for finding in check(run) if finding.rule in RULES]


def test_each_wrong_program_has_an_answer_that_fits_its_text() -> None:
    assert {program.stem for program in WRONG} == set(ANSWERS)
    for program in WRONG:
        answer, lines = ANSWERS[program.stem], program.read_text(encoding="utf-8").splitlines()
        assert answer["rule"] in RULES
        assert "line" not in answer or lines[answer["line"] - 1].strip() == answer["text"]


@pytest.mark.parametrize("program", [*RIGHT, *WRONG], ids=lambda program: program.stem)
def test_a_program_has_a_docstring(program: Path) -> None:
    assert ast.get_docstring(ast.parse(program.read_text(encoding="utf-8")))


@pytest.mark.tensorflow
@pytest.mark.parametrize("program", RIGHT, ids=lambda program: program.stem)
def test_a_right_program_has_no_finding_about_shapes(runs: Path, program: Path) -> None:
    with Run.open(runs / "right" / f"{program.stem}.db") as run:
        graph, lineage = run.graph, run.lineage
        assert graph.ops
        assert not of_shapes(run)
        suspicious = unjudged(graph, dangers(graph, lineage, Meanings(graph, lineage)))
        assert not [danger for danger in suspicious if danger.kind in OF_THE_BATCH]


@pytest.mark.tensorflow
@pytest.mark.parametrize("program", WRONG, ids=lambda program: program.stem)
def test_a_wrong_program_has_one_finding_with_line_and_change(runs: Path, program: Path) -> None:
    answer = ANSWERS[program.stem]
    with Run.open(runs / "wrong" / f"{program.stem}.db") as run:
        (finding,) = of_shapes(run)
    place = f"tests/silent/programs/wrong/{program.name}"
    assert finding.rule == answer["rule"]
    assert finding.severity.value == answer.get("severity", "error")
    assert finding.message == answer["message"]
    assert finding.fix == answer["fix"].format(file=place)
    if "line" in answer:
        assert finding.evidence["source"] == f"{place}:{answer['line']}"
