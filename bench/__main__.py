"""`python -m bench [NAME …]` runs benchmarks, prints a table, and writes bench/results.json.

`--quick` runs each benchmark once at its smallest size and writes no file, to check that it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from importlib import import_module
from pathlib import Path

NAMES = (
    "startup", "diagram", "capture", "lineage", "recording", "report", "browse", "comparison",
    "fit", "recorded_steps", "whole_fits", "overhead",
)  # fmt: skip
RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Run the named benchmarks, by default all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="run benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--quick", action="store_true", help="smallest size, once, no results file")
    arguments = parser.parse_args()
    rows_by_name = {}
    for name in arguments.names or NAMES:
        benchmark = import_module(f"bench.{name}")
        print(f"{name}: {(benchmark.__doc__ or '').partition(chr(10))[0]}")
        start = time.perf_counter()
        rows_by_name[name] = benchmark.measure(quick=arguments.quick)
        for what, value, limit in rows_by_name[name]:
            print(f"  {what:<58} {value:>10}   {limit}")
        print(f"  measured in {time.perf_counter() - start:.0f} s", flush=True)
    if arguments.quick:
        return
    results = [
        {"what": w, "value": v, "target": t} for rows in rows_by_name.values() for w, v, t in rows
    ]
    RESULTS.write_text(json.dumps({"cores": os.cpu_count(), "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
