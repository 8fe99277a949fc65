"""A file of format 3 with three runs in it: one waits for a person, one runs, one has ended. Made by statements, past the store."""

from __future__ import annotations

import sqlite3
from typing import Any, Protocol

from statecore.stores.rules import LEGAL
from statecore.stores.sql.link import shipped
from statecore.stores.sqlite.opening import statements

SCRIPTS = ("schema-3.sql", "schema-3-guards.sql", "schema-3-erasing.sql")
PRAGMAS = (
    "page_size = 4096",
    "auto_vacuum = 0",
    "encoding = 'UTF-8'",
    "foreign_keys = 1",
    "recursive_triggers = 1",
    "secure_delete = 1",
)

PARKED, RUNNING, ENDED = 1, 2, 3
"""The numbers of the three runs."""

START, PARK, STEP, FINISH, RESUME, FAIL = 11, 12, 13, 14, 15, 16
"""The numbers of the shapes."""

SALT, HASH = b"s" * 16, b"h" * 32


class Connection(Protocol):
    """What executes statements in the SQL of SQLite: a connection to it, or to Postgres by `tests.postgres.format3`."""

    def execute(self, statement: str, values: Any = ..., /) -> Any:
        """Execute a statement with its values, by place or by name."""

    def executemany(self, statement: str, values: Any, /) -> Any:
        """Execute a statement with each of several lists of values."""


def event_id(run: int, number: int) -> int:
    """The id of an event."""
    return run << 24 | number


NAMES: dict[str, Any] = {
    f"{name}_{number}": run << 24 | number for name, run in (("parked", 1), ("running", 2), ("ended", 3)) for number in range(1, 6)
} | {"long": "x" * 1_025}
"""The ids of events by name: statements name them, `:running_3`; and a key that is too long."""


def execute(connection: Connection, statement: str | dict[str, Any]) -> int:
    """Execute a statement, or put a question; how many rows it changed."""
    if isinstance(statement, dict):
        insert(connection, "pause", **statement)
        return 1
    return connection.execute(statement, NAMES).rowcount


def hash_of(run: int, number: int) -> bytes:
    """The hash of an event, as it may be."""
    return bytes([run % 256, number]) * 16


