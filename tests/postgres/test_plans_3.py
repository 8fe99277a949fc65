"""No statement of a store of format 3 in Postgres reads a whole table: at 10,000 runs, polls, fences, listings, guards and the function included."""

from __future__ import annotations

import psycopg
import pytest

from statecore.stores.postgres.opening import FIRST, PostgresLink, in_postgres
from statecore.stores.postgres.store3 import PostgresDb
from statecore.stores.sql3 import queries
from statecore.testing.doubles import Clock
from tests.format3.tables import RUNNING, STEP, append, insert, question
from tests.format3.test_plans import PLANS
from tests.postgres.format3 import PATH, Speaking, filled, said
from tests.unit.stores.test_statements import NAMES, Operations

MANY, FEW = 10_000, 50
SMALL = {"store", "workflow", "definition", "legal", "shape", "session"}
"""Tables of a few rows, however many runs there are."""

HASH = "decode(repeat('00', 32), 'hex')"
FILL = f"""
SET session_replication_role = replica;
INSERT INTO run OVERRIDING SYSTEM VALUE SELECT 100 + n, 'run-' || n, 1 + n % 2, 'w', 1, CASE WHEN n % 3 = 0 THEN 'user-' || n % 500 END, NULL, n,
  '', '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, NULL, 1, NULL, NULL, NULL, {HASH} FROM generate_series(1, {MANY}) AS u (n);
INSERT INTO hot SELECT id, workflow, (ARRAY['paused', 'running', 'completed', 'failed'])[1 + id % 4], id, CASE WHEN id % 4 = 1 THEN 'me' END, 1,
  CASE WHEN id % 4 = 1 THEN id END, CASE WHEN id % 4 = 0 THEN id END, 1, 2, {HASH}, '[]', '[]', id, CASE WHEN id % 4 > 1 THEN id END, NULL, NULL,
  {HASH}, NULL, NULL, NULL, NULL, NULL, NULL, session FROM run WHERE id > 100;
INSERT INTO event SELECT run << 24 | e, run, e, 1, 13, NULL, e, e, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, {HASH}
  FROM hot CROSS JOIN generate_series(1, 3) AS u (e) WHERE run > 100;
INSERT INTO pause OVERRIDING SYSTEM VALUE SELECT run, run, workflow, 'a', 'question ' || run, 1, 'confirmation', 'a', '', 0, 'a', NULL, 'confirm', 9,
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, run << 24 | 1, run, run, run, 'cancel', NULL, {HASH},
  CASE WHEN run % 4 > 1 THEN 'confirm' END, CASE WHEN run % 4 > 1 THEN 1 END, NULL, NULL, NULL, NULL, NULL,
  CASE WHEN run % 4 > 1 THEN 'key' END, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, CASE WHEN run % 4 > 1 THEN {HASH} END,
  CASE WHEN run % 4 > 1 THEN run << 24 | 2 END, CASE WHEN run % 4 > 1 THEN 'decided' END FROM hot WHERE run > 100;
INSERT INTO act (pause, kind, word, voter, round, time_us, roles, seal)
  SELECT id, 'vote', 'confirm', sha256(int8send(id)), 0, 1, '', {HASH} FROM pause WHERE id > 100;
INSERT INTO audience SELECT 'role:' || id % 100, id, 1, NULL FROM pause WHERE id > 100;
INSERT INTO notice (run, event, n, due_us) SELECT id, 'asked', 0, id FROM run WHERE id > 100;
INSERT INTO delivery SELECT id, 'mail', 0, id, CASE WHEN id % 9 > 0 THEN 1 END, NULL FROM notice WHERE id > 1;
INSERT INTO start_key SELECT workflow, run_id, run_id FROM run WHERE id > 100;
INSERT INTO value (event, slot, body) SELECT id, 'value', '' FROM event WHERE run > 100 AND id & 15 = 1;
INSERT INTO move SELECT id, k, 'a', 20 FROM event CROSS JOIN generate_series(0, 1) AS u (k) WHERE run > 100 AND id & 15 = 2;
INSERT INTO shape_move SELECT 1000 + n, 0, 'a', 20 FROM generate_series(1, {MANY}) AS u (n);
INSERT INTO session_value (run, session, workflow, key, event, c) SELECT id, 1, workflow, 'k', 1, {HASH} FROM run WHERE id > 100;
INSERT INTO erasure (run, what, time_us, done_us, seal) SELECT id, 'all', 1, CASE WHEN id % 50 > 0 THEN 1 END, {HASH} FROM run WHERE id > 100;
INSERT INTO tombstone SELECT 100000 + n, 'gone-' || n, 1, {HASH}, 'completed', 1, {HASH}, 1, 1, n, NULL, NULL, NULL, NULL, {HASH}
  FROM generate_series(1, {MANY}) AS u (n);
INSERT INTO leaf SELECT 10 + n, 'begun', 100 + n, 'run-' || n, 0, {HASH}, {HASH} FROM generate_series(1, {MANY}) AS u (n);
SET session_replication_role = origin;
"""  # noqa: S608  # constants


