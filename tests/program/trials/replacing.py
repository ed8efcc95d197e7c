"""An explanation whose repairs replace texts, for programs that fail on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from resnet_inspect.analysis.explain.explanation import Edit, Explanation, Kind, Line, Repair
from resnet_inspect.graph.crash import Crash


def replacement(
    crash: Crash, old: str, new: str, cost: float = 1.0, *, batch: bool = True
) -> Repair:
    """A repair that replaces the first occurrence of a text in the user's files."""
    file, text = next((name, text) for name, text in crash.files.items() if old in text)
    start = text.index(old)
    places = [
        (text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1))
        for at in (start, start + len(old))
    ]
    line = Line(file, places[0][0], "<module>", text.splitlines()[places[0][0] - 1].strip())
    edit = Edit(file, *places[0], *places[1], new)
    return Repair("replace", f"{old} → {new}", line, (edit,), keeps_batch=batch, cost=cost)


def explaining(*pairs: tuple[str, str]) -> Callable[[Crash], Explanation]:
    """An `explain` that suggests these replacements, as far as the crash has the old texts."""

    def explain(crash: Crash) -> Explanation:
        texts = "\n".join(crash.files.values())
        repairs = [
            replacement(crash, old, new, cost)
            for cost, (old, new) in enumerate(pairs)
            if old in texts
        ]
        return explanation(crash, repairs)

    return explain


def explanation(crash: Crash, repairs: Sequence[Repair]) -> Explanation:
    """An explanation of a shape error with these repairs; without them, of another error."""
    kind = Kind.SHAPE if crash.cause.startswith("shape") else Kind.OTHER
    return Explanation(kind, crash.cause, None, repairs=tuple(repairs), cause=crash.cause)
