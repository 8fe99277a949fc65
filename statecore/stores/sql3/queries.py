"""The statements of format 3, as constants. Values are bound, never put into a statement; a statement is written as SQLite takes it (`sql.link`)."""
# ruff: noqa: S608  # statements are put together of the constants here

from __future__ import annotations

from statecore.lifecycles import words as w
from statecore.stores.rules import ENDED

VERSION = 3
OVER = ", ".join(f"'{phase}'" for phase in sorted(ENDED))
LAST_EVENT = "(SELECT max(id) FROM event WHERE id BETWEEN r.id << 24 AND (r.id << 24) + 16777215)"
"""The id of the last event of a run; NULL before the first."""

# -- reading -----------------------------------------------------------------------------------------------------------------------

RECORD = """
SELECT r.id, r.run_id, f.workflow_id, r.workflow_name, s.session_id, r.user_id, r.created_us, r.input, r.additional, r.metadata, r.salt,
  b.fingerprint, r.workflow_version, r.rules, r.start_key, r.seal, h.phase, h.claim_order, h.owner, h.epoch, h.lease_us, d.fingerprint,
  h.number, h.head, h.state, h.held, h.updated_us, h.ended_us, h.seal, h.cancel_us, h.cancel_by, h.cancel_salt, h.cancel_seal, e.seq, e.hash,
  r.session_c, r.user_c, r.input_c, r.additional_c, r.metadata_c, h.cancel_by_c, r.requester,
  r.requester_c, h.kid
FROM run r JOIN hot h ON h.run = r.id LEFT JOIN workflow f ON f.id = r.workflow LEFT JOIN session s ON s.id = r.session
LEFT JOIN definition b ON b.id = r.definition LEFT JOIN definition d ON d.id = h.definition
LEFT JOIN event e ON e.id = (r.id << 24) + h.number"""
RECORD_OF_RUN = f"{RECORD} WHERE r.run_id = ?"

EVENTS = """
SELECT e.id, e.boundary, e.epoch, e.shape, e.place, e.seq, e.time_us, e.fact, e."by", e.note, e.value, e.salt, e.by_c, e.note_c, e.value_c,
  e.session, e.hash
FROM event e WHERE e.id > ? AND e.id <= ? ORDER BY e.id"""
VALUE = "SELECT body FROM value WHERE event = ? AND slot = ?"
AT = "SELECT seq, hash FROM event WHERE id = ?"
NUMBER = "SELECT r.id FROM run r JOIN hot h ON h.run = r.id WHERE r.run_id = ?"
"""The number of a run; a run that is being purged has lost its row of `hot`, and is not there for a reader."""
ENDS = f"SELECT r.id, {LAST_EVENT}, r.seal FROM run r JOIN hot h ON h.run = r.id WHERE r.run_id = ?"
PURGED = "SELECT purged_us FROM tombstone WHERE run_id = ?"

