"""The generated pages of the documentation: complete, and the same as --help and --explain."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

import resnet_inspect
from docs.generator import commands, pages, rules, write
from resnet_inspect.analysis.check import explain
from resnet_inspect.analysis.check import rules as all_rules
from resnet_inspect.cli.parser import COMMANDS, build
from resnet_inspect.config import FIELDS

PAGES = {str(path): text for path, text in pages().items()}
VERDICTS = Path(__file__).parents[1] / "docs" / "how_it_works" / "verdicts.md"


def options(parser: argparse.ArgumentParser) -> list[str]:
    """The visible options of a command and of its subcommands."""
    names = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            names += [name for inner in action.choices.values() for name in options(inner)]
        elif action.help is not argparse.SUPPRESS and "--help" not in action.option_strings:
            names += action.option_strings
    return names


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_of_a_command_has_what_its_help_has(name: str) -> None:
    page = PAGES[f"reference/commands/{name}.md"]
    parser = commands._commands(build())[name]
    assert page.count(f"# `{name}`") == 1
    for option in options(parser):
        assert f"`{option}`" in page or f"`{option} " in page
    for line in (parser.epilog or "").splitlines():
        if line.strip().startswith("resnet-inspect "):
            assert f"\n{line.strip()}\n" in page
    for heading in ("## Examples", "## Exit codes", "| `0` |"):
        assert heading in page
    assert f"]({name}.md)" in PAGES["reference/commands/index.md"]


def test_hidden_options_are_not_on_a_page() -> None:
    assert "--out " not in PAGES["reference/commands/trace.md"]
    assert "`--run" not in PAGES["reference/commands/check.md"]


def test_browse_lists_its_keys() -> None:
    assert "| `up` `k` | go up a line |" in PAGES["reference/commands/browse.md"]


def test_every_setting_is_on_its_page_once() -> None:
    for field in FIELDS:
        assert PAGES["reference/settings.md"].count(f"\n| `{field.name}` |") == 1
    assert "| `batch_size` |" in PAGES["reference/settings.md"].partition("## Training")[2]


@pytest.mark.parametrize("name", all_rules())
def test_a_rule_has_all_parts_of_its_explanation(name: str) -> None:
    parts = rules.parts_of(explain(name))
    assert list(parts) == ["title", "checks", "threshold", "background", "not reported"]
    assert all(parts.values())
    section = PAGES["reference/rules.md"].partition(f"## `{name}`")[2].partition("\n## ")[0]
    for part in parts.values():
        assert part in section
    assert "*Measured.*" in section


def test_detection_is_that_of_the_verdicts() -> None:
    measured = rules.measured(VERDICTS.read_text(encoding="utf-8"), "Rules, fresh kinds")
    assert set(measured) <= set(all_rules())
    assert len(measured) > 30
    for figures in measured.values():
        assert figures.by_this_rule <= figures.faults >= figures.detected
    line = "| rule | … |\n\n## Two\n\n| `a-b` | 6 | 4 | 3 | 2 | kind/fault |\n\n## Three\n"
    assert rules.measured(line, "Two") == {"a-b": rules.Measured(6, 4, 3, "kind/fault")}


def test_the_python_page_has_every_public_name() -> None:
    page = PAGES["reference/python.md"]
    for name in set(resnet_inspect.__all__) - {"__version__"}:
        assert f"`{name}` {{ #{name if name != 'Run' else 'run'} }}" in page
    for name, member in vars(resnet_inspect.Run).items():
        if not name.startswith("_") and callable(member):
            assert f"### `Run.{name}`" in page
    assert "- `out`: the run file to write" in page
    assert "- `ConfigError`: " in page


def test_the_run_file_page_has_every_table() -> None:
    page = PAGES["reference/run_file.md"]
    for table in ("run", "graph", "lineage", "step", "scalar", "tap", "summary", "updates"):
        assert f"### `{table}`\n" in page
        assert f"CREATE TABLE {table} (" in page
    assert "--" not in page.partition("## Tables")[2].replace("---", "")


def test_quoted_outputs_are_those_of_the_program() -> None:
    assert PAGES["generated/why_reshape.txt"].startswith("Reshape:0 axis 1 = 64\n")


def test_pages_are_written_and_old_commands_deleted(tmp_path: Path) -> None:
    old = tmp_path / "reference" / "commands" / "gone.md"
    old.parent.mkdir(parents=True)
    old.write_text("# gone")
    write(tmp_path)
    assert not old.exists()
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert written == set(PAGES)
