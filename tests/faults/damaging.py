"""Ways to damage a store: bits, pages, lengths, rows that no trigger let in, files beside it, and files that are something else."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

PAGE = 4096
SECTOR = 512
HOSTILE = (
    "NULL",
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "''",
    "'null'",
    "'{}'",
    "'x'",
    "CAST(x'ff00fe' AS TEXT)",
    "char(0)",
    "printf('%.*c', 100000, '[')",
    "'{\"$set\": 1}'",
    "x''",
    "zeroblob(32)",
    "1.5",
)
"""What a column may hold that nobody stored, as SQL."""


def flipped(file: Path, random: Random) -> None:
    """Bits are others: one, or some."""
    content = bytearray(file.read_bytes())
    for _ in range(random.choice([1, 1, 1, 8, 64])):
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    file.write_bytes(content)


def scribbled(file: Path, random: Random) -> None:
    """A stretch of bytes is others."""
    content = bytearray(file.read_bytes())
    at, length = random.randrange(len(content)), random.randint(2, 600)
    content[at : at + length] = random.choice([random.randbytes(length), bytes(length)])[: len(content) - at]
    file.write_bytes(content)


def truncated(file: Path, random: Random) -> None:
    """The file ends early, between pages or within one."""
    length = random.randrange(file.stat().st_size)
    os.truncate(file, random.choice([length, length // PAGE * PAGE, length % 200]))


def torn(file: Path, random: Random) -> None:
    """Sectors of a page are nothing, or those of another page."""
    content = bytearray(file.read_bytes())
    page, other = (random.randrange(len(content) // PAGE) * PAGE for _ in range(2))
    for sector in range(0, PAGE, SECTOR):
        if random.random() < 0.5:
            found = content[other + sector : other + sector + SECTOR] if other != page else bytes(SECTOR)
            content[page + sector : page + sector + SECTOR] = found
    file.write_bytes(content)


def swapped(file: Path, random: Random) -> None:
    """Two pages have each other's place, or one lies twice."""
    content = bytearray(file.read_bytes())
    one, other = (random.randrange(len(content) // PAGE) * PAGE for _ in range(2))
    first, second = content[one : one + PAGE], content[other : other + PAGE]
    content[one : one + PAGE] = second
    if random.random() < 0.5:
        content[other : other + PAGE] = first
    file.write_bytes(content)


def hostile(file: Path, random: Random) -> None:
    """A row was changed, added, doubled or taken away behind the triggers, keys and types."""
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("foreign_keys = 0", "ignore_check_constraints = 1", "writable_schema = 1"):
        connection.execute(f"PRAGMA {pragma}")
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for _ in range(random.choice([1, 1, 1, 3])):
        try:
            connection.execute(statement(connection, random.choice(tables), random))
        except sqlite3.Error:  # some things the tables refuse even so
            continue
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def statement(connection: sqlite3.Connection, table: str, random: Random) -> str:
    """A statement that does something to one row of a table."""
    columns = [f'"{row[1]}"' for row in connection.execute(f"PRAGMA table_info({table})")]
    row = f"LIMIT 1 OFFSET {random.randrange(max(connection.execute(f'SELECT count(*) FROM {table}').fetchone()[0], 1))}"  # noqa: S608  # our tables
    which = f"({', '.join(columns)}) = (SELECT {', '.join(columns)} FROM {table} {row})"  # noqa: S608  # the same
    kind, column, value = random.choice(["set", "set", "copy", "double", "delete"]), random.choice(columns), random.choice(HOSTILE)
    match kind:
        case "set":
            return f"UPDATE {table} SET {column} = {value} WHERE {which}"  # noqa: S608  # the same
        case "copy":
            return f"UPDATE {table} SET {column} = (SELECT {column} FROM {table} ORDER BY {column} DESC LIMIT 1) WHERE {which}"  # noqa: S608  # the same
        case "double":
            made = [value if name == column else f"{name} + 1000" if name in ('"id"', '"seq"') else name for name in columns]
            return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(made)} FROM {table} {row}"  # noqa: S608  # the same
        case _:
            return f"DELETE FROM {table} WHERE {which}"  # noqa: S608  # the same


def beside(file: Path, random: Random) -> None:
    """There is a log, an index of one, or a journal beside it that is not its own."""
    suffix = random.choice(["-wal", "-shm", "-journal"])
    content = random.choice([random.randbytes(random.choice([1, 32, 5000])), bytes(40000), file.read_bytes(), bytes(1)])
    file.with_name(file.name + suffix).write_bytes(content)


def foreign(file: Path, random: Random) -> None:
    """There is something else in its place."""
    content, text = file.read_bytes(), b"To whom it may concern: " * 500
    file.unlink()
    match random.choice(["empty", "folder", "text", "noise", "header", "other", "posing", "fifo", "loop"]):
        case "empty":
            file.touch()
        case "folder":
            file.mkdir()
        case "text":
            file.write_bytes(text)
        case "noise":
            file.write_bytes(random.randbytes(20000))
        case "header":
            file.write_bytes(content[:100] + random.randbytes(20000))
        case "fifo":
            os.mkfifo(file)
        case "loop":
            file.symlink_to(file)
        case kind:
            connection = sqlite3.connect(file, isolation_level=None)
            connection.execute("CREATE TABLE run (run_id, state)")
            connection.execute("INSERT INTO run VALUES ('approve-open', '{}')")
            if kind == "posing":
                connection.execute(f"PRAGMA application_id = {int.from_bytes(content[68:72], 'big')}")
                connection.execute(f"PRAGMA user_version = {random.choice([0, 1, 2, 99])}")
            connection.close()


def log_damaged(file: Path, random: Random) -> None:
    """What is not in the file yet lies in a log that is damaged."""
    shutil.copy(file.with_name("logged.db"), file)
    log = file.with_name(file.name + "-wal")
    shutil.copy(file.with_name("logged.db-wal"), log)
    random.choice([flipped, scribbled, truncated, torn])(log, random)


KINDS: tuple[Callable[[Path, Random], None], ...] = (
    flipped,
    scribbled,
    truncated,
    torn,
    swapped,
    hostile,
    hostile,
    hostile,
    beside,
    foreign,
    log_damaged,
)
