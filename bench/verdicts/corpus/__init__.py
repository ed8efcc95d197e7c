"""The cases: healthy trainings, and the same trainings with an injected fault."""

from bench.verdicts.corpus.answer_faults import FAULTS as ANSWER_FAULTS
from bench.verdicts.corpus.class_faults import FAULTS as CLASS_FAULTS
from bench.verdicts.corpus.fresh_faults import FAULTS as FRESH_FAULTS
from bench.verdicts.corpus.fresh_healthy import HEALTHY as FRESH_HEALTHY
from bench.verdicts.corpus.fresh_table_faults import FAULTS as FRESH_TABLE_FAULTS
from bench.verdicts.corpus.healthy import HEALTHY as FIRST_HEALTHY
from bench.verdicts.corpus.other_faults import FAULTS as OTHER_FAULTS
from bench.verdicts.corpus.picture_faults import FAULTS as PICTURE_FAULTS
from bench.verdicts.plan import Case, Fault, Healthy

__all__ = ["CASES", "FAULTS", "HEALTHY", "named"]

HEALTHY: tuple[Healthy, ...] = (*FIRST_HEALTHY, *FRESH_HEALTHY)
FAULTS: tuple[Fault, ...] = (
    *PICTURE_FAULTS,
    *CLASS_FAULTS,
    *ANSWER_FAULTS,
    *OTHER_FAULTS,
    *FRESH_FAULTS,
    *FRESH_TABLE_FAULTS,
)
CASES: tuple[Case, ...] = (*HEALTHY, *FAULTS)


def named(names: list[str]) -> tuple[Case, ...]:
    """Return the cases of these names, or all. Raises KeyError for an unknown name."""
    known = {case.name: case for case in CASES}
    return tuple(known[name] for name in names) if names else CASES
