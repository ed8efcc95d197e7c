"""Records the cases that a cache lacks, several per process to import TensorFlow less often.

An interrupted recording continues where it stopped. A case that fails because of the corpus itself
is stored with its error.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TextIO

from bench.verdicts.cache import Cache, CaseResult, key
from bench.verdicts.corpus import named
from bench.verdicts.plan import Case, Healthy

# TensorFlow keeps parts of every traced model in memory.
CASES_A_PROCESS = 40


def record(
    cases: Sequence[Case],
    seeds: Sequence[int],
    cache: Cache,
    *,
    workers: int = 1,
    again: bool = False,
    stream: TextIO = sys.stderr,
) -> int:
    """Record missing cases, first all of them with the first seed; return how many.

    With `again`, also records cases that are in the cache. Raises BrokenProcessPool for a process
    that died.
    """
    wanted = [
        (case, seed) for seed in seeds for case in cases if again or cache.find(case, seed) is None
    ]
    started, done = time.monotonic(), 0
    if not wanted:
        print("nothing to record: all cases are in the cache", file=stream)
        return 0
    # A pool for each part: max_tasks_per_child can leave a pool without processes (Python 3.11).
    for start in range(0, len(wanted), CASES_A_PROCESS * workers):
        part = wanted[start : start + CASES_A_PROCESS * workers]
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            jobs = {
                pool.submit(record_one, case.name, seed, cache.folder): case for case, seed in part
            }
            for job in as_completed(jobs):
                done += 1
                left = (time.monotonic() - started) / done * (len(wanted) - done) / 60
                text = _progress(jobs[job], job.result())
                print(f"{done}/{len(wanted)}, {left:.0f} min left: {text}", file=stream, flush=True)
    return done


def record_one(name: str, seed: int, folder: Path) -> CaseResult:
    """Train and record one case into the cache in `folder`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # all runs use the same kind of device
    from bench.verdicts.training import train

    (case,) = named([name])
    cache = Cache(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{key(case, seed)}.{os.getpid()}.part"
    began = time.process_time()
    try:
        ended = train(case.kind, case.plan, seed, made)
        result = CaseResult(name, seed, ended.score, ended.stopped, "", time.process_time() - began)
    except Exception as error:  # an error of the corpus, shown in the table
        result = CaseResult(name, seed, trouble=f"{type(error).__name__}: {error}"[:300])
    cache.keep(case, made, result)
    for rest in folder.glob(f"{made.name}*"):
        rest.unlink()
    gc.collect()
    return result


def _progress(case: Case, result: CaseResult) -> str:
    score = "no score" if result.score is None else f"score {result.score:.2f}"
    if isinstance(case, Healthy):
        score += f" of {case.goal}" + ("" if result.qualified(case) else ", NOT REACHED")
    more = result.trouble or result.stopped
    return f"{case.name} seed {result.seed}, {score}, {result.seconds:.0f} s" + (
        more and f": {more}"
    )