def tables() -> sqlite3.Connection:
    """An empty file of format 3."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA trusted_schema = 0")
    for script in SCRIPTS:
        for statement in statements(shipped("statecore.stores.sqlite", script)):
            connection.execute(statement)
    return connection


def insert(connection: Connection, table: str, **values: Any) -> int:
    """Insert a row; its rowid."""
    columns = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" * len(values))
    return connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values.values())).lastrowid or 0  # noqa: S608  # names are the tests' own


def legal(connection: Connection, *move: str) -> int:
    """The id of a row of a lifecycle."""
    query = 'SELECT id FROM legal WHERE (machine, source, "trigger", dest) = (?, ?, ?, ?)'
    return int(connection.execute(query, move).fetchone()[0])


def shape(connection: Connection, number: int, *moves: tuple[str, str, str, str, str]) -> None:
    """Intern a list of moves."""
    connection.execute("BEGIN")
    for k, (at, *move) in enumerate(moves):
        insert(connection, "shape_move", shape=number, k=k, at=at, legal=legal(connection, *move))
    own = [move for move in moves if move[0] == ""]
    ends = {"begins": own[0][2], "ends": own[-1][4]} if own else {}
    insert(connection, "shape", id=number, digest=bytes([number]) * 32, moves=len(moves), **ends)
    connection.execute("COMMIT")


def begin(connection: Connection, run_id: str) -> int:
    """Begin a run, owned and of epoch 1, without an event."""
    bodies = {"input": b"in", "additional": b"{}", "metadata": b"{}", "salt": SALT}
    run = insert(
        connection, "run", run_id=run_id, workflow=1, workflow_name="w", session=1, user_id="ada", requester=b"ada", created_us=1,
        definition=1, rules=1, start_key=f"key of {run_id}", seal=HASH, **bodies,
    )  # fmt: skip
    insert(connection, "start_key", workflow=1, key=f"key of {run_id}", run_id=run_id)
    insert(
        connection, "hot", run=run, workflow=1, phase="pending", claim_order=run, owner="me", epoch=1, lease_us=9, definition=1, number=0,
        head=HASH, state="[]", held="{}", updated_us=1, seal=HASH, session=1,
    )  # fmt: skip
    return run


def append(connection: Connection, run: int, number: int, moves: int | None, **values: Any) -> int:
    """Append an event, which is a boundary of its own unless another one is said."""
    before = (
        connection.execute("SELECT max(seq) FROM event WHERE id < ? AND run = ?", (event_id(run, number), run)).fetchone()[0] or 0
    )
    listed = "SELECT max(moves) FROM shape WHERE id = ?1 UNION ALL SELECT count(*) FROM move WHERE event = ?2"
    [(shaped,), (unshaped,)] = connection.execute(listed, (moves, event_id(run, number))).fetchall()
    row = {"id": event_id(run, number), "run": run, "boundary": number, "epoch": 1, "shape": moves, "time_us": number, "salt": SALT}
    row["seq"] = before + (shaped or unshaped)
    return insert(connection, "event", **row | {"hash": values.get("hash") or hash_of(run, number)} | values)


def question(run: int, opened: int, **values: Any) -> dict[str, Any]:
    """The row of a question."""
    row: dict[str, Any] = {
        "run": run, "workflow": 1, "pause_id": "a:confirmation:0", "question_id": f"q_{run}", "put": 1, "kind": "confirmation", "at": "a",
        "turn": "", "attempt": 0, "step_name": "a", "words": "confirm\nreject", "max_bytes": 100, "message": b"?", "form": b"f",
        "choices": b"c", "names": b"n", "shown": b"s", "shown_c": HASH, "salt": SALT, "voter_salt": SALT, "seen": HASH, "meanings": b"m",
        "opened": event_id(run, opened), "opened_us": 5, "deadline_us": 100, "due_us": 100, "on_timeout": "cancel", "seal": HASH,
    }  # fmt: skip
    return row | values


DECIDED = """UPDATE pause SET word = 'confirm', decided_us = 50, answer = x'61', "by" = x'62', login = x'63', comment = x'64',
decision_salt = zeroblob(16), via = 'declared', key = 'k', decided_seen = seen, meaning = seen, decision_seal = seal WHERE id = 1"""


def filled() -> sqlite3.Connection:
    """The file with its three runs."""
    connection = tables()
    fill(connection)
    return connection


def fill(connection: Connection) -> None:
    """Put the three runs into empty tables."""
    insert(connection, "store", one=1, uuid=bytes(16), created_us=1, version=3)
    insert(connection, "workflow", id=1, workflow_id="w")
    insert(connection, "workflow", id=2, workflow_id="other")
    insert(connection, "session", id=1, session_id="s")
    insert(connection, "session", id=2, session_id="unused")
    insert(connection, "definition", id=1, fingerprint="f", canonical="{}")
    connection.executemany('INSERT INTO legal (machine, source, "trigger", dest) VALUES (?, ?, ?, ?)', LEGAL)
    start, done = ("", "run", "pending", "start", "running"), ("a", "step", "running", "succeed", "completed")
    shape(connection, START, start, ("a", "step", "pending", "enter", "running"))
    shape(
        connection,
        PARK,
        start,
        ("a", "step", "pending", "enter", "awaiting_confirmation"),
        ("", "run", "running", "pause", "paused"),
    )
    shape(connection, STEP, done, ("b", "step", "pending", "enter", "running"))
    shape(connection, FINISH, done, ("", "run", "running", "finish", "completed"))
    shape(
        connection, RESUME, ("", "run", "paused", "resume", "running"), ("a", "step", "awaiting_confirmation", "confirm", "running")
    )
    shape(connection, FAIL, ("a", "step", "running", "fail", "failed"), ("", "run", "running", "fail", "failed"))

    begin(connection, "parked")
    append(connection, PARKED, 1, PARK)
    insert(connection, "pause", **question(PARKED, 1))
    insert(connection, "audience", who="role:finance", pause=1, since_us=0)
    insert(
        connection,
        "act",
        id=1,
        pause=1,
        kind="vote",
        word="confirm",
        voter=HASH,
        round=0,
        time_us=6,
        roles="",
        seal=HASH,
        by=b"x",
        salt=SALT,
    )
    insert(connection, "act", id=2, pause=1, kind="refusal", round=0, time_us=6, roles="", seal=HASH)
    connection.execute("UPDATE hot SET owner = NULL, wake_us = 100 WHERE run = ?", (PARKED,))

    begin(connection, "running")
    append(connection, RUNNING, 1, START)
    append(connection, RUNNING, 2, STEP, by=b"ada", note=b"note", value_c=HASH, session=HASH)
    insert(connection, "value", event=event_id(RUNNING, 2), slot="value", body=b"v" * 5_000)
    insert(
        connection,
        "session_value",
        run=RUNNING,
        session=1,
        workflow=1,
        key="k",
        event=event_id(RUNNING, 2),
        body=b"1",
        salt=SALT,
        c=HASH,
    )

    begin(connection, "ended")
    append(connection, ENDED, 1, START)
    append(connection, ENDED, 2, FINISH)
    connection.execute("UPDATE hot SET owner = NULL, ended_us = 9 WHERE run = ?", (ENDED,))
    insert(connection, "notice", run=ENDED, event="ended", n=0, due_us=9)
    insert(connection, "delivery", notice=1, channel="mail", done_us=10)
    for number, kind, event, digest in ((1, "begun", 0, HASH), (2, "ended", 2, hash_of(ENDED, 2))):
        insert(connection, "leaf", number=number, kind=kind, run=ENDED, run_id="ended", event=event, digest=digest, hash=HASH)


def order(connection: Connection, run: int) -> int:
    """Order an erasure."""
    return insert(connection, "erasure", run=run, what="all", by=b"op", reason=b"asked", salt=SALT, time_us=1, seal=HASH)


def bury(connection: Connection, run: int = ENDED) -> int:
    """Set a tombstone."""
    return insert(
        connection, "tombstone", run=run, run_id="ended", workflow=1, identity=HASH, phase="completed", number=2, head=hash_of(run, 2),
        created_us=1, ended_us=9, purged_us=99, by=b"op", salt=SALT, seal=HASH,
    )  # fmt: skip