WAITING = """
SELECT p.id, r.run_id, p.pause_id, p.put, p.kind, p.at, p.turn, p.attempt, p.step_name, p.words, p.max_bytes, p.message, p.form, p.salt,
  p.opened, p.opened_us, p.deadline_us, p.on_timeout, p.seal, p.word, p.decided_us, p.answer, p."by", p.comment, p.key, p.decision_salt,
  p.decision_seal, p.closed, p.outcome, e.time_us, f.workflow_id, r.workflow_name, s.session_id, p.login, p.via,
  p.seen, p.meanings, p.decided_seen, p.meaning, p.message_c, p.form_c, p.answer_c, p.by_c, p.login_c, p.comment_c,
  p.rule, p.names, p.names_c, r.requester, r.requester_c, r.user_id, p.last_act,
  (SELECT a.seal FROM act a WHERE a.id = p.last_act)
FROM pause p JOIN run r ON r.id = p.run JOIN hot h ON h.run = p.run LEFT JOIN workflow f ON f.id = r.workflow
LEFT JOIN session s ON s.id = r.session LEFT JOIN event e ON e.id = p.closed"""
PAUSE_OF_RUN = f"{WAITING} WHERE p.run = ? AND p.pause_id = ?"
QUESTION = f"{WAITING} WHERE p.question_id = ?"
PAST = f"{WAITING} WHERE p.id < ? AND (p.closed IS NOT NULL OR p.word IS NOT NULL) ORDER BY p.id DESC LIMIT ?"
"""Questions that are decided or closed, the one put last first: the order of their numbers, so that no index is needed."""
OPEN_OF_RUN = f"{WAITING} WHERE p.run = ? AND p.closed IS NULL ORDER BY p.id"
DECIDED_AND_OPEN = f"{WAITING} WHERE p.run = ? AND p.closed IS NULL AND p.word IS NOT NULL ORDER BY p.id"
TOLD_AND_OPEN = (
    f"{WAITING} WHERE p.run = ? AND p.closed IS NULL AND (p.word IS NOT NULL OR p.rule IS NOT NULL) ORDER BY p.word IS NULL, p.id"
)
"""The open questions of which people have said something: decided ones, and those that take votes."""
RULED_AND_OPEN = f"{WAITING} WHERE p.run = ? AND p.closed IS NULL AND p.rule IS NOT NULL ORDER BY p.id"
ASKED_THERE = f"{WAITING} WHERE p.run = ? AND (p.pause_id = ? OR (p.at = ? AND p.turn = ? AND p.closed IS NULL))"
OF_EVENTS = f"{WAITING} WHERE p.run = ? AND (p.opened BETWEEN ? AND ? OR p.closed BETWEEN ? AND ?)"
DECIDED_OF_RUN = f"{WAITING} WHERE p.run = ? AND p.word IS NOT NULL ORDER BY p.id"
USED = f"{WAITING} WHERE p.run = ? AND p.key = ?"
OPEN = f"p.closed IS NULL AND h.phase NOT IN ({OVER})"

SESSION_RUN = """
SELECT h.run FROM hot h WHERE /*lite*/h.session = ? AND h.workflow = ? AND h.session = ? AND h.workflow = ?/*pg (h.session, h.workflow) <= (?, ?)
AND (h.session, h.workflow) >= (?, ?)*/ ORDER BY h.session DESC, h.workflow DESC, h.claim_order DESC LIMIT 1"""
"""The run of a session and a workflow that was claimed last. Postgres is led to the index by its order, and not by what it knows of the session."""
PURGED_SESSION = "SELECT max(run) FROM session_value WHERE session = ? AND workflow = ?"
"""The purged run of a session and a workflow whose state was kept, because none was left after it."""

# -- a boundary --------------------------------------------------------------------------------------------------------------------

EVENT = """
INSERT INTO event (id, run, boundary, epoch, shape, place, seq, time_us, fact, "by", note, value, salt, by_c, note_c, value_c, session, hash)
"""
APPEND = f"{EVENT} VALUES ({', '.join('?' * 18)})"
PLAIN = f"""{EVENT} SELECT {", ".join("?" * 18)} FROM hot, store
WHERE hot.run = ? AND hot.epoch = ? AND hot.cancel_us IS NULL AND store.version = {VERSION} /*pg FOR NO KEY UPDATE OF hot*/"""
"""A plain step: its SELECT is the fence. In Postgres a SELECT locks nothing by itself, and a claim that commits in between would be overlooked."""
KEEP = "INSERT INTO value (event, slot, body) VALUES (?, ?, ?)"
FENCE = f"""/*pg-first SELECT FROM hot WHERE run = (SELECT id FROM run WHERE run_id = ?) FOR NO KEY UPDATE*/
SELECT r.id, h.epoch, h.phase, h.claim_order, h.owner, h.lease_us, h.cancel_us, h.ended_us, h.definition, d.fingerprint, h.number, h.head,
  e.id, e.seq, e.boundary, e.hash, store.version, r.session, r.workflow, h.quarantined
FROM run r JOIN hot h ON h.run = r.id JOIN definition d ON d.id = h.definition CROSS JOIN store LEFT JOIN event e ON e.id = {LAST_EVENT}
WHERE r.run_id = ?"""
"""Where a run stands. In Postgres it is locked first: what is read while waiting for a lock is what was there before."""
ERASED = "SELECT what, time_us FROM erasure WHERE run = ? ORDER BY id LIMIT 1"
PHASE = "SELECT r.id, h.phase FROM run r JOIN hot h ON h.run = r.id WHERE r.run_id = ? /*pg FOR UPDATE OF h*/"
TAKE = "UPDATE hot SET epoch = ? WHERE run = ?"
SETTLE = """
UPDATE hot SET owner = ?, epoch = ?, lease_us = ?, wake_us = ?, definition = ?, number = ?, head = ?, state = ?, held = ?, updated_us = ?,
  ended_us = ?, seal = ?, kid = ?"""
