"""The page of the run file, from its schema and the comments in it."""

from __future__ import annotations

import re
from importlib.resources import files

from docs.generator.markdown import block, table
from resnet_inspect.store.info import RunInfo
from resnet_inspect.store.schema import VERSION

INTRODUCTION = """\
# Run file

A run file is an SQLite database with one run. The Python interface
[`open_run`](python.md#open_run) reads it; so does every program that reads SQLite. The version
of the schema is {version}. Older files are migrated in memory when they are read; newer files
are rejected with exit code 5."""
QUERY = """\
sqlite3 -readonly runs/a.db "SELECT step, value FROM scalar WHERE name = 'loss'"
sqlite3 -readonly runs/a.db "SELECT layer, step, mean, std, zeros * 1.0 / count \\
  FROM tap JOIN summary ON tap.id = summary.tap WHERE kind = 'activation'\""""


def page() -> str:
    """The page in Markdown."""
    text = files("resnet_inspect.store").joinpath("schema.sql").read_text(encoding="utf-8")
    head, *blocks = re.split(r"\n\n", text.strip())
    parts = [INTRODUCTION.format(version=VERSION)]
    while blocks and "CREATE" not in head:
        parts.append(_prose(head.split("\n--\n")[-1]))
        head = blocks.pop(0)
    blocks.insert(0, head)
    parts += ["## Examples", block(QUERY, "sh"), "## Tables"]
    for comment, name, sql in map(_table, blocks):
        parts += [f"### `{name}`", comment, block(sql, "sql")]
    parts += ["## The description of a run", _info()]
    return "\n\n".join(parts)


def _table(text: str) -> tuple[str, str, str]:
    """The comment, the name and the SQL of a table."""
    lines = text.splitlines()
    sql = "\n".join(line for line in lines if not line.startswith("--"))
    match = re.search(r"CREATE TABLE (\w+)", sql)
    if match is None:
        raise ValueError(f"no table: {text}")
    return _prose("\n".join(line for line in lines if line.startswith("--"))), match[1], sql


def _prose(comment: str) -> str:
    return " ".join(line.removeprefix("--").strip() for line in comment.splitlines())


def _info() -> str:
    """The fields of the row `info`."""
    rows = ((f"`{name}`", f"`{kind}`") for name, kind in RunInfo.__annotations__.items())
    description = " ".join((RunInfo.__doc__ or "").split())
    return f"The row `info` of the table `run` is a JSON object. {description}\n\n" + table(
        ("field", "type"), rows
    )
