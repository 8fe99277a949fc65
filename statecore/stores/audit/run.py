"""One run under `verify`: its journal row by row, then what the rest of the store says of it beside what the journal leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.codec.records import load_state
from statecore.core import BEGINNING, DECISIONS, Program, State, asks, stored_program
from statecore.core.owed import asked_number, references
from statecore.core.path import GIVES
from statecore.core.program import ROOT
from statecore.core.state import RULES_VERSION
from statecore.errors import ReplayFailed, StatecoreError
from statecore.lifecycles import TABLES
from statecore.lifecycles import words as w
from statecore.stores.detail import Detail, detail_of
from statecore.stores.links import GENESIS, digest, link
from statecore.stores.records import Body, Entry
from statecore.stores.replay import replay, timeless
from statecore.stores.rules import LEGAL, held_text, until
from statecore.stores.sql.reading import definition
from statecore.stores.sql.rows import read_held, read_turn, read_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from statecore.stores.sql.link import Link

RUN = """
SELECT r.run_id, r.seq, r.head, r.phase, r.state, r.held, r.owner, r.lease, r.rules, d.canonical, r.cancel_by, r.cancel_requested
FROM run r LEFT JOIN definition d ON d.id = r.definition WHERE r.id = ?"""
ROWS = """
SELECT j.seq, l.machine, j.at, j.turn, j.attempt, l.source, l."trigger", l.dest, j.time, j.detail, j.value, v.text, j.hash
FROM journal j LEFT JOIN legal l ON l.id = j.legal LEFT JOIN value v ON v.hash = j.value WHERE j.run = ? ORDER BY j.seq"""
PAUSES = """
SELECT p.pause_id, p.kind, p.at, p.turn, p.attempt, p.opened, p.closed, p.deadline, p.decided, d.word, d.time, d.value, d."by", d.comment
FROM pause p LEFT JOIN decision d ON d.run = p.run AND d.pause_id = p.pause_id WHERE p.run = ? ORDER BY p.id"""
BY_PERSON = frozenset(trigger for words in DECISIONS.values() for trigger in words.values())
MOVES = frozenset(LEGAL)


@define
class Findings:
    """The faults of one run, as (where, why), and of how many journal rows."""

    rows: int = 0
    faults: list[tuple[str, str]] = field(factory=list)
    remarks: list[tuple[str, str]] = field(factory=list)

    def blame(self, where: str, why: str) -> None:
        """Note a fault."""
        self.faults.append((where, why))


def check_run(connection: Link, number: int, findings: Findings) -> None:
    """Check one run. Anything that cannot even be read raises."""
    row = connection.execute(RUN, (number,)).fetchone()
    run_id, seq, head, phase, stored, held, owner, lease, rules, canonical, cancel_by, cancelled = row
    entries, chain = journal(connection, number, run_id, findings)
    if findings.faults:
        return
    if (seq, head) != (len(entries), chain):
        findings.blame(
            row_name(len(entries) + 1), f"the run has {seq} rows, and here its journal ends, or its last row is another one"
        )
        return
    reached = next((entry.dest for entry in reversed(entries) if entry.at == ROOT), w.pending)
    state = load_state(stored)
    if (phase, state.run) != (reached, reached):
        findings.blame("run", f"its journal leads to {reached}, its phase is {phase}, and its state says {state.run}")
    if owner is None and lease not in (None, until(state)):
        findings.blame("run", "it has a lease and no owner")
    if cancelled is None and cancel_by is not None:
        findings.blame("run", "somebody cancelled it at no time")
    program = program_of(canonical, rules, findings)
    played = check_state(connection, program, entries, state, findings) if program is not None else None
    check_held(entries, state, held, findings)
    check_pauses(connection, number, entries, Asked(state, played), findings)


def row_name(seq: int) -> str:
    """How a journal row is called."""
    return f"journal row {seq}"


# -- the journal -------------------------------------------------------------------------------------------------------------------


def journal(connection: Link, number: int, run_id: str, findings: Findings) -> tuple[list[Entry], bytes]:
    """The rows up to the first bad one, which is blamed, and the chain's last link."""
    entries: list[Entry] = []
    phases: dict[Any, str] = {}
    chain = GENESIS
    for row in connection.execute(ROWS, (number,)):
        findings.rows += 1
        where = row_name(len(entries) + 1)
        try:
            entry, linked = entry_of(row, run_id, chain)
        except (StatecoreError, UnicodeError, TypeError, ValueError) as error:
            findings.blame(where, str(getattr(error, "why", error)))
            break
        wrong = fault_of(entry, len(entries) + 1, phases)
        if wrong is None and linked != row[-1]:
            wrong = "it is not as it was written: the chain breaks here"
        if wrong is not None:
            findings.blame(where, wrong)
            break
        phases[entry.at, entry.turn], chain = entry.dest, linked
        entries.append(light(entry))
    return entries, chain


