"""Verdicts as a page in Markdown: what was found, what was missed, and who was alarmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bench.verdicts.judging import Verdict, Verdicts
from bench.verdicts.plan import FRESH_KINDS, HELD_KINDS, TUNING_KINDS, TUNING_SEEDS, Fault
from bench.verdicts.reasons import FRESH, SEEN
from bench.verdicts.rules import RULES

COMMAND = "python -m bench.verdicts record && python -m bench.verdicts judge"
PARTS = ("fresh", "held", "tuning")
HEADS = {"fresh": "fresh kinds", "held": "held half", "tuning": "tuning half"}


def page(verdicts: Verdicts, reasons: Mapping[str, str]) -> str:
    """The whole page; `reasons` tells why a case is missed, by the case's name."""
    parts = [
        "# Verdicts of `check` on planted faults and healthy trainings",
        f"Made by `{COMMAND}`; the cases are in `bench/verdicts/corpus`. A fault is a healthy\n"
        "training with one change; it is found if a rule that is right for it warns. A healthy\n"
        "training counts only if it reached its goal.",
        "Rules were tuned on the tuning half: the kinds "
        f"{', '.join(sorted(TUNING_KINDS))} with seed {', '.join(map(str, TUNING_SEEDS))}.\n"
        f"The held half is everything else: these kinds with other seeds, and with every seed "
        f"{', '.join(sorted(HELD_KINDS))}.",
        SEEN,
        f"The fresh kinds are {', '.join(sorted(FRESH_KINDS))}, with every seed.",
        _summary(verdicts),
    ]
    for part in PARTS:
        told = [FRESH] if part == "fresh" else []
        parts += [f"## Rules, {HEADS[part]}", *told, _rules(verdicts.faults(part))]
    parts += ["## Missed", _missed(verdicts, reasons)]
    parts += ["## Alarms on healthy trainings", _alarms(verdicts)]
    parts += ["## What fired on which fault", _confusion(verdicts)]
    parts += ["## Not counted", _uncounted(verdicts, reasons)]
    return "\n\n".join(parts) + "\n"


def _summary(verdicts: Verdicts) -> str:
    rows = []
    for part in PARTS:
        faults, healthy = verdicts.faults(part), verdicts.healthy(part)
        alarmed = sum(one.alarmed for one in healthy)
        rows.append(
            (
                part,
                f"{len({one.case.name for one in faults})} / {len(faults)}",
                _share(sum(one.found for one in faults), len(faults)),
                f"{len({one.case.name for one in healthy})} / {len(healthy)}",
                str(alarmed),
                f"{100 * alarmed / len(healthy):.1f}" if healthy else "–",
            )
        )
    heads = ("part", "faults / runs", "found", "healthy / runs", "alarmed", "alarmed of 100")
    return _table(heads, rows)


def _rules(faults: Sequence[Verdict]) -> str:
    """A fault stands with each rule that is right for it."""
    rows = []
    for rule in RULES:
        planted = [one for one in faults if rule in _fault(one).rules]
        found = sum(one.found for one in planted)
        itself = sum(rule in one.alarms or rule in one.informed for one in planted)
        missed = sorted({one.case.name for one in planted if not one.found})
        rows.append(
            (f"`{rule}`", len(planted), found, itself, len(planted) - found, ", ".join(missed))
        )
    heads = ("rule", "planted", "found", "by this very rule", "missed", "which")
    return _table(heads, rows)


def _missed(verdicts: Verdicts, reasons: Mapping[str, str]) -> str:
    rows = [
        (
            one.half,
            one.case.name,
            one.kept.seed,
            _fault(one).words,
            _codes(_fault(one).rules),
            _codes(one.alarms) or one.failed or "nothing",
            reasons.get(one.case.name, ""),
        )
        for part in PARTS
        for one in verdicts.faults(part)
        if not one.found
    ]
    heads = ("part", "fault", "seed", "change", "right would be", "what fired", "reason")
    return _table(heads, rows) if rows else "None."


def _alarms(verdicts: Verdicts) -> str:
    rows = [
        (one.half, one.case.name, one.kept.seed, f"`{rule}`", text)
        for part in PARTS
        for one in verdicts.healthy(part)
        for rule, text in (one.alarms | ({"check": one.failed} if one.failed else {})).items()
    ]
    heads = ("part", "healthy training", "seed", "rule", "it says")
    return _table(heads, rows) if rows else "None."


def _confusion(verdicts: Verdicts) -> str:
    """A line for each fault: how many of its runs each rule warned of."""
    rows = []
    by_case: dict[str, list[Verdict]] = {}
    for one in verdicts.judged:
        if isinstance(one.case, Fault):
            by_case.setdefault(one.case.name, []).append(one)
    for name, runs in by_case.items():
        fault = _fault(runs[0])
        fired = Counter(rule for one in runs for rule in (*one.alarms, *one.informed))
        right = {rule: n for rule, n in fired.items() if rule in fault.rules}
        also = {rule: n for rule, n in fired.items() if rule in fault.also}
        others = Counter(rule for one in runs for rule in one.strangers)
        rows.append((name, len(runs), _counted(right), _counted(also), _counted(others)))
    heads = ("fault", "runs", "right", "as consequences", "others")
    return _table(heads, rows)


def _uncounted(verdicts: Verdicts, reasons: Mapping[str, str]) -> str:
    lines = [f"- {name}: {reasons.get(name, '')}" for name in verdicts.unasked]
    lines += [
        f"- {case.name}, seed {kept.seed}: "
        + (kept.trouble or kept.stopped or f"its score is {kept.score}")
        for case, kept in verdicts.unqualified
    ]
    told = f"{len(verdicts.unqualified)} runs did not qualify"
    if verdicts.missing:
        told += f", {len(verdicts.missing)} were not recorded"
    return "\n".join([told + ".", *([""] if lines else []), *lines])


def _fault(verdict: Verdict) -> Fault:
    assert isinstance(verdict.case, Fault)
    return verdict.case


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.0f} %)" if whole else "–"


def _codes(rules: Iterable[str]) -> str:
    return ", ".join(f"`{rule}`" for rule in rules)


def _counted(rules: Mapping[str, int]) -> str:
    return ", ".join(f"`{rule}` {count}" for rule, count in sorted(rules.items()))


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = (str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
