"""Describes a run as a whole, and detects whether its writer still runs."""

from __future__ import annotations

import os
import platform
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import msgspec

from resnet_inspect.config import Settings
from resnet_inspect.graph import Failure


class Status(StrEnum):
    """The state of a run.

    RUNNING: its file is being written. COMPLETE: all steps are in the file. INTERRUPTED: stopped or
    killed before its last step. FAILED: the model could not be built or trained.
    """

    RUNNING = "running"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class Writer(msgspec.Struct, frozen=True):
    """The process that writes a run.

    Attributes:
        pid: the process id.
        started: the start time in clock ticks since boot, from /proc.
        host: a hash of the machine's name. Hashes, because run files are shared.
        boot: a hash of the boot id.
        namespace: a hash of the process namespace.
    """

    pid: int
    started: int
    host: str
    boot: str
    namespace: str

    @classmethod
    def current(cls) -> Writer:
        """The writer for this process."""
        return cls(os.getpid(), _started(os.getpid()), *_place())

    def has_ended(self) -> bool:
        """Whether the process has ended. False if unknown, as on another machine or container."""
        host, boot, namespace = _place()
        if self.host != host:
            return False
        if self.boot != boot:
            return True
        return self.namespace == namespace and _started(self.pid) != self.started


class RunInfo(msgspec.Struct, frozen=True):
    """A run: its network, settings, environment, times and end. Times are ISO 8601 in UTC."""

    network: str
    settings: Settings
    device: str
    versions: dict[str, str]
    created: str
    writer: Writer
    status: Status = Status.RUNNING
    ended: str = ""
    reason: str = ""
    trace_seconds: float = 0.0
    failure: Failure | None = None

    @property
    def failed_during(self) -> str | None:
        """What failed, such as "building the network"; None if the run did not fail."""
        if self.status is not Status.FAILED:
            return None
        return self.failure.during if self.failure is not None else "training"

    @property
    def facts(self) -> dict[str, str]:
        """Facts that differ between runs, without times and settings."""
        return {
            "network": self.network,
            "status": self.status.value,
            "reason": self.reason,
            "failure": self.failure.message if self.failure is not None else "",
            "device": self.device,
            **{f"version of {name}": text for name, text in self.versions.items()},
        }


def _place() -> tuple[str, str, str]:
    """Hashes of this machine's name, its boot and the process namespace."""
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        namespace = ""
    names = platform.node(), _read("/proc/sys/kernel/random/boot_id"), namespace
    host, boot, inside = (sha256(name.encode()).hexdigest()[:16] for name in names)
    return host, boot, inside


def _started(pid: int) -> int:
    """The start time of a process in clock ticks; 0 if it does not exist or is a zombie."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[0] not in "ZX" else 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