def light(entry: Entry) -> Entry:
    """A row without its value, unless a person gave it: outputs may be large, and only whether there is one matters from here on."""
    if entry.body.value is None or entry.trigger in BY_PERSON:
        return entry
    return entry._replace(body=Body(entry.body.detail, "null"))


def entry_of(row: Sequence[Any], run_id: str, chain: bytes) -> tuple[Entry, bytes]:
    """A row as it stands, and its link."""
    seq, machine, at, turn, attempt, source, trigger, dest, time, detail, address, text, _ = row
    entry = Entry(seq, machine, at, read_turn(turn), attempt, source, trigger, dest, time, Body(detail, read_value(address, text)))
    return entry, link(chain, run_id, entry, address)


def fault_of(entry: Entry, seq: int, phases: dict[Any, str]) -> str | None:
    """Why a row cannot stand where it stands; None where it can."""
    if entry.seq != seq:
        return f"it is missing; row {entry.seq} comes next"
    move = (entry.machine, entry.source, entry.trigger, entry.dest)
    if move not in MOVES:
        return f"the {entry.machine} lifecycle has no move {entry.source} --{entry.trigger}--> {entry.dest}"
    phase = phases.get((entry.at, entry.turn), TABLES[entry.machine].initial)
    if entry.source != phase:
        return f"it moves {entry.at or 'the run'!r} from {entry.source}, and that is {phase}"
    return None


# -- the state ---------------------------------------------------------------------------------------------------------------------


def program_of(canonical: str | None, rules: int, findings: Findings) -> Program | None:
    """The workflow as it was when the run began; None where this release cannot play it."""
    if canonical is None or rules != RULES_VERSION:
        findings.remarks.append(
            ("run", f"it follows rules {rules}, and this release knows {RULES_VERSION}: it was not played again")
        )
        return None
    return stored_program(canonical)


def check_state(connection: Link, program: Program, entries: Sequence[Entry], state: State, findings: Findings) -> Program | None:
    """The program that the run follows now, where its journal could be played to its end; its stored state is then the one that it leads to.

    A journal of schema 1 does not say where a changed definition began; its rows are compared with the lifecycles alone then.
    """
    told = bool(entries) and detail_of(entries[0].body.detail).definition is not None
    try:
        played = replay(lambda named: program if named == program.fingerprint else stored(connection, named), entries, program)
    except ReplayFailed as failed:
        if told:
            findings.blame(row_name(failed.seq), failed.why)
            return None
        why = "the workflow that the run began with would not do this; if its definition was changed since, that is why"
        findings.remarks.append((row_name(failed.seq), why))
        check_phases(entries, state, findings)
        return None
    reached = played[-1].commit.after.state if played else BEGINNING
    if reached != state if told else timeless(reached) != timeless(state):
        findings.blame("run", f"its state is not the one that its journal leads to, which is {reached.run} at {places(reached)}")
    return played[-1].program if played else program


def check_phases(entries: Sequence[Entry], state: State, findings: Findings) -> None:
    """Each cursor is in the phase that the newest row of its place says."""
    phases = {(entry.at, entry.turn): entry.dest for entry in entries}
    for cursor in state.cursors:
        depths = [cursor.turn[:depth] for depth in range(len(cursor.turn), -1, -1)]
        phase = next((phases[cursor.at, turn] for turn in depths if (cursor.at, turn) in phases), w.pending)
        if cursor.phase != phase:
            findings.blame("run", f"its state says that {cursor.at!r} is {cursor.phase}, and its journal that it is {phase}")


def stored(connection: Link, fingerprint: str) -> Program | None:
    """The program of a fingerprint; None where no run has or had it."""
    canonical = definition(connection, fingerprint)
    return stored_program(canonical) if canonical is not None else None


def places(state: State) -> str:
    """Where a state stands, for people."""
    return ", ".join(f"{cursor.at} ({cursor.phase})" for cursor in state.cursors) or "no place"


