"""`Relational` is the protocol `RunStore` over the tables of format 3: each method is one transaction, in any database."""

from __future__ import annotations

from os import urandom
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from statecore.core import ROOT
from statecore.errors import StatecoreError
from statecore.stores.frames.framing import SALT_BYTES
from statecore.stores.records import Listing
from statecore.stores.rules import check_entries
from statecore.stores.sql.reading import definition as definition_text
from statecore.stores.trail import Audited

from . import answering, aside, claiming, counting, listing, plans, reading, steps, tallies, writing
from .events import Salted, check_rows, cut
from .reading import Known
from .shapes import MoveLists, intern, listed
from .steps import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from statecore.core import Micros, Program
    from statecore.stores.abilities import Counts
    from statecore.stores.acts import Act
    from statecore.stores.pages import Counted
    from statecore.stores.records import Boundary, Decided, Entry, Obstacle, PauseFilter, Record, RunFilter, Text, Waiting
    from statecore.stores.sql.link import Link

    from .steps import Written

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

PLACES = 4_096
"""How many runs a store remembers where they stand: those that it has moved."""


def may_stand(boundary: Boundary) -> bool:
    """Whether the rows of a boundary could be stored in some run; where they could not, `writing.commit` says why."""
    begins = next((entry.source for entry in boundary.entries if entry.at == ROOT), boundary.state.run)
    try:
        check_entries(boundary, begins)
        check_rows(boundary)
    except StatecoreError:
        return False
    return True


