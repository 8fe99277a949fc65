"""A schema of format 1 becomes one of format 3 in place, and its runs end as those of the SQLite seed do (P12)."""

# ruff: noqa: S608  # statements are put together of the names of tables

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from statecore.cli.main import main
from statecore.errors import MigrationNeeded, NotAStatecoreStore, NotPermitted, StatecoreError, StoreCorrupt, StoreTooNew
from statecore.stores import postgres
from statecore.stores.postgres import migrating
from statecore.stores.postgres.formats import furnish
from statecore.stores.postgres.health import verify
from statecore.stores.postgres.migrating import migrate
from statecore.stores.postgres.opening import FURNISHING, PostgresLink, script_text
from statecore.stores.postgres.store import PostgresDb2
from statecore.stores.postgres.store3 import PostgresDb, store_in
from statecore.stores.records import Decided, PauseFilter, RunFilter
from statecore.stores.sql3.migrating import Migrated
from statecore.stores.sql3.older import TABLES_OF_2
from tests.migration.golden import ENDS, ended, ends, flow_of, loaded, uncounted
from tests.migration.test_kills import fatal
from tests.migration.test_migration import everything
from tests.postgres.server import Server


def seeded(database: str, folder: Path) -> None:
    """A schema of format 1 with the rows of the seed: both older formats have the same columns and the same hashes."""
    seed = sqlite3.connect(loaded(folder / "seed.db"))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA statecore")
        connection.execute("SET search_path = statecore, pg_temp")
        connection.execute(script_text("schema-1.sql").encode())
        connection.execute("INSERT INTO edition VALUES ('statecore', 1)")
        connection.execute("SET session_replication_role = replica")
        for table in TABLES_OF_2:
            cursor = seed.execute(f"SELECT * FROM {table}")
            names = [f'"{column[0]}"' for column in cursor.description]
            insert = f"INSERT INTO {table} ({', '.join(names)}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(['%s'] * len(names))})"
            with connection.cursor() as writing:
                writing.executemany(insert.encode(), cursor.fetchall())
        for table in ("definition", "legal", "run", "pause"):
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('statecore.{table}', 'id'), (SELECT max(id) FROM {table}))".encode()
            )
        connection.execute("SELECT setval('run_turns', (SELECT max(turned) FROM run))")
    seed.close()


@pytest.fixture
def old(database: str, tmp_path: Path) -> str:
    """The seed, in a schema of format 1."""
    seeded(database, tmp_path)
    return database


def opened(database: str) -> Any:
    """The store, as this release has it."""
    return PostgresDb(database)


def lead(database: str, runs: int = 6) -> Migrated:
    """Migrate a database."""
    return migrate(database, runs=runs)


def test_a_migrated_schema_tells_what_the_old_one_told_and_its_runs_end(old: str) -> None:
    """Every run is read as before; each is decided, goes on and ends with the rows, times, content and session of the unmigrated store."""
    before = PostgresDb2(old)
    wanted = everything(before)
    before.close()
    done = lead(old)
    assert (done.runs, done.batches, done.grouped_by_time, done.keys_dropped) == (40, 7, [], {})
    db = opened(old)
    found = everything(db)
    for name, told in wanted.items():
        assert found[name] == told, name
    assert uncounted(ends(db)) == uncounted(json.loads(ENDS.read_text(encoding="utf-8")))
    flow_of("confirm parked", db).run("new", run_id="new")  # a number that no run had
    assert verify(db).faults == []
    db.close()
    assert lead(old).runs == 0


