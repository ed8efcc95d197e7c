"""The exception tree: every refusal says what, where, expected, got and what to do.

Each class carries a slug, for tests and tools, and the exit code that the command line returns
for it. This room knows nothing of the others and imports nothing at the start.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing's, whose import would double the time of --help
if TYPE_CHECKING:
    from resnet_inspect.commands import Command

    Fix = str | tuple[str | Command, ...]

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_BUILD = 3
EXIT_RENDERER = 4
EXIT_RUN_FILE = 5
EXIT_INTERRUPTED = 130


class InspectError(Exception):
    """Anything this program refuses or could not do, told in the parts a reader needs.

    `what` is one sentence without a full stop; the other parts may be empty and are then left out.
    `fix` is a text, or texts with commands between them.
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
        told = (f"  {name + ':':<10}{_clean(text)}" for name, text in parts if text)
        return "\n".join([_clean(self.what), *told])


def _spelled(fix: Fix) -> str:
    if isinstance(fix, str):
        return fix
    from resnet_inspect.commands import spelled

    return "".join(part if isinstance(part, str) else spelled(part) for part in fix)


def _clean(text: str) -> str:
    """Control characters as escapes: names come from files, and a terminal obeys them."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class UsageError(InspectError):
    """A command, flag or argument that cannot be obeyed."""

    slug = "usage"


class ConfigError(UsageError):
    """A setting that is unknown, of the wrong type or out of range."""

    slug = "config"


class DataError(UsageError):
    """Training data that is missing, damaged or does not fit the settings."""

    slug = "data"


class DeviceError(UsageError):
    """A device was asked for that this machine does not have."""

    slug = "device"


class CheckpointError(UsageError):
    """A checkpoint that is missing or does not fit the network."""

    slug = "checkpoint"


class FrameworkMissingError(UsageError):
    """The framework a tracer needs is not installed."""

    slug = "framework-missing"


class OutputError(UsageError):
    """A file that cannot be written, or must not be overwritten."""

    slug = "output"


class BuildError(InspectError):
    """The model could not be built or trained; the run file at `run` explains the failure."""

    slug = "build"
    exit_code = EXIT_BUILD
    run = ""


class StorageFullError(BuildError):
    """The run could not be recorded to its end; every committed step is kept."""

    slug = "storage-full"


class RendererError(InspectError):
    """Graphviz failed, or was not done in time; `source` is the diagram as text for Graphviz."""

    source = ""
    slug = "renderer"
    exit_code = EXIT_RENDERER


class RendererMissingError(RendererError):
    """There is no Graphviz."""

    slug = "renderer-missing"


class RunFileError(InspectError):
    """A run file that is missing, damaged, foreign or from a newer version."""

    slug = "run-file"
    exit_code = EXIT_RUN_FILE


class RunMissingError(UsageError):
    """No run file where one was expected."""

    slug = "run-missing"
