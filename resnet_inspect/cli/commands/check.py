"""`check`: finds problems in a run."""

from __future__ import annotations

import argparse

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.parser import add_json, add_run
from resnet_inspect.errors import (
    EXIT_FINDINGS,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_RUN_FILE,
    EXIT_USAGE,
)

LEVELS = ("error", "warning", "info")
DESCRIPTION = "Errors come first. Each finding shows what was measured and what to try."
EXAMPLES = (
    "resnet-inspect check",
    "resnet-inspect check runs/a.db --fail-on warning   # for CI",
    "resnet-inspect check --explain dead-units",
)
EXITS = exit_codes(EXIT_OK, EXIT_FINDINGS, EXIT_USAGE, EXIT_RUN_FILE, EXIT_INTERRUPTED)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `check`."""
    add_run(parser)
    parser.add_argument(
        "--fail-on",
        choices=LEVELS,
        metavar="{error,warning,info}",
        help="exit with 1 on findings of this severity or worse",
    )
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="RULE", help="skip a rule; repeatable"
    )
    parser.add_argument(
        "--explain", metavar="RULE", help="print what a rule checks and why, or 'all'"
    )
    add_json(parser)


def run(parsed: argparse.Namespace) -> int:
    """Print the findings or their JSON."""
    from resnet_inspect.cli.run_argument import run_file
    from resnet_inspect.findings import check
    from resnet_inspect.store.run import Run
    from resnet_inspect.stored import failure_of

    if parsed.explain:
        return _explain(parsed.explain, as_json=parsed.json)
    path = run_file(parsed.run, parsed.run_flag)
    with Run.open(path) as recorded:
        info, recorded_steps = recorded.info, len(recorded.recorded_steps())
        findings = check(recorded, parsed.ignore)
        failure = failure_of(recorded)
    if parsed.json:
        from resnet_inspect.render.documents import finding_fields, json_document

        rows = [finding_fields(finding) for finding in findings]
        print(json_document(run=str(path), findings=rows))
    else:
        from resnet_inspect.render.pages.findings_page import findings_page
        from resnet_inspect.render.screen import Screen

        status = str(info.status)
        findings_page(Screen(), findings, info.network, status, recorded_steps, failure)
    failing = LEVELS[: LEVELS.index(parsed.fail_on) + 1] if parsed.fail_on else ()
    return EXIT_FINDINGS if any(row.severity in failing for row in findings) else EXIT_OK


def _explain(name: str, *, as_json: bool) -> int:
    from resnet_inspect import findings
    from resnet_inspect.analysis.check import explain, rules

    names = list(rules()) if name == "all" else [findings.known_rule(name, "flag --explain")]
    texts = {rule: explain(rule) for rule in names}
    if as_json:
        from resnet_inspect.render.documents import json_document

        print(json_document(rules=[{"rule": rule, "text": text} for rule, text in texts.items()]))
    else:
        from resnet_inspect.render.pages.findings_page import explanation_page
        from resnet_inspect.render.screen import Screen

        explanation_page(Screen(), texts)
    return EXIT_OK
