"""Runs what a study needs, keeps it under runs/study, and answers from it.

A run is kept under the hash of its settings and of the data that it is fed, so that another study,
or the same one again, finds it. Whatever is not complete there is run anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from resnet_inspect import api
from resnet_inspect.analysis.studies import STUDIES, Answer, Study, Variant, VariantRun
from resnet_inspect.analysis.studies.spread import FEWEST, seeds
from resnet_inspect.commands import Command
from resnet_inspect.config import Settings
from resnet_inspect.data import load
from resnet_inspect.errors import BuildError, InspectError, UsageError
from resnet_inspect.stats import StepRecord
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from resnet_inspect.store.schema import VERSION

__all__ = [
    "FOLDER",
    "SEEDS",
    "STUDIES",
    "Planned",
    "Progress",
    "Studied",
    "conduct",
    "known",
    "missing",
    "plan",
    "questions",
    "read",
]

FOLDER = Path("runs") / "study"
# A variant's settings unless it says otherwise: small, so that many runs take minutes.
USUAL: dict[str, Any] = {"n": 1, "batch_size": 32, "steps": 40, "gradients": False}
SEEDS = FEWEST
FEWEST_STEPS = 2  # the second step is the first one that sees a changed weight
LOOKS = 10  # steps of a training at which tensors are recorded, and the last one
EVALUATIONS = 4  # of a training whose evaluation a study asks for
# CPU seconds, measured: for a run to begin, and for a step on one picture with one block a stage.
BEGINS, PER_PICTURE = 4.0, 0.003


@dataclass(frozen=True)
class Planned:
    """One run of a study: of which variant, with which seed, and its file. One that is not
    `trained` may be refused by the framework, which is then what it has to tell.
    """

    variant: str
    seed: int
    settings: Settings
    file: Path
    trained: bool

    @property
    def name(self) -> str:
        """Such as: without L2, seed 1."""
        return f"{self.variant}, seed {self.seed}"

    @property
    def seconds(self) -> float:
        """What it will hardly take less than, on two CPU cores."""
        tutorial = self.settings.tutorial
        pictures = self.settings.planned * tutorial.batch_size
        return BEGINS + pictures * tutorial.n * PER_PICTURE


@dataclass(frozen=True)
class Progress:
    """Where a study is: `done` of `of` missing runs, this one's step, seconds left or None."""

    planned: Planned
    done: int
    of: int
    step: int
    left: float | None


class Studied(msgspec.Struct, frozen=True):
    """An answer with its question, how it was come by, and the run files by variant.

    `cross_entropy` has a value a step for each seed, by variant; of trained ones alone.
    """

    study: str
    number: int
    question: str
    settings: dict[str, Any]
    seeds: int
    answer: Answer
    runs: dict[str, list[str]]
    cross_entropy: dict[str, list[list[float]]]


def known(name: str) -> Study:
    """The study of that name; raises UsageError where there is none."""
    if name in STUDIES:
        return STUDIES[name]
    raise UsageError(
        f"there is no study '{name}'",
        where="NAME",
        expected="one of " + ", ".join(STUDIES),
        got=name,
        fix=("`", Command("study", options=("--list",)), "` tells what each asks"),
    )


def plan(
    study: Study, given: Mapping[str, Any], count: int = SEEDS, folder: Path = FOLDER
) -> list[Planned]:
    """All runs of a study, complete or not, with `count` seeds; `given` are settings such as n,
    steps, batch_size.

    Raises ConfigError for settings that are none, DataError for data that is not there, UsageError
    for fewer steps than a training takes to change anything.
    """
    steps = given.get("steps", USUAL["steps"])
    if study.trains and isinstance(steps, int) and steps < FEWEST_STEPS:
        raise UsageError(
            "the study needs more steps",
            where="setting 'steps'",
            expected=f"at least {FEWEST_STEPS}",
            got=str(steps),
            fix=f"leave it out for {USUAL['steps']}",
        )
    found = []
    for variant in study.variants:
        for seed in range(count if variant.trained else 1):
            settings = _settings(variant, given, seed)
            found.append(
                Planned(
                    variant.name, seed, settings, folder / _file_name(settings), variant.trained
                )
            )
    return found


def missing(runs: Sequence[Planned]) -> list[Planned]:
    """Those that have no complete run file yet, each file once."""
    return [one for one in {run.file: run for run in runs}.values() if not _is_there(one)]


def conduct(
    study: Study,
    runs: Sequence[Planned],
    tell: Callable[[Progress], None] = lambda _: None,
) -> Studied:
    """Run what is missing, then answer. What was complete before an interruption stays.

    `tell` hears of each run's begin, of its steps, and of its end (by `done`).
    """
    wanted = missing(runs)
    seconds = [one.seconds for one in wanted]
    began, pace, first = time.monotonic(), 1.0, 0
    for number, one in enumerate(wanted):
        tell(Progress(one, number, len(wanted), -1, None))
        _record(one, _watcher(one, number, seconds, pace, tell))
        now = time.monotonic()
        pace = (now - began) / sum(seconds[first : number + 1])
        if number == 0 and len(wanted) > 1:  # which loads TensorFlow, too: later ones tell better
            began, first = now, 1
    return _answered(study, runs)


