"""The section of docs/how_it_works/models.md about fourteen networks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from docs.networks.calls import Account
from docs.networks.comparison import ASPECTS, Agreement, compared
from docs.networks.expected import NETWORKS, Expected
from resnet_inspect.store.run import Run

DOCS = Path(__file__).parents[1]
PAGE = DOCS / "how_it_works" / "models.md"
TITLE = "## Fourteen networks"
HEAD = f"""{TITLE}

The ten scripts in `docs/recipes`, two families of `keras.applications`, a decoder of 12 blocks and
a two-tower model with a shared encoder. `python -m docs.networks` records each network with this
program and executes it in Keras without it. A cell is the number of facts that agree. The
[differences](#differences) are listed below the table. A test repeats the comparison.

- *Layers*: path, class, number of the call and output shape of each layer or operation in Keras.
- *Groups*: the inputs and the output shape of inner models and of your layers that call layers.
- *Parameters*: of each layer, of each group and in total, as Keras counts them.
- *MACs*: the same, by formulas for the classes of Keras (`tests/reference/layer_costs.py`).
- *`why`*: the origins of six axes, worked out by hand (`docs/networks/expected.py`).
- *Receptive field*: of some layers of networks with windows, worked out by hand.

| network | {" | ".join(ASPECTS)} |
|---|{"---|" * len(ASPECTS)}
"""
DIFFERENCES = """
### Differences

"""


def section(agreements: Mapping[str, Mapping[str, Agreement]]) -> str:
    """Return the section for the agreements of all networks.

    Raises:
        SystemExit: a difference has no known reason.
    """
    rows = "".join(row(name, agreements[name]) + "\n" for name in NETWORKS)
    listed = (line for name in NETWORKS for line in differences(name, agreements[name]))
    return HEAD + rows + DIFFERENCES + "".join(f"{line}\n" for line in listed)


def row(name: str, agreements: Mapping[str, Agreement]) -> str:
    """Return the row of one network."""
    return f"| {name} | {' | '.join(str(agreements[aspect]) for aspect in ASPECTS)} |"


def differences(name: str, agreements: Mapping[str, Agreement]) -> Iterator[str]:
    """Yield a list item for each reason of a network, with the places that differ because of it."""
    for aspect in ASPECTS:
        entries = agreements[aspect].differences
        for reason, group in groupby(entries, key=lambda entry: _reason(name, aspect, entry)):
            places = "; ".join(_difference(entry) for entry in group)
            yield f"- {name}, {aspect}: {places}. {reason}"


def _difference(entry: tuple[str, ...]) -> str:
    place, ours, wanted = entry
    return f"{place} is *{ours}* instead of *{wanted}*"


def _reason(name: str, aspect: str, entry: tuple[str, ...]) -> str:
    reasons = NETWORKS[name].reasons
    reason = reasons.get(entry[0]) or reasons.get(aspect)
    if reason is None:
        raise SystemExit(f"{name}, {aspect}: {_difference(entry)}, without a known reason")
    return reason


def compared_in(folder: Path, name: str) -> dict[str, Agreement]:
    """Record a network, execute it in Keras, and return the agreements."""
    expected = NETWORKS[name]
    run, account = folder / f"{name}.db", folder / f"{name}.json"
    _python(folder, "-m", "resnet_inspect", *_words(expected), "-o", str(run))
    target = str(DOCS / expected.target)
    _python(folder, "-m", "docs.networks.account", target, str(account), *expected.settings)
    with Run.open(run) as opened:
        return compared(opened, Account.read(account), expected)


def _words(expected: Expected) -> list[str]:
    """Return the command that records a network."""
    target = str(DOCS / expected.target)
    if expected.target.endswith(".py"):
        return ["run", target]
    return ["trace", target, *(word for text in expected.settings for word in ("--set", text))]


def _python(folder: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(DOCS.parent)},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def section_of(page: str) -> str:
    """Return the section of a page, which is the last one."""
    return "".join(page.partition(TITLE)[1:])


def written(page: str, text: str) -> str:
    """Return the page with this text as its section."""
    return page.partition(TITLE)[0].rstrip() + "\n\n" + text
