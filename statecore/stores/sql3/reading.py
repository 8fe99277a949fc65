"""The reading half of a store of format 3: each function is given a connection that sees one moment, and answers with records."""
# statements are put together of constants

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.codec.records import load_state
from statecore.core import stored_program
from statecore.core.state import RULES_VERSION
from statecore.errors import ReplayFailed, RunPurged, UnknownRun, UnreadableValue
from statecore.stores.frames.questions import LAST_NUMBER
from statecore.stores.links import GENESIS
from statecore.stores.links import link as row_link
from statecore.stores.records import Entry, Record
from statecore.stores.replay import followed
from statecore.stores.rules import ENDED, clock_text, slice_of, sought, turn_text
from statecore.stores.sql.reading import canonical_of
from statecore.stores.sql.rows import ROWS, check_same, read_held

from . import acts, sessions
from .covering import salts_in
from .queries import (
    ASKED_THERE,
    AT,
    DECIDED_AND_OPEN,
    DECIDED_OF_RUN,
    ENDS,
    ERASURES,
    NUMBER,
    OPEN_OF_RUN,
    PAUSE_OF_RUN,
    PURGED,
    PURGED_SESSION,
    QUESTION,
    RECORD_OF_RUN,
    RULED_AND_OPEN,
    SESSION,
    SESSION_RUN,
    TOLD_AND_OPEN,
    WORKFLOW,
)
from .questions import Put, put_of, text_of
from .rows import broken_event, cancel_digest, hot_digest, identity_of, is_seal, stored_events

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from statecore.core import Program, Ref, State
    from statecore.stores.records import Decided, Pause, Waiting
    from statecore.stores.sql.link import Link
    from statecore.stores.sql.reading import Definitions

    from .rows import Stored
    from .shapes import MoveLists

PROGRAMS = 64


@define
class Known:
    """The constant contents of a file that a store has read: definitions, programs, lists of moves."""

    shapes: MoveLists
    definitions: Definitions = field(factory=dict)
    programs: dict[str, Program] = field(factory=dict)

    def program(self, fingerprint: str, canonical: str) -> Program:
        """The program of a definition, read once. Raises `UnreadableValue`."""
        found = self.programs.get(fingerprint)
        if found is None:
            try:
                found = stored_program(canonical)
            except (ValueError, TypeError, KeyError) as error:
                why = f"the definition {fingerprint!r} is none that this release can read"
                raise UnreadableValue(why) from error
            self.learn(fingerprint, found)
        return found

    def learn(self, fingerprint: str, program: Program) -> None:
        """Remember the program of a definition."""
        if len(self.programs) >= PROGRAMS:
            self.programs.clear()
        self.programs[fingerprint] = program


def number_of(connection: Link, run_id: str) -> int:
    """The number of a run. Raises `UnknownRun`."""
    row = connection.execute(NUMBER, (sought(run_id),)).fetchone()
    if row is None:
        raise unknown(connection, run_id)
    number: int = row[0]
    return number


def unknown(connection: Link, run_id: str) -> UnknownRun:
    """The refusal of a run that is not there: never, or not any more."""
    row = connection.execute(PURGED, (sought(run_id),)).fetchone()
    return UnknownRun(run_id) if row is None else RunPurged(run_id, at=clock_text(row[0]))


# -- runs --------------------------------------------------------------------------------------------------------------------------


def record(connection: Link, run_id: str, known: Known) -> Record:
    """A run as it stands. Raises `UnknownRun`."""
    row = connection.execute(RECORD_OF_RUN, (sought(run_id),)).fetchone()
    if row is None:
        raise unknown(connection, run_id)
    return record_of(connection, row, known)


def look(connection: Link, run_id: str, pause_ids: Collection[str], known: Known) -> tuple[Record, list[Waiting]]:
    """A run as it stands, with those of its open questions that are decided, oldest first, those that take votes, and the ones that are named.

    Raises `UnknownRun`.
    """
    row = connection.execute(RECORD_OF_RUN, (sought(run_id),)).fetchone()
    if row is None:
        raise unknown(connection, run_id)
    found = record_of(connection, row, known)
    rows = [] if found.state.run in ENDED else connection.execute(TOLD_AND_OPEN, (row[0],)).fetchall()
    questions = [waiting_of(connection, each) for each in rows]
    told = {each.pause.pause_id for each in questions}
    named = [put_in(connection, row[0], pause_id) for pause_id in dict.fromkeys(pause_ids) if pause_id not in told]
    return found, [*questions, *(put.waiting for put in named if put is not None)]


