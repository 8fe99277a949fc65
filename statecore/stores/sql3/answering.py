"""The questions of a boundary: it takes decisions, closes questions and puts new ones. And the decisions of people, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve, field

from statecore.errors import NoVote, UnknownPause
from statecore.lifecycles import words as w
from statecore.stores.rules import (
    check_key,
    check_pauses,
    is_about,
    judge,
    place_of,
    sought,
)
from statecore.stores.taking import judge_all, parks_paused, waiting_decisions
from statecore.stores.votes import REFUSAL, decided_by, votes_stand, with_acts
from statecore.stores.votes import judged as judged_act

from . import acts, questions, reading
from .events import BY_PERSON, check_key_text
from .queries import HEAR, PHASE, USED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from statecore.stores.acts import Act
    from statecore.stores.records import Boundary, Decided, Entry, Pause
    from statecore.stores.sql.link import Link

    from .events import Part, Salted
    from .questions import Put


MANY = 8
"""From how many questions on, of which a boundary speaks, all open ones are read at once."""
CLOSES = {w.cancel: "cancelled", w.renew: "lapsed"}
"""The outcome of a question by the row that closes it, whatever was decided; by an expiry it depends."""


def asks(boundary: Boundary) -> bool:
    """Whether a boundary touches questions."""
    return bool(boundary.decisions or boundary.closed or boundary.opened)


@define
class Answers:
    """The questions of a boundary: which it closes, in its order, and which of these were decided."""

    boundary: Boundary
    run: int
    closing: list[Put]
    left: list[Put] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """None is closed yet."""
        self.left = list(self.closing)

    @property
    def decided(self) -> list[Put]:
        """The questions that are closed with their decision, unless the run was cancelled over them."""
        return [put for put in self.closing if outcome(put, self.boundary) == "decided"]

    def shared(self, parts: Sequence[Part]) -> dict[int, Put]:
        """Each decided question beside the event that applies its decision, or the first event that applies none."""
        found: dict[int, Put] = {}
        waiting = []
        for put in self.decided:
            pause = put.waiting.pause
            place = next(
                (
                    n
                    for n, part in enumerate(parts)
                    if n not in found
                    and any(row.trigger in BY_PERSON and is_there(row, pause) and is_about(row, pause) for row in part.entries)
                ),
                None,
            )
            if place is None:
                waiting.append(put)
            else:
                found[place] = put
        free = [n for n in range(len(parts)) if n not in found]
        return found | dict(zip(free, waiting, strict=False))

    def without_a_row(self, parts: Sequence[Part]) -> int:
        """How many events are missing, where more decisions are applied than there are events."""
        return max(0, len(self.decided) - len(parts))

    def asked(self, event: int, salted: Salted) -> list[bytes]:
        """The digests of the questions that the last event puts, by id."""
        opened = sorted(self.boundary.opened, key=lambda pause: pause.pause_id.encode())
        return [questions.asked(pause, event, salted) for pause in opened]

    def close(self, connection: Link, put: Put | None, event: int) -> None:
        """Close a question by the event that applies its decision."""
        if put is not None:
            questions.close(connection, put, event, "decided")
            self.left.remove(put)

    def finish(self, connection: Link, workflow: int, event: int, salted: Salted) -> None:
        """Close what is left by the last event, and put the new questions."""
        for put in self.left:
            questions.close(connection, put, event, outcome(put, self.boundary))
        for pause in self.boundary.opened:
            questions.ask(connection, self.run, workflow, pause, event, salted)


def outcome(put: Put, boundary: Boundary) -> str:
    """The outcome of a question that a boundary closes."""
    pause = put.waiting.pause
    there = [row for row in boundary.entries if is_there(row, pause)]
    about = [row for row in there if is_about(row, pause)]
    for row in about:
        if row.trigger == w.expire:
            return "expired" if put.decision is None else "cancelled"
        if row.trigger in CLOSES:
            return CLOSES[row.trigger]
    if there and not about:  # another question of the call was rejected or has expired: this one is no longer asked
        return next((CLOSES[row.trigger] for row in there if row.trigger in CLOSES), "cancelled")
    return "decided" if put.decision is not None else "cancelled"


def is_there(row: Entry, pause: Pause) -> bool:
    """Whether a row is of the component, and the turn, that puts a question."""
    return row.at == pause.at and pause.turn[: len(row.turn)] == row.turn


def judged(connection: Link, boundary: Boundary, run: int, phase: str, salted: Salted) -> Answers | tuple[Decided, ...] | None:
    """The questions of a boundary, once its decisions are judged and stored; None where it has none.

    Or, having stored nothing, the decisions that stand against it. Raises what the rules raise.

    Of the other questions, which may be many, only the decided ones are read, and those that are open where the boundary asks.
    """
    puts = reading.decided_puts(connection, run) if parks_paused(boundary) else []
    for pause in boundary.opened:
        puts += reading.puts_there(connection, run, pause)
    found = {put.waiting.pause.pause_id: put for put in puts}
    spoken_of = [*[each.pause_id for each in boundary.decisions], *boundary.closed, *boundary.ruled]
    if len(spoken_of) > MANY:  # rather all at once
        found |= {put.waiting.pause.pause_id: put for put in reading.open_puts(connection, run)}
    for pause_id in dict.fromkeys(spoken_of):
        put = reading.put_in(connection, run, pause_id) if pause_id not in found else None
        if put is not None:
            found[pause_id] = put
    places = {pause_id: put.waiting.pause for pause_id, put in found.items()}
    open_at = {pause_id: place_of(pause) for pause_id, pause in places.items() if pause.closed is None}
    pauses = places if all(each.pause_id in places for each in boundary.decisions) else of_all(connection, run, places)
    stored = {pause_id: put.waiting.decided for pause_id, put in found.items() if put.waiting.decided is not None}
    voted = votes_stand(ruled) if (ruled := [put.waiting for put in found.values() if put.waiting.pause.rule is not None]) else {}
    fresh = judge_all(boundary, pauses, stored, phase, voted)
    check_pauses(boundary, pauses.keys(), open_at)
    waiting = waiting_decisions(boundary, open_at, {**voted, **stored, **fresh})
    if waiting or not asks(boundary):
        return waiting or None
    for pause_id, decided in fresh.items():
        found[pause_id] = questions.decide(connection, found[pause_id], decided, salted.salt(f"decision {pause_id}"))
    return Answers(boundary, run, [found[pause_id] for pause_id in boundary.closed])


def of_all(connection: Link, run: int, some: Mapping[str, Pause]) -> dict[str, Pause]:
    """The open questions of a run beside some that are read already: a decision of none of them is refused with their names."""
    return {put.waiting.pause.pause_id: put.waiting.pause for put in reading.open_puts(connection, run)} | dict(some)


def decide(connection: Link, salts: Sequence[bytes], decision: Decided, *others: Decided) -> Decided:
    """Store the one decision of a pause, and others of the run. Raises `UnknownRun`, `UnknownPause`, and what `judge` raises."""
    row = connection.execute(
        "SELECT r.id, h.phase FROM run r JOIN hot h ON h.run = r.id WHERE r.run_id = ? /*pg FOR UPDATE OF h*/",
        (sought(decision.run_id),),
    ).fetchone()
    if row is None:
        raise reading.unknown(connection, decision.run_id)
    number, phase = row
    kept = []
    for new, salt in zip((decision, *others), salts, strict=True):
        put = reading.put_in(connection, number, new.pause_id)
        if put is None:
            pending = [other.waiting.pause.pause_id for other in reading.open_puts(connection, number)]
            raise UnknownPause(new.run_id, new.pause_id, pending)
        if new.key is not None:
            used = connection.execute(USED, (number, sought(new.key))).fetchone()
            check_key(questions.put_of(used).waiting.decided if used is not None else None, new)
        stored = judge(put.waiting.pause, put.waiting.decided, new, phase)
        if stored is None:
            check_key_text(new.key)
            questions.decide(connection, put, new, salt)
        kept.append(stored or new)
    return kept[0]


def act(connection: Link, new: Act) -> Act:
    """Store what a person did about a question, judged in this transaction. Raises `UnknownRun`, `UnknownPause`, and what `judged` raises."""
    row = connection.execute(PHASE, (sought(new.run_id),)).fetchone()
    if row is None:
        raise reading.unknown(connection, new.run_id)
    run, phase = row
    put = reading.put_in(connection, run, new.pause_id)
    if put is None:
        pending = [other.waiting.pause.pause_id for other in reading.open_puts(connection, run)]
        raise UnknownPause(new.run_id, new.pause_id, pending)
    if put.waiting.pause.rule is None:
        raise NoVote(new.pause_id, new.by)
    stored, is_new = judged_act(put.waiting, new, phase)
    if is_new:
        acts.append(connection, put, stored)
        if decided_by(evolve(put.waiting, acts=with_acts(put.waiting.acts, stored, is_new=True))) is not None:
            connection.execute(HEAR, (run,))
    elif stored.kind == REFUSAL:
        acts.count(connection, put, stored)
    return stored
