"""What may never happen to a store of format 3 is refused by Postgres, too: the attacks of SQLite's tests, and those that SQLite does not know."""

from __future__ import annotations

import re

import psycopg
import pytest

from statecore.stores.sql.link import shipped
from tests.format3.attacks import CASES, ERASABLE, ROTATING, RULES, Case, change, made, prepare
from tests.format3.tables import execute, order
from tests.format3.tables import tables as sqlite_tables
from tests.postgres.format3 import PATH, Speaking, filled

TRUNCATED = [
    *(
        "store",
        "workflow",
        "definition",
        "legal",
        "start_key",
        "shape",
        "shape_move",
        "run",
        "hot",
        "event",
        "move",
        "value",
        "pause",
        "act",
    ),
    *("tombstone", "erasure", "leaf"),
]
OWN = [
    *[Case(f"{table}_remains", f"TRUNCATE {table} CASCADE") for table in TRUNCATED],
    Case(
        "workflow_keeps",
        "INSERT INTO workflow (workflow_id) VALUES ('w') ON CONFLICT (workflow_id) DO UPDATE SET workflow_id = 'x'",
    ),
]
"""What only Postgres can be asked to do."""

DROP_REFERENCES = """DO $$ DECLARE each RECORD; BEGIN
  FOR each IN SELECT conrelid::regclass AS of, conname FROM pg_constraint WHERE contype = 'f' AND connamespace = 'statecore'::regnamespace
  LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', each.of, each.conname); END LOOP; END $$"""


@pytest.fixture(scope="module")
def url(server):
    """A database with the three runs."""
    with filled(server, "guards_3") as found:
        yield found


@pytest.fixture
def file(url):
    """The three runs, in a transaction that is rolled back."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PATH)
        connection.execute("BEGIN")
        yield Speaking(connection)
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.guard)
def test_a_guard_refuses(file, case):
    """Each statement that SQLite's guard refuses is refused by the guard of the same name."""
    prepare(file, case)
    with pytest.raises(psycopg.IntegrityError) as refusal:
        execute(file, case.statement)
    assert refusal.value.diag.constraint_name == case.guard


@pytest.mark.parametrize("case", OWN, ids=lambda case: case.guard)
def test_a_guard_refuses_what_only_postgres_can_do(file, case):
    """TRUNCATE and ON CONFLICT are refused by a guard, too."""
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation) as refusal:
        execute(file, case.statement)
    guards = {f"{table}_remains" for table in TRUNCATED} if "TRUNCATE" in case.statement else {case.guard}
    assert refusal.value.diag.constraint_name in guards


@pytest.mark.parametrize("case", [*CASES, OWN[-1]], ids=lambda case: case.guard)
def test_nothing_else_refuses(file, case):
    """Without the guard the same statement is executed: it is the guard that refuses."""
    file.execute(DROP_REFERENCES)
    prepare(file, case)
    table = file.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = ?", (case.guard,)).fetchone()[0]
    file.execute(f"DROP TRIGGER {case.guard} ON {table}")
    assert execute(file, case.statement) != 0


def test_each_table_is_emptied_only_past_its_guard(file):
    """With all guards of TRUNCATE but one gone, each table is still refused by that one; without any it is emptied."""
    for table in TRUNCATED:
        file.execute("SAVEPOINT s")
        for other in set(TRUNCATED) - {table}:
            file.execute(f"DROP TRIGGER {other}_remains ON {other}")
        file.execute("SAVEPOINT t")
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation) as refusal:
            file.execute(f"TRUNCATE {table} CASCADE")
        assert refusal.value.diag.constraint_name == f"{table}_remains"
        file.execute("ROLLBACK TO t")
        file.execute(f"DROP TRIGGER {table}_remains ON {table}")
        file.execute(f"TRUNCATE {table} CASCADE")
        file.execute("ROLLBACK TO s")


CHANGING = {"event_takes_along", "event_takes_listed_along", "pause_wakes", "hot_tells"}
"""The triggers that refuse nothing: they change another row, or tell."""


