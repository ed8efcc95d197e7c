"""Runs the variants of a study, stores them under runs/study, and computes the answer.

The name of a run file contains a hash of its settings and data, so that studies reuse each other's
runs. A run that is missing or not complete is run again.
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
    "PlannedRun",
    "Progress",
    "StudyResult",
    "conduct",
    "known",
    "missing",
    "plan",
    "questions",
    "read",
]

FOLDER = Path("runs") / "study"
# The default settings of a variant, small enough that many runs take only minutes.
USUAL: dict[str, Any] = {"n": 1, "batch_size": 32, "steps": 40, "gradients": False}
SEEDS = FEWEST
FEWEST_STEPS = 2  # the second step is the first with changed weights
RECORDED_STEPS = 10  # steps of a training at which tensors are recorded, besides the last step
EVALUATIONS = 4  # of a training, if the variant is evaluated
# Measured CPU seconds: for the start of a run, and per picture and step with one block per stage.
START_SECONDS, PICTURE_SECONDS = 4.0, 0.003


@dataclass(frozen=True)
class PlannedRun:
    """One run of a study: its variant, seed, settings and file.

    If the run is not `trained`, an error of the framework is a result, not a failure of the study.
    """

    variant: str
    seed: int
    settings: Settings
    file: Path
    trained: bool

    @property
    def name(self) -> str:
        """The variant and the seed, such as "without L2, seed 1"."""
        return f"{self.variant}, seed {self.seed}"

    @property
    def seconds(self) -> float:
        """The estimated duration on two CPU cores, rather too short than too long."""
        tutorial = self.settings.tutorial
        pictures = self.settings.planned * tutorial.batch_size
        return START_SECONDS + pictures * tutorial.n * PICTURE_SECONDS


@dataclass(frozen=True)
class Progress:
    """The progress of a study.

    Attributes:
        planned: the current run.
        done: how many missing runs are done.
        of: how many runs were missing.
        step: the last step of the current run, -1 before the first step.
        left: estimated seconds left, or None.
    """

    planned: PlannedRun
    done: int
    of: int
    step: int
    left: float | None


class StudyResult(msgspec.Struct, frozen=True):
    """An answer with its question, settings, and run files by variant.

    `cross_entropy` contains one value per step, for each seed of each trained variant.
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
    """The study of that name.

    Raises:
        UsageError: there is no study of that name.
    """
    if name in STUDIES:
        return STUDIES[name]
    raise UsageError(
        f"there is no study '{name}'",
        where="NAME",
        expected="one of " + ", ".join(STUDIES),
        got=name,
        fix=("`", Command("study", options=("--list",)), "` lists the studies with questions"),
    )


def plan(
    study: Study, given: Mapping[str, Any], count: int = SEEDS, folder: Path = FOLDER
) -> list[PlannedRun]:
    """All runs of a study, complete or not.

    Args:
        study: the study.
        given: settings such as n, steps and batch_size.
        count: how many seeds each trained variant has.
        folder: the folder of the run files.

    Raises:
        ConfigError: a setting does not exist or has a wrong value.
        DataError: the data does not exist.
        UsageError: the study trains, and there are too few steps.
    """
    steps = given.get("steps", USUAL["steps"])
    if study.trains and isinstance(steps, int) and steps < FEWEST_STEPS:
        raise UsageError(
            "the study needs more steps",
            where="setting 'steps'",
            expected=f"at least {FEWEST_STEPS}",
            got=str(steps),
            fix=f"leave it out to train for {USUAL['steps']} steps",
        )
    runs = []
    for variant in study.variants:
        for seed in range(count if variant.trained else 1):
            settings = _settings(variant, given, seed)
            file = folder / _file_name(settings)
            runs.append(PlannedRun(variant.name, seed, settings, file, variant.trained))
    return runs


