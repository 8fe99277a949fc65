"""What the tables of format 3 allow, and which columns never change."""

from __future__ import annotations

import re
import sqlite3

import pytest

from statecore.stores.frames import framing
from statecore.stores.sql.link import shipped
from tests.format3.tables import (
    DECIDED,
    ENDED,
    FAIL,
    FINISH,
    HASH,
    PARKED,
    RESUME,
    RUNNING,
    SALT,
    START,
    STEP,
    append,
    begin,
    bury,
    event_id,
    execute,
    filled,
    hash_of,
    insert,
    legal,
    order,
    question,
    tables,
)


@pytest.fixture
def file():
    """The file with its three runs."""
    connection = filled()
    yield connection
    connection.close()


def one(file, query, *values):
    """The first row of a query, or its only value."""
    row = file.execute(query, values).fetchone()
    return row[0] if row is not None and len(row) == 1 else row


# -- what may change ---------------------------------------------------------------------------------------------------------------

SEALS = {"kid", "seal"}
CHANGES: dict[str, set[str]] = {
    "store": {"kid", "rotating_us", "version"},
    "workflow": set(),
    "definition": set(),
    "legal": set(),
    "shape": set(),
    "shape_move": set(),
    "move": set(),
    "value": set(),
    "start_key": set(),
    "leaf": set(),
    "run": SEALS,
    "event": set(),
    "pause": SEALS | {"decision_kid", "decision_seal"},
    "act": SEALS,
    "tombstone": SEALS,
    "erasure": SEALS,
}
"""What each table lets anybody change, alone and without an erasure; everything else is refused. Tables that are made anew are not in it."""


def columns():
    """Each column of each table that has guards."""
    connection = tables()
    return [(table, row[1]) for table in CHANGES for row in connection.execute(f"PRAGMA table_info({table})")]


OTHERS = {
    "INTEGER": ("coalesce({0}, 0) + 1", "nullif({0}, 0)"),
    "TEXT": ("coalesce({0}, '') || 'x'", "NULL"),
    "BLOB": ("CAST(coalesce({0}, x'') || x'00' AS BLOB)", "randomblob(32)", "NULL"),
}
"""Other values of a column, by its type."""


@pytest.mark.parametrize(("table", "column"), columns(), ids=lambda name: name)
def test_a_column_never_changes(file, table, column):
    """A column is refused another value, and none, unless the table lets it change; a decided question and its decision included."""
    if table in {"tombstone", "erasure"}:
        order(file, ENDED)
        file.execute("UPDATE erasure SET done_us = 5")
        bury(file)
    if table == "move":
        file.execute("BEGIN")
        insert(file, "move", event=event_id(RUNNING, 3), k=0, at="a", legal=20)
    if table == "pause":
        execute(file, DECIDED)
    kinds = {row[1]: row[2] for row in file.execute(f"PRAGMA table_info({table})")}
    tried = 0
    for other in OTHERS[kinds[column]]:
        value = other.format(f'"{column}"')
        if file.execute(f'SELECT 1 FROM {table} WHERE "{column}" IS NOT {value}').fetchone() is None:  # noqa: S608  # names of the schema
            continue
        tried += 1
        statement = f'UPDATE {table} SET "{column}" = {value} WHERE "{column}" IS NOT {value}'  # noqa: S608  # as above
        file.execute("SAVEPOINT s")
        if column not in CHANGES[table]:
            with pytest.raises(sqlite3.IntegrityError):
                file.execute(statement)
        file.execute("ROLLBACK TO s")
    assert tried > 0


def test_what_may_change_can_be_changed(file):
    """The columns that a table lets change, change: seals and their keys, the key in use."""
    order(file, ENDED)
    execute(file, DECIDED)
    bury(file)
    for table, names in CHANGES.items():
        for name in sorted(names - {"version"}):
            value = {"rotating_us": "1", "seal": "zeroblob(32)", "decision_seal": "zeroblob(32)"}.get(name, "'k'")
            where = "id = 1" if table == "pause" else "1"
            assert file.execute(f"UPDATE {table} SET {name} = {value} WHERE {where}").rowcount > 0  # noqa: S608  # names of the schema


# -- lives of a run ----------------------------------------------------------------------------------------------------------------