def check_held(entries: Sequence[Entry], state: State, stored: str, findings: Findings) -> None:
    """The outputs that a state refers to lie at rows that brought them."""
    held = read_held(stored)
    if held_text(held) != stored or set(held) != references(state):
        findings.blame("run", "the outputs that it holds are not those that its state refers to")
    for ref, seq in held.items():
        row = entries[seq - 1] if 0 < seq <= len(entries) else None
        if row is None or row.at != ref.at or row.attempt != ref.attempt or row.trigger not in GIVES or row.body.value is None:
            findings.blame("run", f"row {seq}, which is to hold the output of {ref.at!r}, has none")


# -- pauses and decisions ----------------------------------------------------------------------------------------------------------


@define
class Asked:
    """The questions of a state; without a program only its addresses are known."""

    state: State
    program: Program | None

    def open(self) -> dict[str, int | None] | None:
        """The open questions, each with its deadline; None where they are not known."""
        return {ask.pause_id: ask.due for ask in asks(self.program, self.state)} if self.program is not None else None


def check_pauses(connection: Link, number: int, entries: Sequence[Entry], asked: Asked, findings: Findings) -> None:
    """Open pauses are those that the state asks, closed ones were answered by the rows that say so, by the decisions that are stored."""
    wanted = asked.open()
    found: dict[str, int | None] = {}
    times = {entry.time for entry in entries}
    by_place: dict[tuple[str, int, int], list[Entry]] = {}
    closings: set[tuple[str, int, int]] = set()
    for entry in entries:
        by_place.setdefault((entry.at, entry.attempt, entry.time), []).append(entry)
    for pause_id, kind, at, _turn, attempt, opened, closed, deadline, decided, *said in connection.execute(PAUSES, (number,)):
        where = f"pause {pause_id!r}"
        if opened not in times:
            findings.blame(where, "it was asked when no row was written")
        if decided != said[1]:
            findings.blame(
                f"decision of {where}", "it is missing" if said[0] is None else "its pause says that it was decided otherwise"
            )
        if closed is None:
            found[pause_id] = deadline
            continue
        closings.add((at, attempt, closed))
        left = [row for row in by_place.get((at, attempt, closed), ()) if TABLES[row.machine].owes.get(row.source) == "ask"]
        if not left:
            findings.blame(where, "it was closed when no row left its question")
            continue
        mine = asked_number(pause_id)
        about = [row for row in left if mine is None or detail_of(row.body.detail).number == mine]
        wrong = fault_of_answer(about, kind, said) if about else None  # another question of the call closed this one (ASK-2)
        if wrong is not None:
            findings.blame(f"decision of pause {pause_id!r}", wrong)
    for seq, place in unasked(entries, closings):
        findings.blame(row_name(seq), f"it answers a question of {place!r}, and there is no such pause")
    if wanted is not None and found != wanted:
        differing = sorted(pause_id for pause_id in {*found, *wanted} if found.get(pause_id, -1) != wanted.get(pause_id, -1))
        findings.blame(f"pause {differing[0]!r}", "it is open and the run does not ask it, or the run asks it otherwise")


def unasked(entries: Sequence[Entry], closings: set[tuple[str, int, int]]) -> Iterator[tuple[int, str]]:
    """Rows that left a question of an earlier boundary, where no pause was closed by them."""
    asked: dict[Any, int] = {}
    for row in entries:
        entered = asked.pop((row.at, row.turn), None)
        if entered is not None and entered != row.time and (row.at, row.attempt, row.time) not in closings:
            yield row.seq, row.at
        if TABLES[row.machine].owes.get(row.dest) == "ask":
            asked[row.at, row.turn] = row.time


def fault_of_answer(left: Sequence[Entry], kind: str, decided: Sequence[Any]) -> str | None:
    """Why the rows that closed a pause do not agree with its decision; None where they do, or where nobody decided and none had to."""
    word, _time, address, by, comment = decided
    if not any(row.trigger in BY_PERSON for row in left):
        return None
    if word is None:
        return f"none is stored, and row {left[0].seq} says {left[0].trigger}"
    said = Detail(by=by or None, comment=comment or None)
    for row in left:
        value = None if row.body.value is None else digest(row.body.value)
        told = detail_of(row.body.detail)._replace(
            of=None, definition=None, number=None
        )  # it may hand rows on, and follow another definition
        if (row.trigger, value, told) == (DECISIONS[kind].get(word), address, said):
            return None
    return f"it says {word!r}, and row {left[0].seq} says something else"
