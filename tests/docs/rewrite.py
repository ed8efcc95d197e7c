"""`python -m tests.docs.rewrite PAGE ...`: puts what the examples print now into the pages.

Examples run with the settings that the pages show. `--run FILE` is the tutorial's run; without it
the pages that read it quote a recording of tests/runs.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.docs.pages import blocks, excerpt
from tests.docs.runner import Folder, Printed


def rewrite(page: Path, run: Path | None = None) -> None:
    """Execute a page and rewrite its output blocks."""
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        executed = {
            one.block: one for one in Folder(Path(folder), small=False, run=run).execute(text)
        }
    last: Printed | None = None
    pieces, end = [], 0
    for block in blocks(text):
        last = executed.get(block, last)
        if block in executed:
            expected = int(block.value) if block.mark == "exit" else 0
            if executed[block].code != expected:
                print(f"{page}: exit code {executed[block].code}, expected {expected}:")
                print(block.text, executed[block].out, executed[block].err, sep="\n")
        if block.mark != "output" or last is None:
            continue
        printed = last.err if "stderr" in block.value else last.out
        pieces += [text[end : block.start], excerpt(printed, block.value)]
        end = block.end
    page.write_text("".join([*pieces, text[end:]]), encoding="utf-8")


def main() -> None:
    """Rewrite the pages that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--run", type=Path, help="the tutorial's run, n=5")
    given = parser.parse_args()
    for page in given.pages:
        rewrite(page, given.run)


if __name__ == "__main__":
    main()
