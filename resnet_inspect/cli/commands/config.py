"""`config show`: prints every setting, its value and the source of the value."""

from __future__ import annotations

import argparse

from resnet_inspect.cli.help_text import exit_codes
from resnet_inspect.cli.parser import add_json
from resnet_inspect.cli.settings_flags import add_settings, resolve_settings
from resnet_inspect.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE

DESCRIPTION = "Accepts the settings of `trace`."
EXAMPLES = (
    "resnet-inspect config show",
    "resnet-inspect config show --config sample_configs/tutorial.toml --steps 9",
)
EXITS = exit_codes(EXIT_OK, EXIT_USAGE, EXIT_INTERRUPTED)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add `config show`; its options are the settings of `trace`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser(
        "show",
        help="print the settings and where each comes from",
        description=parser.description,
        epilog=parser.epilog,
    )
    add_json(show)
    add_settings(show)


def run(parsed: argparse.Namespace) -> int:
    """Print the settings or their JSON."""
    resolved = resolve_settings(parsed)
    if parsed.json:
        from resnet_inspect.render.documents import json_document

        print(json_document(settings=resolved.values, origins=resolved.origins))
    else:
        from resnet_inspect.render.pages.config_table import config_table
        from resnet_inspect.render.screen import Screen

        Screen().table([config_table(resolved)])
    return EXIT_OK
