"""Seals: a SHA-256 in each row that no chain covers, over its columns. `SEALED` says which columns, for whoever checks or mends them.

Nobody is kept from writing a seal of his own: a seal finds damage and carelessness, not malice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from statecore.stores.rules import digest, seal

if TYPE_CHECKING:
    import sqlite3


@frozen
class Seal:
    """One kind of seal: where it lies, and the query for each row's key, the seal, and the columns under it."""

    table: str
    column: str
    key: str
    query: str


SEALED = (
    Seal(
        "run",
        "seal",
        "id",
        "SELECT r.id, r.seal, r.run_id, r.workflow_id, r.workflow_name, r.session_id, r.user_id, r.created, r.input, r.additional_data, "
        "r.metadata, d.fingerprint, r.rules, r.start_key FROM run r LEFT JOIN definition d ON d.id = r.definition",
    ),
    Seal(
        "run",
        "claimed",
        "id",
        "SELECT r.id, r.claimed, r.owner, r.epoch, r.turned, r.cancel_by, r.cancel_requested FROM run r",
    ),
    Seal(
        "pause",
        "seal",
        "id",
        "SELECT p.id, p.seal, r.run_id, p.pause_id, p.kind, p.at, p.turn, p.attempt, p.step_name, p.message, p.opened, p.detail, "
        "p.deadline, p.on_timeout FROM pause p LEFT JOIN run r ON r.id = p.run",
    ),
    Seal(
        "decision",
        "seal",
        "(run, pause_id)",
        'SELECT p.id, d.seal, r.run_id, d.pause_id, d.word, d.time, d.value, d."by", d.comment, d."key" '
        "FROM decision d LEFT JOIN run r ON r.id = d.run LEFT JOIN pause p ON p.run = d.run AND p.pause_id = d.pause_id",
    ),
)


def seal_all(connection: sqlite3.Connection) -> None:
    """Seal every row as it stands, inside the caller's transaction: what a migration finds is what it trusts."""
    for each in SEALED:
        rows = [(seal(*columns), number) for number, _, *columns in connection.execute(each.query)]
        if each.table == "decision":
            connection.execute("DROP TRIGGER decision_keeps")
            connection.executemany(
                "UPDATE decision SET seal = ?1 WHERE (run, pause_id) = (SELECT run, pause_id FROM pause WHERE id = ?2)", rows
            )
            connection.execute(KEEPS)
        else:
            connection.executemany(f"UPDATE {each.table} SET {each.column} = ? WHERE {each.key} = ?", rows)  # noqa: S608  # from above
    connection.execute(
        "UPDATE pause SET decided = (SELECT time FROM decision d WHERE d.run = pause.run AND d.pause_id = pause.pause_id)"
    )
    texts = connection.execute("SELECT run, text FROM session_state").fetchall()
    connection.executemany("UPDATE session_state SET hash = ? WHERE run = ?", [(digest(text), number) for number, text in texts])


KEEPS = """CREATE TRIGGER decision_keeps BEFORE UPDATE ON decision
BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END"""