def test_a_decision_wakes_its_run_and_the_run_goes_on(file):
    """Decided, resumed by the next claim, ended: the phase follows the journal, and so does the head."""
    execute(file, DECIDED)
    assert one(file, "SELECT wake_us FROM hot WHERE run = 1") == 0
    file.execute("UPDATE hot SET owner = 'me', epoch = 2, claim_order = 9 WHERE run = 1")
    append(file, PARKED, 2, RESUME, epoch=2)
    assert one(file, "SELECT phase, number, head FROM hot WHERE run = 1") == ("running", 2, hash_of(PARKED, 2))
    file.execute(
        "UPDATE pause SET closed = ?, outcome = 'decided', voter_salt = NULL, decision_kid = 'k', decision_seal = ?",
        (event_id(PARKED, 2), HASH),
    )
    append(file, PARKED, 3, STEP, epoch=2)
    assert one(file, "SELECT number FROM hot WHERE run = 1") == 2
    file.execute("UPDATE hot SET number = 3, head = ?, state = 'stored' WHERE run = 1", (hash_of(PARKED, 3),))
    append(file, PARKED, 4, FINISH, epoch=2)
    file.execute("UPDATE hot SET owner = NULL, ended_us = 9 WHERE run = 1")
    assert one(file, "SELECT phase FROM hot WHERE run = 1") == "completed"


def test_several_events_are_one_boundary(file):
    """Two decisions that are applied at once are two events of one boundary; questions and values may come after both."""
    append(file, RUNNING, 3, STEP, boundary=3, note_c=HASH)
    append(file, RUNNING, 4, STEP, boundary=3)
    insert(file, "value", event=event_id(RUNNING, 3), slot="note", body=b"long")
    insert(file, "pause", **question(RUNNING, 3))
    append(file, RUNNING, 5, STEP, boundary=4)
    assert one(file, "SELECT count(*) FROM event WHERE run = 2") == 5


def test_a_long_list_of_moves_lies_with_its_event(file):
    """Moves that are no shape come first, in one transaction with their event, and take the run along; a run that failed is reopened."""
    file.execute("BEGIN")
    moves = [("p", "step", "running", "cancel", "cancelled")] * 40 + [
        ("", "run", "running", "fail", "failed"),
        ("", "run", "failed", "resume", "running"),
    ]
    moves += [("", "run", "running", "cancel", "cancelled")]
    for k, (where, *move) in enumerate(moves):
        insert(file, "move", event=event_id(RUNNING, 3), k=k, at=where, legal=legal(file, *move))
    append(file, RUNNING, 3, None)
    file.execute("COMMIT")
    assert one(file, "SELECT phase, number FROM hot WHERE run = 2") == ("cancelled", 3)


def test_moves_without_their_event_are_not_committed(file):
    """Moves whose event does not come, and a list whose shape does not, are refused at the end of the transaction."""
    for statement in ("INSERT INTO move VALUES (:running_3, 0, 'a', 20)", "INSERT INTO shape_move VALUES (99, 0, 'a', 20)"):
        file.execute("BEGIN")
        execute(file, statement)
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            file.execute("COMMIT")
        file.execute("ROLLBACK")


def test_a_failed_run_is_reopened_and_ends_again(file):
    """A run that failed has a leaf for its end, and after it was reopened and failed again another one."""
    for number, leaf in ((3, 3), (5, 4)):
        append(file, RUNNING, number, FAIL)
        file.execute("UPDATE hot SET ended_us = 9 WHERE run = 2")
        insert(
            file,
            "leaf",
            number=leaf,
            kind="ended",
            run=RUNNING,
            run_id="running",
            event=number,
            digest=hash_of(RUNNING, number),
            hash=HASH,
        )
        if number == 3:
            file.execute("BEGIN")
            insert(file, "move", event=event_id(RUNNING, 4), k=0, at="", legal=legal(file, "run", "failed", "resume", "running"))
            append(file, RUNNING, 4, None)
            file.execute("COMMIT")
            file.execute("UPDATE hot SET ended_us = NULL WHERE run = 2")
    assert [row[0] for row in file.execute("SELECT event FROM leaf WHERE run = 2 ORDER BY number")] == [3, 5]


def test_the_largest_numbers_fit_and_the_next_are_refused(file):
    """The last run and the last event have an id of 63 bits; the run after it and the event after it are refused."""
    last_run, last_event = 2**39 - 1, 2**24 - 1
    file.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'run'", (last_run - 1,))
    assert begin(file, "last") == last_run
    with pytest.raises(sqlite3.IntegrityError):
        begin(file, "one more")
    file.execute("DROP TRIGGER event_follows")
    append(file, last_run, 1, START, hash=HASH)
    append(file, last_run, last_event, STEP, hash=HASH)
    assert one(file, "SELECT max(id) FROM event") == 2**63 - 1
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        append(file, RUNNING, last_event + 1, STEP, hash=HASH)


