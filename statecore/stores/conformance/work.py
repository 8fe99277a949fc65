"""Tests of work that is handed out: what can go on is given to one process each, and nothing else is."""
# ruff: noqa: S101  # assert is how a test speaks, and the expected number is its point

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statecore.stores.owner import SKEW

from .fresh import Fresh
from .samples import (
    ALIVE,
    COMPLETED,
    DEAD,
    ELSEWHERE,
    FAILED,
    LONE,
    TIME,
    Writer,
    answer,
    asked,
    gated,
    identity,
    question,
    started,
    succeeded,
)
from .samples import STARTED as BEGUN
from .threads import at_once, parted

if TYPE_CHECKING:
    from statecore.stores.records import WorkStore


def taken(store: WorkStore, time: int = TIME, **more: Any) -> list[tuple[str, bool]]:
    """Which runs are handed out, and whether somebody left them."""
    most, but = more.get("most", 100), more.get("but", ())
    return [(record.identity.run_id, doubtful) for record, doubtful in store.claim_next("flow", ALIVE, time, time + 9, most, but)]


def free(store: WorkStore, *run_ids: str) -> None:
    """Runs that nobody executes, in the middle of a step."""
    for run_id in run_ids:
        started(store, run_id)
        store.release(run_id, 1)


class Work(Fresh):
    """`claim_next` gives out what can go on."""

    def test_what_can_go_on_is_handed_out_once(self, store: WorkStore) -> None:
        """Runs that nobody executes are claimed as `claim` claims them, the one that waits longest first, and are nobody else's then."""
        store.begin(identity("pending"), "{}", ALIVE)
        store.release("pending", 1)
        free(store, "running")
        [(first, doubtful)] = store.claim_next("flow", ALIVE, TIME + 1, TIME + 9)
        assert (first, doubtful) == (store.load("pending"), False)
        assert (first.owner, first.epoch, first.lease, first.updated) == (ALIVE, 2, TIME + 9, TIME + 1)
        assert taken(store) == [("running", False)]
        assert taken(store) == []
        Writer(store, "pending", 2).commit(BEGUN)

    def test_what_waits_for_people_is_not_handed_out(self, store: WorkStore) -> None:
        """An open question, an end, a living owner, one elsewhere, and another workflow's run: there is nothing to do for these."""
        asked(store, "asked")
        asked(store, "not yet due", question("not yet due", deadline=TIME + 1))
        started(store, "failed").commit(FAILED, gated("gate"), opened=(question("failed"),), parks=True)
        started(store, "over").commit(succeeded("first"), COMPLETED, parks=True)
        started(store, "busy")
        started(store, "elsewhere", owner=ELSEWHERE)
        store.begin(identity("other", workflow_id="other"), "{}", ALIVE)
        store.release("other", 1)
        assert taken(store) == []
        assert store.claim_next(LONE, ALIVE, TIME) == []

    def test_a_decision_a_deadline_and_a_cancellation_are_work(self, store: WorkStore) -> None:
        """A paused run can go on when it was decided, when its deadline is over, and when it is to be cancelled."""
        for run_id in ("decided", "due", "cancelled"):
            asked(store, run_id, question(run_id, deadline=TIME + 100))
        store.decide(answer(question("decided")))
        store.request_cancel("cancelled", "ann", TIME)
        assert taken(store, TIME + 99) == [("decided", False), ("cancelled", False)]
        assert taken(store, TIME + 100) == [("due", False)]

    def test_what_a_dead_owner_left_is_work_and_in_doubt(self, store: WorkStore) -> None:
        """A run whose owner is dead is handed out at once, one of another host when its lease is over, both after what nobody has."""
        store.begin(identity("dead"), "{}", DEAD)
        store.begin(identity("far"), "{}", ELSEWHERE, TIME)
        free(store, "free")
        assert taken(store, TIME) == [("free", False), ("dead", True)]
        assert taken(store, TIME + SKEW - 1) == []
        assert taken(store, TIME + SKEW) == [("far", True)]

    def test_no_more_is_handed_out_than_asked_for(self, store: WorkStore) -> None:
        """At most so many, and none of those that are left out."""
        free(store, "a", "b", "c")
        store.begin(identity("dead"), "{}", DEAD)
        assert taken(store, most=0) == []
        assert taken(store, most=1) == [("a", False)]
        assert taken(store, but=("b", "dead")) == [("c", False)]
        assert taken(store, most=2) == [("b", False), ("dead", True)]

    def test_of_many_who_ask_each_gets_other_work(self, store: WorkStore) -> None:
        """Eight ask at once, again and again: every run is handed out, and each to one of them."""
        names = [f"run-{n}" for n in range(24)]
        free(store, *names[:12])
        for name in names[12:]:
            store.begin(identity(name), "{}", DEAD)

        def act(_who: int) -> list[str]:
            got: list[str] = []
            while len(more := taken(store, most=2)) > 0:
                got += [name for name, _ in more]
            return got

        won, lost = parted(at_once(act))
        assert lost == []
        assert sorted([*(name for got in won for name in got), *(name for name, _ in taken(store))]) == sorted(names)