def missing(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """The runs without a complete run file, each file once."""
    return [run for run in {run.file: run for run in runs}.values() if not _is_complete(run)]


def conduct(
    study: Study,
    runs: Sequence[PlannedRun],
    report: Callable[[Progress], None] = lambda _: None,
) -> StudyResult:
    """Run what is missing, then compute the answer. An interruption keeps complete runs.

    `report` is called at the start of each run and after each of its steps.
    """
    wanted = missing(runs)
    seconds = [run.seconds for run in wanted]
    began, pace, first = time.monotonic(), 1.0, 0
    for number, run in enumerate(wanted):
        report(Progress(run, number, len(wanted), -1, None))
        _record(run, _watcher(run, number, seconds, pace, report))
        now = time.monotonic()
        pace = (now - began) / sum(seconds[first : number + 1])
        if number == 0 and len(wanted) > 1:  # not representative: it also loads TensorFlow
            began, first = now, 1
    return _answered(study, runs)


def _watcher(
    planned: PlannedRun,
    number: int,
    seconds: Sequence[float],
    pace: float,
    report: Callable[[Progress], None],
) -> api.Watch:
    """A callback that reports the steps of a run.

    `pace` is the ratio of the measured to the estimated duration of earlier runs.
    """

    def watch(_: Path, record: StepRecord | None) -> None:
        if record is not None:
            part = (record.step + 1) / planned.settings.planned
            left = pace * (sum(seconds[number:]) - part * seconds[number])
            report(Progress(planned, number, len(seconds), record.step, left))

    return watch


def _record(planned: PlannedRun, watch: Callable[[Path, StepRecord | None], None]) -> None:
    planned.file.parent.mkdir(parents=True, exist_ok=True)
    try:
        api.record(planned.settings, out=planned.file, force=True, watch=watch)
    except BuildError:
        if planned.trained:
            raise


def _answered(study: Study, runs: Sequence[PlannedRun]) -> StudyResult:
    files: dict[str, list[PlannedRun]] = {}
    for planned in runs:
        files.setdefault(planned.variant, []).append(planned)
    with ExitStack() as opened:
        recordings = {
            variant: [read(opened.enter_context(Run.open(planned.file))) for planned in every]
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
    settings = {name: value for name, value in first.values().items() if name in names}
    return StudyResult(
        study.name,
        study.number,
        study.question,
        {**settings, "steps": max(planned.settings.steps for planned in runs)},
        max(planned.seed for planned in runs) + 1,
        answer,
        {variant: [str(planned.file) for planned in every] for variant, every in files.items()},
        courses,
    )


def _warned(answer: Answer, runs: Sequence[PlannedRun]) -> Answer:
    """The answer, with a limit about too few seeds if that is the case."""
    count = max(run.seed for run in runs) + 1
    if count >= FEWEST or not any(run.trained for run in runs):
        return answer
    text = f"Claims about training are not decided with {seeds(count)}: use at least {FEWEST}."
    return msgspec.structs.replace(answer, limits=(text, *answer.limits))


def read(run: Run) -> VariantRun:
    """A stored run for a study; usable only while the run is open."""
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
    values["every"] = max(1, values["steps"] // RECORDED_STEPS)
    if variant.evaluated:
        values["evaluate"] = max(1, values["steps"] // EVALUATIONS)
    return Settings.of(values, "study")


def _file_name(settings: Settings) -> str:
    """A file name with a hash of settings, pictures, and the version of run files."""
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


def _is_complete(planned: PlannedRun) -> bool:
    """Whether a run file has all its steps, or an error that is a result of the study."""
    if not planned.file.exists():
        return False
    ends = (Status.COMPLETE,) if planned.trained else (Status.COMPLETE, Status.FAILED)
    try:
        with Run.open(planned.file) as run:
            return run.info.status in ends
    except InspectError:
        return False


def questions() -> Iterator[Study]:
    """All studies, in the order of their questions; studies without a number are last."""
    yield from sorted(STUDIES.values(), key=lambda study: study.number or 99)
