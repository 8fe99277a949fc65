"""Statements that a store of format 3 refuses, whichever database it is: written once, tried on SQLite and on Postgres.

They are in the SQL of SQLite; `tests/postgres/format3.py` says them to Postgres.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.format3.tables import DECIDED, ENDED, HASH, PARKED, RUNNING, Connection, bury, event_id, execute, order, question


class Case(NamedTuple):
    """A statement (or the row of a question) that a guard refuses.

    `before` is allowed; `erasing` is a run with an erasure in force; where it is `buried` the ended run has its tombstone.
    """

    guard: str
    statement: str | dict[str, Any]
    before: tuple[str, ...] = ()
    erasing: int | None = None
    buried: bool = False


def put(opened: int = event_id(RUNNING, 2), **values: Any) -> dict[str, Any]:
    """A question that the running run's last event puts."""
    return question(opened >> 24, opened & 0xFFFFFF, **{"question_id": "q_new"} | values)


def again(**values: Any) -> dict[str, Any]:
    """The question of the parked run, put again."""
    return put(event_id(PARKED, 1), **{"pause_id": "a:confirmation:0@2", "put": 2} | values)


NEXT = "INSERT INTO event (id, run, boundary, epoch, shape, seq, time_us, hash) SELECT :running_3, 2, 3, 1, 13, 6, 1, zeroblob(32)"
UNSHAPED = "INSERT INTO event (id, run, boundary, epoch, seq, time_us, hash) SELECT :running_3, 2, 3, 1, 5, 1, zeroblob(32)"
MOVE = "INSERT INTO move SELECT :running_3, 0, 'a', id FROM legal WHERE machine = 'step' LIMIT 1"
SHAPE = "INSERT INTO shape (id, digest, moves) VALUES (99, zeroblob(32), 1)"
SHAPE_MOVE = "INSERT INTO shape_move SELECT 99, 0, 'a', id FROM legal WHERE machine = 'step' LIMIT 1"
SHAPE_START = "INSERT INTO shape_move SELECT 99, 0, '', id FROM legal WHERE machine = 'run' AND source = 'pending'"
SHAPE_RESUME = (
    "INSERT INTO shape_move SELECT 99, 1, '', id FROM legal WHERE machine = 'run' AND source = 'paused' AND dest = 'running'"
)
SHAPE_OF_RUN = "INSERT INTO shape (id, digest, moves, begins, ends) VALUES (99, zeroblob(32), 2, 'pending', 'running')"
HOT = """INTO hot SELECT :run, workflow, 'pending', claim_order, owner, epoch, lease_us, wake_us, definition, 0, head, state, held, updated_us,
ended_us, quarantined, kid, seal, NULL, NULL, NULL, NULL, NULL, NULL, session FROM hot WHERE run = 2"""
CLOSE = "UPDATE pause SET closed = :parked_1, outcome = 'lapsed' WHERE id = 1"
VOTE = "INSERT INTO act (pause, kind, word, voter, round, time_us, roles, seal) SELECT 1, 'vote', 'confirm', zeroblob(32), 0, 7, '', zeroblob(32)"
EXTEND = "INSERT INTO act (pause, kind, round, time_us, roles, until_us, seal) SELECT 1, 'extension', 0, 7, '', 200, zeroblob(32)"
CANCEL = "UPDATE hot SET cancel_us = 5, cancel_seal = seal, cancel_by = x'01', cancel_salt = zeroblob(16) WHERE run = 2"
TOMB = """INSERT INTO tombstone (run, run_id, workflow, identity, phase, number, head, created_us, ended_us, purged_us, seal)
SELECT 3, 'ended', 1, seal, phase, number, head, 1, 9, 9, seal FROM hot WHERE run = 3"""
BEGIN_AGAIN = """INSERT INTO run (run_id, workflow, workflow_name, session, created_us, input, additional, metadata, definition, rules, seal)
SELECT run_id, workflow, workflow_name, session, created_us, input, additional, metadata, definition, rules, seal FROM gone"""
PURGE = (
    *("CREATE TEMP TABLE gone AS SELECT * FROM run WHERE id = 3", "DELETE FROM delivery", "DELETE FROM notice"),
    *("DELETE FROM event WHERE run = 3", "DELETE FROM hot WHERE run = 3", "DELETE FROM run WHERE id = 3"),
)
ROTATING = "UPDATE store SET rotating_us = 1"
FORGET = """UPDATE event SET "by" = NULL, by_c = zeroblob(32), salt = NULL WHERE run = 2"""