def test_the_first_use_migrates_a_schema(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that uses a small schema of format 2 leads it to this one; a large one is refused by name and left as it is, and so by a command."""
    monkeypatch.setattr(migrating, "UNASKED", 1_000)
    with pytest.raises(MigrationNeeded, match=r"its first use migrates up to 1,000.* run: statecore migrate"):
        opened(old).load("late")
    monkeypatch.undo()
    asking = store_in(old)
    assert (type(asking), asking.load("late").state.run) == (PostgresDb2, "paused")
    asking.close()
    with ThreadPoolExecutor(2) as beside:  # two processes at once: one migrates, and the other one finds it done
        heads = list(beside.map(lambda _: opened(old).head("late"), range(2)))
    db = store_in(old)
    assert (type(db), {db.head("late")}) == (PostgresDb, set(heads))
    assert verify(db).faults == []
    db.close()


def test_an_unsound_schema_is_not_migrated(old: str) -> None:
    """One damaged row is found before the first change, and the schema stays as it is."""
    with psycopg.connect(old, autocommit=True) as connection:
        connection.execute("UPDATE statecore.run SET owner = 'somebody' WHERE run_id = 'late'")
    with pytest.raises(StoreCorrupt, match="late"):
        lead(old)
    db = PostgresDb2(old)
    assert db.load("decided").state.run == "paused"
    db.close()


def test_the_command_migrates_and_verifies(old: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`statecore migrate URL --without-backup` leaves a sound schema of format 3, and says so."""
    assert main(["migrate", old, "--without-backup"]) == 0
    said = capsys.readouterr().out
    assert "40 runs with 428 rows migrated" in said
    assert "sound (40 runs" in said
    assert main(["migrate", old, "--without-backup", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["sound"], told["faults"]) == (0, True, [])
    assert main(["show", "late", "--db", old]) == 0


METHODS: dict[str, Callable[[PostgresDb2], Any]] = {
    "load": lambda db: db.load("late"),
    "runs": lambda db: db.runs(RunFilter()),
    "pauses": lambda db: db.pauses(PauseFilter()),
    "decide": lambda db: db.decide(Decided("late", "skipped:confirmation:0", "confirm", 1)),
    "journal": lambda db: db.journal("late"),
    "head": lambda db: db.head("late"),
    "request_cancel": lambda db: db.request_cancel("late", None, 1),
    "claim_next": lambda db: db.claim_next("beside", "o", 1),
    "release": lambda db: db.release("late", 1),
}


def begun(database: str) -> None:
    """Have the first transaction of a migration, and no other."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET search_path = statecore, pg_temp")
        with connection.transaction():
            migrating.begin(connection, "statecore")


def test_an_old_process_stores_nothing_beside_a_migration(old: str) -> None:
    """Each method of a store that was opened before is refused, at once and after the end; the migration loses nothing."""
    before = PostgresDb2(old)
    before.load("late")
    begun(old)
    for _ in range(2):
        for act in METHODS.values():
            with pytest.raises(StatecoreError):
                act(before)
        lead(old)
    before.close()
    db = opened(old)
    assert db.load("late").state.run == "paused"
    assert db.decisions("late") == []
    db.close()
    with pytest.raises(StoreTooNew):
        PostgresDb2(old).load("late")


def test_a_schema_between_two_formats_is_not_used(old: str) -> None:
    """A login that may not migrate is refused a schema whose migration is not done, by name; the owner's first use goes on with it."""
    begun(old)
    with psycopg.connect(old, autocommit=True) as connection:
        connection.execute("SET search_path = statecore, pg_temp")
        with pytest.raises(MigrationNeeded, match="between two formats"):
            furnish(connection, "place", "statecore")
    assert opened(old).load("late").seq == 3


def test_a_migration_goes_on_from_each_batch(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies in a batch loses that batch; the next one goes on."""
    for _ in range(7):
        pid = os.fork()
        if pid == 0:
            monkeypatch.setattr(migrating, "batch", fatal(migrating.batch))
            lead(old)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    lead(old)
    db = opened(old)
    wanted = json.loads(ENDS.read_text(encoding="utf-8"))
    assert {run_id: db.head(run_id) for run_id in wanted} == {run_id: each["stands"]["head"] for run_id, each in wanted.items()}
    assert uncounted(ended(db, "beside parked")) == uncounted(wanted["beside parked"]["ends"])
    db.close()


def test_a_migration_goes_on_from_any_statement(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies at a statement, one further on each time, loses its transaction alone; the last one ends with the whole store."""
    done, plain = count(1), PostgresLink.execute
    for fatal_at in (20, 40, 60, 90, 150, 250, 400, 600, 900):
        pid = os.fork()
        if pid == 0:

            def execute(link: PostgresLink, *arguments: Any, last: int = fatal_at) -> Any:
                if next(done) == last:
                    os._exit(9)
                return plain(link, *arguments)

            monkeypatch.setattr(PostgresLink, "execute", execute)
            lead(old)
            os._exit(0)
        os.waitpid(pid, 0)
    lead(old)
    db = opened(old)
    wanted = json.loads(ENDS.read_text(encoding="utf-8"))
    assert {run_id: db.head(run_id) for run_id in wanted} == {run_id: each["stands"]["head"] for run_id, each in wanted.items()}
    db.close()


def test_one_process_migrates_at_a_time(old: str) -> None:
    """A process that finds the lock taken waits, and then finds nothing left to do."""
    with psycopg.connect(old, autocommit=True) as first:
        first.execute("SELECT pg_advisory_lock(%s)", (FURNISHING,))
        with ThreadPoolExecutor(1) as beside:
            second = beside.submit(lead, old)
            while not first.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchall():
                assert not second.done()
            begun(old)
            first.execute("SELECT pg_advisory_unlock(%s)", (FURNISHING,))
            assert second.result().runs == 40


def test_a_schema_of_another_program_is_not_migrated(database: str) -> None:
    """A schema without the tables of an older format is refused by name, and is not changed."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA statecore; CREATE TABLE statecore.mine (a INT)")
    with pytest.raises(NotAStatecoreStore):
        lead(database)


ROLES = (Path(postgres.__file__).parent / "roles-3.sql").read_text(encoding="utf-8")


def test_the_owner_migrates_and_roles_of_format_3_go_on(old: str, server: Server) -> None:
    """A login that does not own the schema is refused by name; afterwards a worker drives a run, and a decider decides one, with their roles."""
    logins = {"wanda": "statecore_worker", "dora": "statecore_decider"}
    names = [*logins, *logins.values(), "statecore_gateway", "statecore_keeper"]
    server.execute(*(f"CREATE ROLE {name} LOGIN PASSWORD 'not the server''s, ours'" for name in logins), url=old)
    server.execute("GRANT USAGE ON SCHEMA statecore TO wanda", "GRANT SELECT ON ALL TABLES IN SCHEMA statecore TO wanda", url=old)
    worker = old.replace("ada:", "wanda:", 1)
    try:
        for call in (lead, lambda place: opened(place).load("late")):
            with pytest.raises(NotPermitted, match="by its owner"):
                call(worker)
        lead(old)
        server.execute(ROLES, *(f"GRANT {role} TO {name}" for name, role in logins.items()), url=old)
        with psycopg.connect(old.replace("ada:", "dora:", 1)) as connection:
            asked = "SELECT code FROM statecore.statecore_decide('confirm parked', 'pay:confirmation:0', 'confirm')"
            assert connection.execute(asked).fetchone() == ("stored",)
        db = opened(worker)
        assert flow_of("decided", db).continue_run(run_id="decided").status.value == "COMPLETED"
        db.close()
    finally:
        server.execute(*[f"DROP OWNED BY {name}" for name in names], *[f"DROP ROLE {name}" for name in names], url=old)
