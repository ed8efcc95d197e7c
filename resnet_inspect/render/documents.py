"""Results as JSON. docs/reference/json.md describes the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from resnet_inspect.commands import spelled
from resnet_inspect.graph import MeasuredSize, PlaceKind

if TYPE_CHECKING:
    from resnet_inspect.analysis.check import Finding
    from resnet_inspect.analysis.diff.differences import RunDiff
    from resnet_inspect.analysis.page.failure import FailureFacts
    from resnet_inspect.analysis.studies import Answer

SCHEMA_VERSION = 1


def json_document(**fields: Any) -> str:
    """The text of a JSON object with `schema_version` first; structs become objects."""
    document = {"schema_version": SCHEMA_VERSION, **fields}
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=_number), indent=2).decode()


def _number(value: object) -> int:
    """The number for a measured size, which msgspec cannot encode."""
    if isinstance(value, MeasuredSize):
        return int(value)
    raise NotImplementedError(f"no JSON for {type(value).__name__}")


def finding_fields(finding: Finding) -> dict[str, Any]:
    """The JSON fields of a finding: its place by name as `layer`, its command as shell text."""
    place: dict[str, Any] = {"kind": finding.place.kind, "name": finding.place.name}
    if finding.place.kind is PlaceKind.TENSOR:
        place["output"] = finding.place.output
    return {
        "severity": finding.severity,
        "message": finding.message,
        "evidence": finding.evidence,
        "why": finding.why,
        "fix": finding.fix,
        "layer": str(finding.place),
        "place": place,
        "step": finding.step,
        "command": "" if finding.command is None else spelled(finding.command),
        "rule": finding.rule,
    }


def diff_fields(diff: RunDiff) -> dict[str, Any]:
    """The JSON fields of the differences between two runs."""
    unmatched = diff.findings
    findings = unmatched and {
        "only_a": [finding_fields(finding) for finding in unmatched.only_a],
        "only_b": [finding_fields(finding) for finding in unmatched.only_b],
    }
    return {"empty": diff.empty, **msgspec.structs.asdict(diff), "findings": findings}


def answer_fields(answer: Answer) -> dict[str, Any]:
    """The JSON fields of a study's result, with its commands as shell text."""
    commands = [spelled(command) for command in answer.see]
    return msgspec.structs.asdict(answer) | {"see": commands}


def failure_fields(facts: FailureFacts) -> dict[str, Any]:
    """The JSON fields of a failure and its explanation, with the command as shell text."""
    error = msgspec.structs.asdict(facts.failure)
    del error["crash"]
    return {
        "error": error,
        "explanation": facts.explanation,
        "changes": [change._asdict() for change in facts.changes],
        "command": "" if facts.fix is None else spelled(facts.fix),
        "rejected_call": facts.postmortem,
        "dangers": facts.dangers,
        "settings": facts.corrections,
    }