class Relational(Audited):
    """A `RunStore` over the tables of format 3; the author of a store gives what only its database knows.

    * `_read(work, ...)` calls `work` with a `Link` that sees one moment, and returns its answer.
    * `_write(work, ...)` does so inside a transaction that may write: committed, and durable, when it returns; undone where `work` raises.
    * `_step(boundary, event, place)` stores a plain step with `steps.plain`, durably; False where the tables or the fence refuse it.
    * A constructor calls this one, has the tables made, and calls `_learn` with the numbers of the moves of the lifecycles.
    * `close` gives back what was opened. `blocking` says whether a commit waits for a disk or a server.
    """

    blocking: bool = True
    _known: Known
    _places: dict[str, Place]
    _plans: plans.Plans

    def __init__(self) -> None:
        self._known = Known(MoveLists({}))
        self._places = {}
        self._plans = plans.Plans()

    def _read(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """The result of `work`, which reads of one connection at one moment."""
        raise NotImplementedError

    def _write(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """The result of `work`, once all that it wrote in one transaction is stored."""
        raise NotImplementedError

    def _step(self, boundary: Boundary, event: Written, place: Place) -> bool:
        """Whether a plain step was stored."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back what was opened; the store is not used afterwards."""
        raise NotImplementedError

    # -- boundaries --------------------------------------------------------------------------------------------------------------

    def commit(self, boundary: Boundary) -> Obstacle:
        """Store a boundary; or what stands against it, having stored nothing.

        Raises `UnknownRun`, `ClaimLost`, `AlreadyDecided`, `RefusedBoundary`.
        """
        place = self._places.get(boundary.run_id)
        if place is not None and steps.is_bare(boundary) and self._continued(boundary, place):
            return False
        salted = Salted(boundary, cut(boundary))
        self._shape(salted)
        return self._stored(salted)

    def _continued(self, boundary: Boundary, place: Place) -> bool:
        """Whether a plain step of a run that stands where this store left it was stored; where it was not, `writing.commit` says why."""
        if (boundary.epoch, boundary.seq) != (place.epoch, place.seq) or place.boundary + 1 - place.stored >= writing.EACH:
            return False
        like = plans.likeness(boundary.entries)
        plan = self._plans.by_likeness.get(like) or self._planned(boundary, like)
        if plan is None or not plans.stands_there(boundary, place):
            return False
        try:
            event = plans.planned(boundary, place, plan, urandom(SALT_BYTES))
        except UnicodeEncodeError:
            return False
        if not self._step(boundary, event, place):
            return False
        self._places[boundary.run_id] = steps.moved(place, event, place.boundary + 1)
        return True

    def _planned(self, boundary: Boundary, like: plans.Likeness) -> plans.Plan | None:
        """The plan of a step like none before; None where there is none, or its list of moves is not interned yet."""
        shape = self._known.shapes.known(boundary.entries)
        if shape is None or not may_stand(boundary):
            return None
        plan = plans.plan_of(boundary, shape)
        return self._plans.remember(like, plan) if plan is not None else None

    def _stored(self, salted: Salted) -> Obstacle:
        """Store a boundary that is more than a step, or whose step was refused; or what stands against it."""
        return self._moved(salted, self._write(writing.commit, salted, self._known.shapes))

    def _moved(self, salted: Salted, place: Place | Obstacle) -> Obstacle:
        """Remember where a run stands; or what stands against its boundary."""
        if not isinstance(place, Place):
            return place
        if len(self._places) >= PLACES:
            self._places.clear()
        if salted.boundary.parks:
            self._places.pop(salted.boundary.run_id, None)
        else:
            self._places[salted.boundary.run_id] = place
        return False

    def _shape(self, salted: Salted) -> None:
        """The shapes of a boundary's events, interned where they are new; none where the rows cannot stand, which `writing.commit` refuses."""
        shapes = self._known.shapes
        found = [shapes.known(part.entries) for part in salted.parts]
        if None in found:
            if not may_stand(salted.boundary):
                return
            wanted = [listed(part.entries) for part, shape in zip(salted.parts, found, strict=True) if shape is None]
            new = {shape.moves: shapes.remember(shape) for shape in self._write(intern, wanted, shapes)}
            found = [known or new[listed(part.entries)] for part, known in zip(salted.parts, found, strict=True)]
        salted.shapes = [each for each in found if each is not None]

    # -- runs --------------------------------------------------------------------------------------------------------------------

    def load(self, run_id: str) -> Record:
        """The run as it stands. Raises `UnknownRun`."""
        return self._read(reading.record, run_id, self._known)

    def learn(self, program: Program) -> None:
        """Take over a program that the caller has compiled: the runs of its fingerprint are played by it, and their definition is not read for that."""
        if program.fingerprint not in self._known.programs:
            self._known.learn(program.fingerprint, program)

    def look(self, run_id: str, pause_ids: Collection[str], program: Program | None = None) -> tuple[Record, list[Waiting]]:
        """At one moment: the run, those of its open questions that are decided, oldest first, and the named ones. Raises `UnknownRun`."""
        if program is not None:
            self.learn(program)
        return self._read(reading.look, run_id, pause_ids, self._known)

    def claim_next(  # noqa: PLR0913  # as many as there is to say of a claim
        self, workflow_id: str, owner: str, time: Micros, lease: Micros | None = None, most: int = 1, but: Collection[str] = ()
    ) -> Listing[tuple[Record, bool]]:
        """Take up to `most` runs of a workflow that can go on, those that wait longest first."""
        if self._read(claiming.is_idle, workflow_id, time, but):
            return Listing()
        return self._write(claiming.claim_next, workflow_id, owner, time, lease, most, but, self._known)

    def renew(self, run_id: str, epoch: int, lease: Micros) -> None:
        """Let a claim last longer. Raises `UnknownRun`, `ClaimLost`."""
        self._write(claiming.renew, run_id, epoch, lease)

    def release(self, run_id: str, epoch: int) -> None:
        """Give a claim back, if it is still this one."""
        self._write(claiming.release, run_id, epoch, self._known)

    def request_cancel(self, run_id: str, by: str | None, time: Micros) -> Record:
        """Mark the run to be cancelled at its next boundary. Raises `UnknownRun`."""
        return self._write(claiming.request_cancel, run_id, by, time, urandom(SALT_BYTES), self._known)

    def runs(self, wanted: RunFilter) -> list[Record]:
        """A page of runs, the one begun last first. Raises `UnknownRun` for an unknown `after`."""
        return self._read(listing.runs, wanted, self._known)

    def count(self, wanted: RunFilter | PauseFilter, *, exact: bool = False) -> Counted:
        """How many runs, or open pauses, a filter fits; unless `exact` it stops after 1,000 rows. Raises `UnknownRun`."""
        return self._read(counting.count, wanted, exact=exact)

    def set_aside(self, run_id: str, time: Micros) -> Micros:
        """Set a run aside, whatever its rows say: no process claims it; since when it is. Raises `UnknownRun`, `RunBusy`."""
        return self._write(aside.set_aside, run_id, time)

    def take_back(self, run_id: str) -> bool:
        """Take back a run that was set aside; whether it was. Raises `UnknownRun`."""
        return self._write(aside.take_back, run_id)

    def aside(self) -> list[tuple[str, Micros]]:
        """The runs that are set aside, each with the instant since which it is."""
        return self._read(aside.all_of)

    def tallies(self, workflow_id: str) -> Counts:
        """The counts of a workflow's open questions and unended runs."""
        return self._read(tallies.counts, workflow_id)

    # -- pauses ------------------------------------------------------------------------------------------------------------------

    def decide(self, decision: Decided, *others: Decided) -> Decided:
        """Store the one decision of a pause. Raises `UnknownRun`, `UnknownPause`, `UnknownDecision`, `AlreadyDecided`, `NotPaused`."""
        return self._write(answering.decide, [urandom(SALT_BYTES) for _ in (decision, *others)], decision, *others)

    def act(self, new: Act) -> Act:
        """Store a vote, a withdrawal or a lapse, judged by the rule of its question; as `abilities.KeepsVotes` says."""
        return self._write(claiming.act, new, self._known)

    def decisions(self, run_id: str) -> list[Decided]:
        """All decisions of a run, in the order of their pauses."""
        return self._read(reading.decisions, run_id)

    def pauses(self, wanted: PauseFilter) -> list[Waiting]:
        """The inbox: open pauses of runs that have not ended, oldest first."""
        return self._read(listing.inbox, wanted, votes=getattr(self, "keeps_votes", False))

    def pause(self, run_id: str, pause_id: str) -> Waiting | None:
        """One pause, open or closed."""
        return self._read(reading.pause, run_id, pause_id)

    def question(self, question_id: str) -> Waiting | None:
        """The question with a short name (`frames.questions.question_id`), open or closed."""
        return self._read(reading.question, question_id)

    def past_questions(self, after: tuple[str, str] | None, limit: int) -> Listing[Waiting]:
        """Questions that are decided or closed, the one put last first; `after` is the key of the page before."""
        return self._read(listing.past, after, limit)

    # -- journals ----------------------------------------------------------------------------------------------------------------

    def journal(self, run_id: str, after: int = 0, upto: int | None = None) -> list[Entry]:
        """The rows of a run with seq in (after, upto], in order. Raises `UnknownRun`."""
        return self._read(reading.journal, run_id, after, upto, self._known)

    def outline(self, run_id: str, after: int = 0, upto: int | None = None) -> list[Entry]:
        """The rows of `journal` without their values: where there is one, it is `FAR`, and only a slice of the journal has it."""
        return self._read(reading.outline, run_id, after, upto, self._known)

    def erasures(self, run_id: str) -> list[tuple[str, str | None, str | None, Micros]]:
        """The orders to erase data of a run, in their order: the fields, the person, the reason and the time of each."""
        return self._read(reading.erasures, run_id)

    def head(self, run_id: str) -> str:
        """The hash that equal journals have in common, in any store: the chain of `links.link` over the rows."""
        return self._read(reading.head, run_id, self._known)

    def session_state(self, session_id: str, workflow_id: str) -> Text | None:
        """The session state as the run of a session left it that was claimed last."""
        return self._read(reading.session_state, session_id, workflow_id)

    def definition(self, fingerprint: str) -> Text | None:
        """The canonical form of a workflow that some run has or had; None where there is none."""
        return self._read(definition_text, fingerprint)
