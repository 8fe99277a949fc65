"""Tests of decisions: one for each pause, whoever else decides."""
# ruff: noqa: S101  # assert is how a test speaks

from __future__ import annotations

import pytest
from attrs import evolve

from statecore.errors import AlreadyDecided, KeyReused, NotPaused, UnknownDecision, UnknownPause, UnstorableValue
from statecore.stores.records import Decided, Pause, PauseFilter, Store

from .fresh import Fresh
from .samples import (
    AWKWARD,
    CANCELLED,
    FAILED,
    LONE,
    RESUMED,
    TIME,
    Fired,
    answer,
    asked,
    confirmed,
    everything,
    question,
)

GATE = question("run-1")
ERROR = question("run-1", "broken", kind="error")


class Decisions(Fresh):
    """A pause has one decision. It is stored before anything happens because of it."""

    def test_a_decision_is_stored(self, store: Store) -> None:
        """It comes back as it was given, beside its pause; the run itself does not change."""
        asked(store)
        before = store.load("run-1")
        given = answer(GATE, "reject", value='"why"')
        assert store.decide(given) == given
        waiting = store.pause("run-1", GATE.pause_id)
        assert waiting is not None
        assert waiting.decided == given
        assert store.decisions("run-1") == [given]
        assert store.load("run-1") == before

    @pytest.mark.parametrize("text", AWKWARD.values(), ids=list(AWKWARD))
    def test_a_decision_comes_back_equal(self, store: Store, text: str) -> None:
        """Every text of a decision comes back as it was given, to the last character, by each way of storing one."""
        writer = asked(store, "run-1", GATE, ERROR)
        given = [
            answer(GATE, value=text, by=text, comment=text, key=text),
            answer(ERROR, "retry", value=text, by=text, comment=text),
        ]
        store.decide(given[0])
        writer.claim().commit(RESUMED, closed=(ERROR.pause_id,), decisions=(given[1],))
        assert store.decisions("run-1") == given

    def test_a_decision_needs_no_particulars(self, store: Store) -> None:
        """Nobody has to say who he is: None is None and not an empty text."""
        asked(store)
        given = answer(GATE, by=None, comment=None, key=None)
        store.decide(given)
        assert store.decisions("run-1") == [given]

    def test_the_same_decision_again_gets_the_same_answer(self, store: Store) -> None:
        """Who says what was said gets what is stored, with the time and the name of the first, before and after it is applied."""
        writer = asked(store)
        first = store.decide(answer(GATE, value="1"))
        again = answer(GATE, value="1", time=TIME + 99, by="bob", comment=None, key="key-2")
        assert store.decide(again) == first
        writer.claim().commit(RESUMED, confirmed("gate"), closed=(GATE.pause_id,), decisions=(again,))
        assert store.decide(again) == first
        writer.commit(FAILED)
        assert store.decide(again) == first
        assert store.decisions("run-1") == [first]

    @pytest.mark.parametrize("other", [{"word": "reject"}, {"value": "2"}, {"value": None}, {"value": ""}, {"word": "nonsense"}])
    def test_a_different_decision_is_told(self, store: Store, other: dict[str, str | None]) -> None:
        """Who says something else is refused and told what was decided, by whom and when, before and after it is applied."""
        writer = asked(store)
        first = store.decide(answer(GATE, value="1"))
        different = evolve(first, by="bob", **other)  # type: ignore[arg-type]  # parts of a decision
        for _ in range(2):
            with pytest.raises(AlreadyDecided) as refused:
                store.decide(different)
            told = refused.value
            assert (told.pause_id, told.decision, told.by) == (GATE.pause_id, "confirm", "ann")
            assert told.at == "2023-11-14T22:13:20.000+00:00"
            if store.load("run-1").owner is None:
                writer.claim().commit(RESUMED, confirmed("gate"), closed=(GATE.pause_id,), decisions=(first,))
        assert store.decisions("run-1") == [first]

    def test_a_boundary_cannot_decide_otherwise(self, store: Store) -> None:
        """A decision that a boundary takes along is refused where another one is stored; then none of the boundary is."""
        writer = asked(store, "run-1", ERROR, GATE).claim()
        first = store.decide(answer(GATE))
        before = everything(store, "run-1")
        both = (answer(ERROR, "retry"), answer(GATE, "reject"))
        with pytest.raises(AlreadyDecided):
            store.commit(writer.boundary(RESUMED, closed=(ERROR.pause_id, GATE.pause_id), decisions=both))
        assert everything(store, "run-1") == before
        assert store.decisions("run-1") == [first]

    def test_decisions_are_in_order_of_their_pauses(self, store: Store) -> None:
        """Not in order of deciding: the pauses have an order, and people do not."""
        pauses = [question("run-1", at) for at in ("c", "a", "b")]
        asked(store, "run-1", *pauses)
        for pause in reversed(pauses):
            store.decide(answer(pause))
        assert store.decisions("run-1") == [answer(pause) for pause in pauses]

    # -- keys --------------------------------------------------------------------------------------------------------------------

    def test_the_same_key_again_gets_the_same_answer(self, store: Store) -> None:
        """Who repeats a request with its key gets what is stored, before and after it is applied, and when the run has ended."""
        writer = asked(store)
        first = store.decide(answer(GATE, value="1", key="k"))
        again = answer(GATE, value="1", key="k", time=TIME + 99, by="bob", comment=None)
        assert store.decide(again) == first
        writer.claim().commit(RESUMED, confirmed("gate"), FAILED, closed=(GATE.pause_id,), decisions=(first,))
        assert store.decide(again) == first
        assert store.decisions("run-1") == [first]

    @pytest.mark.parametrize("other", [answer(GATE, "reject"), answer(GATE, value="2"), answer(ERROR, "retry")])
    def test_a_key_is_of_one_decision(self, store: Store, other: Decided) -> None:
        """The same key with another decision, of this pause or another of the run, is refused by name; nothing is stored."""
        asked(store, "run-1", GATE, ERROR)
        first = store.decide(answer(GATE, value="1", key="k"))
        with pytest.raises(KeyReused) as refused:
            store.decide(evolve(other, key="k"))
        assert refused.value.key == "k"
        assert f"'confirm' of pause {GATE.pause_id!r} by ann" in refused.value.used_for
        assert store.decisions("run-1") == [first]

    def test_a_key_is_of_one_run(self, store: Store) -> None:
        """Decisions of different runs may have the same key, and those of one run none."""
        asked(store, "run-1", GATE, ERROR)
        asked(store, "run-2", question("run-2"))
        given = [answer(GATE, key="k"), answer(question("run-2"), "reject", key="k"), answer(ERROR, "retry")]
        assert [store.decide(each) for each in given] == given

    # -- refusals ------------------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("pause_id", ["nowhere:confirmation:0", "", LONE, "gate"])
    def test_an_unknown_pause_is_refused(self, store: Store, pause_id: str) -> None:
        """Nothing is stored for a pause that the run never had; who asks is told which are open."""
        writer = asked(store, "run-1", GATE, ERROR, question("run-1", "z")).claim()
        asked(store, "run-2", question("run-2", "nowhere"))
        writer.commit(RESUMED, closed=(ERROR.pause_id,), decisions=(answer(ERROR, "skip"),))
        with pytest.raises(UnknownPause) as refused:
            store.decide(answer(evolve(GATE, pause_id=pause_id)))
        assert refused.value.pending == (GATE.pause_id, question("run-1", "z").pause_id)
        assert store.decisions("run-2") == []

    @pytest.mark.parametrize(("pause", "word"), [(GATE, "retry"), (GATE, "CONFIRM"), (GATE, ""), (ERROR, "confirm"), (GATE, LONE)])
    def test_an_unknown_word_is_refused(self, store: Store, pause: Pause, word: str) -> None:
        """A word that this kind of pause cannot be answered with is refused, with those that it can; the pause stays open."""
        asked(store, "run-1", pause)
        with pytest.raises(UnknownDecision) as refused:
            store.decide(answer(pause, word))
        assert (refused.value.kind, refused.value.decision) == (pause.kind, word)
        assert len(store.pauses(PauseFilter())) == 1

    @pytest.mark.parametrize("part", ["value", "by", "comment", "key"])
    def test_a_decision_that_no_store_keeps_is_refused(self, store: Store, part: str) -> None:
        """A lone surrogate is refused by name, and the pause stays open."""
        asked(store)
        with pytest.raises(UnstorableValue):
            store.decide(answer(GATE, **{part: LONE}))
        assert len(store.pauses(PauseFilter())) == 1

    def test_a_closed_pause_is_not_decided(self, store: Store) -> None:
        """A pause that fell away undecided takes no decision any more, while another of its run does."""
        writer = asked(store, "run-1", GATE, ERROR).claim()
        writer.commit(closed=(GATE.pause_id,))
        with pytest.raises(NotPaused) as refused:
            store.decide(answer(GATE))
        assert refused.value.status == "PAUSED"
        assert store.decide(answer(ERROR, "retry")) == answer(ERROR, "retry")

    @pytest.mark.parametrize("end", [CANCELLED, FAILED])
    def test_an_ended_run_is_not_decided(self, store: Store, end: Fired) -> None:
        """The open pause of a run that has ended takes no decision, and who decides is told how it ended."""
        writer = asked(store).claim()
        if end is FAILED:
            writer.commit(RESUMED)
        writer.commit(end)
        with pytest.raises(NotPaused) as refused:
            store.decide(answer(GATE))
        assert refused.value.status == ("ERROR" if end is FAILED else "CANCELLED")
        assert store.decisions("run-1") == []
