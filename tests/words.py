"""Finds wording in Python files that the project does not use: `python -m tests.words [PATH…]`.

Checked are strings, docstrings and comments, and the names that code gives to things.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

# A phrase (regular expression, whole words, any case) and what to write instead.
PHRASES = {
    r"told|tells?": "shows, reports, says, records",
    r"held(?!-out)|holds?": "contains, keeps, stores, has",
    r"refus(?:e|es|ed|al|als|ing)": "rejects, raises, fails",
    r"hand(?:s|ed)? (?:on|over|it|them)": "passes, returns, forwards",
    r"(?:is|are|was|were|be|been|not) asked": "name the step that is done or skipped",
    r"stands?|stood": "is, appears",
    r"comes? to|came to": "becomes, reaches, results in",
    r"one's|somebody|nobody|anybody": "name the user, the model or the script",
    r"in vain": "without success",
    r"the way back": "path to the origin",
    r"by heart": "memorised",
    r"namesakes?": "unmatched, renamed",
    r"born|birth": "origin, traced to",
    r"as (?:they|it) (?:were|was) drawn": "at initialization",
    r"drawn once": "collapsed ×N",
    r"bent to both sides": "symmetric-log scale",
    r"alarmed|found out": "false positive, missed fault, detected",
    r"flows? in": "path to the origin",
    r"in the way": "already exists",
    r"look(?:s|ed)? around": "browse",
    r"traced again with": "re-traced with",
    r"answer without any input": "constant-predictor baseline, chance level",
    r"of their length|their lengths?": "norm",
    r"passed over": "ignored, skipped",
    r"is to be|are to be": "must, should, will",
    r"ought|hitherto|thereof|therein": "plain words",
    r"nothing but": "only",
    r"goes? without": "skips",
    r"as it is\b(?! (?:not|in|now|a|the))": "unchanged",
}

# Names that say nothing of what they are for.
NAMES = {
    "told": "name the text or flag",
    "held": "name what is kept",
    "one": "name the item: layer, tensor, call",
    "found": "name the result",
    "asked": "name the request",
    "tell": "name the action: write, show, report",
    "ask": "name the action: compute, trace",
    "gone": "name what is missing",
}
VAGUE = re.compile(
    "Held|Told|Kept|Asked|Seen|Made|Drawn|Studied|Recorded|Retraced|Resolved|Selected|Listed|"
    "Planned|Placed|Packed|Compared|Traced|Watched|Wanted|Lone|Look|Only|Once|Ways|Whys"
)
# Values of rules, styles and options, quoted: they are stored.
SLUG = re.compile(r"""(?:["'`=-]|\| )(?:refused|held)\b|\b(?:refused|held)["'`]""")
ANY = re.compile(rf"\b(?:{'|'.join(PHRASES)})\b", re.IGNORECASE)
PATTERNS = {re.compile(rf"\b(?:{phrase})\b", re.IGNORECASE): say for phrase, say in PHRASES.items()}


@dataclass(frozen=True)
class Violation:
    """Wording at a line of a file, and what to write instead."""

    path: Path
    line: int
    wording: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.wording!r}: {self.instead}"


def violations(paths: Iterable[Path]) -> Iterator[Violation]:
    """All of the Python files among `paths` and in folders among them."""
    for path in paths:
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        for file in files:
            yield from _of_file(file)


def _of_file(path: Path) -> Iterator[Violation]:
    source = path.read_text(encoding="utf-8")
    for line, text in _texts(source) if ANY.search(source) else ():
        masked = SLUG.sub(lambda match: " " * len(match.group()), text)
        for pattern, instead in PATTERNS.items():
            for match in pattern.finditer(masked):
                number = line + text.count("\n", 0, match.start())
                yield Violation(path, number, match.group(), instead)
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0)
        for name in _names(node):
            if name in NAMES:
                yield Violation(path, line, name, NAMES[name])
        if isinstance(node, ast.ClassDef) and VAGUE.fullmatch(node.name.lstrip("_")):
            yield Violation(path, line, node.name, "name the thing the class is")


def _texts(source: str) -> Iterator[tuple[int, str]]:
    """Strings and comments with the line on which each begins."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.STRING, tokenize.COMMENT):
            yield token.start[0], token.string


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name


def main(arguments: list[str]) -> int:
    """Print each violation; 1 if there is any."""
    paths = [Path(name) for name in arguments] or [ROOT / "resnet_inspect"]
    count = 0
    for violation in violations(paths):
        print(violation)
        count += 1
    print(f"{count} violations", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
