"""Where stored runs meet the rules: what is wrong with a run, and how much is with each of many."""

from resnet_inspect.findings.checking import check, known_rule
from resnet_inspect.findings.counting import counts

__all__ = ["check", "counts", "known_rule"]
