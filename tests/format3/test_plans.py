"""No statement that a store of format 3 needs looks through a table, and no deleted row makes the file look for what refers to it."""

from __future__ import annotations

import re

import pytest

from tests.format3.tables import filled


@pytest.fixture
def file():
    """The file with its three runs."""
    connection = filled()
    yield connection
    connection.close()


PLANS = {
    "a plain step": (
        """INSERT INTO event (id, run, boundary, epoch, shape, seq, time_us, value, salt, hash) SELECT :id, hot.run, 2, hot.epoch, 13, 2, 1, NULL, NULL,
        zeroblob(32) FROM hot, store WHERE hot.run = 2 AND hot.epoch = 1 AND hot.cancel_us IS NULL AND store.version = 3""",
        [
            "hot: INTEGER PRIMARY KEY",
            "store: SCAN",
            "move: PRIMARY KEY",
            "value: sqlite_autoindex_value_1",
        ],  # what waits for the event
    ),
    "the poll": (
        "SELECT run FROM hot WHERE workflow = 1 AND wake_us <= 5 AND owner IS NULL ORDER BY wake_us LIMIT 1",
        ["hot: hot_wake"],
    ),
    "free runs": (
        "SELECT run FROM hot WHERE workflow = 1 AND wake_us = 0 AND owner IS NULL ORDER BY claim_order LIMIT 9",
        ["hot: hot_wake"],
    ),
    "leases that are over": (
        "SELECT run FROM hot WHERE workflow = 1 AND owner IS NOT NULL AND lease_us < 5 ORDER BY lease_us",
        ["hot: hot_owned"],
    ),
    "runs of a phase": (
        "SELECT run FROM hot WHERE phase = 'paused' AND run < 9 ORDER BY run DESC LIMIT 50",
        ["hot: hot_phase"],
    ),
    "runs of a workflow in a phase": (
        "SELECT run FROM hot WHERE workflow = 1 AND phase = 'failed' AND run < 9 ORDER BY run DESC LIMIT 50",
        ["hot: hot_workflow_phase"],
    ),
    "ended before": ("SELECT run FROM hot WHERE ended_us < 5 ORDER BY ended_us, run LIMIT 50", ["hot: hot_ended"]),
    "all runs": ("SELECT id FROM run WHERE id < 9 ORDER BY id DESC LIMIT 50", ["run: INTEGER PRIMARY KEY"]),
    "runs of a session": ("SELECT id FROM run WHERE session = 1 AND id < 9 ORDER BY id DESC LIMIT 50", ["run: run_session"]),
    "runs of a workflow": ("SELECT id FROM run WHERE workflow = 1 AND id < 9 ORDER BY id DESC LIMIT 50", ["run: run_workflow"]),
    "runs of a user": ("SELECT id FROM run WHERE user_id = 'ada' AND id < 9 ORDER BY id DESC LIMIT 50", ["run: run_user"]),
    "runs by the beginning of an id": (
        "SELECT id FROM run WHERE run_id >= 'ab' AND run_id < 'ac'",
        ["run: sqlite_autoindex_run_1"],
    ),
    "a start by its key": ("SELECT run_id FROM start_key WHERE workflow = 1 AND key = 'k'", ["start_key: PRIMARY KEY"]),
    "events to replay": ("SELECT * FROM event WHERE id > 5 AND id <= 9 ORDER BY id", ["event: INTEGER PRIMARY KEY"]),
    "the last event": ("SELECT max(id) FROM event WHERE id BETWEEN 5 AND 9", ["event: INTEGER PRIMARY KEY"]),
    "the moves of a shape": (
        "SELECT m.at, l.machine FROM shape_move m JOIN legal l ON l.id = m.legal WHERE m.shape = 11 ORDER BY m.k",
        ["m: PRIMARY KEY", "l: INTEGER PRIMARY KEY"],
    ),
    "the moves of an event": ("SELECT at, legal FROM move WHERE event = 5 ORDER BY k", ["move: PRIMARY KEY"]),
    "a larger value": ("SELECT body FROM value WHERE event = 5 AND slot = 'value'", ["value: sqlite_autoindex_value_1"]),
    "the questions of a run": ("SELECT * FROM pause WHERE run = 1", ["pause: sqlite_autoindex_pause_2"]),
    "the open questions of a run": ("SELECT * FROM pause WHERE run = 1 AND closed IS NULL", ["pause: pause_open"]),
    "a question by its short id": ("SELECT * FROM pause WHERE question_id = 'q'", ["pause: sqlite_autoindex_pause_1"]),
    "the inbox": (
        "SELECT id FROM pause WHERE closed IS NULL AND word IS NULL AND (opened_us, run, id) > (1, 1, 1) ORDER BY opened_us, run, id LIMIT 50",
        ["pause: pause_inbox"],
    ),
    "the inbox of a workflow": (
        (
            "SELECT id FROM pause WHERE closed IS NULL AND word IS NULL AND workflow = 1 AND (opened_us, run, id) > (1, 1, 1) "
            "ORDER BY opened_us, run, id LIMIT 50"
        ),
        ["pause: pause_inbox_of"],
    ),
    "what is decided": (
        "SELECT id FROM pause WHERE closed IS NULL AND word IS NOT NULL AND workflow = 1 ORDER BY opened_us, run, id LIMIT 50",
        ["pause: pause_waits"],
    ),
    "what is decided in all workflows": (
        "SELECT id FROM pause WHERE closed IS NULL AND word IS NOT NULL ORDER BY opened_us, run, id LIMIT 50",
        ["pause: pause_answered"],
    ),
    "the run of a session that was claimed last": (
        "SELECT run FROM hot WHERE session = 1 AND workflow = 1 ORDER BY claim_order DESC LIMIT 1",
        ["hot: hot_session"],
    ),
    "what is due": (
        "SELECT id FROM pause WHERE closed IS NULL AND word IS NULL AND due_us < 9 ORDER BY due_us, run, id LIMIT 50",
        ["pause: pause_due"],
    ),
    "a decision by its key": ("SELECT id FROM pause WHERE run = 1 AND key = 'k'", ["pause: pause_key"]),
    "mine": (
        "SELECT p.id FROM audience a JOIN pause p ON p.id = a.pause WHERE a.who = 'role:x' AND a.since_us <= 9 AND p.closed IS NULL",
        ["a: PRIMARY KEY", "p: INTEGER PRIMARY KEY"],
    ),
    "the acts of a question": ("SELECT * FROM act WHERE pause = 1 ORDER BY id", ["act: act_pause"]),
    "the vote of a voter": (
        "SELECT id FROM act WHERE pause = 1 AND voter = x'00' AND kind = 'vote' ORDER BY round DESC LIMIT 1",
        ["act: act_vote"],
    ),
    "notices that are due": ("SELECT id FROM notice WHERE due_us <= 9 ORDER BY due_us, id LIMIT 20", ["notice: notice_due"]),
    "deliveries to be tried": ("SELECT * FROM delivery WHERE done_us IS NULL AND next_us <= 9", ["delivery: delivery_next"]),
    "the session state of a run": (
        "SELECT key, body FROM session_value WHERE run = 1",
        ["session_value: sqlite_autoindex_session_value_1"],
    ),
    "an erasure in force": ("SELECT 1 FROM erasure WHERE run = 1 AND done_us IS NULL", ["erasure: erasure_open"]),
    "the erasures of a run": ("SELECT * FROM erasure WHERE run = 1", ["erasure: erasure_run"]),
    "the leaves of a run": ("SELECT * FROM leaf WHERE run = 1", ["leaf: sqlite_autoindex_leaf_1"]),
    "the first n leaves": ("SELECT hash FROM leaf WHERE number <= 9 ORDER BY number", ["leaf: INTEGER PRIMARY KEY"]),
    "old tombstones": ("SELECT run FROM tombstone WHERE purged_us < 9", ["tombstone: tombstone_purged"]),
}
"""The statements that a store of format 3 needs, and by which index each table is read; `store` has one row."""


