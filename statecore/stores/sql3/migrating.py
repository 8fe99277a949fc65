"""A run of format 2 becomes a run of format 3: its boundaries are stored again, one by one, through what stores new ones.

So the guards of the tables judge each row, and each hash is made as for a new run. Inside the caller's transaction; the caller deletes the old rows.
"""

from __future__ import annotations

from json import dumps, loads
from os import urandom
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import define, evolve, field

from statecore.core import ROOT
from statecore.lifecycles import words as w
from statecore.stores.frames.framing import SALT_BYTES
from statecore.stores.rules import ENDED

from . import questions, reading
from .answering import Answers
from .beginning import BEGUN, named
from .events import LONGEST_KEY, Salted, cut
from .older import Old, began_with, boundaries
from .queries import (
    ADD_SESSION,
    ADD_WORKFLOW,
    BEGIN_HOT,
    CANCEL,
    DEFINED,
    SESSION,
    START_KEY,
    TAKE,
    WORKFLOW,
)
from .questions import body_of
from .rows import cancel_digest, identity_digest
from .shapes import intern, listed
from .steps import Place
from .writing import Stands, append, stands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.stores.records import Boundary, Decided
    from statecore.stores.sql.link import Link

    from .questions import Put
    from .reading import Known

FROM = 2
IDENTITY = """
INSERT INTO run (id, run_id, workflow, workflow_name, session, user_id, created_us, input, additional, metadata, salt, definition, rules, start_key,
  seal)
/*pg OVERRIDING SYSTEM VALUE*/ VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
MIGRATED = "migrated"
"""The name in the fact of a run's first event under which its migration stands."""


class Carried(NamedTuple):
    """A run that was carried: how many rows it has, whether replay told its boundaries, and which keys could not be kept."""

    run_id: str
    rows: int
    told: bool
    dropped: tuple[str, ...]


@define
class Migrated:
    """The report of a migration: the runs of this call, their rows, and what could not be carried as it was."""

    path: str
    runs: int = 0
    rows: int = 0
    batches: int = 0
    grouped_by_time: list[str] = field(factory=list)
    keys_dropped: dict[str, list[str]] = field(factory=dict)

    def note(self, carried: Sequence[Carried]) -> None:
        """Count a batch; an empty one is none."""
        self.batches += bool(carried)
        for each in carried:
            self.runs, self.rows = self.runs + 1, self.rows + each.rows
            if not each.told:
                self.grouped_by_time.append(each.run_id)
            if each.dropped:
                self.keys_dropped[each.run_id] = list(each.dropped)


def carry(connection: Link, old: Old, known: Known) -> Carried:
    """Store a run of format 2 in the tables of format 3. Raises what the tables and the frames refuse."""
    found, told = boundaries(connection, old, known)
    keys = Keys(old)
    place = begin(connection, old, began_with(connection, old), keys.start)
    decided = {each.decided.pause_id: each.decided for each in old.questions if each.decided is not None}
    puts: dict[str, Put] = {}
    for n, boundary in enumerate(found):
        salted = salted_of(connection, boundary, known)
        if n == 0 and salted.parts:
            salted.parts[0] = salted.parts[0]._replace(fact=fact_of(salted.parts[0].fact, old, told, keys.dropped))
        closing = [puts.pop(pause_id) for pause_id in boundary.closed]
        answers = Answers(boundary, place.run, closing) if closing or boundary.opened else None
        place = append(connection, salted, place, answers, known.shapes)
        for pause in boundary.opened:
            puts[pause.pause_id] = put(connection, place.run, keys.kept(decided.get(pause.pause_id)), pause.pause_id)
    stand(connection, old, place)
    return Carried(old.record.identity.run_id, len(old.entries), told, keys.dropped)


class Keys:
    """The idempotency keys of a run: format 3 keeps each once, of 1 to 1,024 bytes; format 2 of a schema 1 had others."""

    start: str | None
    dropped: tuple[str, ...]

    def __init__(self, old: Old) -> None:
        """Which keys are kept, and of which things one is dropped."""
        self.start = old.record.identity.key if fits(old.record.identity.key) else None
        dropped = ["start"] if self.start != old.record.identity.key else []
        seen: set[str] = set()
        self.without: set[str] = set()
        for each in old.questions:
            key = each.decided.key if each.decided is not None else None
            if key is not None and (key in seen or not fits(key)):
                self.without.add(each.pause.pause_id)
                dropped.append(each.pause.pause_id)
            elif key is not None:
                seen.add(key)
        self.dropped = tuple(dropped)

    def kept(self, decided: Decided | None) -> Decided | None:
        """A decision, without a key that is not kept."""
        return evolve(decided, key=None) if decided is not None and decided.pause_id in self.without else decided