def test_the_guards_are_those_of_sqlite(file):
    """Both databases have guards of the same names with the same words; Postgres has a few more, each of which has a test here."""
    connection = sqlite_tables()
    theirs = dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    query = """SELECT tgname, pg_get_triggerdef(t.oid) || pg_get_functiondef(tgfoid) FROM pg_trigger t
    JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal AND relnamespace = 'statecore'::regnamespace"""
    ours = dict(file.connection.execute(query.encode()).fetchall())
    assert ours.keys() - theirs.keys() == {f"{table}_remains" for table in TRUNCATED} | {"shape_move_counts", "hot_tells"}
    assert theirs.keys() - ours.keys() == set()
    assert ours.keys() == {case.guard for case in [*CASES, *OWN]} | CHANGING | {"shape_move_counts"}
    for name, sql in theirs.items():
        for words in re.findall(r"RAISE\(ABORT, '([^']+)'\)", sql):
            whole = words if "erases" not in words else words.rpartition(" erases ")[2]
            assert whole in ours[name], name


@pytest.mark.parametrize(("words", "what", "first"), RULES, ids=lambda text: text)
@pytest.mark.parametrize("row", ERASABLE, ids=lambda row: row.trigger)
def test_an_erasure_keeps_to_its_rules(file, row, words, what, first):
    """Under an erasure in force each body of each table is refused each change that would leave a guessable or another value."""
    made(file, row)
    if row.trigger != "erasure_erases":
        order(file, row.run)
    if row.trigger == "run_erases":
        file.execute("DROP TRIGGER run_keeps ON run")  # which refuses another session and user, too
    for body in row.bodies:
        file.execute("SAVEPOINT s")
        if first:
            assert execute(file, change(row, body, first)) == 1
        with pytest.raises(psycopg.IntegrityError, match=words):
            execute(file, change(row, body, what))
        file.execute("ROLLBACK TO s")


@pytest.mark.parametrize("encoding", ["hex", "escape"])
@pytest.mark.parametrize("row", ERASABLE, ids=lambda row: row.trigger)
def test_without_an_order_nothing_is_erased(file, row, encoding):
    """Before an order and after it is done no body goes; while it is in force each body does, however the session shows bytes."""
    file.execute(f"SET LOCAL bytea_output = '{encoding}'")
    made(file, row)
    if row.trigger != "erasure_erases":
        order(file, row.run)
    for body in row.bodies:
        file.execute("SAVEPOINT s")
        assert execute(file, change(row, body, "B = NULL, C = zeroblob(32), S = zeroblob(60)")) == 1
        file.execute("ROLLBACK TO s")
        with pytest.raises(psycopg.IntegrityError, match="takes the salt along"):
            execute(file, change(row, body, "B = NULL, C = zeroblob(32)"))
        file.execute("ROLLBACK TO s")
        file.execute("UPDATE erasure SET done_us = 5 WHERE run = ?", (row.run,))
        file.execute("SAVEPOINT t")
        for what in ("B = NULL, C = zeroblob(32), S = zeroblob(60)", "S = NULL", "C = zeroblob(32)"):
            with pytest.raises(psycopg.IntegrityError, match="only an erasure in force"):
                execute(file, change(row, body, what))
            file.execute("ROLLBACK TO t")
        file.execute("ROLLBACK TO s")


@pytest.mark.parametrize("row", ERASABLE, ids=lambda row: row.trigger)
def test_what_is_enciphered_may_be_enciphered_anew(file, row):
    """Without a salt in the row each body may change while the store says so; a session and a user are no cipher's and may not."""
    made(file, row)
    if row.trigger != "erasure_erases":
        order(file, row.run)
    execute(file, change(row, row.bodies[0], "S = NULL"))
    file.execute(ROTATING)
    for body in row.bodies:
        if body in {"session", "user_id"}:
            file.execute("SAVEPOINT s")
            with pytest.raises(psycopg.IntegrityError, match="a run is never changed"):
                execute(file, change(row, body, "B = V"))
            file.execute("ROLLBACK TO s")
        else:
            assert execute(file, change(row, body, "B = V")) == 1


def test_the_guards_name_themselves_and_keep_their_path():
    """Each refusal has the name of its trigger, and each function a path of its own that ends in pg_temp."""
    for script in ("schema-3-guards.sql", "schema-3-questions.sql", "schema-3-erasing.sql", "decide-3.sql", "vote-3.sql"):
        text = shipped("statecore.stores.postgres", script)
        assert len(re.findall(r"RAISE (?:integrity_constraint|unique)_violation", text)) == text.count("CONSTRAINT = TG_NAME")
        assert text.count("CREATE FUNCTION") == text.count("SET search_path FROM CURRENT")
