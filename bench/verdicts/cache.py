"""Where recordings of cases are kept, and by what they are known again.

A case is recorded once for each seed: `KEY.db` is its run, `KEY.json` how it ended. The key is a
hash of what decides the recording: plan, seed, source of network and problem, and versions.
"""

from __future__ import annotations

import json
import tempfile
from hashlib import sha256
from inspect import getsource
from pathlib import Path
from typing import Any

import msgspec

from bench.verdicts.networks import MODULES
from bench.verdicts.plan import Case, Healthy
from bench.verdicts.problems import PROBLEMS
from resnet_inspect import __version__
from resnet_inspect.store.schema import VERSION

# Raise it when what is shared by all cases changes: `training`, `fed`, `steps`, `networks.parts`,
# or what a recording holds.
RECORDING = 1
NETWORKS = Path(__file__).with_name("networks")


class Kept(msgspec.Struct, frozen=True):
    """How a recorded training ended. `qualified` is whether a healthy one reached its goal;
    `score` and `stopped` are as in `training.Outcome`, `trouble` is what failed in the corpus.
    """

    case: str
    seed: int
    score: float | None = None
    stopped: str = ""
    trouble: str = ""
    seconds: float = 0.0

    def qualified(self, case: Case) -> bool:
        """Whether the run counts: a fault always, a healthy one if it reached its goal."""
        if self.trouble:
            return False
        if not isinstance(case, Healthy):
            return True
        return not self.stopped and self.score is not None and self.score >= case.goal


class Cache:
    """A folder of recordings, made when something is kept in it."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.gettempdir()) / "resnet-inspect-verdicts"

    def run(self, case: Case, seed: int) -> Path:
        """The run file of a case."""
        return self.folder / f"{key(case, seed)}.db"

    def find(self, case: Case, seed: int) -> Kept | None:
        """How it ended, None if it was not recorded yet."""
        try:
            held = self._told(case, seed).read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(held, type=Kept)

    def keep(self, case: Case, made: Path | None, kept: Kept) -> None:
        """Take over the run file `made`; the case counts as recorded from now on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if made is not None and made.exists():
            made.replace(self.run(case, kept.seed))
        told = self._told(case, kept.seed)
        draft = told.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(kept))
        draft.replace(told)

    def _told(self, case: Case, seed: int) -> Path:
        return self.folder / f"{key(case, seed)}.json"


def key(case: Case, seed: int) -> str:
    """What decides a recording, as 20 hexadecimal digits."""
    held: dict[str, Any] = {
        "kind": case.kind,
        "plan": sorted((name, repr(value)) for name, value in case.plan.items()),
        "seed": seed,
        "versions": [RECORDING, VERSION, __version__],
    }
    if case.kind in MODULES:
        module = NETWORKS / f"{MODULES[case.kind]}.py"
        held["network"] = module.read_text(encoding="utf-8")
        held["problem"] = getsource(PROBLEMS[case.plan["data"]])
    return sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()[:20]
