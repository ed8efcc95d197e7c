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

PAGE = Path(__file__).parents[2] / "docs" / "how_it_works" / "verdicts.md"


def main(words: list[str]) -> int:
    """Run one command; return 2 for unknown names of cases."""
    parsed = _parser().parse_args(words)
    unknown = set(parsed.names) - {case.name for case in CASES}
    if unknown:
        print(f"unknown case: {', '.join(sorted(unknown))}; `list` shows all", file=sys.stderr)
        return 2
    cases, cache = named(parsed.names), Cache(parsed.cache)
    if parsed.command == "list":
        print(f"{len(FAULTS)} faults, {len(HEALTHY)} healthy trainings, seeds {parsed.seeds}")
        for case in cases:
            have = sum(cache.find(case, seed) is not None for seed in parsed.seeds)
            print(f"{have}/{len(parsed.seeds)}  {case.kind:<12} {case.name:<32} {case.words}")
    elif parsed.command == "record":
        os.nice(parsed.nice)
        record(cases, parsed.seeds, cache, workers=parsed.workers, again=parsed.again)
    else:
        check = getattr(api, "check", None)
        if check is None:
            print("this version has no `check`: nothing to judge", file=sys.stderr)
            return 2
        verdicts = judge(cases, parsed.seeds, cache, cast(Check, check), parsed.half)
        parsed.output.write_text(page(verdicts, REASONS), encoding="utf-8")
        print(f"{len(verdicts.judged)} runs judged: {parsed.output}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.verdicts", description=__doc__)
    parser.add_argument("command", choices=("record", "judge", "list"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="cases (default: all)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="folder of the recordings")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--workers", type=int, default=1, choices=(1, 2))
    parser.add_argument("--nice", type=int, default=10, help="niceness of the processes")
    parser.add_argument("--again", action="store_true", help="record cached cases again")
    parser.add_argument(
        "--half",
        choices=("tuning", "held", "fresh"),
        help="judge only this part",
    )
    parser.add_argument("-o", "--output", type=Path, default=PAGE, metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
