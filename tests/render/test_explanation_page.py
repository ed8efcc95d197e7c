"""The text of explanations of crashes at two widths, and its laws for other contents."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from resnet_inspect.analysis.explain.changes import changes
from resnet_inspect.analysis.explain.explanation import Explanation, Kind, Line, SizeStep
from resnet_inspect.analysis.page.failure import FailureFacts
from resnet_inspect.analysis.sizes.disagreement import Postmortem, postmortem
from resnet_inspect.commands import Command
from resnet_inspect.graph import Failure
from resnet_inspect.graph.crash import Crash
from resnet_inspect.graph.lineage import Correction
from resnet_inspect.render.pages.explanation_page import explanation_page, print_page
from resnet_inspect.render.screen import Screen
from resnet_inspect.store.run import Run
from tests.crashes import EXAMPLES, WRONG_UNITS, Example

Golden = Callable[[str, str], None]
MOST_LINES = 24  # of a terminal


def facts_of(example: Example, fix: Command | None = None) -> FailureFacts:
    """The facts of a failure."""
    failure, explanation = example
    files = failure.crash.files if failure.crash is not None else {}
    first = explanation.repairs[:1]
    changed = tuple(change for repair in first for change in changes(repair, files))
    return FailureFacts(failure, explanation, changed, fix if first else None)


def page(facts: FailureFacts, width: int = 80, encoding: str = "utf-8") -> str:
    """The page as text, without spaces at the ends of lines."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    print_page(Screen(file, width=width), explanation_page(facts))
    file.seek(0)
    return "\n".join(line.rstrip() for line in file.read().splitlines()) + "\n"


def with_explanation(**changed: object) -> FailureFacts:
    """The facts of WRONG_UNITS with other fields of its explanation."""
    explanation = msgspec.structs.replace(WRONG_UNITS.explanation, **changed)
    return facts_of(Example(WRONG_UNITS.failure, explanation))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page(golden: Golden, name: str, width: int) -> None:
    script = next(iter(EXAMPLES[name].failure.crash.files), "")  # type: ignore[union-attr]
    fix = Command("fix", (Path(script).name,)) if script else None
    text = page(facts_of(EXAMPLES[name], fix), width)
    golden(f"explain/{name}_{width}.txt", text)
    assert max(map(len, text.splitlines())) <= width
    assert len(text.splitlines()) <= MOST_LINES


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_part_is_in_the_page(name: str) -> None:
    example = EXAMPLES[name]
    text = page(facts_of(example), 1000)
    explanation = example.explanation
    assert text.startswith(f"{explanation.verdict}\n\n")
    for size in explanation.sizes:
        assert f"size {size.size}" in text
        assert size.line is not None
        assert size.line.text in text
    for repair in explanation.repairs:
        assert f"{repair.title}, line {repair.line.line}" in text
        assert ("changes the batch axis" in text) or repair.keeps_batch
    for name_, shape in explanation.operands:
        assert f"{name_} " in text
        assert f" {shape}\n" in text
    assert explanation.unknown in text
    assert text.splitlines()[-1].startswith(f"message     {example.failure.kind} while ")


def test_operands_are_aligned() -> None:
    lines = [line.strip() for line in page(facts_of(WRONG_UNITS)).splitlines()]
    first, second = (line for line in lines if line.startswith(("targets  ", "output of")))
    assert first.index("(9, 3)") == second.index("(9, 4)")


def test_a_source_line_is_shown_once() -> None:
    explanation = EXAMPLES["changed_batch"].explanation
    text = page(facts_of(EXAMPLES["changed_batch"]), 200)
    source = explanation.earlier[0].line
    assert source is not None
    assert text.count(f"  {source.text}\n") == 1


def test_lines_of_other_files_have_their_path() -> None:
    other = Line("/elsewhere/model.py", 7, "build", "return Dense(4)")
    size = msgspec.structs.replace(WRONG_UNITS.explanation.sizes[0], line=other)
    text = page(with_explanation(sizes=(size,)))
    assert "size 4      units of Dense 'dense_1', /elsewhere/model.py:7\n" in text
    assert "              return Dense(4)\n" in text


def test_an_unknown_origin_is_reported() -> None:
    size = msgspec.structs.replace(WRONG_UNITS.explanation.sizes[0], line=None, expression="")
    assert "units of Dense 'dense_1', origin unknown\n" in page(with_explanation(sizes=(size,)))


def test_long_lists_end_with_the_number_of_omitted_parts() -> None:
    sizes = WRONG_UNITS.explanation.sizes
    steps = tuple(SizeStep(f"step {number}") for number in range(5))
    (repair, *_) = WRONG_UNITS.explanation.repairs
    repairs = tuple(msgspec.structs.replace(repair, title=f"change {n}") for n in range(9))
    size = msgspec.structs.replace(sizes[0], steps=steps)
    text = page(with_explanation(sizes=(size,), repairs=repairs))
    assert "            ← step 1\n            … and 3 more steps\n" in text
    assert "or          change 3, line 8\n            … and 5 more\n" in text
    assert "step 2" not in text
    assert "change 4" not in text
    equal = msgspec.structs.replace(sizes[0], steps=steps[:1] * 3)
    assert page(with_explanation(sizes=(equal,))).count("← step 0\n") == 1


