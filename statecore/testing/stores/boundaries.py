"""Tests of boundaries: stored as a whole or not at all, and only from the run's present owner."""
# ruff: noqa: S101, PLR2004  # assert is how a test speaks, and the expected number is its point

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from statecore.core import Cursor, Frame, Gather, Ref, State
from statecore.core.state import Ending, Marks
from statecore.errors import (
    AlreadyDecided,
    ClaimLost,
    RefusedBoundary,
    StatecoreError,
    UnknownDecision,
    UnknownPause,
    UnstorableValue,
)
from statecore.lifecycles import words as w
from statecore.stores.records import Boundary, RunStore

from .samples import (
    ALIVE,
    COMPLETED,
    DEAD,
    FAILED,
    LONE,
    PAUSED,
    REF,
    RESUMED,
    STARTED,
    TIME,
    Fired,
    Fresh,
    Writer,
    answer,
    asked,
    claim,
    confirmed,
    entered,
    everything,
    fingerprint_of,
    gated,
    question,
    started,
    succeeded,
)

if TYPE_CHECKING:
    from collections.abc import Callable

GATE = question("run-1")
OTHER = question("run-1", "other")


def applied(writer: Writer, **parts: Any) -> Boundary:
    """The boundary that applies the decision of `GATE`, with any part of it chosen."""
    usual: dict[str, Any] = {"closed": (GATE.pause_id,), "decisions": (answer(GATE),)}
    return writer.boundary(RESUMED, confirmed("gate"), **(usual | parts))


# each is refused for its last part only, when all that stands before it could have been stored
REFUSED: dict[str, tuple[type[StatecoreError], Callable[[Writer], Boundary]]] = {
    "a move that no lifecycle has": (
        RefusedBoundary,
        lambda x: x.boundary(RESUMED, Fired("step", "a", w.skipped, w.confirm, w.running)),
    ),
    "a lifecycle that there is not": (
        RefusedBoundary,
        lambda x: x.boundary(RESUMED, Fired("x", "a", w.pending, w.enter, w.running)),
    ),
    "a move of the run from where it is not": (RefusedBoundary, lambda x: x.boundary(RESUMED, PAUSED, PAUSED)),
    "a move of the run elsewhere than at the root": (
        RefusedBoundary,
        lambda x: x.boundary(RESUMED, Fired("run", "gate", w.running, w.pause, w.paused), state=State(RESUMED.dest)),
    ),
    "a component at the root": (RefusedBoundary, lambda x: x.boundary(RESUMED, confirmed(""))),
    "a state where the rows do not lead": (RefusedBoundary, lambda x: x.boundary(RESUMED, state=State(PAUSED.dest))),
    "a row left out": (RefusedBoundary, lambda x: moved(x.boundary(RESUMED, confirmed("gate")), 1, 1)),
    "a row twice": (RefusedBoundary, lambda x: moved(x.boundary(RESUMED, confirmed("gate")), 1, -1)),
    "the first row left out": (RefusedBoundary, lambda x: moved(x.boundary(RESUMED), 0, 1)),
    "a pause closed that never was": (RefusedBoundary, lambda x: applied(x, closed=(GATE.pause_id, "x:confirmation:0"))),
    "a pause closed twice": (RefusedBoundary, lambda x: applied(x, closed=(GATE.pause_id, GATE.pause_id))),
    "a pause opened twice": (RefusedBoundary, lambda x: applied(x, opened=(question("run-1", "new"), OTHER))),
    "a pause opened again": (RefusedBoundary, lambda x: applied(x, opened=(GATE,))),
    "two new pauses at one place": (
        RefusedBoundary,
        lambda x: applied(x, opened=(question("run-1", "new"), question("run-1", "new", kind="error"))),
    ),
    "a second pause at a place": (RefusedBoundary, lambda x: applied(x, opened=(question("run-1", "other", kind="error"),))),
    "a new pause that is closed": (RefusedBoundary, lambda x: applied(x, opened=(question("run-1", "new", closed=TIME),))),
    "a decision of no pause": (UnknownPause, lambda x: applied(x, decisions=(answer(GATE), answer(question("run-1", "nowhere"))))),
    "a word of another kind": (UnknownDecision, lambda x: applied(x, decisions=(answer(GATE), answer(OTHER, "retry")))),
    "two words for one pause": (AlreadyDecided, lambda x: applied(x, decisions=(answer(GATE), answer(GATE, "reject")))),
    "an output that no store keeps": (UnstorableValue, lambda x: x.boundary(RESUMED, confirmed("gate"), succeeded("gate", LONE))),
    "particulars that no store keeps": (UnstorableValue, lambda x: x.boundary(RESUMED, succeeded("gate", None, LONE))),
    "an address that no store keeps": (UnstorableValue, lambda x: x.boundary(RESUMED, entered(LONE))),
    "a session state that no store keeps": (UnstorableValue, lambda x: applied(x, session_state=LONE)),
    "a question that no store keeps": (UnstorableValue, lambda x: applied(x, opened=(question("run-1", "new", message=LONE),))),
    "a comment that no store keeps": (UnstorableValue, lambda x: applied(x, decisions=(answer(GATE, comment=LONE),))),
    "an epoch before": (ClaimLost, lambda x: applied(x, epoch=1)),
    "an epoch after": (ClaimLost, lambda x: applied(x, epoch=3)),
}


