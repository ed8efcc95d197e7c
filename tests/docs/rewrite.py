"""`python -m tests.docs.rewrite PAGE ...`: updates what pages quote and show from their examples.

Examples run with the settings that the pages show. `--run FILE` is the tutorial's run; without it
the pages that read it quote a recording of tests/runs. A picture `pictures/NAME` that a page shows
is the file NAME that one of its examples writes.

Then the blocks of the English pages are copied into the Chinese ones; without PAGE only that.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from pathlib import Path

from tests.docs.pages import ROOT, blocks, excerpt, translations, with_blocks
from tests.docs.runner import Folder, Printed


def rewrite(page: Path, run: Path | None = None) -> None:
    """Execute a page and rewrite its output blocks."""
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        executed = {
            printed.block: printed
            for printed in Folder(Path(folder), small=False, run=run).execute(text)
        }
        for name in re.findall(r"pictures/([\w.]+)\)", text):
            if (Path(folder) / name).exists():
                shutil.copy(Path(folder) / name, ROOT / "docs" / "pictures" / name)
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
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--run", type=Path, help="the tutorial's run, n=5")
    given = parser.parse_args()
    for page in given.pages:
        rewrite(page, given.run)
    for page, original in translations().items():
        text = page.read_text(encoding="utf-8")
        page.write_text(with_blocks(text, original.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