SETTLE_CLAIMED = f"{SETTLE}, claim_order = ? WHERE run = ?"
SETTLE_KEPT = f"{SETTLE} WHERE run = ?"
ENDING = "SELECT max(id) FROM event WHERE id BETWEEN ? AND ?"
ORDER = "SELECT coalesce(max(claim_order), 0) + 1 FROM hot"
ASKS = "SELECT min(due_us), count(word), count(rule) FROM pause WHERE run = ? AND closed IS NULL"

# -- a new run ---------------------------------------------------------------------------------------------------------------------

ERASURES = 'SELECT e.what, e."by", e.reason, e.time_us FROM erasure e JOIN run r ON r.id = e.run WHERE r.run_id = ? ORDER BY e.id'
TAKEN = "SELECT id FROM run WHERE run_id = ? UNION ALL SELECT run FROM tombstone WHERE run_id = ?"
"""A run id is taken for ever, also by a run that was purged."""
STARTED = "SELECT k.run_id FROM start_key k JOIN workflow f ON f.id = k.workflow WHERE f.workflow_id = ? AND k.key = ?"
BEGIN = """
INSERT INTO run (run_id, workflow, workflow_name, session, user_id, created_us, input, additional, metadata, salt, definition, rules, start_key,
  seal, requester, requester_c, input_c, additional_c, metadata_c, session_c, user_c)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"""
START_KEY = "INSERT INTO start_key (workflow, key, run_id) VALUES (?, ?, ?)"
BEGIN_HOT = f"""
INSERT INTO hot (run, workflow, phase, claim_order, owner, epoch, definition, number, head, state, held, updated_us, seal, session)
VALUES (?, ?, '{w.pending}', ?, ?, 1, ?, 0, ?, ?, '[]', ?, ?, ?)"""
DEFINED = "SELECT id FROM definition WHERE fingerprint = ?"
DEFINE = "INSERT INTO definition (fingerprint, canonical) VALUES (?, ?) ON CONFLICT DO NOTHING"
WORKFLOW = "SELECT id FROM workflow WHERE workflow_id = ?"
ADD_WORKFLOW = "INSERT INTO workflow (workflow_id) VALUES (?) ON CONFLICT DO NOTHING"
SESSION = "SELECT id FROM session WHERE session_id = ?"
ADD_SESSION = "INSERT INTO session (session_id) VALUES (?) ON CONFLICT DO NOTHING"

# -- questions ---------------------------------------------------------------------------------------------------------------------

