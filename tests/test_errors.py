"""Error texts, slugs and exit codes."""

import pytest

from resnet_inspect import errors
from resnet_inspect.errors import InspectError

EXPECTED = {
    "InspectError": ("error", 2),
    "UsageError": ("usage", 2),
    "ConfigError": ("config", 2),
    "DataError": ("data", 2),
    "DeviceError": ("device", 2),
    "CheckpointError": ("checkpoint", 2),
    "FrameworkMissingError": ("framework-missing", 2),
    "OutputError": ("output", 2),
    "PatchError": ("patch", 2),
    "BuildError": ("build", 3),
    "StorageFullError": ("storage-full", 3),
    "RendererError": ("renderer", 4),
    "RendererMissingError": ("renderer-missing", 4),
    "RunFileError": ("run-file", 5),
    "RunMissingError": ("run-missing", 2),
}


def all_classes(root: type[InspectError] = InspectError) -> list[type[InspectError]]:
    below = [kind for child in root.__subclasses__() for kind in all_classes(child)]
    return [root, *below]


def test_slugs_and_exit_codes_are_the_table() -> None:
    own = [kind for kind in all_classes() if kind.__module__ == errors.__name__]
    assert {kind.__name__: (kind.slug, kind.exit_code) for kind in own} == EXPECTED


def test_slugs_are_unique() -> None:
    slugs = [kind.slug for kind in all_classes()]
    assert len(set(slugs)) == len(slugs)


def test_exit_codes_are_the_documented_ones_and_distinct() -> None:
    codes = {name: code for name, code in vars(errors).items() if name.startswith("EXIT_")}
    assert codes == {
        "EXIT_OK": 0,
        "EXIT_FINDINGS": 1,
        "EXIT_USAGE": 2,
        "EXIT_BUILD": 3,
        "EXIT_RENDERER": 4,
        "EXIT_RUN_FILE": 5,
        "EXIT_OTHER_FAILURE": 6,
        "EXIT_INTERRUPTED": 130,
    }


def test_full_text() -> None:
    error = InspectError(
        "the cup is empty", where="table 3", expected="tea", got="air", fix="fill the cup"
    )
    assert str(error) == (
        "the cup is empty\n"
        "  where:    table 3\n"
        "  expected: tea\n"
        "  got:      air\n"
        "  do:       fill the cup"
    )


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({}, "it broke"),
        ({"got": "air"}, "it broke\n  got:      air"),
        (
            {"where": "here", "fix": "repair it"},
            "it broke\n  where:    here\n  do:       repair it",
        ),
    ],
)
def test_empty_parts_are_left_out(parts: dict[str, str], text: str) -> None:
    assert str(InspectError("it broke", **parts)) == text


def test_parts_can_be_read_and_caught_as_the_root() -> None:
    with pytest.raises(InspectError) as caught:
        raise errors.DataError("missing", where="a", expected="b", got="c", fix="d")
    error = caught.value
    assert (error.what, error.where, error.expected, error.got, error.fix) == (
        "missing",
        "a",
        "b",
        "c",
        "d",
    )
    assert error.args == ("missing",)
