"""Memory and members of the process group of a trial, from /proc."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PAGE = os.sysconf("SC_PAGE_SIZE")
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class Process(NamedTuple):
    """A process: `started` distinguishes processes with the same number."""

    parent: int
    group: int
    session: int
    started: int
    bytes: int


def processes() -> dict[int, Process]:
    """All processes by their numbers; empty without /proc."""
    table: dict[int, Process] = {}
    with suppress(OSError):
        for entry in os.scandir("/proc"):
            if entry.name.isdecimal():
                with suppress(OSError, ValueError, IndexError):
                    table[int(entry.name)] = _process(Path(entry.path, "stat").read_text())
    return table


def _process(stat: str) -> Process:
    fields = stat.rpartition(")")[2].split()  # the name before it may contain anything
    parent, group, session = map(int, fields[1:4])
    return Process(parent, group, session, int(fields[19]), int(fields[21]) * PAGE)


def _share(number: int, resident: int) -> int:
    """The resident memory of a process, with its share of what it shares with others."""
    with suppress(OSError, ValueError, IndexError):
        text = Path(f"/proc/{number}/smaps_rollup").read_text()
        return int(text.partition("\nPss:")[2].split()[0]) * 1024
    return resident


class Family:
    """The first process of a trial and all processes that it starts."""

    def __init__(self, leader: int) -> None:
        self.leader = leader
        self.most = 0
        self._known: dict[int, int] = {}

    def memory(self, table: dict[int, Process], limit: int) -> int:
        """The memory of its processes in bytes; `most` is the highest value so far.

        Above the limit, memory that several processes share is counted once.
        """
        members = {self.leader} & table.keys()
        size = -1
        while size != len(members):  # also processes that left the group
            size = len(members)
            members |= {
                number
                for number, process in table.items()
                if process.parent in members or self.leader in (process.group, process.session)
            }
        self._known |= {number: table[number].started for number in members}
        now = sum(table[number].bytes for number in members)
        if now > limit and len(members) > 1:
            now = sum(_share(number, table[number].bytes) for number in members)
        self.most = max(self.most, now)
        return now

    def kill(self) -> None:
        """Kill the group, and the members that left it."""
        with suppress(OSError):
            os.killpg(self.leader, signal.SIGKILL)
        table = processes()
        for number, started in self._known.items():
            if number in table and table[number].started == started:
                with suppress(OSError):
                    os.kill(number, signal.SIGKILL)


def machine_memory() -> int:
    """The memory of this machine or container in bytes."""
    limits = [os.sysconf("SC_PHYS_PAGES") * PAGE]
    for file in CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            limits.append(int(Path(file).read_text()))
    return min(limits)