@pytest.fixture(scope="module")
def url(server):
    """A database with 10,000 runs, and as many rows of each other table, analysed."""
    with filled(server, "plans_3", "decide-3.sql", "vote-3.sql") as found, psycopg.connect(found, autocommit=True) as connection:
        connection.execute(PATH)
        connection.execute(FILL.encode())
        connection.execute("VACUUM ANALYZE")
        yield found


@pytest.fixture
def file(url):
    """The runs, in a transaction that is rolled back."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PATH)
        connection.execute("BEGIN")
        yield Speaking(connection)
        connection.execute("ROLLBACK")


def nodes(plan):
    """A plan's nodes, from the root."""
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def scanned(file, statement, values):
    """What a plan reads as a whole, and what it sorts: the tables, and the nodes."""
    [[found]] = file.connection.execute(f"EXPLAIN (FORMAT JSON) {statement}".encode(), values).fetchone()
    tree = list(nodes(found["Plan"]))
    whole = [each["Relation Name"] for each in tree if each["Node Type"] == "Seq Scan" and each["Relation Name"] not in SMALL]
    return whole + [each["Node Type"] for each in tree if "Sort" in each["Node Type"] and each["Plan Rows"] > FEW]


@pytest.mark.parametrize("name", PLANS)
def test_no_statement_scans(file, name):
    """Each statement that a store needs reads each table by an index, and sorts nothing."""
    statement = PLANS[name][0]
    assert scanned(file, said(statement), {"id": 1} if ":id" in statement else None) == []


ISSUED = {
    "RECORD_OF_RUN": ("run-5",),
    "EVENTS": (5 << 24, (5 << 24) + 9),
    "ENDS": ("run-5",),
    "PAUSE_OF_RUN": (105, "a"),
    "OPEN_OF_RUN": (105,),
    "USED": (105, "key"),
    "PLAIN": (*[None] * 18, 105, 1),
    "FENCE": ("run-5",),
    "ASKS": (105,),
    "ACTS": (105,),
    "RULED_AND_OPEN": (105,),
    "VOTER_SALT": (105,),
    "COUNT_ACT": (2, 105, None, 1),
    "SESSION": ("s",),
    "STARTED": ("w", "key"),
    "NUMBER": ("run-5",),
}
"""Statements of the shared SQL, with values."""


@pytest.mark.parametrize("name", ISSUED)
def test_no_shared_statement_scans(file, name):
    """The statements that the stores issue for one run read each table by an index."""
    whole = getattr(queries, name)
    lock = FIRST.match(whole)
    for part in [whole] if lock is None else [lock[1], whole[lock.end() :]]:
        statement = in_postgres(part)
        for each in ISSUED[name]:
            literal = "NULL" if each is None else f"'{each}'" if isinstance(each, str) else str(each)
            statement = statement.replace("%s", literal, 1)
        assert scanned(file, statement, None) == []


MOST = 1_500
"""The most rows that a statement of a page may read."""


def read_by(plan):
    """How many rows a node reads of its table: those that it gives and those that it leaves out, in all its loops."""
    each = plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    return each * plan.get("Actual Loops", 1) if "Relation Name" in plan else 0


@pytest.mark.parametrize("name", NAMES)
def test_no_statement_that_is_issued_reads_a_whole_table(url, name, monkeypatch):
    """The statements that the operations issue beside 10,000 runs: none reads a large table as a whole or sorts it, and none many rows of one."""
    db, clock, issued, execute = PostgresDb(url), Clock(), [], PostgresLink.execute

    def noted(link, statement, values=()):
        issued.append((statement, tuple(values)))
        return execute(link, statement, values)

    operations = Operations(db, clock, name)
    monkeypatch.setattr(PostgresLink, "execute", noted)
    getattr(operations, name)()
    monkeypatch.undo()
    found = {}
    with db.channel().lent() as connection:
        for statement, values in dict(issued).items():
            lock = FIRST.match(statement)
            for part in [statement] if lock is None else [lock[1], statement[lock.end() :]]:
                if not part.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
                    continue
                how = "ANALYZE, " if part.lstrip().upper().startswith("SELECT") and "statecore_decide" not in part else ""
                connection.execute("BEGIN")
                explain = f"EXPLAIN ({how}FORMAT JSON) {in_postgres(part)}"
                [[plan]] = connection.execute(explain.encode(), values).fetchone() or ()
                connection.execute("ROLLBACK")
                tree = list(nodes(plan["Plan"]))
                wrong = [
                    each["Relation Name"] for each in tree if each["Node Type"] == "Seq Scan" and each["Relation Name"] not in SMALL
                ]
                wrong += [each["Node Type"] for each in tree if "Sort" in each["Node Type"] and each["Plan Rows"] > FEW]
                wrong += [each["Relation Name"] for each in tree if read_by(each) > MOST]
                if wrong:
                    found[part.strip()[:300]] = wrong
    db.close()
    assert found == {}, found
    assert len(dict(issued)) > 10


