"""The statements of the stores in tables, as constants: what is read, what is written, and which columns a seal covers.

Values are bound, never put into a statement. A statement is written as SQLite takes it (see `link`); `rows` has the queries whose columns it
reads.
"""
# ruff: noqa: S608  # statements are put together of the constants here

from __future__ import annotations

from attrs import frozen

from statecore.lifecycles import words as w
from statecore.stores.rules import ENDED

from .rows import RECORD, WAITING

# -- reading -----------------------------------------------------------------------------------------------------------------------

OVER = ", ".join(f"'{phase}'" for phase in sorted(ENDED))
OPEN = f"p.closed IS NULL AND r.phase NOT IN ({OVER})"

# A plus keeps SQLite from using the index of a column: a session has few runs, so they are looked through in order; a workflow
# has too many to sort the pauses of them all.
RUN_COLUMNS = {"session_id": "r.session_id = ?", "workflow_id": "r.workflow_id = ?"}
SESSION_COLUMNS = RUN_COLUMNS | {"workflow_id": "+r.workflow_id = ?"}
PAUSE_COLUMNS = SESSION_COLUMNS | {"run_id": "r.run_id = ?", "step_name": "p.step_name = ?", "kind": "p.kind = ?"}
RECORD_OF_RUN = f"{RECORD} WHERE r.run_id = ?"
PAUSE_OF_RUN = f"{WAITING} WHERE p.run = ? AND p.pause_id = ?"
BY_OPEN = WAITING.replace("FROM pause p", "FROM pause p INDEXED BY pause_open")  # not the index of all that the run ever asked
OPEN_OF_RUN = f"{BY_OPEN} WHERE p.run = ? AND p.closed IS NULL ORDER BY p.id"
HEAD = """
SELECT r.seq, r.head, j.hash, r.phase FROM run r LEFT JOIN journal j ON j.run = r.id AND j.seq = r.seq WHERE r.run_id = ?"""
SESSION_STATE = """
SELECT text FROM session_state
WHERE run = (SELECT id FROM run WHERE session_id = ? AND +workflow_id = ? ORDER BY turned DESC LIMIT 1)"""

# -- writing -----------------------------------------------------------------------------------------------------------------------

LOCK = "/*pg FOR UPDATE*/"
"""What only Postgres needs stands in a comment (see `link`): SQLite has one writer at a time anyway."""

KEEP = "INSERT INTO value (hash, text) VALUES (?, ?) ON CONFLICT DO NOTHING"
FENCE = f"SELECT id, epoch, seq, head, phase, turned, cancel_by, cancel_requested, owner, lease FROM run WHERE run_id = ? {LOCK}"
NUMBER = f"SELECT id FROM run WHERE run_id = ? {LOCK}"
FREE = f"""
SELECT r.run_id FROM run r
WHERE +r.workflow_id = ? AND r.owner IS NULL AND +r.phase NOT IN ({OVER}) AND r.id IN (
  SELECT id FROM run WHERE workflow_id = ? AND phase IN ('{w.pending}', '{w.running}') AND owner IS NULL
  UNION ALL SELECT run FROM pause WHERE closed IS NULL AND decided IS NOT NULL
  UNION ALL SELECT run FROM pause WHERE closed IS NULL AND deadline <= ?
  UNION ALL SELECT id FROM run WHERE workflow_id = ? AND phase = '{w.paused}' AND cancel_requested IS NOT NULL)"""
HELD = f"""
SELECT r.run_id, r.owner, r.lease FROM run r
WHERE r.workflow_id = ? AND r.phase IN ('{w.pending}', '{w.running}', '{w.paused}') AND r.owner IS NOT NULL"""
STILL = "SELECT 1 FROM run WHERE run_id = ? AND owner = ? AND lease IS NOT DISTINCT FROM ? /*pg FOR UPDATE SKIP LOCKED*/"
APPEND = "INSERT INTO journal (run, seq, legal, at, turn, attempt, time, detail, value, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADVANCE = "UPDATE run SET state = ?, held = ?, updated = ?, lease = coalesce(?, lease) WHERE id = ?"
PARK = "UPDATE run SET state = ?, held = ?, updated = ?, owner = NULL, lease = NULL, claimed = ? WHERE id = ?"
TURN = "SELECT coalesce(max(turned), 0) + 1 FROM run"
SETTLE = """
UPDATE run SET state = ?, held = ?, updated = ?, owner = ?, lease = ?, epoch = ?, turned = ?, claimed = ? WHERE id = ?"""
BEGIN = """
INSERT INTO run (run_id, workflow_id, workflow_name, session_id, user_id, created, input, additional_data, metadata, definition, rules,
  start_key, seal, owner, lease, turned, claimed, updated, state, phase, head, epoch, held, seq)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, '[]', 0) RETURNING id"""
CLAIM = "UPDATE run SET owner = ?, lease = ?, epoch = ?, turned = ?, claimed = ?, updated = ? WHERE id = ?"
DEFINED = "SELECT id FROM definition WHERE fingerprint = ?"
DEFINE = "INSERT INTO definition (fingerprint, canonical) VALUES (?, ?) ON CONFLICT DO NOTHING"
ADOPT = "UPDATE run SET definition = (SELECT id FROM definition WHERE fingerprint = ?) WHERE id = ?"
ASK = """
INSERT INTO pause (run, pause_id, kind, at, turn, attempt, step_name, message, opened, detail, deadline, on_timeout, seal)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
DECIDE = 'INSERT INTO decision (run, pause_id, word, time, value, "by", comment, "key", seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'
USED = """
SELECT d.pause_id, d.word, d.time, v.text, d."by", d.comment, d."key"
FROM decision d LEFT JOIN value v ON v.hash = d.value WHERE d.run = ? AND d."key" = ?"""
CLAIMED = "SELECT owner, epoch, turned, cancel_by, cancel_requested FROM run WHERE id = ?"

# -- seals: a SHA-256 in each row that no chain covers, over its columns; it finds damage and carelessness, not malice ---------------


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
