"""Compares programs with and without `run`: recorded steps, output, exit code, weights.

The programs are the recipes of docs/recipes, also with TensorFlow imported first, and those of
tests/programs, which follow public guides. Each prints a digest of its weights as its last line.
`python -m bench programs` prints a row for each and rewrites the table of `PAGE`.
`python -m bench.programs dcgan gan_class` runs only these two.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import Row

ROOT = Path(__file__).parents[1]
RECIPES = ROOT / "docs" / "recipes"
PROGRAMS = ROOT / "tests" / "programs"
PAGE = ROOT / "docs" / "how_it_works" / "same_weights.md"
BEGIN, END = "<!-- programs: begin -->", "<!-- programs: end -->"
FIRST = "import tensorflow as tf  # first\n"
TIMES = re.compile(r"\b[0-9.]+(ms|s|us|µs)(/step)?\b")
DIGEST = re.compile(r"[0-9a-f]{64}")
TIMEOUT = 600


@dataclass(frozen=True)
class ProgramComparison:
    """The comparison of one program.

    `runs` is the number of run files, `steps` their number of steps, and `tensors` whether each
    run file has summaries.
    """

    name: str
    runs: int
    steps: int
    tensors: bool
    same_output: bool
    same_code: bool
    same_weights: bool
    notes: tuple[str, ...] = ()

    @property
    def recorded(self) -> str:
        """Return the recorded runs and steps in words."""
        if not self.runs:
            return "no"
        what = "" if self.tensors else ", scalars only"
        return f"{self.runs} run{'s' * (self.runs > 1)}, {self.steps} steps{what}"


def programs() -> dict[str, str]:
    """Return the text of each program by its name."""
    texts = {}
    for script in sorted(RECIPES.glob("*.py")):
        text = script.read_text(encoding="utf-8")
        texts[f"recipes/{script.stem}"] = text
        texts[f"recipes/{script.stem}, TensorFlow first"] = _with_tensorflow_first(text)
    for script in sorted(PROGRAMS.rglob("*.py"), key=lambda script: script.stem):
        texts[script.stem] = script.read_text(encoding="utf-8")
    return texts


def _with_tensorflow_first(text: str) -> str:
    # After the module's docstring, before all other imports.
    place = text.index("import ")
    return text[:place] + FIRST + text[place:]


def compare(name: str, text: str) -> ProgramComparison:
    """Run a program twice, without and with recording."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        script = here / (re.sub(r"\W+", "_", name) + ".py")
        script.write_text(text, encoding="utf-8")
        plain = _python(here, str(script))
        ours = _python(here, "-m", "resnet_inspect", "run", "-o", "run.db", str(script))
        runs, steps, tensors = _recorded(here)
    lines = [_lines(process.stdout) for process in (plain, ours)]
    digests = [_digest(process.stdout) for process in (plain, ours)]
    said = [line for line in ours.stderr.splitlines() if line.startswith("resnet-inspect: ")]
    notes = tuple(line.partition(": ")[2] for line in said if "recorded in" not in line)
    return ProgramComparison(
        name=name,
        runs=runs,
        steps=steps,
        tensors=tensors,
        same_output=lines[0] == lines[1],
        same_code=plain.returncode == ours.returncode == 0,
        same_weights=digests[0] is not None and digests[0] == digests[1],
        notes=notes,
    )


def _python(here: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=here,
        env=dict(os.environ) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def _recorded(here: Path) -> tuple[int, int, bool]:
    from resnet_inspect.store.run import Run

    files = sorted(here.glob("run*.db"))
    steps, tensors = 0, bool(files)
    for file in files:
        with Run.open(file) as run:
            steps += len(run.steps())
            recorded = run.recorded_steps()
            tensors = tensors and bool(recorded) and bool(run.summaries(recorded[-1]))
    return len(files), steps, tensors


def _lines(text: str) -> list[str]:
    return [TIMES.sub("", line) for line in text.splitlines()]


def _digest(text: str) -> str | None:
    digests = DIGEST.findall(text)
    return digests[-1] if digests else None


def table(rows: list[ProgramComparison]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| program | recorded | weights equal to the bit | output and exit code equal |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(_cells, rows)])


def _cells(row: ProgramComparison) -> str:
    weights = "yes" if row.same_weights else "**no**"
    same = "yes" if row.same_output and row.same_code else "**no**"
    return f"| {row.name} | {row.recorded} | {weights} | {same} |"


def compared(names: list[str]) -> Iterator[ProgramComparison]:
    """Compare the named programs, by default all, and print each result."""
    for name, text in programs().items():
        if not names or name in names:
            row = compare(name, text)
            print(f"  {_cells(row)} {' | '.join(row.notes)}", flush=True)
            yield row


def measure() -> list[Row]:
    """Compare all programs, and rewrite their table."""
    rows = list(compared([]))
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table(rows)}\n{END}{after}", encoding="utf-8")
    return [
        (what, f"{sum(map(test, rows))} of {len(rows)}", "all")
        for what, test in (
            ("programs that are recorded", lambda row: bool(row.runs)),
            ("weights equal to the bit", lambda row: row.same_weights),
            ("output and exit code equal", lambda row: row.same_output and row.same_code),
        )
    ]


if __name__ == "__main__":
    print(table(list(compared(sys.argv[1:]))))
