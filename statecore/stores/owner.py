"""Who executes a run: host, boot, process and its start time, so that a re-used pid or a reboot is not mistaken for life."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


@cache
def boot_id() -> str:
    """This boot of this machine; "-" where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "-"


def started(pid: int) -> str | None:
    """When a process was started, in the system's own ticks; "-" where the system does not tell, None where there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
        return "-" if exists(pid) else None
    except OSError:
        return "-"
    state, *rest = stat.rpartition(")")[2].split()
    return None if state in "ZX" else rest[18]


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
    return f"{socket.gethostname()}/{boot_id()}/{pid}/{started(pid)}"


def alive(owner: str) -> bool:
    """Whether an owner may still be executing.

    On this host the answer is known. An owner on another host counts as alive: only its lease can tell.
    """
    host, boot, pid, start = owner.rsplit("/", 3)
    if host != socket.gethostname():
        return True
    if boot != boot_id() or not pid.isdigit():
        return False
    return started(int(pid)) == start
