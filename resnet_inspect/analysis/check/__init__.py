"""What is wrong with a run: rules over its graph, its numbers and what it was fed."""

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.check.judge import check, explain, rules

__all__ = ["Evidence", "Finding", "Severity", "check", "explain", "rules"]