def test_a_question_is_put_again(file):
    """A question that lapsed is put again under another id, and after a void a third time."""
    file.execute("UPDATE pause SET closed = opened, outcome = 'lapsed', voter_salt = NULL")
    insert(file, "pause", **question(PARKED, 1, pause_id="a:confirmation:0@2", question_id="q2", put=2))
    file.execute("UPDATE pause SET closed = opened, outcome = 'void' WHERE put = 2")
    insert(file, "pause", **question(PARKED, 1, pause_id="a:confirmation:0@3", question_id="q3", put=3))
    assert one(file, "SELECT group_concat(pause_id) FROM pause WHERE closed IS NULL") == "a:confirmation:0@3"


@pytest.mark.parametrize(
    "changes",
    [
        {"question_id": "q_1"},
        {"at": "a", "turn": ""},
        {"pause_id": "a:confirmation:0", "at": "b"},
        {"put": 0},
        {"shown_c": b"x"},
    ],
)
def test_a_question_is_one(file, changes):
    """One question a place is open, and each has an id and a short id of its own."""
    row = question(PARKED, 1, **{"pause_id": "b:confirmation:0", "question_id": "q_b", "at": "b"} | changes)
    with pytest.raises(sqlite3.IntegrityError):
        insert(file, "pause", **row)


def test_a_key_decides_once(file):
    """A key of a decision is used once in a run."""
    insert(file, "pause", **question(PARKED, 1, pause_id="b:confirmation:0", question_id="q_b", at="b"))
    execute(file, DECIDED)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        execute(file, DECIDED.replace("id = 1", "id = 2"))


@pytest.mark.parametrize(
    "change",
    [
        "decided_us = 7",
        "decision_seal = seal",
        "answer = seal",
        '"by" = seal',
        "via = 'x'",
        "key = 'x'",
        "meaning = seal",
        "last_act = 1",
    ],
)
def test_a_decision_is_whole(file, change):
    """Nothing of a decision is there without its word."""
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        file.execute("UPDATE pause SET " + change)  # noqa: S608  # from above


def test_a_voter_votes_once_a_round(file):
    """A second vote of a voter in a round is refused, one in the next round is not; a refusal is counted, an extension moves the deadline."""
    vote = {"pause": 1, "kind": "vote", "word": "reject", "voter": HASH, "time_us": 7, "roles": "", "seal": HASH}
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        insert(file, "act", **vote, round=0)
    insert(file, "act", **vote, round=1)
    file.execute("UPDATE act SET times = 9 WHERE kind = 'refusal'")
    insert(file, "act", pause=1, kind="extension", round=0, time_us=7, roles="", until_us=500, seal=HASH)
    file.execute("UPDATE pause SET due_us = 500")
    execute(file, DECIDED.replace("decided_us = 50", "decided_us = 400"))


def test_silence_that_approves_lets_a_late_no_in(file):
    """A rejection is taken after the deadline where silence would approve."""
    insert(file, "pause", **question(PARKED, 1, pause_id="b:confirmation:0", question_id="q_b", at="b", on_timeout="approve"))
    execute(file, DECIDED.replace("'confirm'", "'reject'").replace("= 50", "= 200").replace("id = 1", "id = 2"))
    with pytest.raises(sqlite3.IntegrityError, match="deadline"):
        execute(file, DECIDED.replace("= 50", "= 200"))