SEEN = "seen => decode(repeat('00', 32), 'hex')"
VOTES = ("'confirm'", f"'confirm', {SEEN}", f"'confirm', {SEEN}", "withdraws => true", f"'reject', {SEEN}")
"""The arguments of calls: one without the digest that was shown, a vote, the same, its withdrawal, and a no."""


def test_no_guard_scans(file):
    """A step, a question, a vote, a decision, a close, an order and a tombstone beside 10,000 runs: no guard and no function reads a whole table."""
    append(file, RUNNING, 3, STEP)
    file.execute(
        "UPDATE hot SET number = 3, head = (SELECT hash FROM event WHERE id = :running_3) WHERE run = 2",
        {"running_3": RUNNING << 24 | 3},
    )
    row = question(RUNNING, 3, form=None, deadline_us=None, due_us=None, shown=None, shown_c=b"", meanings=None)
    insert(file, "pause", **row)
    [pause] = file.connection.execute("SELECT id FROM pause WHERE question_id = 'q_2'").fetchone()
    insert(file, "act", pause=pause, kind="extension", round=0, time_us=7, roles="", until_us=9, seal=b"h" * 32)
    answer = file.connection.execute("SELECT code FROM statecore_decide('running', %s, 'confirm')", (row["pause_id"],)).fetchone()
    assert answer == ("stored",)
    ruled = row | {
        "pause_id": "ruled",
        "question_id": "q_ruled",
        "at": "b",
        "names": None,
        "names_c": None,
        "seen": bytes(32),
        "rule": '{"k":2}',
        "voter_salt": b"s" * 16,
    }
    insert(file, "pause", **ruled)
    call = "SELECT code FROM statecore_vote('running', 'ruled', "
    told = [file.connection.execute(f"{call}{each})".encode()).fetchone() for each in VOTES]
    assert told == [("refused",), ("stored",), ("same",), ("stored",), ("stored",)]
    file.execute("UPDATE pause SET closed = opened, outcome = 'cancelled', voter_salt = NULL WHERE pause_id = 'ruled'")
    file.execute("UPDATE pause SET closed = opened, outcome = 'decided' WHERE id = ?", (pause,))
    insert(file, "erasure", run=RUNNING, what="all", time_us=1, seal=b"h" * 32)
    file.execute("UPDATE event SET note = NULL, note_c = hash, salt = NULL WHERE id = ?", (RUNNING << 24 | 2,))
    file.execute("DELETE FROM delivery WHERE notice = 1")
    file.execute("DELETE FROM notice WHERE id = 1")
    insert(
        file, "tombstone", run=3, run_id="ended", workflow=1, identity=b"h" * 32, phase="completed", number=2, head=bytes([3, 2]) * 16, created_us=1,
        ended_us=9, purged_us=99, seal=b"h" * 32,
    )  # fmt: skip
    for each in (f"event WHERE id BETWEEN {3 << 24} AND {(3 << 24) + 9}", "hot WHERE run = 3", "run WHERE id = 3"):
        file.connection.execute(f"DELETE FROM {each}".encode())  # noqa: S608  # from above
    query = "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE schemaname = 'statecore' AND seq_scan > 0"
    found = dict(file.connection.execute(query.encode()).fetchall())
    assert found.keys() - SMALL == set()


def test_each_reference_has_an_index(file):
    """Deleting a row looks for what refers to it by an index that begins with the reference; what is never deleted needs none."""
    query = """SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint c WHERE contype = 'f'
    AND connamespace = 'statecore'::regnamespace AND confrelid::regclass::text NOT IN ('workflow', 'definition', 'legal', 'shape')
    AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1] AND indpred IS NULL)"""
    assert file.connection.execute(query.encode()).fetchall() == []
