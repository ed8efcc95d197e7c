"""`check`: what is wrong with a run."""

from __future__ import annotations

import argparse

from resnet_inspect.cli.parser import add_run
from resnet_inspect.errors import EXIT_FINDINGS, EXIT_OK

LEVELS = ("error", "warning", "info")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `check`."""
    add_run(parser)
    parser.add_argument(
        "--fail-on",
        choices=LEVELS,
        metavar="{error,warning,info}",
        help="exit with 1 if there is a finding as severe as that",
    )
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="RULE", help="leave a rule out; repeatable"
    )
    parser.add_argument(
        "--explain", metavar="RULE", help="what a rule looks for, and why so; 'all' for each"
    )


def run(parsed: argparse.Namespace) -> int:
    """Print the findings, or the same as JSON."""
    from resnet_inspect import findings
    from resnet_inspect.cli.run_argument import run_file
    from resnet_inspect.store.run import Run

    if parsed.explain:
        return _explain(parsed.explain, as_json=parsed.json)
    path = run_file(parsed.run)
    with Run.open(path) as recorded:
        info, recorded_steps = recorded.info, len(recorded.recorded_steps())
        found = findings.check(recorded, parsed.ignore)
    if parsed.json:
        from resnet_inspect.render.documents import finding_fields, json_document

        print(json_document(run=str(path), findings=[finding_fields(one) for one in found]))
    else:
        from resnet_inspect.render.pages.findings_page import findings_page
        from resnet_inspect.render.screen import Screen

        findings_page(Screen(), found, info.network, str(info.status), recorded_steps)
    told = LEVELS[: LEVELS.index(parsed.fail_on) + 1] if parsed.fail_on else ()
    return EXIT_FINDINGS if any(one.severity in told for one in found) else EXIT_OK


def _explain(name: str, *, as_json: bool) -> int:
    from resnet_inspect import findings
    from resnet_inspect.analysis.check import explain, rules

    names = list(rules()) if name == "all" else [findings.known_rule(name, "flag --explain")]
    texts = {one: explain(one) for one in names}
    if as_json:
        from resnet_inspect.render.documents import json_document

        print(json_document(rules=[{"rule": one, "text": texts[one]} for one in names]))
    else:
        from resnet_inspect.render.pages.findings_page import explanation_page
        from resnet_inspect.render.screen import Screen

        explanation_page(Screen(), texts)
    return EXIT_OK