def test_a_long_title_is_replaced_by_the_changed_lines() -> None:
    (repair, *_) = WRONG_UNITS.explanation.repairs
    long = msgspec.structs.replace(repair, title="x" * 60, keeps_batch=False)
    text = page(with_explanation(repairs=(long, long)), 200)
    assert "\nfix         change line 8; changes the batch axis\n            − model" in text
    assert f"\nor          {'x' * 60}, line 8; changes the batch axis\n" in text
    elsewhere = msgspec.structs.replace(long, line=Line("/b.py", 2, "", ""), keeps_batch=True)
    assert "\nfix         change /b.py:2\n" in page(with_explanation(repairs=(elsewhere,)))


def test_a_size_that_is_wider_than_the_label() -> None:
    size = msgspec.structs.replace(WRONG_UNITS.explanation.sizes[0], size=12_345_678)
    text = page(with_explanation(sizes=(size,)))
    assert "size        12345678  units of Dense 'dense_1' — 4, line 8\n" in text


def test_expressions_and_their_values() -> None:
    first = WRONG_UNITS.explanation.sizes[0]

    def line(expression: str, **values: int) -> str:
        size = msgspec.structs.replace(first, expression=expression, values=values)
        text = page(with_explanation(sizes=(size,)), 200)
        return next(line for line in text.splitlines() if line.startswith("size 4"))

    start = "size 4      units of Dense 'dense_1'"
    assert line("4") == line("") == f"{start}, line 8"
    assert line("units", units=4) == f"{start} — units = 4, line 8"
    assert line("2 * units", units=2) == f"{start} — 2 * units (units = 2), line 8"
    assert line("f(" + "a, " * 30 + "b)", a=1) == f"{start} — a = 1, line 8"
    assert line("Dense(\n    4\n)") == f"{start} — Dense( 4 ), line 8"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.SHAPE])
def test_other_kinds_are_named_once(kind: Kind) -> None:
    text = page(with_explanation(kind=kind))
    assert "\nkind        not a shape error: " in text
    again = page(with_explanation(kind=kind, verdict="not a shape error: the verdict"))
    assert again.count("not a shape error") == 1
    assert "not a shape error" not in page(facts_of(WRONG_UNITS))


def test_a_message_without_lines_of_its_own_is_that_of_the_failure() -> None:
    text = page(with_explanation(cause=""))
    assert "are 3 and 4 with input shapes: [9,3], [9,4]." in text
    assert "{{node" not in text
    long = page(with_explanation(cause="word " * 100), 1000).splitlines()[-1]
    assert long.endswith("word word…")
    assert len(long) == 12 + 134
    alone = page(with_explanation(cause="word " * 100, sizes=()), 1000).splitlines()[-1]
    assert len(alone) == 12 + 280


def test_an_explanation_that_knows_only_the_message() -> None:
    failure = Failure("ValueError", "no", "running step 0", crash=Crash("ValueError", "no", "no"))
    facts = FailureFacts(failure, Explanation(Kind.OTHER, "not a shape error: ValueError", None))
    assert page(facts) == (
        "not a shape error: ValueError\n\n"
        "fix         none known\n"
        "message     ValueError while running step 0: no\n"
    )


def test_names_and_code_stay_text() -> None:
    hostile = Line("/x/[b]\x1b[31m.py", 1, "f", "x =\t'[link=x]y[/link]\x1b[31m\u202e'")
    text = page(with_explanation(call=hostile, function="[bold]f[/bold]", verdict="[red]x\x1b"))
    assert "[link=x]y[/link]" in text
    assert "[bold]f[/bold] at /x/[b]" in text
    assert text.startswith("[red]x\\x1b\n")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "x = '[link" in text


def test_ascii_terminals_get_ascii() -> None:
    text = page(facts_of(WRONG_UNITS), encoding="ascii")
    assert "            - model = tf.keras" in text
    assert "Dense(4) > Dense(3), line 8" in text
    assert "?" not in text


def rejected(run: Run) -> Postmortem:
    """The explanation of the call that ended a run."""
    explanation = postmortem(run.graph, run.lineage)
    assert explanation is not None
    return explanation


def test_without_a_crash_the_page_is_that_of_the_rejected_call(
    recording: Callable[[str], Run], golden: Golden
) -> None:
    run = recording("filters")
    assert run.info.failure is not None
    golden("explain/old_run.txt", page(FailureFacts(run.info.failure, postmortem=rejected(run))))


def test_sizes_of_the_rejected_call_replace_missing_ones(recording: Callable[[str], Run]) -> None:
    example = EXAMPLES["unknown"]
    facts = FailureFacts(*example, postmortem=rejected(recording("filters")))
    text = page(facts)
    assert "\ndisagree    conv1/BiasAdd:0 axis 3" in text
    assert "\ntried       the network builds with --filters 16 instead of 32\n" in text
    assert "none known" not in text


def test_settings_that_correct_the_network_are_added() -> None:
    facts = facts_of(WRONG_UNITS)
    added = msgspec.structs.replace(facts, corrections=(Correction("filters", "32", "16"),))
    line = "tried       the network builds with --filters 16 instead of 32\n"
    assert page(added).count(line) == 1
    assert line not in page(facts)


def test_mistakes_with_axes_are_added(recording: Callable[[str], Run]) -> None:
    dangers = rejected(recording("mean_axes")).dangers
    text = page(msgspec.structs.replace(facts_of(WRONG_UNITS), dangers=dangers))
    assert "\nearlier     final_reduce_mean: Mean over axes [2, 3] reduces width/4 and" in text
    assert "\nearlier     Reshape: Reshape mixes the batch with other axes" in text
