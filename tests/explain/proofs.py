"""Repairs that were tried: with `fix` for scripts, and for functions by tracing them again."""

from __future__ import annotations

import ast
import difflib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from resnet_inspect.analysis.explain.patches import edited_text
from tests.cli.preloaded import Preloaded
from tests.explain.answers import FOLDER, Answer
from tests.explain.failures import facts_of, failed
from tests.explain.record import failure_in, record
from tests.frameworks import PACKAGE

MOST_TRACED = 4  # repairs of a function
TIME_LIMIT = 300  # seconds for a trial, on a busy machine
NEW_AXIS = ("newaxis", "np.newaxis", "tf.newaxis")


class LineChange(msgspec.Struct, frozen=True):
    """Lines of a program that a repair replaces. `line` is the first, also of an insertion."""

    line: int
    before: tuple[str, ...]
    after: tuple[str, ...]


class Proof(msgspec.Struct, frozen=True):
    """What the search for repairs of a program found.

    Attributes:
        verdict: that of `fix`.
        title: the first repair that passed; empty if none did.
        changes: the lines that it changes.
    """

    verdict: str
    title: str = ""
    changes: tuple[LineChange, ...] = ()


class Equivalent(msgspec.Struct, frozen=True):
    """The changed lines of a repair that is equivalent to one of the answer, and the reason."""

    after: list[str]
    reason: str


def fixed(folder: Path, answer: Answer) -> Proof:
    """Apply the first repair that passes to a copy of a script, with `fix --apply`."""
    copy = folder / answer.key / answer.program.name
    copy.parent.mkdir(parents=True)
    shutil.copyfile(answer.program, copy)
    done = run_fix(copy.parent, "--json", "--apply", copy.name)
    document = json.loads(done.stdout)
    offered = document["offered"]
    return Proof(
        document["verdict"],
        offered[0]["title"] if offered else "",
        changes_of(answer.source, copy.read_text(encoding="utf-8")),
    )


def run_fix(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command `fix` in a folder."""
    limit = "--time-limit", str(TIME_LIMIT)
    return subprocess.run(
        [sys.executable, "-m", "resnet_inspect", "fix", *limit, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PACKAGE), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def traced(process: Preloaded, folder: Path, answer: Answer) -> Proof:
    """Trace copies of a function, each with one of its repairs, until one passes."""
    explanation = facts_of(answer.key).explanation if answer.key in failed() else None
    for repair in explanation.repairs[:MOST_TRACED] if explanation is not None else ():
        text = edited_text(answer.source, repair.edits)
        if failure_in(record(process, folder, answer, text)) is None:
            return Proof("repaired", repair.title, changes_of(answer.source, text))
    return Proof("not repaired")


def changes_of(before: str, after: str) -> tuple[LineChange, ...]:
    """The lines that differ between two texts of a program."""
    old, new = before.splitlines(), after.splitlines()
    codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return tuple(
        LineChange(start + 1, tuple(old[start:end]), tuple(new[first:last]))
        for code, start, end, first, last in codes
        if code != "equal"
    )


def changed(source: str, changes: Sequence[LineChange]) -> str:
    """The source with its changed lines."""
    lines = source.splitlines()
    for change in reversed(changes):
        start = change.line - 1
        lines[start : start + len(change.before)] = change.after
    return "\n".join(lines) + "\n"


def is_equivalent(answer: Answer, proof: Proof) -> bool:
    """Whether a repair is one of the answer's, or listed as equivalent in equivalents.toml."""
    if not proof.changes:
        return False
    tree = normalized(changed(answer.source, proof.changes))
    right = {normalized(repair.applied(answer.source)) for repair in answer.repairs}
    return tree in right or judged(answer.key, proof) is not None


def judged(key: str, proof: Proof) -> str | None:
    """The reason why a repair is equivalent to one of the answer's; None if it is not listed."""
    listed = equivalents().get(key)
    after = [line.strip() for change in proof.changes for line in change.after]
    return listed.reason if listed is not None and listed.after == after else None


@cache
def equivalents() -> Mapping[str, Equivalent]:
    """The repairs that were judged to be equivalent, by program, from equivalents.toml."""
    tables = tomllib.loads((FOLDER / "equivalents.toml").read_text(encoding="utf-8"))
    return msgspec.convert(tables, dict[str, Equivalent])


def normalized(source: str) -> str:
    """The syntax tree of a program without imports and without the modules before names."""
    return ast.dump(_Normalized().visit(ast.parse(source)))


class _Normalized(ast.NodeTransformer):
    def visit_Import(self, node: ast.Import) -> None:
        """Remove an import."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Remove an import."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Return the last name of an attribute of a module, and None for a new axis."""
        text = ast.unparse(node)
        if text in NEW_AXIS:
            return ast.Constant(None)
        if text.startswith(("tf.", "np.", "keras.", "layers.")):
            return ast.Name(node.attr, ast.Load())
        self.generic_visit(node)
        return node
