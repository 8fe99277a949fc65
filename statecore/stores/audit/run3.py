"""One run of format 3 under `verify`: its events link by link, then what the rest of the store says of it beside what they lead to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from json import loads
from typing import TYPE_CHECKING, Any

from statecore.core import DECISIONS, asks
from statecore.core.program import ROOT
from statecore.errors import StatecoreError
from statecore.lifecycles import TABLES
from statecore.lifecycles import words as w
from statecore.stores.detail import detail_of
from statecore.stores.endings import differs
from statecore.stores.frames.framing import slot_salt
from statecore.stores.frames.questions import LAST_NUMBER, NUMBER_BITS, question_id
from statecore.stores.links import GENESIS, link
from statecore.stores.naming import audience
from statecore.stores.rules import ENDED, held_text, is_about, until
from statecore.stores.sql.reading import canonical_of
from statecore.stores.sql3 import sessions
from statecore.stores.sql3.acts import filled
from statecore.stores.sql3.ciphers import is_enciphered, shut_of
from statecore.stores.sql3.migrating import MIGRATED
from statecore.stores.sql3.queries import RECORD, WAITING
from statecore.stores.sql3.questions import put_of
from statecore.stores.sql3.reading import check_hot, record_of
from statecore.stores.sql3.rows import identity_of, stored_events
from statecore.stores.votes import VOTE, votes_stand

from . import erased3
from .erased3 import is_erased
from .run import BY_PERSON, check_held, check_state, fault_of, light, program_of, row_name, unasked

if TYPE_CHECKING:
    from statecore.stores.records import Entry, Record
    from statecore.stores.sql.link import Link
    from statecore.stores.sql3.questions import Put
    from statecore.stores.sql3.reading import Known

    from .run import Findings

AT_ONCE = 1_000
"""How many events are read at once."""

STANDS = """
SELECT r.workflow, h.workflow, r.session, r.seal, h.owner, h.lease_us, h.wake_us, h.cancel_us, h.cancel_by, h.cancel_salt, r.start_key, k.run_id,
  h.session