NAMES_AND_RUNS = [
    Case("store_keeps", "UPDATE store SET uuid = randomblob(16)"),
    Case("store_keeps", "UPDATE store SET version = 3", ("UPDATE store SET version = 4",)),
    Case("store_stays", "DELETE FROM store"),
    Case("workflow_keeps", "UPDATE workflow SET workflow_id = 'x' WHERE id = 2"),
    Case("workflow_stays", "DELETE FROM workflow WHERE id = 2"),
    Case("session_keeps", "UPDATE session SET session_id = 'x' WHERE id = 2"),
    Case("definition_keeps", "UPDATE definition SET canonical = 'x'"),
    Case("definition_stays", "DELETE FROM definition"),
    Case("legal_keeps", "UPDATE legal SET dest = 'x' WHERE id = 1"),
    Case("legal_stays", "DELETE FROM legal WHERE id = 1"),
    Case("start_key_keeps", "UPDATE start_key SET run_id = 'x'"),
    Case("start_key_stays", "DELETE FROM start_key"),
    Case("session_value_keeps", "UPDATE session_value SET key = 'x'"),
    Case("shape_closes", SHAPE),
    Case("shape_closes", SHAPE, (SHAPE_MOVE.replace("0", "1"),)),
    Case("shape_closes", SHAPE, (SHAPE_START,)),
    Case("shape_closes", SHAPE, (SHAPE_MOVE.replace("'a'", "''"),)),
    Case("shape_closes", SHAPE, (SHAPE_MOVE.replace("'step'", "'run'"),)),
    Case("shape_closes", SHAPE_OF_RUN, (SHAPE_START, SHAPE_RESUME)),
    Case("shape_closes", SHAPE_OF_RUN.replace("'running'", "'paused'"), (SHAPE_START, SHAPE_RESUME)),
    Case("shape_keeps", "UPDATE shape SET digest = zeroblob(32) WHERE id = 11"),
    Case("shape_stays", "DELETE FROM shape WHERE id = 15"),
    Case("shape_move_precedes", "INSERT INTO shape_move VALUES (11, 2, 'z', 20)"),
    Case("shape_move_keeps", "UPDATE shape_move SET at = 'z' WHERE shape = 11"),
    Case("shape_move_stays", "DELETE FROM shape_move WHERE shape = 11"),
    Case("run_begins", BEGIN_AGAIN, PURGE, buried=True),
    Case("run_keeps", "UPDATE run SET created_us = 2"),
    Case(
        "run_keeps",
        "UPDATE run SET session = 2 WHERE id = 2",
        (ROTATING, "UPDATE run SET salt = NULL WHERE id = 2"),
        erasing=RUNNING,
    ),
    Case(
        "run_keeps",
        "UPDATE run SET user_id = 'bob' WHERE id = 2",
        (ROTATING, "UPDATE run SET salt = NULL WHERE id = 2"),
        erasing=RUNNING,
    ),
    Case("run_erases", "UPDATE run SET input = x'00'"),
    Case("run_stays", "DELETE FROM run WHERE id = 3"),
    Case("hot_begins", f"INSERT {HOT}".replace("'pending'", "'paused'").replace(":run", "9")),
    Case("hot_keeps", "UPDATE hot SET workflow = 2 WHERE run = 2"),
    Case("hot_claims", "UPDATE hot SET epoch = 0 WHERE run = 2"),
    Case("hot_claims", "UPDATE hot SET claim_order = 0 WHERE run = 2"),
    Case("hot_heads", "UPDATE hot SET head = zeroblob(32) WHERE run = 2"),
    Case("hot_heads", "UPDATE hot SET number = 7 WHERE run = 2"),
    Case("hot_heads", "UPDATE hot SET number = 1, head = (SELECT hash FROM event WHERE id = :ended_1) WHERE run = 3"),
    Case("hot_moves", "UPDATE hot SET phase = 'completed' WHERE run = 2"),
    Case("hot_ends", "UPDATE hot SET ended_us = 1 WHERE run = 2"),
    Case("hot_erases", "UPDATE hot SET cancel_by = x'00' WHERE run = 2", (CANCEL,)),
    Case("hot_stays", "DELETE FROM hot WHERE run = 2"),
]
JOURNAL = [
    Case("event_follows", NEXT.replace(":running_3", ":running_4")),
    Case("event_follows", NEXT.replace(":running_3, 2, 3", ":running_4, 2, 1")),
    Case("event_follows", NEXT.replace("2, 3, 1", "2, 4, 1")),
    Case("event_follows", NEXT.replace("2, 3, 1", "2, 1, 1")),
    Case("event_follows", NEXT.replace("2, 3, 1", "2, 3, 2")),
    Case("event_follows", NEXT, ("UPDATE hot SET epoch = 2 WHERE run = 2",)),
    Case("event_moves_on", NEXT.replace("13", "15")),
    Case("event_moves_on", NEXT.replace("13, 6", "13, 7")),
    Case("event_lists_moves", UNSHAPED.replace("1, 5, 1", "1, 6, 1"), (MOVE,)),
    Case("event_lists_moves", UNSHAPED),
    Case("event_lists_moves", UNSHAPED, (MOVE.replace("0", "1"),)),
    Case("event_lists_moves", UNSHAPED, (MOVE.replace("'a'", "''"),)),
    Case("event_lists_moves", UNSHAPED, (MOVE.replace("'a'", "''").replace("'step'", "'run' AND source = 'paused'"),)),
    Case("event_lists_moves", UNSHAPED, (MOVE.replace("'step'", "'run'"),)),
    Case("event_moves_on", NEXT, (MOVE,)),
    Case("event_moves_on", NEXT.replace(":running_3, 2", ":ended_3, 3")),
    Case("event_lists_moves", UNSHAPED.replace(":running_3, 2", ":ended_3, 3"), (MOVE.replace("running", "ended"),)),
    Case("event_keeps", "UPDATE event SET time_us = 7 WHERE run = 2"),
    Case("event_keeps", "UPDATE event SET hash = zeroblob(32) WHERE run = 2"),
    Case("event_erases", FORGET),
    Case("event_erases", FORGET.replace("by_c = zeroblob(32), ", ""), erasing=RUNNING),
    Case("event_erases", FORGET.replace(", salt = NULL", ""), erasing=RUNNING),
    Case("event_erases", FORGET.replace("salt = NULL", "salt = randomblob(16)"), erasing=RUNNING),
    Case("event_erases", "UPDATE event SET salt = randomblob(16) WHERE run = 2", erasing=RUNNING),
    Case("event_erases", "UPDATE event SET salt = zeroblob(50) WHERE run = 2", (FORGET,), erasing=RUNNING),
    Case("event_erases", "UPDATE event SET value_c = zeroblob(32) WHERE run = 2", erasing=RUNNING),
    Case("event_erases", "UPDATE event SET value = x'00' WHERE run = 2", erasing=RUNNING),
    Case("event_erases", "UPDATE event SET note = x'00' WHERE run = 2", erasing=RUNNING),
    Case("event_erases", "UPDATE event SET note = x'00' WHERE run = 2", (ROTATING,)),
    Case(
        "event_erases",
        "UPDATE event SET note = x'00' WHERE run = 2",
        ("UPDATE event SET salt = NULL WHERE run = 2",),
        erasing=RUNNING,
    ),
    Case("event_stays", "DELETE FROM event WHERE id = :ended_1"),
    Case("move_precedes", "INSERT INTO move VALUES (:running_2, 0, 'a', 20)"),
    Case("move_keeps", "UPDATE move SET at = 'b'", (MOVE,)),
    Case("move_stays", "DELETE FROM move", (MOVE,)),
    Case("value_follows", "INSERT INTO value (event, slot, body) VALUES (:running_2, 'note', x'00')"),
    Case("value_follows", "INSERT INTO value (event, slot, body) VALUES (:running_1, 'by', x'00')"),
    Case(
        "value_follows",
        "INSERT INTO value (event, slot, body) VALUES (:running_2, 'value', x'00')",
        ("UPDATE event SET salt = NULL WHERE run = 2", "DELETE FROM value", NEXT),
        erasing=RUNNING,
    ),
    Case("value_keeps", "UPDATE value SET body = x'00'"),
    Case("value_keeps", "UPDATE value SET slot = 'note'", (ROTATING,)),
    Case("value_stays", "DELETE FROM value"),
    Case("value_stays", "DELETE FROM value", erasing=RUNNING),
]
QUESTIONS = [
    Case("pause_opens", put(closed=event_id(RUNNING, 2), outcome="void")),
    Case("pause_opens", put(word="confirm", decided_us=1, decision_seal=HASH)),
    Case("pause_opens", put(due_us=101)),
    Case("pause_opens", put(event_id(RUNNING, 1))),
    Case("pause_opens", put(event_id(RUNNING, 3))),
    Case("pause_opens", put(event_id(ENDED, 2)) | {"run": RUNNING}),
    Case("pause_opens", put(workflow=2)),
    Case("pause_opens", put(pause_id="a:confirmation:0@2", put=2)),
    Case("pause_opens", again(turn="9")),
    Case("pause_opens", again(put=3), (CLOSE,)),
    Case("pause_opens", again(pause_id="b:confirmation:0@2"), (CLOSE,)),
    Case("pause_opens", again(), (CLOSE.replace("lapsed", "cancelled"),)),
    Case("pause_keeps", "UPDATE pause SET deadline_us = 200"),
    Case("pause_keeps", "UPDATE pause SET seen = zeroblob(32)"),
    Case("pause_erases", "UPDATE pause SET message = x'00'"),
    Case("pause_erases", "UPDATE pause SET message = NULL, message_c = zeroblob(32)", erasing=PARKED),
    Case("pause_lets_vote", "UPDATE pause SET voter_salt = NULL"),
    Case("pause_lets_vote", "UPDATE pause SET voter_salt = randomblob(16)"),
    Case("pause_extends", "UPDATE pause SET due_us = 200"),
    Case("pause_extends", "UPDATE pause SET due_us = NULL"),
    Case("pause_extends", "UPDATE pause SET due_us = 200", (EXTEND, CLOSE)),
    Case("pause_extends", "UPDATE pause SET due_us = 200", (EXTEND, EXTEND.replace("200", "300"))),
    Case("pause_decides", DECIDED, (CLOSE,)),
    Case("pause_decides", DECIDED.replace("word = 'confirm'", "word = 'edit'")),
    Case("pause_decides", DECIDED.replace("word = 'confirm'", "word = 'conf'")),
    Case("pause_decides", DECIDED.replace("word = 'confirm'", "word = 'confirm\nreject'")),
    Case("pause_decides", DECIDED.replace("decided_us = 50", "decided_us = 100")),
    Case("pause_decided", "UPDATE pause SET word = 'reject' WHERE id = 1", (DECIDED,)),
    Case("pause_decided", "UPDATE pause SET decided_us = 51", (DECIDED,)),
    Case("pause_forgets", "UPDATE pause SET comment = x'00'", (DECIDED,)),
    Case("pause_forgets", "UPDATE pause SET comment = NULL, comment_c = zeroblob(32)", (DECIDED,), erasing=PARKED),
    Case("pause_closes", "UPDATE pause SET outcome = 'void' WHERE id = 1", (CLOSE,)),
    Case("pause_closes", "UPDATE pause SET closed = NULL, outcome = NULL WHERE id = 1", (CLOSE,)),
    Case("pause_closes", CLOSE.replace(":parked_1", ":parked_2")),
    Case("pause_closes", CLOSE.replace(":parked_1", ":running_2")),
    Case("pause_closes", CLOSE.replace("lapsed", "expired"), (DECIDED,)),
    Case("pause_stays", "DELETE FROM pause"),
    Case("act_follows", VOTE, (CLOSE,)),
    Case("act_follows", VOTE.replace("zeroblob(32), 0", "zeroblob(32), 1")),
    Case("act_keeps", "UPDATE act SET word = 'reject' WHERE id = 1"),
    Case("act_counts", "UPDATE act SET times = 2 WHERE id = 1"),
    Case("act_counts", "UPDATE act SET times = 1 WHERE id = 2", ("UPDATE act SET times = 2 WHERE id = 2",)),
    Case("act_erases", 'UPDATE act SET "by" = NULL, by_c = zeroblob(32), salt = NULL WHERE id = 1'),
    Case("act_erases", 'UPDATE act SET "by" = NULL, by_c = zeroblob(32) WHERE id = 1', erasing=PARKED),
    Case("act_stays", "DELETE FROM act WHERE id = 1"),
]
ENDS = [
    Case("tombstone_fits", TOMB.replace("SELECT 3, 'ended'", "SELECT 2, 'running'").replace("run = 3", "run = 2")),
    Case("tombstone_fits", TOMB.replace("head, 1, 9", "zeroblob(32), 1, 9")),
    Case("tombstone_fits", TOMB, ("UPDATE delivery SET done_us = NULL",)),
    Case("tombstone_fits", TOMB, ("DELETE FROM delivery",)),
    Case("tombstone_fits", TOMB, ("UPDATE hot SET owner = 'me' WHERE run = 3",)),
    Case("tombstone_keeps", "UPDATE tombstone SET head = zeroblob(32)", buried=True),
    Case("tombstone_erases", "UPDATE tombstone SET \"by\" = x'00'", buried=True),
    Case("tombstone_stays", "DELETE FROM tombstone", buried=True),
    Case("erasure_orders", "INSERT INTO erasure (run, what, time_us, done_us, seal) VALUES (2, 'x', 1, 2, zeroblob(32))"),
    Case("erasure_orders", "INSERT INTO erasure (run, what, time_us, seal) VALUES (9, 'x', 1, zeroblob(32))"),
    Case("erasure_keeps", "UPDATE erasure SET what = 'less'", erasing=RUNNING),
    Case("erasure_ends", "UPDATE erasure SET done_us = NULL", ("UPDATE erasure SET done_us = 5",), erasing=RUNNING),
    Case("erasure_erases", "UPDATE erasure SET reason = x'00'", erasing=RUNNING),
    Case("erasure_stays", "DELETE FROM erasure", erasing=RUNNING),
    Case("leaf_follows", "INSERT INTO leaf VALUES (4, 'begun', 2, 'running', 0, zeroblob(32), zeroblob(32))"),
    Case("leaf_follows", "INSERT INTO leaf VALUES (3, 'begun', 2, 'other', 0, zeroblob(32), zeroblob(32))"),
    Case(
        "leaf_follows", "INSERT INTO leaf SELECT 3, 'ended', 2, 'running', 1, hash, zeroblob(32) FROM event WHERE id = :running_1"
    ),
    Case("leaf_follows", "INSERT INTO leaf VALUES (3, 'ended', 3, 'ended', 1, zeroblob(32), zeroblob(32))"),
    Case("leaf_keeps", "UPDATE leaf SET hash = zeroblob(32)"),
    Case("leaf_stays", "DELETE FROM leaf WHERE number = 2"),
]
CASES = [*NAMES_AND_RUNS, *JOURNAL, *QUESTIONS, *ENDS]
REPLACED = [
    Case("store_stays", "REPLACE INTO store (one, uuid, created_us, version) VALUES (1, zeroblob(16), 1, 3)"),
    Case("start_key_stays", "REPLACE INTO start_key VALUES (1, 'key of parked', 'x')"),
    Case("hot_stays", f"REPLACE {HOT}".replace(":run", "2")),
]
"""REPLACE is SQLite's own: it deletes what it meets."""


