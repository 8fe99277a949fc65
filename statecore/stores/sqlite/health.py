"""The health of a store's file: what SQLite it is used with, how it is set up, and whether it is the file that it should be."""

from __future__ import annotations

import sqlite3
import stat
from typing import TYPE_CHECKING

from statecore.errors import StoreError
from statecore.stores.records import Symptom

from .channel import DURABILITY, SETTINGS, connect
from .opening import marks

if TYPE_CHECKING:
    from pathlib import Path

Version = tuple[int, ...]

WAL_RESET_FROM, WAL_RESET_FIXED = (3, 7, 0), (3, 51, 3)
WAL_RESET_ALSO_FIXED = frozenset({(3, 50, 7), (3, 44, 6)})
LARGE_LOG = 64 * 1024 * 1024


def has_wal_reset_race(version: Version) -> bool:
    """Whether an SQLite may lose frames where a checkpoint meets a writer that begins the log anew."""
    return WAL_RESET_FROM <= version < WAL_RESET_FIXED and version not in WAL_RESET_ALSO_FIXED


def library(version: Version = sqlite3.sqlite_version_info) -> list[Symptom]:
    """What is known of this SQLite."""
    if not has_wal_reset_race(version):
        return []
    why = "its checkpoint may lose frames when a writer resets the log; statecore checkpoints while nobody writes, other programs do not"
    return [Symptom("sqlite", ".".join(map(str, version)), why)]


def facts(path: Path) -> dict[str, object]:
    """What can be said of a store's file, as plain data: sizes in bytes, the schema, the settings as SQLite gives them back."""
    log = path.with_name(path.name + "-wal")
    connection = connect(path, "full", sqlite3.Connection)
    try:
        application, schema = marks(connection)
        wanted = SETTINGS | DURABILITY["full"]
        settings = {name: (connection.execute(f"PRAGMA {name}").fetchone() or (0,))[0] for name in wanted}
    finally:
        connection.close()
    return {
        "path": str(path),
        "sqlite": sqlite3.sqlite_version,
        "application_id": application,
        "schema": schema,
        "bytes": path.stat().st_size,
        "log_bytes": log.stat().st_size if log.exists() else 0,
        "mode": f"{stat.S_IMODE(path.stat().st_mode):04o}",
        "settings": settings,
    }


def ailments(path: Path) -> list[Symptom]:
    """What is wrong with a store's file. A setting that SQLite does not take is an ailment, too."""
    found = []
    try:
        told = facts(path)
    except StoreError as error:
        return [
            Symptom(
                "file", str(path), str(getattr(error, "why", error)), "Restore a backup, or mend what keeps it from being opened."
            )
        ]
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        found.append(Symptom("mode", str(path), f"others may use it: its mode is {told['mode']}", f"chmod 600 {path}"))
    if int(str(told["log_bytes"])) > LARGE_LOG:
        why = f"its write-ahead log has {told['log_bytes']} bytes: something reads for very long"
        found.append(Symptom("log", str(path), why, "Look for a process that holds the file open; the next write copies the log."))
    return found