@ROWS
def record_of(connection: Link, row: Sequence[Any], known: Known) -> Record:
    """The run that a row of `RECORD` stands for: what is stored of it, and what has followed since."""
    identity = identity_of(row, canonical_of(connection, row[21], known.definitions))
    number, run_id = row[0], identity.run_id
    phase, _, owner, epoch, lease, fingerprint, at, head, stored, held, updated = row[16:27]
    cancelled, cancel_by, cancel_salt, cancel_seal, seq, linked = row[29:35]
    check_hot(connection, run_id, row)
    if (linked if at else row[15]) != head:
        raise broken_event(run_id, at)
    by = text_of(cancel_by, row[40])
    if cancelled is not None:
        salt = salts_in(cancel_salt, {"cancel.by": cancel_by})
        check_same(f"request to cancel run {run_id!r}", cancel_digest(run_id, by, cancelled, salt), cancel_seal)
    state, where = load_state(stored), dict(read_held(held))
    check_same(f"state of run {run_id!r}", state.run, phase)
    seq = seq or 0
    events = tail(connection, number, run_id, at, head, known)
    if events:
        program = known.program(fingerprint, identity.canonical)
        state, where = caught_up(identity.rules, program, state, where, events)
        seq, updated = events[-1].seq, events[-1].time
    text = sessions.joined(sessions.read(connection, number))
    return Record(identity, state, seq, where, text, owner, epoch, lease, by, cancelled, updated)


def check_hot(connection: Link, run_id: str, row: Sequence[Any]) -> None:
    """Raise `UnreadableValue` where a run does not stand where it was sealed."""
    phase, order, owner, epoch, _, fingerprint, number, head, state, held, _, ended, seal = row[16:29]
    columns = {
        "phase": phase,
        "claim_order": order,
        "owner": owner,
        "epoch": epoch,
        "definition": fingerprint,
        "number": number,
        "head": bytes(head),
        "state": state,
        "held": held,
        "ended_us": ended,
    }
    is_its = is_seal(connection, hot_digest(run_id, columns), row[43], bytes(seal))
    check_same(f"claim or state of run {run_id!r}", is_its, stored=True)


def tail(connection: Link, run: int, run_id: str, number: int, head: bytes, known: Known) -> list[Stored]:  # noqa: PLR0913  # a place
    """The events that a run has after the one up to which its state is stored."""
    last = connection.execute(
        "SELECT max(id) FROM event WHERE id BETWEEN ? AND ?", (run << 24, run << 24 | LAST_NUMBER)
    ).fetchone()[0]
    if last is None or last & LAST_NUMBER <= number:
        return []
    return stored_events(connection, run, run_id, number, last & LAST_NUMBER, bytes(head), known.shapes)


def caught_up(
    rules: int, program: Program, state: State, held: dict[Ref, int], events: Sequence[Stored]
) -> tuple[State, dict[Ref, int]]:
    """The state, and where its outputs lie, after some events, boundary by boundary. Raises `ReplayFailed`."""
    for _, found in groupby(events, key=lambda event: event.boundary):
        rows = [entry for event in found for entry in event.entries]
        if rules != RULES_VERSION:
            why = f"the run follows rules {rules}, and this release plays rules {RULES_VERSION}: continue it with the release that ran it"
            raise ReplayFailed(rows[0].seq, why)
        state, held = followed(program, state, held, rows)
    return state, held


def session_state(connection: Link, session_id: str, workflow_id: str) -> str | None:
    """The session state as the run of a session left it that was claimed last; None where there is none."""
    names = ((SESSION, session_id), (WORKFLOW, workflow_id))
    numbers = [row[0] for query, name in names if (row := connection.execute(query, (sought(name),)).fetchone()) is not None]
    if len(numbers) < len(names):
        return None
    row = connection.execute(SESSION_RUN, numbers * 2).fetchone() or connection.execute(PURGED_SESSION, numbers).fetchone()
    return sessions.joined(sessions.read(connection, row[0])) if row[0] is not None else None


# -- journals ----------------------------------------------------------------------------------------------------------------------


def outline(connection: Link, run_id: str, after: int, upto: int | None, known: Known) -> list[Entry]:
    """A slice of a journal in which the values that lie apart are `FAR`; checked as a journal is."""
    return journal(connection, run_id, after, upto, known, far=True)


