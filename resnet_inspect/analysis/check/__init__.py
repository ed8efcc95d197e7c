"""Rules that detect problems in the graph, the recorded values and the data of a run."""

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.check.judge import check, explain, rules

__all__ = ["Evidence", "Finding", "Severity", "check", "explain", "rules"]