def moved(boundary: Boundary, index: int, by: int) -> Boundary:
    """The boundary with the rows from one on moved to other places of the journal."""
    entries = [entry._replace(seq=entry.seq + by) if n >= index else entry for n, entry in enumerate(boundary.entries)]
    return boundary._replace(entries=tuple(entries))


class Boundaries(Fresh):
    """A boundary is one transaction: all of it or nothing, once, from whoever owns the run."""

    def test_a_boundary_is_stored_as_a_whole(self, store: RunStore) -> None:
        """State, rows, references, session state and time are what the boundary said; the lease is kept unless it parks."""
        writer = started(store)
        state = State(writer.state.run, (Cursor("second", w.pending, (), 0, REF, REF),))
        stored = writer.commit(succeeded("first", '"out"'), state=state, held={REF: 3}, session_state="[1]", time=TIME + 50)
        found = store.load("run-1")
        assert (found.state, found.seq, found.held, found.session_state) == (state, 3, {REF: 3}, "[1]")
        assert (found.updated, found.owner, found.epoch) == (TIME + 50, ALIVE, 1)
        assert store.journal("run-1")[-1:] == list(stored.entries)

    def test_what_a_boundary_leaves_out_stays(self, store: RunStore) -> None:
        """A session state of None is none at all; a boundary without rows may change the state alone."""
        writer = started(store)
        writer.commit(succeeded("first"), session_state='{"kept":1}')
        journal = store.journal("run-1")
        writer.commit(state=State(writer.state.run), time=TIME + 77)
        found = store.load("run-1")
        assert (found.session_state, found.state.cursors, found.updated) == ('{"kept":1}', (), TIME + 77)
        assert store.journal("run-1") == journal

    def test_a_parked_run_is_given_back(self, store: RunStore) -> None:
        """The run is released in the same transaction, so that it can be claimed at once."""
        started(store).commit(succeeded("first"), COMPLETED, parks=True)
        assert (store.load("run-1").owner, store.load("run-1").epoch) == (None, 1)
        assert claim(store, "run-1").epoch == 2

    def test_a_state_comes_back_equal(self, store: RunStore) -> None:
        """Cursors with their marks, frames, endings and references come back as they were, tuples as tuples."""
        deep = Ref("loop/then/step~1x", (2, 11), 3)
        gathered = Gather((("left", deep), ("right", None), ("", Gather(()))))
        marks = Marks(1, 2, 3, 4, gathered, deep, stopping=True, due=TIME)
        cursors = (Cursor("a", w.pending, (), 0), Cursor("loop/then/b", w.pending, (2, 12), 4, deep, REF, marks))
        frames = (
            Frame("loop", (2,), REF, gathered, 1, Marks(interrupts=2), ("loop/x", "loop/y"), (("loop/z", None), ("q", deep))),
        )
        endings = (Ending("", "a", (), w.finish, None, deep), Ending("loop", "loop/then/b", (2, 12), w.leave, gathered, REF))
        writer = started(store)
        state = State(writer.state.run, cursors, gathered, frames, endings)
        writer.commit(state=state, held={deep: 2, REF: 1})
        found = store.load("run-1")
        assert (found.state, found.held) == (state, {deep: 2, REF: 1})
        assert hash(found.state) == hash(state)
        assert all(type(ref) is Ref for ref in found.held)

    def test_what_was_stored_is_not_the_callers(self, store: RunStore) -> None:
        """A mapping that is changed after it was stored changes nothing in the store."""
        writer, held = started(store), {REF: 1}
        writer.commit(held=held)
        held[REF] = 7
        assert store.load("run-1").held == {REF: 1}

    # -- fencing -------------------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("seq", [0, 1, 3, -1])
    def test_a_boundary_elsewhere_is_refused(self, store: RunStore, seq: int) -> None:
        """A boundary is accepted only where the journal ends: a repeated one is refused like one that is too early."""
        writer = started(store)
        before = everything(store, "run-1")
        with pytest.raises(ClaimLost):
            store.commit(writer.boundary(succeeded("first"), seq=seq))
        assert everything(store, "run-1") == before

    def test_an_owner_that_was_taken_over_stores_nothing(self, store: RunStore) -> None:
        """A process whose run was claimed meanwhile finds every boundary refused, whether the new owner has stored anything or not."""
        sleeper = started(store, owner=DEAD)
        claim(store, "run-1")
        before = everything(store, "run-1")
        for _ in range(2):
            with pytest.raises(ClaimLost):
                store.commit(sleeper.boundary(succeeded("first"), heeds_cancel=False))
        assert everything(store, "run-1") == before

    # -- cancellations -------------------------------------------------------------------------------------------------------------

    def test_a_boundary_heeds_a_cancellation(self, store: RunStore) -> None:
        """Where one was requested, a boundary that heeds it is not stored and says so; one that does not is stored."""
        writer = started(store)
        store.request_cancel("run-1", "ann", TIME)
        before = everything(store, "run-1")
        assert store.commit(writer.boundary(succeeded("first"))) is True
        assert everything(store, "run-1") == before
        writer.commit(succeeded("first"), heeds_cancel=False)
        assert store.load("run-1").seq == 3

    def test_a_lost_claim_is_told_before_a_cancellation(self, store: RunStore) -> None:
        """A process that lost the run is told so, not that it is to be cancelled: it may no longer cancel it."""
        writer = started(store)
        store.request_cancel("run-1", "ann", TIME)
        with pytest.raises(ClaimLost):
            store.commit(writer.boundary(succeeded("first"), epoch=2))

    # -- decisions that wait -------------------------------------------------------------------------------------------------------

    def test_a_boundary_that_would_park_names_what_is_decided(self, store: RunStore) -> None:
        """It is not stored, and answers the decisions of all questions that it would leave open, in their order; with these it is stored."""
        third = question("run-1", "third")
        writer = asked(store, "run-1", GATE, OTHER, third).claim()
        decided = [store.decide(answer(pause)) for pause in (third, GATE)]
        before = everything(store, "run-1")
        parking = writer.boundary(RESUMED, PAUSED, parks=True)
        assert store.commit(parking) == (decided[1], decided[0])
        assert store.commit(parking._replace(closed=(GATE.pause_id, OTHER.pause_id))) == (decided[0],)
        assert everything(store, "run-1") == before
        assert store.commit(parking._replace(closed=(GATE.pause_id, third.pause_id))) is False
        assert store.load("run-1").owner is None

    def test_a_boundary_that_brings_a_decision_may_not_leave_it(self, store: RunStore) -> None:
        """The decisions that a boundary takes along count as stored: one of a question that it leaves open stands against it, too."""
        writer = asked(store).claim()
        before = everything(store, "run-1")
        assert store.commit(writer.boundary(RESUMED, PAUSED, parks=True, decisions=(answer(GATE),))) == (answer(GATE),)
        assert everything(store, "run-1") == before

    @pytest.mark.parametrize("case", ["goes on", "has failed", "has nothing decided", "does not heed"])
    def test_a_boundary_that_parks_nobody_takes_no_decision(self, store: RunStore, case: str) -> None:
        """It is stored beside a decision where the run goes on or fails, or where its driver says that it cannot take the decision."""
        writer = asked(store, "run-1", GATE, OTHER).claim()
        if case != "has nothing decided":
            store.decide(answer(GATE))
        fired = {"goes on": [RESUMED], "has failed": [RESUMED, FAILED]}.get(case, [RESUMED, PAUSED])
        writer.commit(*fired, parks=case != "goes on", heeds_decisions=case != "does not heed")
        assert store.load("run-1").seq == writer.seq
        assert len(store.decisions("run-1")) == (case != "has nothing decided")

    def test_what_is_told_before_a_decision(self, store: RunStore) -> None:
        """A lost claim, a cancellation and a refusal are told before the decisions that would stand against a boundary."""
        writer = asked(store, "run-1", GATE, OTHER).claim()
        store.decide(answer(GATE))
        parking = writer.boundary(RESUMED, PAUSED, parks=True)
        with pytest.raises(ClaimLost):
            store.commit(parking._replace(epoch=1))
        with pytest.raises(RefusedBoundary):
            store.commit(parking._replace(closed=("x:confirmation:0",)))
        store.request_cancel("run-1", "ann", TIME)
        assert store.commit(parking) is True
        assert store.commit(parking._replace(heeds_cancel=False)) == (answer(GATE),)

    # -- refusals ------------------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("case", REFUSED)
    def test_a_refused_boundary_leaves_no_trace(self, store: RunStore, case: str) -> None:
        """A boundary that is refused for its last part has stored none of the parts before it, and the run goes on."""
        refusal, boundary = REFUSED[case]
        writer = asked(store, "run-1", GATE, OTHER).claim()
        before = everything(store, "run-1")
        with pytest.raises(refusal):
            store.commit(boundary(writer))
        assert everything(store, "run-1") == before
        assert store.commit(applied(writer)) is False

    def test_a_place_may_ask_again(self, store: RunStore) -> None:
        """Where a pause is closed, the same boundary may open the next one of that place; another turn is another place."""
        writer = asked(store).claim()
        again = question("run-1", kind="error", attempt=1)
        writer.commit(RESUMED, confirmed("gate"), PAUSED, closed=(GATE.pause_id,), decisions=(answer(GATE),), opened=(again,))
        writer.commit(RESUMED, gated("gate", turn=(1,)), PAUSED, opened=(question("run-1", turn=(1,)),))
        open_ones = [waiting.pause.pause_id for waiting in everything(store, "run-1")[-1]]
        assert open_ones == [again.pause_id, question("run-1", turn=(1,)).pause_id]

    def test_runs_do_not_touch_one_another(self, store: RunStore) -> None:
        """A boundary changes its own run alone, though another has the same steps and pauses."""
        other = asked(store, "run-2", question("run-2"))
        before = everything(store, other.run_id)
        writer = asked(store).claim()
        store.commit(applied(writer))
        assert everything(store, "run-2") == before
        assert store.pause("run-2", GATE.pause_id) == before[-1][0]

    def test_a_journal_begins_at_one(self, store: RunStore) -> None:
        """The first boundary of a run begins its journal at row 1."""
        started(store)
        assert [entry.seq for entry in store.journal("run-1")] == [1, 2]
        assert store.journal("run-1")[0] == Writer(store, "run-1").boundary(STARTED).entries[0]
        assert store.load("run-1").seq == 2

    def test_a_run_may_go_on_with_another_definition(self, store: RunStore) -> None:
        """From a boundary on a run has the definition that the boundary brings; both are kept under their fingerprints."""
        writer = asked(store).claim()
        was, now = store.load("run-1").identity, (fingerprint_of('["flow",2]'), '["flow",2]')
        writer.commit(RESUMED, confirmed("gate"), closed=(GATE.pause_id,), decisions=(answer(GATE),), definition=now)
        assert store.load("run-1").identity == evolve(was, fingerprint=now[0], canonical=now[1])
        assert [store.definition(each) for each in (was.fingerprint, now[0], "2" * 64)] == [was.canonical, now[1], None]
