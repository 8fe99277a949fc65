"""Tests of decisions and deadlines: one decision for each pause, and none after its deadline."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from statecore.core import Micros
from statecore.errors import AlreadyDecided, KeyReused, NotPaused, PauseExpired, UnknownDecision, UnknownPause, UnstorableValue
from statecore.stores.records import Decided, Pause, PauseFilter, RunStore

from .samples import AWKWARD, CANCELLED, FAILED, LONE, RESUMED, TIME, Fired, Fresh, answer, asked, confirmed, everything, question

# ruff: noqa: S101  # assert is how a test speaks


GATE = question("run-1")
ERROR = question("run-1", "broken", kind="error")
DUE = TIME + 100
EXPIRED = {"cancel": "the run is cancelled", "skip": "it is skipped", "approve": "it is approved"}


class Decisions(Fresh):
    """A pause has one decision. It is stored before anything happens because of it."""

    def test_a_decision_is_stored(self, store: RunStore) -> None:
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
    def test_a_decision_comes_back_equal(self, store: RunStore, text: str) -> None:
        """Every text of a decision comes back as it was given, to the last character, by each way of storing one."""
        writer = asked(store, "run-1", GATE, ERROR)
        kept = self.keeps_key(text)
        if not kept:
            with pytest.raises(UnstorableValue):
                store.decide(answer(GATE, value=text, by=text, comment=text, key=text))
        given = [
            answer(GATE, value=text, by=text, comment=text, key=text if kept else None),
            answer(ERROR, "retry", value=text, by=text, comment=text),
        ]
        store.decide(given[0])
        writer.claim().commit(RESUMED, closed=(ERROR.pause_id,), decisions=(given[1],))
        assert store.decisions("run-1") == given

    def test_a_decision_needs_no_particulars(self, store: RunStore) -> None:
        """A decision needs no name: None is None and not an empty text."""
        asked(store)
        given = answer(GATE, by=None, comment=None, key=None)
        store.decide(given)
        assert store.decisions("run-1") == [given]

    def test_the_same_decision_again_gets_the_same_answer(self, store: RunStore) -> None:
        """The same decision again gets the stored one, with the time and the name of the first, before and after it is applied."""
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
    def test_a_different_decision_is_told(self, store: RunStore, other: dict[str, str | None]) -> None:
        """Another decision is refused with the stored one, its name and its time, before and after it is applied."""
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

    def test_a_boundary_cannot_decide_otherwise(self, store: RunStore) -> None:
        """A decision that a boundary takes along is refused where another one is stored; then none of the boundary is."""
        writer = asked(store, "run-1", ERROR, GATE).claim()
        first = store.decide(answer(GATE))
        before = everything(store, "run-1")
        both = (answer(ERROR, "retry"), answer(GATE, "reject"))
        with pytest.raises(AlreadyDecided):
            store.commit(writer.boundary(RESUMED, closed=(ERROR.pause_id, GATE.pause_id), decisions=both))
        assert everything(store, "run-1") == before
        assert store.decisions("run-1") == [first]

    def test_decisions_are_in_order_of_their_pauses(self, store: RunStore) -> None:
        """Not in order of deciding: the pauses have an order, and people do not."""
        pauses = [question("run-1", at) for at in ("c", "a", "b")]
        asked(store, "run-1", *pauses)
        for pause in reversed(pauses):
            store.decide(answer(pause))
        assert store.decisions("run-1") == [answer(pause) for pause in pauses]

    def test_several_are_stored_together(self, store: RunStore) -> None:
        """Decisions of several pauses are stored in one transaction; what was stored before is returned, and stays."""
        asked(store, "run-1", GATE, ERROR)
        first = store.decide(answer(GATE))
        assert store.decide(answer(GATE, by="bob"), answer(ERROR, "retry")) == first
        assert store.decisions("run-1") == [first, answer(ERROR, "retry")]

    @pytest.mark.parametrize(
        "last", [answer(ERROR, "nonsense"), answer(question("run-1", "nowhere")), answer(ERROR, "retry", by=LONE)]
    )
    def test_several_are_stored_or_none(self, store: RunStore, last: Decided) -> None:
        """Where the last of several is refused, none of them is stored."""
        asked(store, "run-1", GATE, ERROR)
        with pytest.raises((UnknownDecision, UnknownPause, UnstorableValue)):
            store.decide(answer(GATE), last)
        assert store.decisions("run-1") == []
        with pytest.raises(AlreadyDecided):
            store.decide(answer(GATE), answer(GATE, "reject"))
        assert store.decisions("run-1") == []

    # -- keys --------------------------------------------------------------------------------------------------------------------

    def test_the_same_key_again_gets_the_same_answer(self, store: RunStore) -> None:
        """A request that is repeated with its key gets the stored decision, before and after it is applied, and when the run has ended."""
        writer = asked(store)
        first = store.decide(answer(GATE, value="1", key="k"))
        again = answer(GATE, value="1", key="k", time=TIME + 99, by="bob", comment=None)
        assert store.decide(again) == first
        writer.claim().commit(RESUMED, confirmed("gate"), FAILED, closed=(GATE.pause_id,), decisions=(first,))
        assert store.decide(again) == first
        assert store.decisions("run-1") == [first]

    @pytest.mark.parametrize("other", [answer(GATE, "reject"), answer(GATE, value="2"), answer(ERROR, "retry")])
    def test_a_key_is_of_one_decision(self, store: RunStore, other: Decided) -> None:
        """The same key with another decision, of this pause or another of the run, is refused by name; nothing is stored."""
        asked(store, "run-1", GATE, ERROR)
        first = store.decide(answer(GATE, value="1", key="k"))
        with pytest.raises(KeyReused) as refused:
            store.decide(evolve(other, key="k"))
        assert refused.value.key == "k"
        assert f"'confirm' of pause {GATE.pause_id!r} by ann" in refused.value.used_for
        assert store.decisions("run-1") == [first]

    def test_a_key_is_of_one_run(self, store: RunStore) -> None:
        """Decisions of different runs may have the same key, and those of one run none."""
        asked(store, "run-1", GATE, ERROR)
        asked(store, "run-2", question("run-2"))
        given = [answer(GATE, key="k"), answer(question("run-2"), "reject", key="k"), answer(ERROR, "retry")]
        assert [store.decide(each) for each in given] == given

    # -- refusals ------------------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("pause_id", ["nowhere:confirmation:0", "", LONE, "gate"])
    def test_an_unknown_pause_is_refused(self, store: RunStore, pause_id: str) -> None:
        """Nothing is stored for a pause that the run never had; who asks is told which are open."""
        writer = asked(store, "run-1", GATE, ERROR, question("run-1", "z")).claim()
        asked(store, "run-2", question("run-2", "nowhere"))
        writer.commit(RESUMED, closed=(ERROR.pause_id,), decisions=(answer(ERROR, "skip"),))
        with pytest.raises(UnknownPause) as refused:
            store.decide(answer(evolve(GATE, pause_id=pause_id)))
        assert refused.value.pending == (GATE.pause_id, question("run-1", "z").pause_id)
        assert store.decisions("run-2") == []

    @pytest.mark.parametrize(("pause", "word"), [(GATE, "retry"), (GATE, "CONFIRM"), (GATE, ""), (ERROR, "confirm"), (GATE, LONE)])
    def test_an_unknown_word_is_refused(self, store: RunStore, pause: Pause, word: str) -> None:
        """A word that this kind of pause cannot be answered with is refused, with those that it can; the pause stays open."""
        asked(store, "run-1", pause)
        with pytest.raises(UnknownDecision) as refused:
            store.decide(answer(pause, word))
        assert (refused.value.kind, refused.value.decision) == (pause.kind, word)
        assert len(store.pauses(PauseFilter())) == 1

    @pytest.mark.parametrize("part", ["value", "by", "comment", "key"])
    def test_a_decision_that_no_store_keeps_is_refused(self, store: RunStore, part: str) -> None:
        """A lone surrogate is refused by name, and the pause stays open."""
        asked(store)
        with pytest.raises(UnstorableValue):
            store.decide(answer(GATE, **{part: LONE}))
        assert len(store.pauses(PauseFilter())) == 1

    def test_a_closed_pause_is_not_decided(self, store: RunStore) -> None:
        """A pause that fell away undecided takes no decision any more, while another of its run does."""
        writer = asked(store, "run-1", GATE, ERROR).claim()
        writer.commit(closed=(GATE.pause_id,))
        with pytest.raises(NotPaused) as refused:
            store.decide(answer(GATE))
        assert refused.value.status == "PAUSED"
        assert store.decide(answer(ERROR, "retry")) == answer(ERROR, "retry")

    @pytest.mark.parametrize("end", [CANCELLED, FAILED])
    def test_an_ended_run_is_not_decided(self, store: RunStore, end: Fired) -> None:
        """The open pause of a run that has ended takes no decision, and who decides is told how it ended."""
        writer = asked(store).claim()
        if end is FAILED:
            writer.commit(RESUMED)
        writer.commit(end)
        with pytest.raises(NotPaused) as refused:
            store.decide(answer(GATE))
        assert refused.value.status == ("ERROR" if end is FAILED else "CANCELLED")
        assert store.decisions("run-1") == []


# ruff: noqa: S101  # assert is how a test speaks


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
    def test_a_deadline_comes_back_equal(self, store: RunStore, deadline: Micros | None, on_timeout: str) -> None:
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
    def test_a_late_decision_is_refused(self, store: RunStore, late: Micros, on_timeout: str) -> None:
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
    def test_a_decision_in_time_holds_for_ever(self, store: RunStore, on_timeout: str) -> None:
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

    def test_a_rejection_may_come_before_an_approval(self, store: RunStore) -> None:
        """Silence that would approve does not outvote a "no" that comes before the approval is stored; a late "yes" is still refused."""
        pause = due("approve")
        asked(store, "run-1", pause)
        with pytest.raises(PauseExpired):
            store.decide(answer(pause, "confirm", time=DUE + 50))
        late = answer(pause, "reject", time=DUE + 50)
        assert store.decide(late) == late
        assert store.decisions("run-1") == [late]

    @pytest.mark.parametrize("on_timeout", ["cancel", "skip"])
    def test_a_rejection_is_late_where_silence_rejects(self, store: RunStore, on_timeout: str) -> None:
        """Where silence does not approve, a "no" comes too late like a "yes"."""
        pause = due(on_timeout)
        asked(store, "run-1", pause)
        with pytest.raises(PauseExpired):
            store.decide(answer(pause, "reject", time=DUE))
        assert store.decisions("run-1") == []

    @pytest.mark.parametrize("word", ["confirm", "reject"])
    @pytest.mark.parametrize("on_timeout", EXPIRED)
    def test_what_has_expired_is_not_decided(self, store: RunStore, on_timeout: str, word: str) -> None:
        """Where the expiry is stored the decision is told so, also a "no" to what was approved."""
        pause = due(on_timeout)
        writer = asked(store, "run-1", pause).claim()
        writer.commit(RESUMED, silence(pause), closed=(pause.pause_id,), time=DUE + 1)
        with pytest.raises(PauseExpired) as refused:
            store.decide(answer(pause, word, time=DUE + 50))
        assert refused.value.took == EXPIRED[on_timeout]
        assert store.decisions("run-1") == []

    def test_a_boundary_takes_no_late_decision_along(self, store: RunStore) -> None:
        """A boundary with a decision that comes too late is refused, and none of it is stored."""
        other = question("run-1", "other")
        writer = asked(store, "run-1", due("skip"), other).claim()
        before = everything(store, "run-1")
        both = (answer(other, time=DUE + 1), answer(due("skip"), time=DUE + 1))
        with pytest.raises(PauseExpired):
            store.commit(writer.boundary(RESUMED, closed=tuple(each.pause_id for each in both), decisions=both))
        assert everything(store, "run-1") == before

    def test_no_deadline_is_never_over(self, store: RunStore) -> None:
        """A question without a deadline waits for as long as it takes, whatever silence would have led to."""
        pause = question("run-1", on_timeout="skip")
        asked(store, "run-1", pause)
        late = answer(pause, time=2**62)
        assert store.decide(late) == late

    def test_questions_are_listed_by_their_deadlines(self, store: RunStore) -> None:
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
