"""The promises of a store about questions that are put again: the former one closes with what was decided of it, the next one opens."""

from __future__ import annotations

from itertools import pairwise

import pytest

from statecore.errors import ClaimLost
from statecore.stores.records import PauseFilter, RunStore

from .samples import PAUSED, RESUMED, TIME, Fresh, answer, asked, confirmed, everything, question, renewed

# ruff: noqa: S101  # assert is how a test speaks

GATE = question("run-1")


class PutAgain(Fresh):
    """A question that is put again closes the former one, with the decision that lapses, and opens under its next name (GATE-7a)."""

    @pytest.mark.parametrize("decided", [False, True])
    def test_a_question_is_put_again(self, store: RunStore, *, decided: bool) -> None:
        """The former question is closed with its decision, the new one is the only one that is open, at the same place, and undecided."""
        writer, second = asked(store), question("run-1", put=2, message="Really?")
        lapsed = (answer(GATE),) if decided else ()
        writer.claim().commit(
            RESUMED, renewed("gate"), PAUSED, opened=(second,), closed=(GATE.pause_id,), decisions=lapsed, parks=True
        )
        [waiting] = store.pauses(PauseFilter(undecided_only=False))
        assert (waiting.pause, waiting.decided) == (second, None)
        former = store.pause("run-1", GATE.pause_id)
        assert former is not None
        assert former.pause.closed is not None
        assert (former.decided is not None, store.decisions("run-1")) == (decided, list(lapsed))
        assert store.claim_next("flow", "another", TIME + 10) == []

    def test_it_is_put_again_often(self, store: RunStore) -> None:
        """A third putting follows the second one; each former one is there, and the newest one is decided and applied."""
        writer = asked(store)
        puts = [GATE, question("run-1", put=2), question("run-1", put=3)]
        for former, newer in pairwise(puts):
            writer.claim().commit(RESUMED, renewed("gate"), PAUSED, opened=(newer,), closed=(former.pause_id,), parks=True)
        store.decide(answer(puts[2]))
        writer.claim().commit(RESUMED, confirmed("gate"), closed=(puts[2].pause_id,), decisions=(answer(puts[2]),))
        found = [store.pause("run-1", each.pause_id) for each in puts]
        assert [row is not None and row.decided is not None for row in found] == [False, False, True]
        assert store.pauses(PauseFilter(undecided_only=False)) == []

    def test_a_decision_that_came_meanwhile_is_heard(self, store: RunStore) -> None:
        """A boundary that puts a question again without the decision that was stored since is not stored: whoever made it looks again."""
        writer = asked(store)
        writer.claim()
        store.decide(answer(GATE))
        before = everything(store, "run-1")
        again = writer.boundary(
            RESUMED, renewed("gate"), PAUSED, opened=(question("run-1", put=2),), closed=(GATE.pause_id,), parks=True
        )
        with pytest.raises(ClaimLost):
            store.commit(again)
        assert everything(store, "run-1") == before
