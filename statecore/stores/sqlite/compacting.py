"""The room of removed rows is given back to the disk: the file is written anew (VACUUM).

A file keeps the pages of removed rows for new ones, because `auto_vacuum` would cost each step of 1 kB a fifth more log. VACUUM builds the file
a second time in the folder of temporary files, and then once more in the write-ahead log: so it needs twice the new size, which is looked at first.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import disk_usage
from tempfile import gettempdir

from attrs import frozen

from statecore.errors import StoreUnavailable

from .channel import connect, named
from .formats import THREE, format_of
from .opening import located

SPARE = 16 * 1024 * 1024
"""Bytes that are to be free beyond what is needed."""


@frozen
class Compacted:
    """The size of a file before and after, in bytes, and how many bytes are needed meanwhile; of a plan the size after is an estimate."""

    path: str
    before: int
    after: int
    needs: int


def room(path: str | Path) -> Compacted:
    """The room that a compaction needs and gives back; nothing is changed. Raises as `compact` does."""
    file = checked(path)
    with closing(connect(file, "full", sqlite3.Connection, {"secure_delete": 1})) as connection:
        return planned(file, connection)


def compact(path: str | Path) -> Compacted:
    """Write a file anew without its free pages; its size before and after.

    Other processes may have it open: they read on, and a write waits, at most for its 30 seconds. Raises `StoreUnavailable` where the disk has
    too little room, or where another process writes or reads for too long; and what opening the file raises.
    """
    file = checked(path)
    try:
        with closing(connect(file, "full", sqlite3.Connection, {"secure_delete": 1})) as connection:
            plan = planned(file, connection)
            for folder, wanted in ((Path(gettempdir()), plan.after), (file.parent, plan.after)):
                if disk_usage(folder).free < wanted + SPARE:
                    why = f"{folder} needs {wanted + SPARE:,} free bytes for it, and has {disk_usage(folder).free:,}"
                    raise StoreUnavailable(str(file), why)
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                why = (
                    "a process reads an older state of it, and keeps the new one in its log; run it again when that process is done"
                )
                raise StoreUnavailable(str(file), why)
    except sqlite3.Error as error:
        raise named(error, str(file)) or error from error
    return Compacted(str(file), plan.before, file.stat().st_size, plan.needs)


def checked(path: str | Path) -> Path:
    """The file of a store of format 3. Raises `StoreUnavailable` for another format, and what `look` raises."""
    file = located(path)
    if not file.exists():
        raise StoreUnavailable(str(file), "there is no store in it")
    if format_of(file) is not THREE:
        raise StoreUnavailable(str(file), "it is of format 2; run `statecore migrate` first")
    return file


def planned(file: Path, connection: sqlite3.Connection) -> Compacted:
    """The room that a file takes now, and will take."""
    size, pages, free = [
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
    ]
    after = size * (pages - free)
    return Compacted(str(file), file.stat().st_size, after, 2 * after + SPARE)
