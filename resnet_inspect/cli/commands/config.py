"""`config show`: every setting, its value and where the value comes from."""

from __future__ import annotations

import argparse

from resnet_inspect.cli.parser import add_json
from resnet_inspect.cli.settings_flags import add_settings, resolve_settings
from resnet_inspect.errors import EXIT_OK


def configure(parser: argparse.ArgumentParser) -> None:
    """Add `config show` and its flags, which are those of `trace`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="print the settings and where each comes from")
    add_json(show)
    add_settings(show)


def run(parsed: argparse.Namespace) -> int:
    """Print the settings, or the same as JSON."""
    resolved = resolve_settings(parsed)
    if parsed.json:
        from resnet_inspect.render.documents import json_document

        print(json_document(settings=resolved.values, origins=resolved.origins))
    else:
        from resnet_inspect.render.pages.config_table import config_table
        from resnet_inspect.render.screen import Screen

        Screen().table([config_table(resolved)])
    return EXIT_OK