def test_an_erasure_in_force_erases(file):
    """Under an order each body goes with its salt and leaves its commitment; twice in a row; and after it is done nothing goes any more."""
    ordered = order(file, RUNNING)
    event, left = event_id(RUNNING, 2), framing.salts_left(SALT, [("event.note", 0)])
    file.execute('UPDATE event SET "by" = NULL, by_c = ?, salt = ? WHERE id = ?', (HASH, left, event))
    file.execute("DELETE FROM value WHERE event = ?", (event,))
    file.execute("UPDATE event SET note = NULL, note_c = ?, salt = NULL WHERE id = ?", (HASH, event))
    file.execute(
        "UPDATE run SET session = NULL, session_c = ?, user_id = NULL, user_c = ?, salt = zeroblob(60) WHERE id = 2", (HASH, HASH)
    )
    file.execute('UPDATE erasure SET "by" = NULL, by_c = ?, salt = NULL', (HASH,))
    file.execute("UPDATE erasure SET done_us = 5 WHERE id = ?", (ordered,))
    with pytest.raises(sqlite3.IntegrityError, match="only an erasure in force"):
        file.execute("UPDATE run SET input = NULL, input_c = ?, salt = NULL WHERE id = 2", (HASH,))
    assert one(file, 'SELECT "by", note, value, salt, by_c, note_c FROM event WHERE id = ?', event) == (
        None,
        None,
        None,
        None,
        HASH,
        HASH,
    )


def test_bodies_are_enciphered_anew(file):
    """Where a row has no salt, its bodies may change while the store says so, and no longer."""
    append(file, RUNNING, 3, STEP, salt=None, value=b"old", value_c=HASH)
    change = f"UPDATE event SET value = x'00' WHERE id = {event_id(RUNNING, 3)}"  # noqa: S608  # a number
    with pytest.raises(sqlite3.IntegrityError):
        file.execute(change)
    file.execute("UPDATE store SET rotating_us = 1")
    file.execute(change)
    file.execute("UPDATE value SET body = x'00'")
    file.execute("UPDATE store SET rotating_us = NULL")
    with pytest.raises(sqlite3.IntegrityError):
        file.execute(change.replace("00", "01"))


def test_a_purge_takes_all_of_a_run(file):
    """Behind its tombstone each row of an ended run goes; leaf, start key and tombstone stay, the number and the id are not used again."""
    order(file, ENDED)
    bury(file)
    for table, column in (("erasure", "run"), ("notice", "run"), ("event", "run"), ("hot", "run"), ("run", "id")):
        if table == "notice":
            file.execute("DELETE FROM delivery")
        assert file.execute(f"DELETE FROM {table} WHERE {column} = ?", (ENDED,)).rowcount > 0  # noqa: S608  # names of the schema
    assert one(file, "SELECT count(*) FROM leaf") == 2
    assert one(file, "SELECT run_id FROM start_key WHERE key = 'key of ended'") == "ended"
    assert begin(file, "another") == ENDED + 1
    assert file.execute("DELETE FROM tombstone").rowcount == 1


def test_a_purge_takes_questions_values_and_moves(file):
    """A run with all that a run can have goes whole."""
    append(file, RUNNING, 3, FINISH)
    insert(file, "pause", **question(RUNNING, 3))
    insert(file, "act", pause=2, kind="void", round=0, time_us=1, roles="", seal=HASH)
    insert(file, "audience", who="role:x", pause=2, since_us=0)
    file.execute("UPDATE pause SET closed = opened, outcome = 'cancelled' WHERE id = 2")
    file.execute("UPDATE hot SET owner = NULL, ended_us = 9 WHERE run = 2")
    insert(
        file, "tombstone", run=2, run_id="running", workflow=1, identity=HASH, phase="completed", number=3, head=hash_of(2, 3), created_us=1,
        ended_us=9, purged_us=10, seal=HASH,
    )  # fmt: skip
    for statement in (
        "DELETE FROM act WHERE pause = 2", "DELETE FROM audience WHERE pause = 2", "DELETE FROM pause WHERE run = 2",
        "DELETE FROM value WHERE event BETWEEN :running_1 AND :running_5", "DELETE FROM event WHERE run = 2", "DELETE FROM hot WHERE run = 2",
        "DELETE FROM run WHERE id = 2",
    ):  # fmt: skip
        assert execute(file, statement) > 0
    assert file.execute("PRAGMA foreign_key_check").fetchall() == []


