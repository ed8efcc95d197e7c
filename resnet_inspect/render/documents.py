"""Answers as JSON, for programs. docs/json.md describes the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from resnet_inspect.commands import spelled
from resnet_inspect.graph import PlaceKind

if TYPE_CHECKING:
    from resnet_inspect.analysis.check import Finding
    from resnet_inspect.analysis.diff.differences import RunDiff
    from resnet_inspect.analysis.studies import Answer

SCHEMA_VERSION = 1


def json_document(**fields: Any) -> str:
    """One JSON object with `schema_version` first; typed values become objects and lists."""
    return msgspec.json.format(
        msgspec.json.encode({"schema_version": SCHEMA_VERSION, **fields}), indent=2
    ).decode()


def finding_fields(one: Finding) -> dict[str, Any]:
    """A finding as JSON has it: the name of its place as `layer`, its command as it is typed."""
    place: dict[str, Any] = {"kind": one.place.kind, "name": one.place.name}
    if one.place.kind is PlaceKind.TENSOR:
        place["output"] = one.place.output
    return {
        "severity": one.severity,
        "message": one.message,
        "evidence": one.evidence,
        "why": one.why,
        "fix": one.fix,
        "layer": str(one.place),
        "place": place,
        "step": one.step,
        "command": "" if one.command is None else spelled(one.command),
        "rule": one.rule,
    }


def diff_fields(found: RunDiff) -> dict[str, Any]:
    """What is different between two runs as JSON has it."""
    lone = found.findings
    told = lone and {
        "only_a": [finding_fields(one) for one in lone.only_a],
        "only_b": [finding_fields(one) for one in lone.only_b],
    }
    return {"empty": found.empty, **msgspec.structs.asdict(found), "findings": told}


def answer_fields(answer: Answer) -> dict[str, Any]:
    """A study's answer as JSON has it: its commands as they are typed in a shell."""
    return msgspec.structs.asdict(answer) | {"see": [spelled(one) for one in answer.see]}
