"""One page per command, from the parser of the command line."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator

from docs.generator.markdown import block, code, plain, sentence_case, table
from resnet_inspect.cli.parser import build

# How an argument is shown in the usage, by `nargs`.
FORMS = {"?": "[{}]", "*": "[{} ...]", argparse.REMAINDER: "[{} ...]"}
# Chapters of the text that --help prints after the options.
CHAPTER = re.compile(r"^([a-z ]+):\n", re.MULTILINE)
INTRODUCTION = """\
# Commands

```text
resnet-inspect COMMAND [OPTIONS]
```

`resnet-inspect COMMAND --help` prints the same as these pages. Commands that read a run take it
as the argument `RUN`; without it they read the newest run in `runs/` that did not fail, and
`explain` reads the newest run that failed. They never load TensorFlow. Results go to stdout,
progress and errors to stderr."""
OUTPUT = """\
## Output

- With `--json`, a command prints one JSON document; see [JSON fields](../json.md).
- `NO_COLOR` disables colours, `FORCE_COLOR` enables them, `COLUMNS` sets the width."""


def pages() -> dict[str, str]:
    """The pages in Markdown by file name: an index and one page per command."""
    parser = build()
    commands = _commands(parser)
    return {"index.md": _index(parser, commands)} | {
        f"{name}.md": "\n\n".join(_command(name, command)) for name, command in commands.items()
    }


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of all commands, in the order of --help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _index(parser: argparse.ArgumentParser, commands: dict[str, argparse.ArgumentParser]) -> str:
    rows = [
        (f"[`{name}`]({name}.md)", (command.description or "").splitlines()[0])
        for name, command in commands.items()
    ]
    chapters = _chapters(parser)
    return "\n\n".join(
        (INTRODUCTION, table(("command", "what it does"), rows), OUTPUT, *_exit_codes(chapters))
    )


def _command(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """The parts of a command's page."""
    first, _, rest = (parser.description or "").partition("\n")
    chapters = _chapters(parser)
    inner = _commands(parser)
    yield f"# `{name}`"
    yield plain(first)
    if rest:
        yield plain(" ".join(rest.split()))
    for shown in inner.values() or (parser,):
        yield block(_usage(shown), "text")
    if "examples" in chapters:
        yield "## Examples"
        yield block(chapters["examples"], "sh")
    for shown in inner.values() or (parser,):
        yield from _arguments(shown)
    if "keys" in chapters:
        yield "## Keys"
        lines = chapters["keys"].splitlines()
        pairs = (re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in lines)
        rows = ((" ".join(map(code, keys.split())), text) for keys, text in pairs)
        yield table(("key", "what it does"), rows)
    yield from _exit_codes(chapters)


def _usage(parser: argparse.ArgumentParser) -> str:
    """The usage, with [OPTIONS] for all options that may be left out."""
    options = [
        f"{action.option_strings[0]} {_metavar(action)}"
        for action in parser._get_optional_actions()
        if action.required
    ]
    if any(_is_shown(a) for a in parser._get_optional_actions()):
        options.append("[OPTIONS]")
    arguments = [
        FORMS.get(str(a.nargs), "{}").format(_metavar(a)) for a in parser._get_positional_actions()
    ]
    return " ".join((parser.prog, *options, *arguments))


def _is_shown(action: argparse.Action) -> bool:
    return action.help is not argparse.SUPPRESS and "--help" not in action.option_strings


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    """A table per group of arguments, without hidden arguments."""
    for group in parser._action_groups:
        rows = [
            (_spelled(action), _help(action, parser))
            for action in group._group_actions
            if _is_shown(action)
        ]
        if rows:
            title = {"positional arguments": "arguments"}.get(group.title or "", group.title or "")
            yield f"## {title.capitalize()}"
            if group.description:
                yield plain(sentence_case(group.description).removesuffix(".")) + "."
            yield table((title.rstrip("s"), "meaning"), rows)


def _spelled(action: argparse.Action) -> str:
    """The names of an argument with its value, as code."""
    if not action.option_strings:
        return code(_metavar(action))
    value = f" {_metavar(action)}" if action.nargs != 0 else ""
    return ", ".join(code(name + value) for name in action.option_strings)


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    if action.metavar is None and action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.metavar or action.dest.upper()


def _help(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    return plain(sentence_case(parser._get_formatter()._expand_help(action)))


def _chapters(parser: argparse.ArgumentParser) -> dict[str, str]:
    """The chapters of the text after the options, by heading."""
    pieces = CHAPTER.split(parser.epilog or "")[1:]
    return {
        name: textwrap.dedent(text).strip("\n")
        for name, text in zip(pieces[::2], pieces[1::2], strict=True)
    }


def _exit_codes(chapters: dict[str, str]) -> Iterator[str]:
    if "exit codes" in chapters:
        rows = (line.split(maxsplit=1) for line in chapters["exit codes"].splitlines())
        yield "## Exit codes"
        yield table(("code", "meaning"), ((code(number), plain(text)) for number, text in rows))
