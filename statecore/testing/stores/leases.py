"""Tests of leases and of work: how long an unobservable owner counts as alive, and that each run is handed to one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from statecore.core import Micros
from statecore.core.state import Marks
from statecore.errors import ClaimLost, RunBusy, UnknownRun
from statecore.lifecycles import words as w
from statecore.stores.owner import SKEW
from statecore.stores.records import Claim
from statecore.stores.rules import clock_text

from .samples import (
    ALIVE,
    COMPLETED,
    DEAD,
    ELSEWHERE,
    FAILED,
    LONE,
    STARTED,
    TIME,
    Fired,
    Fresh,
    Writer,
    answer,
    asked,
    begin,
    claim,
    entered,
    everything,
    gated,
    identity,
    question,
    started,
    succeeded,
)
from .samples import STARTED as BEGUN
from .threads import at_once, parted

if TYPE_CHECKING:
    from statecore.stores.records import RunStore

# ruff: noqa: S101, PLR2004  # assert is how a test speaks, and the expected number is its point


MINUTE = 60_000_000
OVER = TIME + MINUTE + SKEW
"""When a lease of a minute that began at `TIME` is over, for whatever clock."""


def held_elsewhere(store: RunStore, lease: Micros | None = TIME + MINUTE) -> Writer:
    """A run that another host executes, in the middle of its first step."""
    begin(store, identity(), "{}", ELSEWHERE, lease)
    writer = Writer(store, "run-1")
    writer.commit(STARTED, entered("first"))
    return writer


class Leases(Fresh):
    """A lease decides where nobody can look whether an owner lives, and nowhere else."""

    def test_a_claim_says_how_long_it_lasts(self, store: RunStore) -> None:
        """A lease is stored when a run is claimed, a new one as a stored one, and ends when the run is released."""
        assert begin(store, identity(), "{}", ALIVE, TIME + 1).lease == TIME + 1
        store.release("run-1", 1)
        assert (store.load("run-1").owner, store.load("run-1").lease) == (None, None)
        claimed = claim(store, "run-1", ALIVE, TIME, TIME + 7)
        assert claimed.lease == TIME + 7 == store.load("run-1").lease
        writer = Writer(store, "run-1", 2)
        writer.commit(STARTED, entered("first"))
        writer.commit(succeeded("first"), COMPLETED, parks=True, lease=TIME + MINUTE)
        assert (store.load("run-1").owner, store.load("run-1").lease) == (None, None)

    def test_a_boundary_renews_a_lease(self, store: RunStore) -> None:
        """A boundary that says how long the lease lasts from now on moves its end; one that does not leaves it."""
        writer = held_elsewhere(store)
        assert store.load("run-1").lease == TIME + MINUTE
        writer.commit(succeeded("first"), entered("second"), lease=TIME + 2 * MINUTE)
        assert store.load("run-1").lease == TIME + 2 * MINUTE

    def test_a_heartbeat_renews_a_lease(self, store: RunStore) -> None:
        """A heartbeat changes the lease and nothing else; it may come as late as nobody has taken the run."""
        held_elsewhere(store)
        before = everything(store, "run-1")
        store.renew("run-1", 1, OVER + MINUTE)
        assert store.load("run-1").lease == OVER + MINUTE
        with pytest.raises(RunBusy):
            claim(store, "run-1", ALIVE, OVER)
        store.renew("run-1", 1, TIME + MINUTE)
        assert everything(store, "run-1") == before

    @pytest.mark.parametrize("time", [TIME, TIME + MINUTE, OVER - 1])
    def test_an_owner_elsewhere_is_busy_until_its_lease_is_over(self, store: RunStore, time: Micros) -> None:
        """Until then, and as much longer as clocks may differ, the run is not given away; the refusal says who has it, and until when."""
        held_elsewhere(store)
        before = everything(store, "run-1")
        with pytest.raises(RunBusy) as refused:
            claim(store, "run-1", ALIVE, time, time + MINUTE)
        assert (refused.value.owner, refused.value.until) == (ELSEWHERE, clock_text(TIME + MINUTE))
        assert everything(store, "run-1") == before

    def test_an_owner_elsewhere_is_given_up_when_its_lease_is_over(self, store: RunStore) -> None:
        """Then another owner takes the run; the one that was taken over can store, renew and release nothing."""
        sleeper = held_elsewhere(store)
        claimed = claim(store, "run-1", ALIVE, OVER, OVER + MINUTE)
        assert (claimed.owner, claimed.epoch, claimed.lease) == (ALIVE, 2, OVER + MINUTE)
        before = everything(store, "run-1")
        with pytest.raises(ClaimLost):
            store.commit(sleeper.boundary(succeeded("first"), lease=OVER + 9 * MINUTE))
        with pytest.raises(ClaimLost):
            store.renew("run-1", 1, OVER + 9 * MINUTE)
        store.release("run-1", 1)
        assert everything(store, "run-1") == before

    def test_a_boundary_of_no_rows_claims_the_run_as_it_was_read(self, store: RunStore) -> None:
        """It is refused while an owner lives, and where somebody has claimed meanwhile; else the run is claimed, and stands where it stood."""
        writer = held_elsewhere(store)
        before = everything(store, "run-1")
        claims = writer.boundary()._replace(epoch=2, state=writer.state, claim=Claim(ALIVE), lease=OVER + MINUTE)
        with pytest.raises(RunBusy):
            store.commit(claims._replace(time=OVER - 1))
        for epoch in (1, 3):
            with pytest.raises(ClaimLost):
                store.commit(claims._replace(time=OVER, epoch=epoch))
        assert everything(store, "run-1") == before
        assert store.commit(claims._replace(time=OVER)) is False
        found = store.load("run-1")
        assert (found.owner, found.epoch, found.lease, found.seq) == (ALIVE, 2, OVER + MINUTE, writer.seq)
        assert (found.state, store.journal("run-1")) == (writer.state, store.journal("run-1", 0, writer.seq))
        with pytest.raises(ClaimLost):
            writer.commit(succeeded("first"), COMPLETED)

    def test_a_boundary_that_heeds_a_cancellation_claims_nothing(self, store: RunStore) -> None:
        """Where a cancellation waits the run is not claimed either: it is as it was."""
        writer = held_elsewhere(store)
        store.request_cancel("run-1", "ann", TIME)
        before = everything(store, "run-1")
        assert store.commit(writer.boundary()._replace(epoch=2, state=writer.state, claim=Claim(ALIVE), time=OVER)) is True
        assert everything(store, "run-1") == before

    def test_an_owner_without_a_lease_is_never_given_up(self, store: RunStore) -> None:
        """Where no lease was given, nobody takes a run from another host."""
        held_elsewhere(store, lease=None)
        with pytest.raises(RunBusy) as refused:
            claim(store, "run-1", ALIVE, TIME + 10**15)
        assert refused.value.until is None

    def test_a_living_owner_of_this_host_is_never_given_up(self, store: RunStore) -> None:
        """An owner that can be seen to live keeps the run, whatever its lease says: it may be slow, but it works."""
        begin(store, identity(), "{}", ALIVE, TIME)
        with pytest.raises(RunBusy):
            claim(store, "run-1", ALIVE, TIME + 10**15)

    def test_a_dead_owner_of_this_host_is_given_up_at_once(self, store: RunStore) -> None:
        """An owner that can be seen to be dead is not waited for, whatever its lease says."""
        begin(store, identity(), "{}", DEAD, TIME + 10**15)
        assert claim(store, "run-1").epoch == 2

    def test_only_a_claim_is_renewed(self, store: RunStore) -> None:
        """A lease that was released, or is another process's by now, is lost; a run that there is not is unknown."""
        started(store)
        before = everything(store, "run-1")
        for epoch in (0, 2, -1):
            with pytest.raises(ClaimLost):
                store.renew("run-1", epoch, TIME + MINUTE)
        assert everything(store, "run-1") == before
        store.release("run-1", 1)
        with pytest.raises(ClaimLost):
            store.renew("run-1", 1, TIME + MINUTE)
        for run_id in ("run-2", "", LONE):
            with pytest.raises(UnknownRun):
                store.renew(run_id, 1, TIME)