def prepare(file: Connection, case: Case) -> None:
    """What comes before the statement of a case, and is allowed. It is one transaction: what is deferred need not hold yet."""
    if case.erasing is not None:
        order(file, case.erasing)
    if case.buried:
        bury(file)
    file.execute("BEGIN")
    for statement in case.before:
        execute(file, statement)


# -- erasing: one rule for each body of each table ---------------------------------------------------------------------------------

ACTED = """INSERT INTO act (id, pause, kind, round, time_us, roles, seal, salt, "by", login, delegate, answer, comment)
VALUES (7, 1, 'void', 0, 1, '', zeroblob(32), zeroblob(16), x'01', x'01', x'01', x'01', x'01')"""
NOTED = """INSERT INTO event (id, run, boundary, epoch, shape, seq, time_us, hash, salt, "by", note, value)
VALUES (:running_3, 2, 3, 1, 13, 6, 1, zeroblob(32), zeroblob(16), x'01', x'01', x'01')"""


class Erasable(NamedTuple):
    """A row with bodies: how it is told and made, its run, and where its salt lies. The commitment of `x` is `x_c`."""

    trigger: str
    where: str
    run: int
    bodies: tuple[str, ...]
    before: str = ""
    salt: str = "salt"


ERASABLE = [
    Erasable("run_erases", "run WHERE id = 2", RUNNING, ("session", "user_id", "requester", "input", "additional", "metadata")),
    Erasable("event_erases", "event WHERE id = :running_3", RUNNING, ("by", "note", "value"), NOTED),
    Erasable("pause_erases", "pause WHERE id = 1", PARKED, ("message", "form", "choices", "names")),
    Erasable("pause_forgets", "pause WHERE id = 1", PARKED, ("answer", "by", "login", "comment"), DECIDED, "decision_salt"),
    Erasable("act_erases", "act WHERE id = 7", PARKED, ("by", "login", "delegate", "answer", "comment"), ACTED),
    Erasable("hot_erases", "hot WHERE run = 2", RUNNING, ("cancel_by",), CANCEL, "cancel_salt"),
    Erasable("tombstone_erases", "tombstone WHERE run = 3", ENDED, ("by",)),
    Erasable("erasure_erases", "erasure WHERE run = 1", PARKED, ("by", "reason")),
]
RULES = [
    ("leaves the commitment", "B = NULL, S = NULL", ""),
    ("takes the salt along", "B = NULL, C = zeroblob(32)", ""),
    ("takes the salt along", "B = NULL, C = zeroblob(32), S = randomblob(16)", ""),
    ("a salt is never replaced", "S = randomblob(16)", ""),
    ("a salt is never replaced", "S = zeroblob(60)", "S = NULL"),
    ("takes the place of a body", "C = zeroblob(32)", ""),
    ("takes the place of a body", "C = randomblob(32)", "B = NULL, C = zeroblob(32), S = NULL"),
    ("takes the place of a body", "C = NULL", "B = NULL, C = zeroblob(32), S = zeroblob(60)"),
    ("the erased stays erased", "B = V", "B = NULL, C = zeroblob(32), S = NULL"),
    ("enciphered anew", "B = V", ""),
    ("enciphered anew", "B = V", "S = NULL"),
]
"""What is refused under an erasure in force, what is changed and what before that; B is a body, C its commitment, S the salt, V another value."""


