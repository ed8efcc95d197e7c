"""The page of all settings, from their descriptions in the program."""

from __future__ import annotations

from pathlib import Path

from docs.generator.markdown import block, code, plain, sentence_case, table
from resnet_inspect.config import FIELDS, Field
from resnet_inspect.config.own_model import OWN, USED, USED_IN_TRAINING
from resnet_inspect.config.settings import DEFAULTS
from resnet_inspect.render.spelling import spell_setting

ROOT = Path(__file__).parents[2]
RECORDING = {"every", "record", "taps", "gradients", "sample"}
NOTES = {
    "Training": "For the tutorial's network and for a model of yours that is trained.",
    "Your model": "`target` is the argument of `trace`. Settings that have no effect on a model are"
    " rejected.",
}
INTRODUCTION = """\
# Settings

A setting decides what [`trace`](commands/trace.md) builds, how it trains, and what it records.
Four sources are merged. An earlier source in this list overrides a later one:

1. the option on the command line, such as `--batch-size 32`
2. the environment variable, such as `RESNET_INSPECT_BATCH_SIZE=32`
3. the file of `--config FILE.toml`, with lines such as `batch_size = 32`
4. the default

[`config show`](commands/config.md) prints every setting, its value and its source. In Python,
settings are keyword arguments: `resnet_inspect.trace(batch_size=32)`. `run` and `Recorder`
accept `every`, `taps`, `sample` and `gradients`."""
EXAMPLE = "sample_configs/adam.toml"


def page() -> str:
    """The page in Markdown."""
    groups = {
        "Recording": RECORDING,
        "Training": {*USED, *USED_IN_TRAINING} - {"target", *OWN, *RECORDING},
        "Your model": {"target", *OWN},
    }
    network = {field.name for field in FIELDS}.difference(*groups.values())
    parts = [
        INTRODUCTION,
        f"A file of settings, `{EXAMPLE}`, and its use:",
        block((ROOT / EXAMPLE).read_text(encoding="utf-8").rstrip(), "toml"),
        block(f"resnet-inspect trace --config {EXAMPLE} --n 1", "sh"),
    ]
    for title, names in (*groups.items(), ("The tutorial's network", network)):
        parts += [f"## {title}", NOTES.get(title, "")]
        parts.append(_table([field for field in FIELDS if field.name in names]))
    return "\n\n".join(part for part in parts if part)


def _table(fields: list[Field]) -> str:
    rows = (
        (code(field.name), plain(sentence_case(field.help)), plain(field.allowed), _default(field))
        for field in fields
    )
    return table(("setting", "meaning", "allowed", "default"), rows)


def _default(field: Field) -> str:
    value = DEFAULTS[field.name]
    return "" if value in (None, ()) else code(spell_setting(value))