def journal(  # noqa: PLR0913  # a slice, and how it is read
    connection: Link, run_id: str, after: int, upto: int | None, known: Known, *, far: bool = False
) -> list[Entry]:
    """A slice of a journal, each event checked against its chain. Raises `UnknownRun`."""
    row = connection.execute(ENDS, (sought(run_id),)).fetchone()
    if row is None:
        raise unknown(connection, run_id)
    run, last, identity = row
    if last is None:
        return []
    after, upto = slice_of(after, upto)
    ends = Ends(connection, run, run_id)
    first = 0 if after == 0 else ends.before(after + 1, last & LAST_NUMBER)
    end = min(ends.before(upto, last & LAST_NUMBER) + 1, last & LAST_NUMBER) if upto else 0
    if first >= end:
        return []
    chain = identity if first == 0 else ends.at(first)[1]
    events = stored_events(connection, run, run_id, first, end, chain, known.shapes, far=far)
    return [entry for event in events for entry in event.entries if after < entry.seq <= upto]


@define
class Ends:
    """Where the events of a run end in its journal: an event is found by halving."""

    connection: Link
    run: int
    run_id: str

    def at(self, number: int) -> tuple[int, bytes]:
        """The number of an event's last row, and its link. Raises `UnreadableValue` where the event is missing."""
        row = self.connection.execute(AT, (self.run << 24 | number,)).fetchone()
        if row is None:
            raise broken_event(self.run_id, number)
        return row[0], bytes(row[1])

    def before(self, seq: int, last: int) -> int:
        """The last event, 0 for none, that ends before a row of the journal; `last` is the number of the run's last one."""
        low, high = 0, last
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.at(middle)[0] < seq else (low, middle - 1)
        return low


def erasures(connection: Link, run_id: str) -> list[tuple[str, str | None, str | None, int]]:
    """The orders to erase data of a run, in their order: the fields, the person, the reason and the time of each."""
    found = connection.execute(ERASURES, (sought(run_id),)).fetchall()
    return [(what, text_of(by), text_of(reason), time) for what, by, reason, time in found]


def head(connection: Link, run_id: str, known: Known) -> str:
    """The hash that equal journals have in common in all stores: the chain of `links.link` over the rows. Raises `UnknownRun`."""
    chain = GENESIS
    for entry in journal(connection, run_id, 0, None, known):
        chain = row_link(chain, run_id, entry)
    return chain.hex()


# -- pauses ------------------------------------------------------------------------------------------------------------------------


def filled(connection: Link, put: Put) -> Put:
    """A question; one with a rule with what people did about it."""
    return put if put.waiting.pause.rule is None else acts.filled(connection, put)


def waiting_of(connection: Link, row: Sequence[Any]) -> Waiting:
    """The question that a row of `WAITING` stands for, with its decision, and what people did about it where it has a rule."""
    return filled(connection, put_of(row)).waiting


def pause(connection: Link, run_id: str, pause_id: str) -> Waiting | None:
    """One pause, open or closed. Raises `UnknownRun`."""
    found = put_in(connection, number_of(connection, run_id), pause_id)
    return found.waiting if found is not None else None


def question(connection: Link, question_id: str) -> Waiting | None:
    """The question with a short name, open or closed; None where there is none, or its run is being purged."""
    row = connection.execute(QUESTION, (sought(question_id),)).fetchone()
    return waiting_of(connection, row) if row is not None else None


def put_in(connection: Link, number: int, pause_id: str) -> Put | None:
    """One question of a run whose number is known."""
    row = connection.execute(PAUSE_OF_RUN, (number, sought(pause_id))).fetchone()
    return filled(connection, put_of(row)) if row is not None else None


def puts_there(connection: Link, number: int, pause: Pause) -> list[Put]:
    """The questions that stand against one that is to be put: one of its name, and an open one at its place."""
    there = (number, sought(pause.pause_id), sought(pause.at), turn_text(pause.turn))
    return [filled(connection, put_of(row)) for row in connection.execute(ASKED_THERE, there).fetchall()]


def decided_puts(connection: Link, number: int) -> list[Put]:
    """The open questions of a run that are decided, in the order in which they were asked; also where the run has ended."""
    return [put_of(row) for row in connection.execute(DECIDED_AND_OPEN, (number,)).fetchall()]


def ruled_puts(connection: Link, number: int) -> list[Put]:
    """The open questions of a run with a rule, and what people did about them."""
    return [filled(connection, put_of(row)) for row in connection.execute(RULED_AND_OPEN, (number,)).fetchall()]


def open_puts(connection: Link, number: int) -> list[Put]:
    """The open questions of a run, in the order in which they were asked; also where the run has ended."""
    return [filled(connection, put_of(row)) for row in connection.execute(OPEN_OF_RUN, (number,)).fetchall()]


def decisions(connection: Link, run_id: str) -> list[Decided]:
    """All decisions of a run, in the order of their pauses. Raises `UnknownRun`."""
    rows = connection.execute(DECIDED_OF_RUN, (number_of(connection, run_id),)).fetchall()
    return [decided for row in rows if (decided := put_of(row).waiting.decided) is not None]
