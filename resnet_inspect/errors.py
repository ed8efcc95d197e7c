"""The exceptions of this package. Each reports what, where, expected, got and what to do.

Each class has a slug, for tests and tools, and the exit code of the command line. This module
imports nothing at import time.
"""

from __future__ import annotations

TYPE_CHECKING = False  # instead of typing's, whose import doubles the time of --help
if TYPE_CHECKING:
    from resnet_inspect.commands import Command

    Fix = str | tuple[str | Command, ...]

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_BUILD = 3
EXIT_RENDERER = 4
EXIT_RUN_FILE = 5
EXIT_OTHER_FAILURE = 6
EXIT_INTERRUPTED = 130


class InspectError(Exception):
    """The base class of all errors of this package. Empty parts are left out of the message.

    Args:
        what: one sentence without a full stop.
        where: the file, option or setting.
        expected: the allowed values.
        got: the actual value.
        fix: what to do: a text, or a tuple of texts and commands.
    """

    slug = "error"
    exit_code = EXIT_USAGE

    def __init__(
        self, what: str, *, where: str = "", expected: str = "", got: str = "", fix: Fix = ""
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.expected = expected
        self.got = got
        self.fix = fix

    def __str__(self) -> str:
        parts = (
            ("where", self.where),
            ("expected", self.expected),
            ("got", self.got),
            ("do", _spelled(self.fix)),
        )
        lines = (f"  {name + ':':<10}{_clean(text)}" for name, text in parts if text)
        return "\n".join([_clean(self.what), *lines])


def _spelled(fix: Fix) -> str:
    if isinstance(fix, str):
        return fix
    from resnet_inspect.commands import spelled

    return "".join(part if isinstance(part, str) else spelled(part) for part in fix)


def _clean(text: str) -> str:
    """Text with control characters as escapes: names come from files and reach a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class UsageError(InspectError):
    """A wrong command, option or argument."""

    slug = "usage"


class ConfigError(UsageError):
    """A setting that is unknown, of the wrong type or out of range."""

    slug = "config"


class DataError(UsageError):
    """Training data that is missing, damaged or does not fit the settings."""

    slug = "data"


class DeviceError(UsageError):
    """A requested device that this machine does not have."""

    slug = "device"


class CheckpointError(UsageError):
    """A checkpoint that is missing or does not fit the network."""

    slug = "checkpoint"


class FrameworkMissingError(UsageError):
    """A framework that is required and not installed."""

    slug = "framework-missing"


class OutputError(UsageError):
    """A file that cannot be written, or must not be overwritten."""

    slug = "output"


class PatchError(InspectError):
    """Edits of a source file that overlap, do not fit the file or make it invalid."""

    slug = "patch"


class BuildError(InspectError):
    """The model could not be built or trained. `run` is the path of the run file."""

    slug = "build"
    exit_code = EXIT_BUILD
    run = ""


class StorageFullError(BuildError):
    """The disk is full. Every committed step is kept."""

    slug = "storage-full"


class RendererError(InspectError):
    """Graphviz failed or took too long. `source` is the diagram as DOT text."""

    source = ""
    slug = "renderer"
    exit_code = EXIT_RENDERER


class RendererMissingError(RendererError):
    """Graphviz is not installed."""

    slug = "renderer-missing"


class RunFileError(InspectError):
    """A run file that is damaged, has another format or comes from a newer version."""

    slug = "run-file"
    exit_code = EXIT_RUN_FILE


class RunMissingError(UsageError):
    """A run file that does not exist."""

    slug = "run-missing"
