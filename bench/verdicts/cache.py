"""The cache of recorded cases.

A case is recorded once for each seed: `KEY.db` is the run, `KEY.json` the result. The key is a hash
of everything that determines the recording: plan, seed, source code of network and problem, and
versions.
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

# Raise this when code shared by all cases changes (`training`, `fed`, `steps`, `networks.parts`) or
# the content of a recording.
RECORDING = 1
NETWORKS = Path(__file__).with_name("networks")


class CaseResult(msgspec.Struct, frozen=True):
    """The result of a recorded training.

    `score` and `stopped` are those of `training.Outcome`, `trouble` is an error of the corpus.
    """

    case: str
    seed: int
    score: float | None = None
    stopped: str = ""
    trouble: str = ""
    seconds: float = 0.0

    def qualified(self, case: Case) -> bool:
        """Whether the run counts: a fault always, a healthy training if it reached its goal."""
        if self.trouble:
            return False
        if not isinstance(case, Healthy):
            return True
        return not self.stopped and self.score is not None and self.score >= case.goal


class Cache:
    """A folder of recordings, created by the first recording."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.gettempdir()) / "resnet-inspect-verdicts"

    def run(self, case: Case, seed: int) -> Path:
        """Return the path of the run file of a case."""
        return self.folder / f"{key(case, seed)}.db"

    def find(self, case: Case, seed: int) -> CaseResult | None:
        """Return the result of a case, None if it is not recorded."""
        try:
            content = self._result(case, seed).read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(content, type=CaseResult)

    def keep(self, case: Case, run: Path | None, result: CaseResult) -> None:
        """Move the file `run` into the cache and store the result of the case."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if run is not None and run.exists():
            run.replace(self.run(case, result.seed))
        path = self._result(case, result.seed)
        draft = path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(result))
        draft.replace(path)

    def _result(self, case: Case, seed: int) -> Path:
        return self.folder / f"{key(case, seed)}.json"


def key(case: Case, seed: int) -> str:
    """Return the key of a recording: 20 hexadecimal digits."""
    content: dict[str, Any] = {
        "kind": case.kind,
        "plan": sorted((name, repr(value)) for name, value in case.plan.items()),
        "seed": seed,
        "versions": [RECORDING, VERSION, __version__],
    }
    if case.kind in MODULES:
        module = NETWORKS / f"{MODULES[case.kind]}.py"
        content["network"] = module.read_text(encoding="utf-8")
        content["problem"] = getsource(PROBLEMS[case.plan["data"]])
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]
