"""Tests of pauses: asked, listed in order, closed."""
# ruff: noqa: S101  # assert is how a test speaks

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from statecore.stores.records import PauseFilter, Store, Waiting

from .fresh import Fresh
from .samples import (
    AWKWARD,
    CANCELLED,
    FAILED,
    LONE,
    RESUMED,
    TIME,
    answer,
    asked,
    confirmed,
    everything,
    question,
    succeeded,
)


def listed(store: Store, **wanted: Any) -> list[tuple[str, str]]:
    """The pauses that a filter finds, in order."""
    return [(waiting.pause.run_id, waiting.pause.at) for waiting in store.pauses(PauseFilter(**wanted))]


class Inbox(Fresh):
    """The inbox holds what people owe: open questions of runs that have not ended."""

    def test_a_question_is_listed(self, store: Store) -> None:
        """A pause comes back as it was put, with whose it is and no decision."""
        pause = question("run-1", "gate", TIME, "error", turn=(3, 1), attempt=2, message=None, detail='{"error":"x"}')
        asked(store, "run-1", pause, session_id="s", workflow_id="w", workflow_name="W")
        assert store.pauses(PauseFilter()) == [Waiting(pause, None, "w", "W", "s")]
        assert store.pause("run-1", pause.pause_id) == Waiting(pause, None, "w", "W", "s")

    @pytest.mark.parametrize("text", AWKWARD.values(), ids=list(AWKWARD))
    def test_a_question_comes_back_equal(self, store: Store, text: str) -> None:
        """Every text of a pause comes back as it was given, to the last character."""
        pause = question("run-1", f"at{text}", step_name=text, message=text, detail=text)
        asked(store, "run-1", pause)
        assert [waiting.pause for waiting in store.pauses(PauseFilter(step_name=text))] == [pause]

    def test_no_pause_is_none(self, store: Store) -> None:
        """A pause that the run never had is None, also where another run has it."""
        asked(store)
        asked(store, "run-2", question("run-2", "other"))
        for pause_id in (question("run-2", "other").pause_id, "", LONE):
            assert store.pause("run-1", pause_id) is None

    def test_the_oldest_comes_first(self, store: Store) -> None:
        """Pauses are in order of the time they were opened at; of equal times, in order of runs and then of asking."""
        asked(store, "run-1", question("run-1", "b", TIME + 5), question("run-1", "a", TIME + 5))
        asked(store, "run-2", question("run-2", "c", TIME + 1))
        asked(store, "run-3", question("run-3", "d", TIME + 5), question("run-3", "e", TIME + 9))
        asked(store, "run-4", question("run-4", "f", TIME + 5))
        order = [("run-2", "c"), ("run-1", "b"), ("run-1", "a"), ("run-3", "d"), ("run-4", "f"), ("run-3", "e")]
        assert listed(store) == order
        assert listed(store, limit=2) + listed(store, limit=2, offset=2) + listed(store, limit=2, offset=4) == order
        assert listed(store, limit=0) == listed(store, limit=-1) == listed(store, offset=10**30) == []
        assert listed(store, limit=10**30, offset=-1) == order

    def test_questions_are_listed_by_what_they_are(self, store: Store) -> None:
        """Each part of a filter narrows the list; what is None does not."""
        asked(store, "run-1", question("run-1", "a"), question("run-1", "b", kind="error"), session_id="s1", workflow_id="w1")
        asked(store, "run-2", question("run-2", "a", TIME + 1, "error"), session_id="s2", workflow_id="w1")
        asked(store, "run-3", question("run-3", "b", TIME + 2), session_id="s2", workflow_id="w2")
        assert listed(store, run_id="run-1") == [("run-1", "a"), ("run-1", "b")]
        assert listed(store, session_id="s2") == [("run-2", "a"), ("run-3", "b")]
        assert listed(store, workflow_id="w1", kind="error") == [("run-1", "b"), ("run-2", "a")]
        assert listed(store, step_name="a", session_id="s1") == [("run-1", "a")]
        assert listed(store, run_id="run-3", kind="error") == listed(store, step_name=LONE) == listed(store, kind="") == []

    def test_a_decided_question_leaves_the_inbox(self, store: Store) -> None:
        """Who asks for what is undecided does not see it; who asks for all sees it with its decision, until it is applied."""
        pauses = (question("run-1", "a"), question("run-1", "b"))
        writer = asked(store, "run-1", *pauses)
        decided = store.decide(answer(pauses[0]))
        assert listed(store) == [("run-1", "b")]
        assert [waiting.decided for waiting in store.pauses(PauseFilter(undecided_only=False))] == [decided, None]
        writer.claim().commit(RESUMED, confirmed("a"), closed=(pauses[0].pause_id,), decisions=(decided,), time=TIME + 40)
        assert listed(store, undecided_only=False) == [("run-1", "b")]
        closed = store.pause("run-1", pauses[0].pause_id)
        assert closed == Waiting(evolve(pauses[0], closed=TIME + 40), decided, "flow", "Flow", "session")

    def test_a_question_may_fall_away(self, store: Store) -> None:
        """A pause that is closed without a decision is not listed, and says when it was closed."""
        writer = asked(store).claim()
        writer.commit(CANCELLED, closed=(question("run-1").pause_id,), time=TIME + 40)
        assert listed(store, undecided_only=False) == []
        assert everything(store, "run-1")[3:] == ([], [])
        fallen = store.pause("run-1", question("run-1").pause_id)
        assert fallen == Waiting(question("run-1", closed=TIME + 40), None, "flow", "Flow", "session")

    def test_an_ended_run_asks_nothing(self, store: Store) -> None:
        """Questions of a run that has ended are not listed, though they were never closed; they are still known by name."""
        pauses = (question("run-1", "a"), question("run-1", "b"))
        writer = asked(store, "run-1", *pauses).claim()
        writer.commit(RESUMED, confirmed("a"), closed=(pauses[0].pause_id,), decisions=(answer(pauses[0]),))
        writer.commit(FAILED, parks=True)
        assert listed(store, undecided_only=False) == listed(store, run_id="run-1", undecided_only=False) == []
        still = store.pause("run-1", pauses[1].pause_id)
        assert still is not None
        assert still.pause == pauses[1]

    def test_many_questions_are_listed(self, store: Store) -> None:
        """A run may have asked hundreds of questions; the open ones are found among them."""
        writer = asked(store).claim()
        for turn in range(300):
            old, new = question("run-1", turn=(turn,) * (turn > 0)), question("run-1", turn=(turn + 1,))
            writer.commit(succeeded("x"), closed=(old.pause_id,), decisions=(answer(old),), opened=(new,))
        assert [waiting.pause.turn for waiting in store.pauses(PauseFilter())] == [(300,)]
