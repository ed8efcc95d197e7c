"""Applies the rules to stored runs: the findings of one run, and counts for several."""

from resnet_inspect.findings.checking import check, known_rule
from resnet_inspect.findings.counting import counts

__all__ = ["check", "counts", "known_rule"]