@pytest.mark.parametrize("name", PLANS)
def test_no_statement_scans(file, name):
    """Each statement reads each table by the index that was made for it, and sorts nothing."""
    statement, expected = PLANS[name]
    found = []
    for *_, detail in file.execute(f"EXPLAIN QUERY PLAN {statement}", {"id": 1} if ":id" in statement else ()):
        step = re.match(r"(SCAN|SEARCH) (\w+)(?: USING (?:COVERING )?(?:INDEX (\w+)|(INTEGER PRIMARY KEY|PRIMARY KEY)))?", detail)
        assert step is not None, detail
        found.append(f"{step[2]}: {step[3] or step[4] or step[1]}")
    assert sorted(found) == sorted(expected)


KEPT = {"workflow", "definition", "legal", "shape"}
"""What is never deleted: a reference to it needs no index."""


def test_each_reference_has_an_index(file):
    """Deleting a row looks for what refers to it by an index that begins with the reference: a purge scans nothing."""
    without = set()
    for (table,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall():
        leading = {row[1] for row in file.execute(f"PRAGMA table_info({table})") if row[5] == 1}
        for index in file.execute(f"PRAGMA index_list({table})").fetchall():
            if not index[4]:  # a partial index does not help
                leading.add(file.execute(f"PRAGMA index_info({index[1]})").fetchone()[2])
        without |= {
            (table, key[3], key[2])
            for key in file.execute(f"PRAGMA foreign_key_list({table})")
            if key[3] not in leading and key[2] not in KEPT
        }
    assert without == set()