def fits(key: str | None) -> bool:
    """Whether a key can be kept."""
    return key is None or (1 <= len(key.encode()) <= LONGEST_KEY and "\0" not in key)


def fact_of(fact: str | None, old: Old, told: bool, dropped: tuple[str, ...]) -> str:  # noqa: FBT001  # what there is to say
    """The fact of the first event: what it says, and where the run came from; its old head covers all of its old rows."""
    said: dict[str, Any] = {"format": FROM, "rows": len(old.entries), "head": old.head.hex()}
    if not told:
        said["grouped"] = "time"
    if dropped:
        said["keys_dropped"] = list(dropped)
    return dumps({**(loads(fact) if fact is not None else {}), MIGRATED: said}, separators=(",", ":"))


def salted_of(connection: Link, boundary: Boundary, known: Known) -> Salted:
    """A boundary as events, their lists of moves interned."""
    salted = Salted(boundary, cut(boundary))
    found = [known.shapes.known(part.entries) for part in salted.parts]
    wanted = [listed(part.entries) for part, shape in zip(salted.parts, found, strict=True) if shape is None]
    new = {shape.moves: known.shapes.remember(shape) for shape in intern(connection, wanted, known.shapes)}
    salted.shapes = [shape or new[listed(part.entries)] for part, shape in zip(salted.parts, found, strict=True)]
    return salted


def put(connection: Link, run: int, decided: Decided | None, pause_id: str) -> Put:
    """A question that was put, with the decision that is stored of it."""
    found = reading.put_in(connection, run, pause_id)
    if found is None:
        message = f"the question {pause_id!r} was not put"
        raise RuntimeError(message)
    return questions.decide(connection, found, decided, urandom(SALT_BYTES)) if decided is not None else found


def begin(connection: Link, old: Old, fingerprint: str, key: str | None) -> Place:
    """The identity of a run, and where it stands before its first event: under the claim that it has now."""
    record = old.record
    identity, salt = evolve(record.identity, key=key), urandom(SALT_BYTES)
    workflow = named(connection, WORKFLOW, ADD_WORKFLOW, identity.workflow_id)
    session = named(connection, SESSION, ADD_SESSION, identity.session_id)
    [definition] = connection.execute(DEFINED, (fingerprint,)).fetchone()
    digest = identity_digest(identity, salt, fingerprint)
    who = (identity.run_id, workflow, identity.workflow_name, session, identity.user_id, identity.created)
    bodies = (body_of(identity.input), body_of(identity.additional_data), body_of(identity.metadata))
    connection.execute(IDENTITY, (old.number, *who, *bodies, salt, definition, identity.rules, key, digest))
    if key is not None:
        connection.execute(START_KEY, (workflow, key, identity.run_id))
    hot = (old.number, workflow, old.order, record.owner, definition, digest, BEGUN, identity.created, digest, session)
    connection.execute(BEGIN_HOT, hot)
    connection.execute(TAKE, (record.epoch, old.number))
    [now] = connection.execute(DEFINED, (identity.fingerprint,)).fetchone()
    whose = (old.number, record.epoch, w.pending, old.order, now, identity.fingerprint)
    return Place(*whose, 0, 0, 0, digest, 0, None, session, workflow, record.owner, record.lease, record.cancel_requested)


def stand(connection: Link, old: Old, place: Place) -> None:
    """Where a run stands, whose it is, and who wants it cancelled: as it was."""
    record = old.record
    run_id = record.identity.run_id
    if record.cancel_requested is not None:
        salt = None if record.cancel_by is None else urandom(SALT_BYTES)
        time, by = record.cancel_requested, record.cancel_by
        connection.execute(CANCEL, (time, body_of(by), salt, cancel_digest(run_id, by, time, salt), None, place.run))
    ends = [entry.time for entry in old.entries if entry.at == ROOT]
    ended = ends[-1] if place.phase in ENDED and ends else None
    place = place._replace(ended=ended, stored=place.boundary)
    standing = Stands(record.state, record.held, record.updated)
    stands(connection, run_id, place, record.owner, record.lease, standing, claims=True)
