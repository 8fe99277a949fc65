"""Tests of deadlines: a pause that has one takes no decision that comes too late."""
# ruff: noqa: S101  # assert is how a test speaks

from __future__ import annotations

from typing import Any

import pytest

from statecore.errors import AlreadyDecided, PauseExpired
from statecore.stores.records import Pause, PauseFilter, Store

from .fresh import Fresh
from .samples import RESUMED, TIME, Fired, answer, asked, confirmed, everything, question

DUE = TIME + 100
EXPIRED = {"cancel": "the run is cancelled", "skip": "it is skipped", "approve": "it is approved"}


def due(on_timeout: str, **parts: Any) -> Pause:
    """A question that expires."""
    return question("run-1", deadline=DUE, on_timeout=on_timeout, **parts)


def silence(pause: Pause) -> Fired:
    """The row that a silent person leads to."""
    dest = {"cancel": "cancelled", "skip": "skipped", "approve": "running"}[pause.on_timeout]
    return Fired("step", pause.at, "awaiting_confirmation", "expire", dest)


class Deadlines(Fresh):
    """A decision counts if it comes before the deadline; time comes with it, and not from the store."""

    @pytest.mark.parametrize("on_timeout", EXPIRED)
    @pytest.mark.parametrize("deadline", [None, 0, DUE, 2**62])
    def test_a_deadline_comes_back_equal(self, store: Store, deadline: int | None, on_timeout: str) -> None:
        """When a question expires and what then is kept with it, and still known when it is closed."""
        pause = question("run-1", deadline=deadline, on_timeout=on_timeout)
        writer = asked(store, "run-1", pause)
        assert [waiting.pause for waiting in store.pauses(PauseFilter())] == [pause]
        writer.claim().commit(closed=(pause.pause_id,))
        closed = store.pause("run-1", pause.pause_id)
        assert closed is not None
        assert (closed.pause.deadline, closed.pause.on_timeout) == (deadline, on_timeout)

    @pytest.mark.parametrize("on_timeout", EXPIRED)
    @pytest.mark.parametrize("late", [0, 1, 10**12])
    def test_a_late_decision_is_refused(self, store: Store, late: int, on_timeout: str) -> None:
        """At the deadline it is too late: who decides is told when it was and what follows, and nothing is stored."""
        pause = due(on_timeout)
        asked(store, "run-1", pause)
        before = everything(store, "run-1")
        with pytest.raises(PauseExpired) as refused:
            store.decide(answer(pause, time=DUE + late))
        told = refused.value
        assert (told.pause_id, told.deadline, told.took) == (pause.pause_id, "2023-11-14T22:13:20.000+00:00", EXPIRED[on_timeout])
        assert everything(store, "run-1") == before

    @pytest.mark.parametrize("on_timeout", EXPIRED)
    def test_a_decision_in_time_holds_for_ever(self, store: Store, on_timeout: str) -> None:
        """Decided before the deadline is decided: said again, contradicted or applied after it, it is what was said in time."""
        pause = due(on_timeout)
        writer = asked(store, "run-1", pause)
        first = store.decide(answer(pause, time=DUE - 1))
        assert store.decide(answer(pause, time=DUE + 50, by="bob")) == first
        with pytest.raises(AlreadyDecided):
            store.decide(answer(pause, "reject", time=DUE + 50))
        late = answer(pause, time=DUE + 60)
        writer.claim().commit(RESUMED, confirmed("gate"), closed=(pause.pause_id,), decisions=(late,), time=DUE + 60)
        assert store.decide(answer(pause, time=DUE + 70)) == first
        assert store.decisions("run-1") == [first]

    def test_a_rejection_may_come_before_an_approval(self, store: Store) -> None:
        """Silence that would approve does not outvote a "no" that comes before the approval is stored; a late "yes" is still refused."""
        pause = due("approve")
        asked(store, "run-1", pause)
        with pytest.raises(PauseExpired):
            store.decide(answer(pause, "confirm", time=DUE + 50))
        late = answer(pause, "reject", time=DUE + 50)
        assert store.decide(late) == late
        assert store.decisions("run-1") == [late]

    @pytest.mark.parametrize("on_timeout", ["cancel", "skip"])
    def test_a_rejection_is_late_where_silence_rejects(self, store: Store, on_timeout: str) -> None:
        """Where silence does not approve, a "no" comes too late like a "yes"."""
        pause = due(on_timeout)
        asked(store, "run-1", pause)
        with pytest.raises(PauseExpired):
            store.decide(answer(pause, "reject", time=DUE))
        assert store.decisions("run-1") == []

    @pytest.mark.parametrize("word", ["confirm", "reject"])
    @pytest.mark.parametrize("on_timeout", EXPIRED)
    def test_what_has_expired_is_not_decided(self, store: Store, on_timeout: str, word: str) -> None:
        """Where the expiry is stored the decision is told so, also a "no" to what was approved."""
        pause = due(on_timeout)
        writer = asked(store, "run-1", pause).claim()
        writer.commit(RESUMED, silence(pause), closed=(pause.pause_id,), time=DUE + 1)
        with pytest.raises(PauseExpired) as refused:
            store.decide(answer(pause, word, time=DUE + 50))
        assert refused.value.took == EXPIRED[on_timeout]
        assert store.decisions("run-1") == []

    def test_a_boundary_takes_no_late_decision_along(self, store: Store) -> None:
        """A boundary with a decision that comes too late is refused, and none of it is stored."""
        other = question("run-1", "other")
        writer = asked(store, "run-1", due("skip"), other).claim()
        before = everything(store, "run-1")
        both = (answer(other, time=DUE + 1), answer(due("skip"), time=DUE + 1))
        with pytest.raises(PauseExpired):
            store.commit(writer.boundary(RESUMED, closed=tuple(each.pause_id for each in both), decisions=both))
        assert everything(store, "run-1") == before

    def test_no_deadline_is_never_over(self, store: Store) -> None:
        """A question without a deadline waits for as long as it takes, whatever silence would have led to."""
        pause = question("run-1", on_timeout="skip")
        asked(store, "run-1", pause)
        late = answer(pause, time=2**62)
        assert store.decide(late) == late

    def test_questions_are_listed_by_their_deadlines(self, store: Store) -> None:
        """Those that are due before an instant, and those that are not due until after it; an instant itself is neither."""
        asked(
            store, "run-1", question("run-1", "a", deadline=DUE), question("run-1", "b"), question("run-1", "c", deadline=DUE + 10)
        )

        def listed(**wanted: Any) -> list[str]:
            return [waiting.pause.at for waiting in store.pauses(PauseFilter(**wanted))]

        assert listed(due_before=DUE) == []
        assert listed(due_before=DUE + 1) == ["a"]
        assert listed(due_before=DUE + 11) == ["a", "c"]
        assert listed(due_after=DUE - 1) == ["a", "b", "c"]
        assert listed(due_after=DUE) == ["b", "c"]
        assert listed(due_after=DUE + 10) == ["b"]
        assert listed(due_after=DUE, due_before=DUE + 11) == ["c"]