def change(row: Erasable, body: str, what: str) -> str:
    """The statement that changes a body, its commitment or the salt."""
    table, where = row.where.split(" ", 1)
    other = {"session": "2", "user_id": "'bob'"}.get(body, "x'02'")
    words = {"B": f'"{body}"', "C": f"{body.removesuffix('_id')}_c", "S": row.salt, "V": other}
    return f"UPDATE {table} SET {''.join(words.get(each, each) if alone else each for each, alone in letters(what))} {where}"  # noqa: S608  # from above


def letters(what: str) -> list[tuple[str, bool]]:
    """The characters of a change, and whether each is a word of its own."""
    padded = f" {what} "
    return [(padded[i], not padded[i - 1].isalnum() and not padded[i + 1].isalnum()) for i in range(1, len(padded) - 1)]


def made(file: Connection, row: Erasable) -> None:
    """Make the row, where the file does not have it yet."""
    if row.before:
        execute(file, row.before)
    if row.trigger == "tombstone_erases":
        bury(file)
    if row.trigger == "erasure_erases":
        order(file, row.run)


# -- columns and constraints: what changes alone, and what no row is -----------------------------------------------------------------

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

REFUSED = [
    "INSERT INTO store (one, uuid, created_us, version) VALUES (2, zeroblob(16), 1, 3)",
    "INSERT INTO store (one, uuid, created_us, version) VALUES (1, zeroblob(16), 1, 3)",
    "INSERT INTO event (id, run, boundary, epoch, shape, seq, time_us, hash) VALUES (:running_3, 2, 3, 1, 99, 6, 1, zeroblob(32))",
    "INSERT INTO event (id, run, boundary, epoch, shape, seq, time_us, hash) VALUES (:running_3, 1, 3, 1, 13, 6, 1, zeroblob(32))",
    "INSERT INTO event (id, run, boundary, epoch, shape, seq, time_us, hash) VALUES (:running_3, 2, 3, 1, 13, 6, 1, x'00')",
    "INSERT INTO event (id, run, boundary, epoch, shape, seq, time_us, hash) VALUES (:running_3, 2, 3, 1, 13, 6, 1, 'text')",
    "INSERT INTO start_key VALUES (1, '', 'x')",
    "INSERT INTO start_key VALUES (1, :long, 'x')",
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
]
"""Statements that constraints refuse, not triggers."""
