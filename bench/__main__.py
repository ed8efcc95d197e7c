"""`python -m bench [NAME …]`: runs benchmarks, prints a table, writes bench/results.json."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path

NAMES = (
    "startup", "diagram", "capture", "lineage", "recording", "report", "browse", "comparison",
    "fit", "whole_fits", "overhead",
)  # fmt: skip
RESULTS = Path(__file__).with_name("results.json")


def main(names: list[str]) -> None:
    """Run the benchmarks of these names, or all."""
    found = {}
    for name in names or NAMES:
        benchmark = import_module(f"bench.{name}")
        print(f"{name}: {(benchmark.__doc__ or '').partition(chr(10))[0]}")
        found[name] = benchmark.measure()
        for what, value, limit in found[name]:
            print(f"  {what:<58} {value:>10}   {limit}")
    results = [{"what": w, "value": v, "target": t} for rows in found.values() for w, v, t in rows]
    RESULTS.write_text(json.dumps({"cores": os.cpu_count(), "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
