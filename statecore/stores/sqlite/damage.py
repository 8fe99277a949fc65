"""Whether an error of a file means damage (P22): it is looked at again under a real lock, and only damage that is met again is named, by its place.

An error like damage has other causes: a file that was replaced, a newer release that migrated it, a connection that saw a neighbour
come or go. So the same work is done again on a new connection in the writer's place: then nobody writes, and nobody copies the log.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from statecore.errors import StoreCorrupt, StoreReplaced, UnknownStoreError

from .channel import Channel
from .opening import defect
from .reader import ReadingChannel, text_or_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from .opening import Format

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

SUSPECT = (StoreCorrupt, UnknownStoreError)
"""Errors that may mean damage."""
Tables = Mapping[str, tuple[str, str]]
Words = tuple[tuple[str, str], ...]

TABLES: Tables = {
    "run": ("id", "P2"),
    "session_state": ("run", "P2"),
    "pause": ("id", "P5"),
    "decision": ("run, pause_id", "P4"),
    "journal": ("run, seq", "P7"),
    "value": ("hex(hash)", "P10"),
    "definition": ("id", "P9"),
    "legal": ("id", "P7"),
}
"""The tables in the order in which they are looked through: the key of a row, and the promise that a damaged row breaks."""
WORDS: Words = (
    ("journal", r"journal row (\d+ of run '.*?') is"),
    ("session_state", r"session state of (run '.*?') is"),
    ("decision", r"decision of (pause '.*?') is"),
    ("pause", r"the (pause '.*?') is"),
    ("run", r"(run '.*?') is"),
    ("legal", r"legal moves()"),
    ("value", r"^a value is()"),
)
"""The table and the row that the reason of a refused row speaks of."""
TABLES_3: Tables = {
    "store": ("one", "P11"),
    "run": ("id", "P2"),
    "hot": ("run", "P2"),
    "session_value": ("id", "P2"),
    "pause": ("id", "P5"),
    "event": ("id", "P7"),
    "move": ("event, k", "P7"),
    "value": ("id", "P10"),
    "definition": ("id", "P9"),
    "shape": ("id", "P7"),
    "shape_move": ("shape, k", "P7"),
    "legal": ("id", "P7"),
}
WORDS_3: Words = (
    ("event", r"event (\d+ of run '.*?') is"),
    ("pause", r"decision of (pause '.*?') is"),
    ("pause", r"(pause '.*?') is"),
    ("hot", r"(?:state of|to cancel) (run '.*?') is"),
    ("run", r"(run '.*?') is"),
    ("session_value", r"value of the session state is()"),
    ("legal", r"move of the lifecycles is()"),
    ("shape", r"list(?: of moves)? (\d+) is"),
)
PLACES: Mapping[int, tuple[Tables, Words]] = {2: (TABLES, WORDS), 3: (TABLES_3, WORDS_3)}
"""The tables of each format, and the words of its refused rows."""
SECONDS = 2.0
"""How long the tables are looked through for a damaged page."""


def looked_again(
    channel: Channel,
    met: Exception,
    of: Format,
    work: Callable[Concatenate[sqlite3.Connection, Arguments], Answer],
    *args: Arguments.args,
    **more: Arguments.kwargs,
) -> Answer:
    """Do `work` again under the writer's lock, in a file of a format, and give its result; nothing of the first time was stored.

    Raises `StoreReplaced` where the file is another by now, and what is met again: `StoreCorrupt` with its place, or the error itself.
    """
    channel.check_files()
    if isinstance(channel, ReadingChannel):
        raise placed(channel, met, of) if isinstance(met, SUSPECT) else met
    other = Channel(channel.path, channel.durability, channel.factory, channel.more, channel.keys)
    try:
        other.connection.text_factory = text_or_bytes
        if other.version != channel.version:
            raise StoreReplaced(str(channel.path), f"another release changed its schema from {channel.version} to {other.version}")
        return other.write(work, *args, **more)
    except SUSPECT as again:
        raise placed(other, again, of) from met
    finally:
        other.close()


def placed(channel: Channel, error: StoreCorrupt | UnknownStoreError, of: Format) -> StoreCorrupt | UnknownStoreError:
    """The error that names what is wrong, and where. A statement that fails on sound tables is no damage."""
    path = str(channel.path)
    try:
        wrong = defect(channel.connection, of)
    except (sqlite3.Error, UnicodeDecodeError) as deeper:
        return StoreCorrupt(path, f"{error.why}; its schema cannot be read: {deeper}", "sqlite_schema", promise="P11")
    if wrong is not None:
        return StoreCorrupt(path, wrong, "sqlite_schema", promise="P11")
    if isinstance(error, UnknownStoreError):
        return error
    tables, words = PLACES[of.version]
    table, row = spoken_of(error.why, words) or scanned(channel.connection, tables) or ("", "")
    return StoreCorrupt(path, error.why, table, row, tables[table][1] if table else "P11")


def spoken_of(why: str, words: Words) -> tuple[str, str] | None:
    """The table and the row that a refused row's reason names."""
    for table, said in words:
        found = re.search(said, why)
        if found:
            return table, found[1]
    return None


def scanned(connection: sqlite3.Connection, tables: Tables) -> tuple[str, str] | None:
    """The first table that cannot be read to its end, and its last good row; None where all can be, or where that takes too long."""
    deadline = monotonic() + SECONDS
    connection.text_factory = bytes  # a text that is none is not looked for here
    for table, (key, _) in tables.items():
        row: tuple[Any, ...] = ()
        try:
            for found in connection.execute(f"SELECT {key}, * FROM {table} NOT INDEXED"):  # noqa: S608  # from above
                row = found
                if monotonic() > deadline:
                    return None
        except sqlite3.Error:
            last = ", ".join(
                each.decode(errors="replace") if type(each) is bytes else str(each) for each in row[: key.count(",") + 1]
            )
            return table, f"after {last}" if last else "1"
    return None
