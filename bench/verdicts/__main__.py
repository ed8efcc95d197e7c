"""`python -m bench.verdicts record|judge|list [NAME…]`: see the package."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import cast

from bench.verdicts.cache import Cache
from bench.verdicts.corpus import CASES, FAULTS, HEALTHY, named
from bench.verdicts.judging import Check, judge
from bench.verdicts.plan import SEEDS
from bench.verdicts.reasons import REASONS
from bench.verdicts.recording import record
from bench.verdicts.tables import page
from resnet_inspect import api

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"


def main(words: list[str]) -> int:
    """Run one command; the exit code is 2 for names that there are not."""
    asked = _parser().parse_args(words)
    unknown = set(asked.names) - {case.name for case in CASES}
    if unknown:
        print(f"no such case: {', '.join(sorted(unknown))}; `list` names them", file=sys.stderr)
        return 2
    cases, cache = named(asked.names), Cache(asked.cache)
    if asked.command == "list":
        print(f"{len(FAULTS)} faults, {len(HEALTHY)} healthy trainings, seeds {asked.seeds}")
        for case in cases:
            have = sum(cache.find(case, seed) is not None for seed in asked.seeds)
            print(f"{have}/{len(asked.seeds)}  {case.kind:<12} {case.name:<32} {case.words}")
    elif asked.command == "record":
        os.nice(asked.nice)
        record(cases, asked.seeds, cache, workers=asked.workers, again=asked.again)
    else:
        check = getattr(api, "check", None)
        if check is None:
            print("this program has no `check` yet: nothing can be judged", file=sys.stderr)
            return 2
        found = judge(cases, asked.seeds, cache, cast(Check, check), asked.half)
        asked.output.write_text(page(found, REASONS), encoding="utf-8")
        print(f"{len(found.judged)} runs judged: {asked.output}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.verdicts", description=__doc__)
    parser.add_argument("command", choices=("record", "judge", "list"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="cases; left out, all")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="folder of the recordings")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--workers", type=int, default=1, choices=(1, 2))
    parser.add_argument("--nice", type=int, default=10, help="how far to stand back for others")
    parser.add_argument("--again", action="store_true", help="record what is there, too")
    parser.add_argument(
        "--half",
        choices=("tuning", "held", "fresh"),
        help="judge only these; whoever tunes rules: tuning",
    )
    parser.add_argument("-o", "--output", type=Path, default=PAGE, metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