ASK = """
INSERT INTO pause (run, workflow, pause_id, question_id, put, kind, at, turn, attempt, step_name, words, max_bytes, message, form, salt,
  voter_salt, opened, opened_us, deadline_us, due_us, on_timeout, seen, meanings, seal, rule, names,
  message_c, form_c, names_c)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
DECIDING = """
UPDATE pause SET word = ?, decided_us = ?, answer = ?, "by" = ?, comment = ?, key = ?, decided_seen = ?, meaning = ?, decision_salt = ?,
  decision_seal = ?, last_act = ?"""
DECIDE = f"{DECIDING} WHERE id = ?"
DECIDE_SHUT = f"{DECIDING}, answer_c = ?, by_c = ?, comment_c = ? WHERE id = ?"
"""The same of a decision whose bodies are enciphered. A role that may not write commitments needs the one above."""
CLOSE = "UPDATE pause SET closed = ?, outcome = ?, voter_salt = NULL WHERE id = ?"

ACTS = """
SELECT id, kind, word, voter, round, time_us, "by", login, delegate, via, roles, answer, comment, salt, by_c, login_c, delegate_c, answer_c, comment_c,
  seen, meaning, until_us, detail, times, seal FROM act WHERE pause = ? ORDER BY id"""
PUT_ACT = """
INSERT INTO act (pause, kind, word, voter, round, time_us, "by", via, roles, answer, comment, salt, seen, meaning, detail, seal, by_c, answer_c,
  comment_c)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
COUNT_ACT = "UPDATE act SET times = ? WHERE id = ?"
VOTER_SALT = "SELECT voter_salt FROM pause WHERE id = ?"
HEAR = "UPDATE hot SET wake_us = 0 WHERE run = ?"
REST = "UPDATE hot SET wake_us = ? WHERE run = ?"
"""Votes satisfy, or refuse: a worker may take the run."""
AUDIENCE = "INSERT INTO audience (who, pause, since_us, until_us) VALUES (?, ?, ?, ?)"
NOBODY = "DELETE FROM audience WHERE pause = ?"
NUMBER_OF_PAUSE = "SELECT id FROM pause WHERE run = ? AND pause_id = ?"

# -- whose a run is ----------------------------------------------------------------------------------------------------------------

NEXT = """
SELECT r.run_id, h.wake_us, h.claim_order FROM hot h JOIN run r ON r.id = h.run
WHERE h.owner IS NULL AND h.wake_us IS NOT NULL AND h.quarantined IS NULL"""
READY = f"{NEXT} AND h.workflow BETWEEN ? AND ?"
FREE = f"""{NEXT} AND /*lite*/h.workflow = ? AND h.workflow = ? AND h.wake_us = 0/*pg (h.workflow, h.wake_us) >= (?, 0)
AND (h.workflow, h.wake_us) <= (?, 0)*/"""
DUE = f"""{NEXT} AND /*lite*/h.workflow = ? AND h.workflow = ? AND h.wake_us > 0/*pg (h.workflow, h.wake_us) > (?, 0) AND h.workflow <= ?*/
AND h.wake_us <= ?"""
"""The runs that may be taken at any time, and those that wait for an instant that has come. Postgres is led to the index by its order."""
HELD = f"""
SELECT h.run, h.owner, h.lease_us, h.claim_order FROM hot h
WHERE h.workflow BETWEEN ? AND ? AND h.owner IS NOT NULL AND h.quarantined IS NULL AND h.phase NOT IN ({OVER}) ORDER BY h.workflow, h.lease_us"""
NAME = "SELECT run_id FROM run WHERE id = ?"
STILL = """
SELECT 1 FROM hot h WHERE h.run = (SELECT id FROM run WHERE run_id = ?) AND h.owner = ? AND h.lease_us IS NOT DISTINCT FROM ?
/*pg FOR UPDATE SKIP LOCKED*/"""
RENEW = "UPDATE hot SET lease_us = ? WHERE run = ? AND epoch = ? AND owner IS NOT NULL"
CANCEL = "UPDATE hot SET cancel_us = ?, cancel_by = ?, cancel_salt = ?, cancel_seal = ?, cancel_by_c = ?, wake_us = 0 WHERE run = ?"
