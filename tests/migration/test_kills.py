"""The process dies at each statement and at each batch of a migration; the next one goes on with it, and the file ends the same (P12)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from statecore.stores.sqlite import migrating
from statecore.stores.sqlite.formats import THREE
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.migrating import MigratedFile, lead, migrate
from tests.migration.golden import loaded
from tests.sizes import examples
from tests.unit.stores.counted import Counted
from tests.unit.stores.sqlite_files import raw

BATCH = 6
"""The runs of a batch, so that the seed has several batches."""
RANDOM = (
    "salt",
    "seal",
    "hash",
    "head",
    "uuid",
    "created_us",
    "voter_salt",
    "decision_salt",
    "decision_seal",
    "cancel_salt",
    "cancel_seal",
    "c",
)
"""The columns that are drawn, or made of what is drawn, and when the store was made."""

COMMITTED = ("event", "session")
"""A column of commitments."""


def migrated(file: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> MigratedFile:
    """The transactions of a migration, without what comes before them."""
    done = MigratedFile(str(file), bytes_before=file.stat().st_size)
    lead(file, done, BATCH, None, factory)
    return done


def dies(file: Path, fatal: int, *, after: bool) -> bool:
    """Whether a process that migrates a file died at its statement of that number."""
    pid = os.fork()
    if pid == 0:
        Counted.done, Counted.fatal, Counted.after = 0, fatal, after
        try:
            migrated(file, Counted)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


def fatal(batch: Callable[..., Any]) -> Callable[..., Any]:
    """A batch that is made once, and ends the process in the second one, before its COMMIT."""
    made = count()

    def once(*arguments: Any) -> Any:
        carried = batch(*arguments)
        if next(made):
            os._exit(9)
        return carried

    return once


def content(file: Path) -> dict[str, list[Any]]:
    """Every column of every row but what is drawn anew each time."""
    connection = raw(file)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    found = {}
    for table in tables:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        wanted = ", ".join(
            f'"{name}"' for name in names if name not in RANDOM and not name.endswith("_c") and (table, name) != COMMITTED
        )
        found[table] = sorted(connection.execute(f"SELECT {wanted} FROM {table}").fetchall(), key=repr)  # noqa: S608  # names of this schema
    connection.close()
    return found


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seed, once."""
    return loaded(tmp_path_factory.mktemp("seed") / "old.db")


@pytest.fixture(scope="module")
def right(seed: Path) -> tuple[dict[str, list[Any]], int]:
    """What an undisturbed migration leads to, and of how many statements."""
    file = Path(copy(seed, seed.with_name("right.db")))
    Counted.done, Counted.fatal = 0, 0
    migrated(file, Counted)
    assert verify(file, of=THREE).faults == []
    return content(file), Counted.done


@pytest.mark.parametrize("after", [False, True])
def test_a_migration_goes_on_from_each_statement(seed: Path, right: tuple[Any, int], tmp_path: Path, *, after: bool) -> None:
    """Killed before or after any statement, a migration is gone on with by the next process, and ends as one that nobody disturbed."""
    wanted, statements = right
    few = min(examples(12), statements)
    points = sorted({1 + n * statements // few for n in range(few)})
    struck = 0
    for fatal_at in points:
        file = Path(copy(seed, tmp_path / "new.db"))
        struck += dies(file, fatal_at, after=after)
        migrated(file)
        assert content(file) == wanted, f"killed {'after' if after else 'before'} statement {fatal_at} of {statements}"
        for each in tmp_path.iterdir():
            each.unlink()
    assert struck == len(points)


def test_a_migration_goes_on_from_each_batch(
    seed: Path, right: tuple[Any, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed again and again, once in each batch, it loses no batch that was committed, and ends the same and sound."""
    file = Path(copy(seed, tmp_path / "new.db"))
    times = 0
    while True:
        pid = os.fork()
        if pid == 0:
            monkeypatch.setattr(migrating, "batch", fatal(migrating.batch))
            migrated(file)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0:
            break
        times += 1
    assert times == len(right[0]["run"]) // BATCH + bool(len(right[0]["run"]) % BATCH)
    assert content(file) == right[0]
    assert verify(file, of=THREE).faults == []
    assert migrate(file).runs == 0
