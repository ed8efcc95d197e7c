"""Writes docs/how_it_works/shape_errors.md.

python -m docs.shape_errors            search repairs of all programs again
python -m docs.shape_errors KEY ...    search repairs of these programs again
python -m docs.shape_errors page       only write the page
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from docs.shape_errors.page import PAGE, page
from docs.shape_errors.results import read, write
from tests.cli.preloaded import Preloaded
from tests.explain.answers import answers
from tests.explain.proofs import fixed, traced


def main(*words: str) -> None:
    """Search repairs, add them to the results, then write the page."""
    repairable = [key for key, answer in answers().items() if answer.repairs]
    proofs = dict(read())
    process = Preloaded(tensorflow=True)
    with tempfile.TemporaryDirectory() as folder:
        for key in () if words == ("page",) else words or repairable:
            answer = answers()[key]
            if answer.target is None:
                proofs[key] = fixed(Path(folder), answer)
            else:
                proofs[key] = traced(process, Path(folder), answer)
            print(f"{key}: {proofs[key].verdict}, {proofs[key].title}", flush=True)
            write({name: proofs[name] for name in repairable if name in proofs})
    process.close()
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