FROM run r LEFT JOIN hot h ON h.run = r.id LEFT JOIN start_key k ON k.workflow = r.workflow AND k.key = r.start_key WHERE r.id = ?"""
QUESTIONS = """
SELECT id, coalesce(message, form, names), workflow, question_id, salt, voter_salt, opened, deadline_us, due_us, closed, word, answer, "by", comment,
  login, decision_salt FROM pause WHERE run = ?"""
AUDIENCE = "SELECT a.pause, a.who, a.since_us, a.until_us FROM pause p JOIN audience a ON a.pause = p.id WHERE p.run = ?"
STRAY = "SELECT min(a.id) FROM pause p JOIN act a ON a.pause = p.id WHERE p.run = ? AND p.rule IS NULL"
COUNTS = "SELECT seq FROM event WHERE id = ?"


def check_run(connection: Link, run: int, run_id: str, known: Known, findings: Findings) -> None:
    """Check one run. Anything that cannot even be read raises."""
    stands = connection.execute(STANDS, (run,)).fetchone()
    if stands[1] is None:
        findings.blame("run", "it has lost where it stands")
        return
    erased, shut = is_erased(connection, run), shut_of(connection)
    row = connection.execute(f"{RECORD} WHERE r.id = ?", (run,)).fetchone()
    entries = journal(connection, run, run_id, bytes(stands[3]), known, findings, erased=erased)
    if findings.faults:
        return
    if shut_of(connection) > shut:
        check_shut(connection, run, run_id, row, findings)
        return
    record = record_of(connection, row, known)
    reached = next((entry.dest for entry in reversed(entries) if entry.at == ROOT), w.pending)
    if record.state.run != reached:
        findings.blame("run", f"its journal leads to {reached}, and its state says {record.state.run}")
    program = program_of(record.identity.canonical, record.identity.rules, findings)
    played = check_state(connection, program, entries, record.state, findings) if program is not None else None
    check_held(entries, record.state, held_text(record.held), findings)
    puts = [
        filled(connection, put_of(row)) for row in connection.execute(f"{WAITING} WHERE p.run = ? ORDER BY p.id", (run,)).fetchall()
    ]
    check_acts(connection, run, puts, findings)
    check_puts(puts, entries, findings)
    if played is not None:
        check_open(puts, {ask.pause_id: ask.due for ask in asks(played, record.state)}, findings)
    check_questions(connection, run, run_id, stands[0], findings)
    check_stands(stands, run_id, record, puts, findings)
    check_session(connection, run, stands, findings)
    erased3.check(connection, run, findings, erased=erased)


def check_shut(connection: Link, run: int, run_id: str, row: Sequence[Any], findings: Findings) -> None:
    """Check a run of which values cannot be opened: seals, questions and acts; its journal is not played again. What does not agree raises."""
    identity_of(row, canonical_of(connection, row[21], {}))
    check_hot(connection, run_id, row)
    for asked in connection.execute(f"{WAITING} WHERE p.run = ? ORDER BY p.id", (run,)).fetchall():
        filled(connection, put_of(asked))
    check_questions(connection, run, run_id, connection.execute(STANDS, (run,)).fetchone()[0], findings)
    erased3.check(connection, run, findings, erased=is_erased(connection, run))


def check_acts(connection: Link, run: int, puts: Sequence[Put], findings: Findings) -> None:
    """Blame acts about a question without a rule, and an audience that is not what the rules of the open questions say (AUTH-2)."""
    [stray] = connection.execute(STRAY, (run,)).fetchone()
    if stray is not None:
        findings.blame(f"act {stray}", "it is about a question without a rule")
    rows = connection.execute(AUDIENCE, (run,)).fetchall()
    pauses = [
        (put.id, put.waiting.pause) for put in puts if put.waiting.pause.rule is not None and put.waiting.pause.closed is None
    ]
    if sorted(map(str, rows)) != sorted(str((put, *each)) for put, pause in pauses for each in audience(pause)):
        findings.blame("audience of run", "it is not what the rules of the open questions say")


# -- the journal -------------------------------------------------------------------------------------------------------------------


def journal(  # noqa: PLR0913  # a run, and what is known
    connection: Link, run: int, run_id: str, chain: bytes, known: Known, findings: Findings, *, erased: bool = False
) -> list[Entry]:
    """The rows up to the first bad event, which is blamed."""
    entries: list[Entry] = []
    phases: dict[Any, str] = {}
    old = OldHead(connection, run, run_id)
    [last] = connection.execute(
        "SELECT max(id) FROM event WHERE id BETWEEN ? AND ?", (run << NUMBER_BITS, run << NUMBER_BITS | LAST_NUMBER)
    ).fetchone()
    last = (last or 0) & LAST_NUMBER
    for first in range(0, last, AT_ONCE):
        try:
            events = stored_events(connection, run, run_id, first, min(first + AT_ONCE, last), chain, known.shapes)
        except (StatecoreError, UnicodeError, TypeError, ValueError) as error:
            findings.blame(f"events after {first}", str(getattr(error, "why", error)))
            return entries
        for event in events:
            findings.rows += 1
            wrong = fault_of_row(connection, run << NUMBER_BITS | event.number, len(entries) + len(event.entries), erased=erased)
            for entry in event.entries:
                wrong = wrong or fault_of(entry, len(entries) + 1, phases)
                phases[entry.at, entry.turn] = entry.dest
                old.take(entry)
                entries.append(light(entry))
            if wrong is not None:
                findings.blame(f"event {event.number}", wrong)
                return entries
        chain = events[-1].hash
    if not erased and not old.agrees():  # the old head is over plain values
        findings.blame("run", "its rows up to its migration are not those of its old head")
    return entries


class OldHead:
    """The head that a migrated run had, over its rows up to there: what its first event says of it."""

    run_id: str
    rows: int
    head: str | None
    chain: bytes

    def __init__(self, connection: Link, run: int, run_id: str) -> None:
        """Read it; none, where the run was not migrated."""
        [fact] = connection.execute("SELECT fact FROM event WHERE id = ?", (run << NUMBER_BITS | 1,)).fetchone() or (None,)
        said = loads(fact).get(MIGRATED, {}) if fact is not None and MIGRATED in fact else {}
        self.run_id, self.rows, self.head, self.chain = run_id, said.get("rows", 0), said.get("head"), GENESIS

    def take(self, entry: Entry) -> None:
        """Link a row to those before it."""
        if entry.seq <= self.rows:
            self.chain = link(self.chain, self.run_id, entry)

    def agrees(self) -> bool:
        """Whether the rows are those of the head."""
        return self.head is None or self.chain.hex() == self.head


def fault_of_row(connection: Link, event: int, seq: int, *, erased: bool) -> str | None:
    """The fault of the columns of an event that its link does not cover; None where they are right."""
    [found] = connection.execute(COUNTS, (event,)).fetchone()
    if found != seq:
        return f"it counts {found} moves of the run, and there are {seq}"
    return erased3.fault_of_event(connection, event, erased=erased)


# -- questions ---------------------------------------------------------------------------------------------------------------------


def check_puts(puts: Sequence[Put], entries: Sequence[Entry], findings: Findings) -> None:
    """Closed questions were left by the rows that say so, by the decisions that are stored."""
    times = {entry.time for entry in entries}
    by_place: dict[tuple[str, int, int], list[Entry]] = {}
    closings: set[tuple[str, int, int]] = set()
    for entry in entries:
        by_place.setdefault((entry.at, entry.attempt, entry.time), []).append(entry)
    for put in puts:
        pause = put.waiting.pause
        where = f"pause {pause.pause_id!r}"
        if pause.opened not in times:
            findings.blame(where, "it was asked when no row was written")
        if pause.closed is None:
            continue
        closings.add((pause.at, pause.attempt, pause.closed))
        rows = by_place.get((pause.at, pause.attempt, pause.closed), ())
        left = [row for row in rows if TABLES[row.machine].owes.get(row.source) == "ask"]
        wrong = fault_of_closing(put, left) if left else "it was closed when no row left its question"
        if wrong is not None:
            findings.blame(where, wrong)
    for seq, place in unasked(entries, closings):
        findings.blame(row_name(seq), f"it answers a question of {place!r}, and there is no such pause")


ENDS = {w.expire: "expired", w.renew: "lapsed"}
"""The outcome of a question by the row that leaves it, where no word of a person does."""


def fault_of_closing(put: Put, left: Sequence[Entry]) -> str | None:
    """Why the rows that left a question do not agree with what is stored of its end; None where they do."""
    said, decided = put.outcome, put.waiting.decided
    about = [row for row in left if is_about(row, put.waiting.pause)]
    if not about and all(row.trigger != w.renew for row in left):  # another question of the call closed this one (ASK-2)
        return None if said == "cancelled" else f"it is stored as {said}, and row {left[0].seq} is about another question"
    left = about or left
    if any(row.trigger in BY_PERSON for row in left):
        if said != "decided" or decided is None:
            return f"row {left[0].seq} says {left[0].trigger}, and it is stored as {said}"
        for row in left:
            told = detail_of(row.body.detail)
            word = DECISIONS[put.waiting.pause.kind].get(decided.word)
            spoken = (row.body.value, told.by or "", told.comment or "")
            said_then = (decided.value, decided.by or "", decided.comment or "")
            if row.trigger == word and not any(map(differs, spoken, said_then)):
                return None
        return f"its decision says {decided.word!r}, and row {left[0].seq} says something else"
    wanted = next((ENDS[row.trigger] for row in left if row.trigger in ENDS), "cancelled")
    return None if said == wanted else f"it is stored as {said}, and row {left[0].seq} says {left[0].trigger}"


def check_open(puts: Sequence[Put], wanted: dict[str, int | None], findings: Findings) -> None:
    """Open questions are those that the state asks."""
    found = {put.waiting.pause.pause_id: put.waiting.pause.deadline for put in puts if put.closes is None}
    for pause_id in sorted({*found, *wanted}):
        if found.get(pause_id, -1) != wanted.get(pause_id, -1):
            findings.blame(f"pause {pause_id!r}", "it is open and the run does not ask it, or the run asks it otherwise")
            return


def check_questions(connection: Link, run: int, run_id: str, workflow: int, findings: Findings) -> None:
    """Check the columns of a question that no seal covers."""
    names = {row[0]: row[1] for row in connection.execute("SELECT id, pause_id FROM pause WHERE run = ?", (run,)).fetchall()}
    rows = connection.execute(QUESTIONS, (run,)).fetchall()
    for number, body, its, short, salt, voter, opened, deadline, due, closed, word, *bodies, signed in rows:
        where = f"pause {names[number]!r}"
        if its != workflow or short != question_id(run_id, names[number]):
            findings.blame(where, "its workflow or its short id is another one")
        if opened >> NUMBER_BITS != run or (closed is not None and closed >> NUMBER_BITS != run):
            findings.blame(where, "it is opened or closed by another run")
        if due != deadline:
            findings.blame(where, "its deadline was moved, and no extension says so")
        own = voter if is_enciphered(body) else slot_salt(salt, "pause.voter")  # the salts of an enciphered row lie with its bodies
        if voter != (own if closed is None else None) or (closed is None and voter is None):
            findings.blame(where, "the salt of its voters is another one")
        if word is not None and (signed is None) != all(body is None or is_enciphered(body) for body in bodies):
            findings.blame(where, "its decision has a salt that no body needs")


# -- where it stands ---------------------------------------------------------------------------------------------------------------


def check_stands(stands: Sequence[Any], run_id: str, record: Record, puts: Sequence[Put], findings: Findings) -> None:
    """Check the columns of the claim and of the wake time that no seal covers."""
    workflow, its, session, _, owner, lease, wake, cancelled, by, salt, key, started, other = stands
    if workflow != its or session != other:
        findings.blame("run", "it stands under another workflow or session")
    if owner is None and lease is not None:
        findings.blame("run", "it has a lease and no owner")
    if (by is None or is_enciphered(by)) != (salt is None) or (cancelled is None and salt is not None):
        findings.blame("run", "somebody cancelled it at no time, or without a name")
    if key is not None and started != run_id:
        findings.blame("run", "its start is not found by its key")
    if wake != wakes(record, puts, owner) and not (wake == 0 and owner is None and are_voted(puts)):
        findings.blame("run", f"it wakes at {wake}, which is not when there is something to do")


def are_voted(puts: Sequence[Put]) -> bool:
    """Whether there were votes about an open question: a worker may look at its run once more, though a vote was taken back since."""
    return any(put.closes is None and any(act.kind == VOTE for act in put.waiting.acts) for put in puts)


def wakes(record: Record, puts: Sequence[Put], owner: str | None) -> int | None:
    """From when on there is something to do for a run."""
    if owner is not None:
        return 0
    if record.state.run in ENDED:
        return None
    waiting = [put for put in puts if put.closes is None]
    delayed = until(record.state)
    if (
        record.cancel_requested is not None
        or any(put.decision is not None for put in waiting)
        or votes_stand([put.waiting for put in waiting])
    ):
        return 0
    if record.state.run != w.paused and delayed is None:
        return 0
    dues = [delayed, *(put.waiting.pause.deadline for put in waiting)]
    return min((due for due in dues if due is not None), default=None)


def check_session(connection: Link, run: int, stands: Sequence[Any], findings: Findings) -> None:
    """Each value of the session state is one that the event which wrote it committed to."""
    found = connection.execute("SELECT session, workflow, key, event, body, c FROM session_value WHERE run = ?", (run,)).fetchall()
    for session, workflow, key, event, body, committed in found:
        [joined] = connection.execute("SELECT session FROM event WHERE id = ? AND run = ?", (event, run)).fetchone() or (None,)
        if joined is None or committed not in chunks(joined) or (session, workflow) != (stands[2], stands[0]):
            findings.blame(f"session_state {key!r}", "no event of the run wrote it")
        if key is None and not is_enciphered(body) and sessions.split(bytes(body).decode()).keys() != {None}:
            findings.blame("session_state", "it has lost its key")


def chunks(joined: bytes) -> Iterator[bytes]:
    """The commitments of an event, one by one."""
    return (joined[n : n + 32] for n in range(0, len(joined), 32))
