"""Records what is missing in a cache: several cases in a process, which spares TensorFlow's import.

Goes on where it was stopped; a case that fails in the corpus itself is kept with its trouble.
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

from bench.verdicts.cache import Cache, Kept, key
from bench.verdicts.corpus import named
from bench.verdicts.plan import Case, Healthy

# TensorFlow keeps some of every model that was traced.
CASES_A_PROCESS = 40


def record(
    cases: Sequence[Case],
    seeds: Sequence[int],
    cache: Cache,
    *,
    workers: int = 1,
    again: bool = False,
    told: TextIO = sys.stderr,
) -> int:
    """Record what is missing, first every case with the first seed; returns how many. With
    `again` those too that are there. BrokenProcessPool for a process that died.
    """
    wanted = [
        (case, seed) for seed in seeds for case in cases if again or cache.find(case, seed) is None
    ]
    started, done = time.monotonic(), 0
    if not wanted:
        print("nothing to record: all of it is there", file=told)
        return 0
    # A pool for each part: max_tasks_per_child can leave a pool without processes (Python 3.11).
    for start in range(0, len(wanted), CASES_A_PROCESS * workers):
        part = wanted[start : start + CASES_A_PROCESS * workers]
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            jobs = {
                pool.submit(record_one, one.name, seed, cache.folder): one for one, seed in part
            }
            for job in as_completed(jobs):
                done += 1
                left = (time.monotonic() - started) / done * (len(wanted) - done) / 60
                said = _told(jobs[job], job.result())
                print(f"{done}/{len(wanted)}, {left:.0f} min left: {said}", file=told, flush=True)
    return done


def record_one(name: str, seed: int, folder: Path) -> Kept:
    """Train and record one case into the cache in `folder`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # all runs on the same kind of device
    from bench.verdicts.training import train

    (case,) = named([name])
    cache = Cache(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{key(case, seed)}.{os.getpid()}.part"
    began = time.process_time()
    try:
        ended = train(case.kind, case.plan, seed, made)
        kept = Kept(name, seed, ended.score, ended.stopped, "", time.process_time() - began)
    except Exception as error:  # the corpus is wrong there, which the table must say
        kept = Kept(name, seed, trouble=f"{type(error).__name__}: {error}"[:300])
    cache.keep(case, made, kept)
    for rest in folder.glob(f"{made.name}*"):
        rest.unlink()
    gc.collect()
    return kept


def _told(case: Case, kept: Kept) -> str:
    score = "no score" if kept.score is None else f"score {kept.score:.2f}"
    if isinstance(case, Healthy):
        score += f" of {case.goal}" + ("" if kept.qualified(case) else ", NOT REACHED")
    more = kept.trouble or kept.stopped
    return f"{case.name} seed {kept.seed}, {score}, {kept.seconds:.0f} s" + (more and f": {more}")