def taken(store: RunStore, time: Micros = TIME, **more: Any) -> list[tuple[str, bool]]:
    """Which runs are handed out, and whether somebody left them."""
    most, but = more.get("most", 100), more.get("but", ())
    return [(record.identity.run_id, doubtful) for record, doubtful in store.claim_next("flow", ALIVE, time, time + 9, most, but)]


def free(store: RunStore, *run_ids: str) -> None:
    """Runs that nobody executes, in the middle of a step."""
    for run_id in run_ids:
        started(store, run_id)
        store.release(run_id, 1)


class Work(Fresh):
    """`claim_next` gives out what can go on."""

    def test_what_can_go_on_is_handed_out_once(self, store: RunStore) -> None:
        """Runs without an owner are claimed, the one that waits longest first, and are handed out to no other then."""
        begin(store, identity("pending"))
        store.release("pending", 1)
        free(store, "running")
        [(first, doubtful)] = store.claim_next("flow", ALIVE, TIME + 1, TIME + 9)
        assert (first, doubtful) == (store.load("pending"), False)
        assert (first.owner, first.epoch, first.lease, first.updated) == (ALIVE, 2, TIME + 9, TIME + 1)
        assert taken(store) == [("running", False)]
        assert taken(store) == []
        Writer(store, "pending", 2).commit(BEGUN)

    def test_what_waits_for_people_is_not_handed_out(self, store: RunStore) -> None:
        """An open question, an end, a living owner, one elsewhere, and another workflow's run: there is nothing to do for these."""
        asked(store, "asked")
        asked(store, "not yet due", question("not yet due", deadline=TIME + 1))
        started(store, "failed").commit(FAILED, gated("gate"), opened=(question("failed"),), parks=True)
        started(store, "over").commit(succeeded("first"), COMPLETED, parks=True)
        started(store, "busy")
        started(store, "elsewhere", owner=ELSEWHERE)
        begin(store, identity("other", workflow_id="other"))
        store.release("other", 1)
        assert taken(store) == []
        assert store.claim_next(LONE, ALIVE, TIME) == []

    def test_a_decision_a_deadline_and_a_cancellation_are_work(self, store: RunStore) -> None:
        """A paused run can go on when it was decided, when its deadline is over, and when it is to be cancelled."""
        for run_id in ("decided", "due", "cancelled"):
            asked(store, run_id, question(run_id, deadline=TIME + 100))
        store.decide(answer(question("decided")))
        store.request_cancel("cancelled", "ann", TIME)
        assert taken(store, TIME + 99) == [("decided", False), ("cancelled", False)]
        assert taken(store, TIME + 100) == [("due", False)]

    def test_a_run_that_waits_for_a_delay_is_handed_out_when_it_is_over(self, store: RunStore) -> None:
        """A parked run that owes nothing but the end of a delay is work from that instant on, and at once where it is to be cancelled (RUN-12)."""
        for run_id in ("delayed", "cancelled"):
            writer = started(store, run_id)
            failed = Fired("step", "first", w.running, w.fail, w.backing_off)
            state = writer.boundary(failed).state
            delayed = evolve(state, cursors=tuple(evolve(each, marks=Marks(due=TIME + 100)) for each in state.cursors))
            writer.commit(failed, state=delayed, parks=True)
            assert store.load(run_id).owner is None
        store.request_cancel("cancelled", "ann", TIME)
        assert taken(store, TIME + 99) == [("cancelled", False)]
        assert taken(store, TIME + 100) == [("delayed", False)]

    def test_what_a_dead_owner_left_is_work_and_in_doubt(self, store: RunStore) -> None:
        """A run whose owner is dead is handed out at once, one of another host when its lease is over, both after what nobody has."""
        begin(store, identity("dead"), "{}", DEAD)
        begin(store, identity("far"), "{}", ELSEWHERE, TIME)
        free(store, "free")
        assert taken(store, TIME) == [("free", False), ("dead", True)]
        assert taken(store, TIME + SKEW - 1) == []
        assert taken(store, TIME + SKEW) == [("far", True)]

    def test_no_more_is_handed_out_than_asked_for(self, store: RunStore) -> None:
        """At most so many, and none of those that are left out."""
        free(store, "a", "b", "c")
        begin(store, identity("dead"), "{}", DEAD)
        assert taken(store, most=0) == []
        assert taken(store, most=1) == [("a", False)]
        assert taken(store, but=("b", "dead")) == [("c", False)]
        assert taken(store, most=2) == [("b", False), ("dead", True)]

    def test_of_many_who_ask_each_gets_other_work(self, store: RunStore) -> None:
        """Eight ask at once, again and again: every run is handed out, and each to one of them."""
        names = [f"run-{n}" for n in range(24)]
        free(store, *names[:12])
        for name in names[12:]:
            begin(store, identity(name), "{}", DEAD)

        def act(_who: int) -> list[str]:
            got: list[str] = []
            while len(more := taken(store, most=2)) > 0:
                got += [name for name, _ in more]
            return got

        won, lost = parted(at_once(act))
        assert lost == []
        assert sorted([*(name for got in won for name in got), *(name for name, _ in taken(store))]) == sorted(names)