def test_nothing_is_replaced(file):
    """REPLACE deletes what it meets, and so meets the guards: no run, question, event, act or leaf is written over."""
    for table in ("run", "hot", "event", "pause", "act", "leaf", "shape", "start_key", "workflow", "legal", "definition", "store"):
        with pytest.raises(sqlite3.IntegrityError):
            file.execute(f"REPLACE INTO {table} SELECT * FROM {table}")  # noqa: S608  # names of the schema


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO store (one, uuid, created_us, version) VALUES (2, zeroblob(16), 1, 3)",
        "INSERT INTO store (one, uuid, created_us, version) VALUES (1, zeroblob(16), 1, 3)",
        "INSERT INTO event (id, run, boundary, epoch, shape, time_us, hash) VALUES (:running_3, 2, 3, 1, 99, 1, zeroblob(32))",
        "INSERT INTO event (id, run, boundary, epoch, shape, time_us, hash) VALUES (:running_3, 1, 3, 1, 13, 1, zeroblob(32))",
        "INSERT INTO event (id, run, boundary, epoch, shape, time_us, hash) VALUES (:running_3, 2, 3, 1, 13, 1, x'00')",
        "INSERT INTO event (id, run, boundary, epoch, shape, time_us, hash) VALUES (:running_3, 2, 3, 1, 13, 1, 'text')",
        "INSERT INTO start_key VALUES (1, '', 'x')",
        "INSERT INTO start_key VALUES (1, printf('%.*c', 1025, 'x'), 'x')",
        "INSERT INTO start_key VALUES (1, 'key of ended', 'x')",
        "INSERT INTO leaf VALUES (3, 'begun', 3, 'ended', 1, zeroblob(32), zeroblob(32))",
        "INSERT INTO leaf VALUES (3, 'other', 3, 'ended', 0, zeroblob(32), zeroblob(32))",
        "INSERT INTO leaf VALUES (3, 'begun', 3, 'ended', 0, zeroblob(32), zeroblob(32))",
        "UPDATE hot SET cancel_us = 5",
        "UPDATE hot SET seal = x'00'",
        "DELETE FROM session WHERE id = 1",
        "INSERT INTO value (event, slot, body) VALUES (:running_2, 'other', x'00')",
        "INSERT INTO notice (run, event, n, due_us) VALUES (3, 'ended', 0, 1)",
        "INSERT INTO act (pause, kind, word, round, time_us, roles, seal) VALUES (1, 'vote', 'confirm', 0, 1, '', zeroblob(32))",
        "INSERT INTO act (pause, kind, round, time_us, roles, seal) VALUES (1, 'extension', 0, 1, '', zeroblob(32))",
        "INSERT INTO act (pause, kind, round, time_us, roles, seal) VALUES (1, 'other', 0, 1, '', zeroblob(32))",
    ],
)
def test_constraints_refuse(file, statement):
    """A second store, an unknown shape, another run's id, a short hash, an empty or long key and a second leaf are no rows of a file."""
    with pytest.raises(sqlite3.IntegrityError):
        execute(file, statement)


# -- the file ---------------------------------------------------------------------------------------------------------------------


def test_a_plain_step_writes_one_row(file):
    """An event in which the run does not move writes its row and nothing of `hot`; nothing that a guard asks is looked for in a whole table."""
    before = file.execute("SELECT * FROM hot WHERE run = 2").fetchone()
    changes = file.total_changes
    append(file, RUNNING, 3, STEP)
    assert file.total_changes == changes + 1
    assert file.execute("SELECT * FROM hot WHERE run = 2").fetchone() == before


def test_the_file_is_as_the_page_says(file):
    """Page size, vacuum and encoding are those of the page; every table is strict, and each _c and hash column is a BLOB."""
    assert [one(file, f"PRAGMA {name}") for name in ("page_size", "auto_vacuum", "encoding")] == [4096, 0, "UTF-8"]
    for (sql,) in file.execute("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        assert re.search(r"STRICT(, WITHOUT ROWID)?$", sql)
    script = shipped("statecore.stores.sqlite", "schema-3.sql")
    wrong = re.findall(r"^\s+(\w+(?:_c|_us|hash|head|seal|salt|digest))\s+(\w+)", script, re.MULTILINE)
    assert {kind for name, kind in wrong if name.endswith("_us")} == {"INTEGER"}
    assert {kind for name, kind in wrong if not name.endswith("_us")} == {"BLOB"}


def test_every_slot_is_a_column():
    """Each slot that can be erased is a column of its table, and has one for its commitment."""
    connection = tables()
    homes = {"decision": "pause", "cancel": "hot"}
    for slot in sorted(framing.SLOTS - {"event.session", "pause.voter"}):
        table, name = slot.split(".")
        found = {row[1] for row in connection.execute(f"PRAGMA table_info({homes.get(table, table)})")}
        body = {"run.user": "user_id", "cancel.by": "cancel_by"}.get(slot, name)
        kept = {"cancel.by": "cancel_by_c"}.get(slot, f"{name}_c")
        assert {body, kept} <= found, slot