def _watcher(
    one: Planned,
    number: int,
    seconds: Sequence[float],
    pace: float,
    tell: Callable[[Progress], None],
) -> api.Watch:
    """Tells of the steps of a run; `pace` is how much slower earlier runs were than planned."""

    def watch(_: Path, record: StepRecord | None) -> None:
        if record is not None:
            part = (record.step + 1) / one.settings.planned
            left = pace * (sum(seconds[number:]) - part * seconds[number])
            tell(Progress(one, number, len(seconds), record.step, left))

    return watch


def _record(one: Planned, watch: Callable[[Path, StepRecord | None], None]) -> None:
    one.file.parent.mkdir(parents=True, exist_ok=True)
    try:
        api.record(one.settings, out=one.file, force=True, watch=watch)
    except BuildError:
        if one.trained:
            raise


def _answered(study: Study, runs: Sequence[Planned]) -> Studied:
    files: dict[str, list[Planned]] = {}
    for one in runs:
        files.setdefault(one.variant, []).append(one)
    with ExitStack() as opened:
        recordings = {
            variant: [read(opened.enter_context(Run.open(one.file))) for one in every]
            for variant, every in files.items()
        }
        answer = _warned(study.answer(recordings), runs)
        courses = {
            variant: [
                [*run.scalars.get("cross_entropy", {}).values()] for run in recordings[variant]
            ]
            for variant, every in files.items()
            if every[0].trained
        }
    first = runs[0].settings
    names = ("n", "batch_size", "steps", "data", "device")
    told = {name: value for name, value in first.values().items() if name in names}
    every = [one.settings.steps for one in runs]
    return Studied(
        study.name,
        study.number,
        study.question,
        {**told, "steps": max(every)},
        max(one.seed for one in runs) + 1,
        answer,
        {variant: [str(one.file) for one in every] for variant, every in files.items()},
        courses,
    )


def _warned(answer: Answer, runs: Sequence[Planned]) -> Answer:
    """The answer that says so where there are too few seeds."""
    count = max(one.seed for one in runs) + 1
    if count >= FEWEST or not any(one.trained for one in runs):
        return answer
    text = f"with {seeds(count)} nothing is decided about training: that takes at least {FEWEST}"
    return msgspec.structs.replace(answer, limits=(text, *answer.limits))


def read(run: Run) -> VariantRun:
    """A run as studies read it; good as long as the run is open."""
    return VariantRun(
        settings=run.info.settings,
        graph=run.graph,
        file=run.path,
        lineage=run.lineage,
        failure=run.info.failure,
        scalars=run.scalars(),
        recorded=run.recorded_steps(),
        taps=run.taps(),
        updates=run.updates(),
        course=cache(run.course),
        channels=cache(run.channels),
        normalizations=cache(run.normalizations),
    )


def _settings(variant: Variant, given: Mapping[str, Any], seed: int) -> Settings:
    values = USUAL | dict(given) | {"seed": seed}
    if not variant.trained:
        values["steps"] = 0
    values |= variant.settings
    values["every"] = max(1, values["steps"] // LOOKS)
    if variant.evaluated:
        values["evaluate"] = max(1, values["steps"] // EVALUATIONS)
    return Settings.of(values, "study")


def _file_name(settings: Settings) -> str:
    """By what decides the numbers in it: settings, pictures, and the version of run files."""
    tutorial = settings.tutorial
    data = _fingerprint(tutorial.data)
    if tutorial.evaluate:
        data += _fingerprint(tutorial.data, training=False)
    content = msgspec.json.encode([VERSION, settings.values() | {"data": data}])
    return f"{settings.network}-{sha256(content).hexdigest()[:16]}.db"


@cache
def _fingerprint(data: str, *, training: bool = True) -> str:
    pictures = load(data, training=training)
    digest = sha256(pictures.images.tobytes())
    digest.update(pictures.labels.tobytes())
    return digest.hexdigest()


def _is_there(one: Planned) -> bool:
    """Whether a run came to its end: to all its steps, or to a refusal that tells something."""
    if not one.file.exists():
        return False
    ends = (Status.COMPLETE,) if one.trained else (Status.COMPLETE, Status.FAILED)
    try:
        with Run.open(one.file) as run:
            return run.info.status in ends
    except InspectError:
        return False


def questions() -> Iterator[Study]:
    """All studies, in the order of their questions, those without a number last."""
    yield from sorted(STUDIES.values(), key=lambda study: study.number or 99)
