"""A backup: a store copied as it is at one moment, while others go on writing; verified before it gets its name, and never over a file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from statecore.errors import StoreCorrupt, StoreUnavailable

from .channel import named
from .opening import located, look, opened
from .verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.stores.audit.verify import Verified


def backup(store: str | Path, copy: str | Path, progress: Callable[[int, int], None] | None = None) -> Verified:
    """Copy a store into a new file that only its owner can read; what `verify` found in the copy.

    Raises `StoreUnavailable` where the new file exists or cannot be written, `StoreCorrupt` where the copy is not sound: then there is
    none; and what `verify` raises.
    """
    source, target = located(store), Path(copy).absolute()
    if os.path.lexists(target):
        raise StoreUnavailable(str(target), "it exists, and a backup overwrites nothing")
    look(source)
    made = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreUnavailable(str(target), str(error)) from error
    try:
        copied(source, made)
        found = verify(made, progress)
        if found.faults:
            raise StoreCorrupt(str(source), str(found.faults[0]))
        found.path = str(target)
        settled(made, target)
    finally:
        made.unlink(missing_ok=True)
    return found


def copied(source: Path, made: Path) -> None:
    """All pages of a store, as they are at one moment, in a file that needs no log beside it."""
    try:
        reading, writing = opened(source, as_it_is=True), sqlite3.connect(made, isolation_level=None)
        try:
            reading.backup(writing)
            writing.execute("PRAGMA journal_mode = delete").fetchall()
        finally:
            writing.close()
            reading.close()
    except sqlite3.Error as error:
        raise named(error, str(source)) or error from error


def settled(made: Path, target: Path) -> None:
    """Give the copy its name, once it is on the disk; whoever made a file of that name meanwhile keeps it."""
    try:
        with made.open("rb") as file:
            os.fsync(file.fileno())
        os.link(made, target)
        folder = os.open(target.parent, os.O_RDONLY)
        with suppress(OSError):  # not every system can
            os.fsync(folder)
        os.close(folder)
    except OSError as error:
        raise StoreUnavailable(str(target), str(error)) from error
