"""The owner that executes a run: host, boot, process and its start time, so that a re-used pid or a reboot is not mistaken for life.

A claimed run has a lease as well, an instant in microseconds until which its owner counts as alive where it cannot be observed: on another host,
in another container, or while the process is stopped.
"""

from __future__ import annotations

import os
import time
from functools import cache
from platform import node
from threading import RLock
from typing import Literal

from statecore.core import Micros
from statecore.errors import StoreForked

Standing = Literal["alive", "dead", "unknown"]

SKEW = 10_000_000
"""By how many microseconds the clocks of two hosts may differ: a lease is over only that much later."""

INITIAL_NAMESPACE = "pid:[4026531836]"
"""The name that Linux gives the process ids of the machine itself; a container has its own."""


def told(path: str) -> str:
    """The content of a file of the system."""
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  # pathlib is half of what importing this costs
        return file.read()


@cache
def boot_id() -> str:
    """This boot of this machine; "-" where the system does not tell."""
    try:
        return told("/proc/sys/kernel/random/boot_id").strip()
    except OSError:
        return "-"


@cache
def host() -> str:
    """The place where a process id means one process: this machine's name, and which container of it where this is one."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  # as above
    except OSError:
        namespace = INITIAL_NAMESPACE
    return node() + ("" if namespace == INITIAL_NAMESPACE else "@" + namespace)


def seen(pid: int) -> tuple[str, str | None]:
    """A process's state (a letter) and when it was started, in the system's own ticks; None where there is no such process.

    Where the system does not tell, both are "-".
    """
    try:
        stat = told(f"/proc/{pid}/stat")
    except FileNotFoundError:
        if os.path.exists("/proc/self/stat"):  # noqa: PTH110  # as above
            return "-", None
        return "-", "-" if exists(pid) else None
    except OSError:
        return "-", "-"
    state, *rest = stat.rpartition(")")[2].split()
    return state, None if state in "ZX" else rest[18]


def exists(pid: int) -> bool:
    """Whether a process of that id lives, where only signals can tell."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def this_process() -> str:
    """The owner that claims for this process."""
    return owner_of(os.getpid())


@cache
def owner_of(pid: int) -> str:
    """The owner that stands for a process of this machine; cached, since it is fixed for as long as the process lives."""
    return f"{host()}/{boot_id()}/{pid}/{seen(pid)[1]}"


def standing(owner: str) -> Standing:
    """The knowledge of an owner without its lease.

    On this host the answer is known at once, but for a process that was stopped and may wake; elsewhere nothing is.
    """
    where, boot, pid, start = owner.rsplit("/", 3)
    if where != host():
        return "unknown"
    if boot != boot_id() or not pid.isdigit():
        return "dead"
    state, found = seen(int(pid))
    if found != start:
        return "dead"
    return "unknown" if state in "Tt" else "alive"


def alive(owner: str, lease: Micros | None, time: Micros) -> bool:
    """Whether an owner may still be executing at `time`: where nobody knows, it counts as alive until its lease is over, and `SKEW`.

    Without a lease it is never given up.
    """
    known = standing(owner)
    return known == "alive" or (known == "unknown" and (lease is None or time < lease + SKEW))


def wall_clock() -> Micros:
    """Now, in whole microseconds since 1970, UTC."""
    return time.time_ns() // 1000


class OfProcess:
    """A part of the memory of one process, with a lock."""

    def __init__(self) -> None:
        self._of = os.getpid(), RLock()
        self._process = os.getpid()

    @property
    def _lock(self) -> RLock:
        """The lock of this process. A forked child has its own: a thread that it does not have may hold its parent's."""
        if self._of[0] != os.getpid():
            self._of = os.getpid(), RLock()
        return self._of[1]

    def _own(self, is_used: bool) -> None:  # noqa: FBT001  # said of the memory
        """Raise `StoreForked` where a parent process uses it: what its child stores would be seen by neither (RUN-18)."""
        if self._process != os.getpid():
            if is_used:
                place = f"memory of process {self._process}"
                raise StoreForked(place)
            self._process = os.getpid()
