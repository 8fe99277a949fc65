"""Tests of runs and of their pauses: begun, claimed, released, cancelled, listed; asked, listed in order, closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from statecore.core import BEGINNING
from statecore.errors import DuplicateRun, DuplicateStart, RunBusy, UnknownPause, UnknownRun, UnstorableValue
from statecore.lifecycles import words as w
from statecore.stores.records import PauseFilter, RunFilter, RunStore, Waiting, after_of

from .samples import (
    ALIVE,
    AWKWARD,
    CANCELLED,
    COMPLETED,
    DEAD,
    ELSEWHERE,
    FAILED,
    LONE,
    PAUSED,
    RESUMED,
    STARTED,
    TIME,
    Fresh,
    Writer,
    answer,
    asked,
    begin,
    claim,
    confirmed,
    entered,
    everything,
    identity,
    question,
    started,
    succeeded,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# ruff: noqa: S101  # assert is how a test speaks, and the expected number is its point


UNKNOWN_RUN: dict[str, Callable[[RunStore, str], Any]] = {
    "load": lambda store, run_id: store.load(run_id),
    "claim": lambda store, run_id: claim(store, run_id, ALIVE, TIME),
    "commit": lambda store, run_id: store.commit(Writer(store, run_id).boundary(STARTED)),
    "renew": lambda store, run_id: store.renew(run_id, 1, TIME),
    "release": lambda store, run_id: store.release(run_id, 1),
    "decide": lambda store, run_id: store.decide(answer(question(run_id))),
    "request_cancel": lambda store, run_id: store.request_cancel(run_id, None, TIME),
    "journal": lambda store, run_id: store.journal(run_id),
    "decisions": lambda store, run_id: store.decisions(run_id),
    "pauses": lambda store, run_id: store.pauses(PauseFilter(run_id=run_id)),
    "pause": lambda store, run_id: store.pause(run_id, "gate:confirmation:0"),
    "head": lambda store, run_id: store.head(run_id),
}
NAMES = ["workflow_id", "workflow_name", "session_id", "user_id", "input", "additional_data", "metadata", "canonical", "key"]


def in_pages(store: RunStore, limit: int, **wanted: Any) -> list[list[str]]:
    """The runs that a filter finds, page by page."""
    pages, after = list[list[str]](), None
    while not pages or after is not None:
        page = store.runs(RunFilter(limit=limit, after=after, **wanted))
        pages.append([record.identity.run_id for record in page])
        after = after_of(page)
    return pages


def ids(store: RunStore, **wanted: Any) -> list[str]:
    """The runs that a filter finds, in order."""
    return [record.identity.run_id for record in store.runs(RunFilter(**wanted))]


class Runs(Fresh):
    """A run is who it is from its start; one process at a time may execute it."""

    def test_a_run_begins(self, store: RunStore) -> None:
        """A new run stands at the beginning, at row 0, claimed with epoch 1, and nobody has asked anything of it."""
        begun = begin(store, identity(), '{"n":1}', ALIVE)
        assert begun == store.load("run-1")
        assert (begun.identity, begun.state, begun.seq, begun.held) == (identity(), BEGINNING, 0, {})
        assert (begun.session_state, begun.owner, begun.epoch, begun.lease) == ('{"n":1}', ALIVE, 1, None)
        assert (begun.cancel_by, begun.cancel_requested, begun.updated) == (None, None, TIME)
        assert everything(store, "run-1") == (begun, [], "0" * 64, [], [])

    @pytest.mark.parametrize("text", AWKWARD.values(), ids=list(AWKWARD))
    def test_an_identity_comes_back_equal(self, store: RunStore, text: str) -> None:
        """Every text of a run's identity, and its session state, comes back as it was given, to the last character."""
        given = identity(f"run{text}", **dict.fromkeys(NAMES, text))
        if not self.keeps_key(text):
            with pytest.raises(UnstorableValue):
                begin(store, given, text, ALIVE)
            given = evolve(given, key=None)
        if not self.keeps_name(text):
            with pytest.raises(UnstorableValue):
                begin(store, given, text, ALIVE)
            bodies = dict.fromkeys(("input", "additional_data", "metadata"), text)
            given = identity(**bodies)
        begin(store, given, text, ALIVE)
        found = store.load(given.run_id)
        assert (found.identity, found.session_state) == (given, text)
        assert ids(store, session_id=given.session_id, workflow_id=given.workflow_id) == [given.run_id]

    @pytest.mark.parametrize("part", ["run_id", *NAMES])
    def test_a_text_that_no_store_keeps_is_refused(self, store: RunStore, part: str) -> None:
        """A lone surrogate is refused by name wherever it stands, and nothing of the run is stored."""
        with pytest.raises(UnstorableValue):
            begin(store, identity(**{part: LONE}))
        with pytest.raises(UnstorableValue):
            begin(store, identity(), LONE, ALIVE)
        assert store.runs(RunFilter()) == []

    def test_a_run_begins_once(self, store: RunStore) -> None:
        """A second run of the same id is refused, and the first one stays as it was."""
        started(store)
        before = everything(store, "run-1")
        with pytest.raises(DuplicateRun):
            begin(store, identity(input='"other"'), "[]", ELSEWHERE)
        assert everything(store, "run-1") == before

    def test_a_run_is_started_once_by_a_key(self, store: RunStore) -> None:
        """A second start of a workflow with the same key is refused and told which run it started; another workflow has its own keys."""
        first = begin(store, identity(key="k"))
        assert first.identity.key == "k"
        for again in (identity("run-2", key="k", session_id="other"), identity(key="k")):
            with pytest.raises(DuplicateStart) as refused:
                begin(store, again)
            assert (refused.value.key, refused.value.run_id) == ("k", "run-1")
        begin(store, identity("run-3", key="k", workflow_id="other"))
        for n in (4, 5):
            begin(store, identity(f"run-{n}"))
        begin(store, identity("run-6", key="" if self.keeps_key("") else None))
        with pytest.raises(DuplicateRun):
            begin(store, identity(key="l"))
        begin(store, identity("run-7", key="l"))
        assert ids(store) == ["run-7", "run-6", "run-5", "run-4", "run-3", "run-1"]

    @pytest.mark.parametrize("method", UNKNOWN_RUN)
    @pytest.mark.parametrize("run_id", ["run-2", "", "RUN-1", "run-1 ", "run-1\x00", LONE])
    def test_an_unknown_run_is_refused(self, store: RunStore, method: str, run_id: str) -> None:
        """Every method refuses a run that is not there by the same name; ids are compared to the letter."""
        asked(store)
        with pytest.raises(UnknownRun):
            UNKNOWN_RUN[method](store, run_id)

    # -- claims --------------------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("owner", [ALIVE, ELSEWHERE], ids=["alive", "elsewhere"])
    def test_a_run_in_good_hands_is_not_given_away(self, store: RunStore, owner: str) -> None:
        """A run whose owner lives, or may live, is busy, for its own owner too; nothing changes."""
        before = begin(store, identity(), "{}", owner)
        with pytest.raises(RunBusy) as refused:
            claim(store, "run-1", ALIVE, TIME + 1)
        assert refused.value.owner == owner
        assert store.load("run-1") == before

    def test_a_released_run_is_claimed(self, store: RunStore) -> None:
        """A claim raises the epoch, says since when, and moves nothing else of the run."""
        before = started(store)
        store.release("run-1", 1)
        assert store.load("run-1").owner is None
        claimed = claim(store, "run-1", ELSEWHERE, TIME + 9)
        assert claimed == store.load("run-1")
        assert (claimed.owner, claimed.epoch, claimed.updated, claimed.seq) == (ELSEWHERE, 2, TIME + 9, before.seq)

    def test_a_dead_owner_is_taken_over(self, store: RunStore) -> None:
        """A run of an owner that is known to be dead is claimed at once."""
        begin(store, identity(), "{}", DEAD)
        claimed = claim(store, "run-1")
        assert (claimed.owner, claimed.epoch) == (ALIVE, 2)

    def test_an_old_claim_releases_nothing(self, store: RunStore) -> None:
        """An owner that was taken over releases nothing."""
        begin(store, identity(), "{}", DEAD)
        claimed = claim(store, "run-1", ALIVE, TIME)
        store.release("run-1", 1)
        store.release("run-1", 3)
        assert store.load("run-1") == claimed

    # -- cancellations -------------------------------------------------------------------------------------------------------------

    def test_a_cancellation_is_asked_for_once(self, store: RunStore) -> None:
        """The first request counts; it is the run's only change."""
        started(store)
        before = store.load("run-1")
        marked = store.request_cancel("run-1", "ann", TIME + 3)
        assert marked == evolve(before, cancel_by="ann", cancel_requested=TIME + 3)
        assert store.request_cancel("run-1", "bob", TIME + 4) == marked == store.load("run-1")

    def test_an_ended_run_is_not_cancelled(self, store: RunStore) -> None:
        """A request that comes after the end marks nothing."""
        started(store).commit(COMPLETED, parks=True)
        before = store.load("run-1")
        assert store.request_cancel("run-1", "ann", TIME + 3) == before == store.load("run-1")

    # -- listings ------------------------------------------------------------------------------------------------------------------

    def test_runs_are_listed_by_their_beginning(self, store: RunStore) -> None:
        """The run that was begun last comes first, whatever the clocks say; claims and boundaries change nothing about it."""
        for n, created in enumerate([TIME + 5, TIME, TIME + 9]):
            begin(store, identity(f"run-{n}", created=created))
            store.release(f"run-{n}", 1)
        assert ids(store) == ["run-2", "run-1", "run-0"]
        claim(store, "run-1", ALIVE, TIME - 100)
        assert ids(store) == ["run-2", "run-1", "run-0"]
        Writer(store, "run-2").commit(STARTED, entered("first"), time=TIME + 10**9)
        assert ids(store) == ["run-2", "run-1", "run-0"]
        assert [record.updated for record in store.runs(RunFilter())] == [TIME + 10**9, TIME - 100, TIME + 5]
        assert ids(store, session_id="session", by_claim=True) == ["run-1", "run-2", "run-0"]
        assert ids(store, session_id="session", by_claim=True, limit=1) == ["run-1"]

    def test_runs_are_listed_by_what_they_are(self, store: RunStore) -> None:
        """Each part of a filter narrows the list; what is None does not."""
        for n in range(8):
            part = {"session_id": f"s{n // 4}", "workflow_id": f"w{n // 2 % 2}", "user_id": f"u{n % 3}" if n % 3 else None}
            writer = started(store, f"run-{n}", **part)
            if n % 2:
                writer.commit(PAUSED, parks=True)
        assert ids(store, session_id="s1") == ["run-7", "run-6", "run-5", "run-4"]
        assert ids(store, workflow_id="w0") == ["run-5", "run-4", "run-1", "run-0"]
        assert ids(store, phases=(w.paused,)) == ["run-7", "run-5", "run-3", "run-1"]
        assert ids(store, phases=(w.running, w.paused), session_id="s0") == ["run-3", "run-2", "run-1", "run-0"]
        assert ids(store, session_id="s0", workflow_id="w1", phases=(w.running,)) == ["run-2"]
        assert ids(store, user_id="u1") == ["run-7", "run-4", "run-1"]
        assert ids(store, user_id="u1", session_id="s1", phases=(w.paused,)) == ["run-7"]
        assert ids(store, user_id="nobody") == ids(store, user_id=LONE) == []
        assert (
            ids(store, phases=()) == ids(store, session_id="") == ids(store, workflow_id=LONE) == ids(store, phases=(LONE,)) == []
        )

    def test_runs_are_listed_by_the_beginning_of_their_ids(self, store: RunStore) -> None:
        """A prefix is taken to the letter: no character of it stands for others, and upper case is not lower case."""
        names = ["run", "run-1", "Run-1", "r_n", "r%", "r%-1", "räuber", "🙂", "🙂-1"]
        for name in names:
            begin(store, identity(name))
        for prefix in [*names, "", "r", "ru", "r_", "nobody", "run-1x", LONE]:
            wanted = [name for name in names if name.startswith(prefix)]
            assert ids(store, prefix=prefix) == (sorted(wanted) if prefix else names[::-1]), prefix
        assert in_pages(store, 1, prefix="r") == [[name] for name in sorted(names) if name.startswith("r")]
        assert ids(store, prefix="r%", session_id="other") == []

    def test_a_listing_is_read_in_pages(self, store: RunStore) -> None:
        """Each page goes on behind the last run of the one before, also where runs have begun or ended since; the last one says that it is the last."""
        for n in range(7):
            begin(store, identity(f"run-{n}"))
        whole = ids(store)
        assert in_pages(store, 3) == [whole[:3], whole[3:6], whole[6:]]
        assert in_pages(store, 7) == in_pages(store, 10**30) == [whole]
        assert ids(store, after=whole[1]) == whole[2:]
        assert ids(store, limit=0) == ids(store, limit=-1) == ids(store, after=whole[-1]) == []
        begin(store, identity("late"))
        assert ids(store, after=whole[2], limit=2) == whole[3:5]
        with pytest.raises(UnknownRun):
            ids(store, after="nobody")

    def test_a_listed_run_is_a_loaded_run(self, store: RunStore) -> None:
        """A listing tells of a run what loading it tells."""
        started(store)
        asked(store, "run-2")
        assert store.runs(RunFilter()) == [store.load("run-2"), store.load("run-1")]


# ruff: noqa: S101  # assert is how a test speaks


def listed(store: RunStore, **wanted: Any) -> list[tuple[str, str]]:
    """The pauses that a filter finds, in order."""
    return [(waiting.pause.run_id, waiting.pause.at) for waiting in store.pauses(PauseFilter(**wanted))]


class Pauses(Fresh):
    """The inbox holds what people owe: open questions of runs that have not ended."""

    def test_a_question_is_listed(self, store: RunStore) -> None:
        """A pause comes back as it was put, with whose it is and no decision."""
        pause = question("run-1", "gate", TIME, "error", turn=(3, 1), attempt=2, message=None, detail='{"error":"x"}')
        asked(store, "run-1", pause, session_id="s", workflow_id="w", workflow_name="W")
        assert store.pauses(PauseFilter()) == [Waiting(pause, None, "w", "W", "s")]
        assert store.pause("run-1", pause.pause_id) == Waiting(pause, None, "w", "W", "s")

    @pytest.mark.parametrize("text", AWKWARD.values(), ids=list(AWKWARD))
    def test_a_question_comes_back_equal(self, store: RunStore, text: str) -> None:
        """Every text of a pause comes back as it was given, to the last character."""
        pause = question("run-1", f"at{text}", step_name=text, message=text, detail=text)
        if not self.keeps_name(text):
            with pytest.raises(UnstorableValue):
                asked(store, "run-1", pause)
            pause = question("run-2", message=text, detail=text)
        asked(store, pause.run_id, pause)
        assert [waiting.pause for waiting in store.pauses(PauseFilter(step_name=pause.step_name))] == [pause]

    def test_no_pause_is_none(self, store: RunStore) -> None:
        """A pause that the run never had is None, also where another run has it."""
        asked(store)
        asked(store, "run-2", question("run-2", "other"))
        for pause_id in (question("run-2", "other").pause_id, "", LONE):
            assert store.pause("run-1", pause_id) is None

    def test_the_oldest_comes_first(self, store: RunStore) -> None:
        """Pauses are in order of the time they were opened at; of equal times, in order of runs and then of asking."""
        asked(store, "run-1", question("run-1", "b", TIME + 5), question("run-1", "a", TIME + 5))
        asked(store, "run-2", question("run-2", "c", TIME + 1))
        asked(store, "run-3", question("run-3", "d", TIME + 5), question("run-3", "e", TIME + 9))
        asked(store, "run-4", question("run-4", "f", TIME + 5))
        order = [("run-2", "c"), ("run-1", "b"), ("run-1", "a"), ("run-3", "d"), ("run-4", "f"), ("run-3", "e")]
        assert listed(store) == order
        pages, after = list[list[tuple[str, str]]](), None
        while not pages or after is not None:
            page = store.pauses(PauseFilter(limit=4, after=after))
            pages.append([(waiting.pause.run_id, waiting.pause.at) for waiting in page])
            after = after_of(page)
        assert pages == [order[:4], order[4:]]
        [first, *_] = store.pauses(PauseFilter())
        store.decide(answer(first.pause))
        assert listed(store, after=("run-2", first.pause.pause_id), limit=2) == order[1:3]
        assert listed(store, limit=0) == listed(store, limit=-1) == []
        assert listed(store, limit=10**30) == order[1:]
        with pytest.raises(UnknownPause):
            listed(store, after=("run-2", "nothing"))

    def test_questions_are_listed_by_what_they_are(self, store: RunStore) -> None:
        """Each part of a filter narrows the list; what is None does not."""
        asked(store, "run-1", question("run-1", "a"), question("run-1", "b", kind="error"), session_id="s1", workflow_id="w1")
        asked(store, "run-2", question("run-2", "a", TIME + 1, "error"), session_id="s2", workflow_id="w1")
        asked(store, "run-3", question("run-3", "b", TIME + 2), session_id="s2", workflow_id="w2")
        assert listed(store, run_id="run-1") == [("run-1", "a"), ("run-1", "b")]
        assert listed(store, session_id="s2") == [("run-2", "a"), ("run-3", "b")]
        assert listed(store, workflow_id="w1", kind="error") == [("run-1", "b"), ("run-2", "a")]
        assert listed(store, step_name="a", session_id="s1") == [("run-1", "a")]
        assert listed(store, run_id="run-3", kind="error") == listed(store, step_name=LONE) == listed(store, kind="") == []

    def test_a_decided_question_leaves_the_inbox(self, store: RunStore) -> None:
        """A list of undecided questions leaves it out; a list of all has it with its decision, until it is applied."""
        pauses = (question("run-1", "a"), question("run-1", "b"))
        writer = asked(store, "run-1", *pauses)
        decided = store.decide(answer(pauses[0]))
        assert listed(store) == [("run-1", "b")]
        assert [waiting.decided for waiting in store.pauses(PauseFilter(undecided_only=False))] == [decided, None]
        assert listed(store, decided_only=True) == listed(store, decided_only=True, undecided_only=False) == [("run-1", "a")]
        writer.claim().commit(RESUMED, confirmed("a"), closed=(pauses[0].pause_id,), decisions=(decided,), time=TIME + 40)
        assert listed(store, undecided_only=False) == [("run-1", "b")]
        assert listed(store, decided_only=True) == []
        closed = store.pause("run-1", pauses[0].pause_id)
        assert closed == Waiting(evolve(pauses[0], closed=TIME + 40), decided, "flow", "Flow", "session")

    def test_a_question_may_fall_away(self, store: RunStore) -> None:
        """A pause that is closed without a decision is not listed, and says when it was closed."""
        writer = asked(store).claim()
        writer.commit(CANCELLED, closed=(question("run-1").pause_id,), time=TIME + 40)
        assert listed(store, undecided_only=False) == []
        assert everything(store, "run-1")[3:] == ([], [])
        fallen = store.pause("run-1", question("run-1").pause_id)
        assert fallen == Waiting(question("run-1", closed=TIME + 40), None, "flow", "Flow", "session")

    def test_an_ended_run_asks_nothing(self, store: RunStore) -> None:
        """Questions of a run that has ended are not listed, though they were never closed; they are still known by name."""
        pauses = (question("run-1", "a"), question("run-1", "b"))
        writer = asked(store, "run-1", *pauses).claim()
        writer.commit(RESUMED, confirmed("a"), closed=(pauses[0].pause_id,), decisions=(answer(pauses[0]),))
        writer.commit(FAILED, parks=True)
        assert listed(store, undecided_only=False) == listed(store, run_id="run-1", undecided_only=False) == []
        still = store.pause("run-1", pauses[1].pause_id)
        assert still is not None
        assert still.pause == pauses[1]

    def test_many_questions_are_listed(self, store: RunStore) -> None:
        """A run may have asked hundreds of questions; the open ones are found among them."""
        writer = asked(store).claim()
        for turn in range(300):
            old, new = question("run-1", turn=(turn,) * (turn > 0)), question("run-1", turn=(turn + 1,))
            writer.commit(succeeded("x"), closed=(old.pause_id,), decisions=(answer(old),), opened=(new,))
        assert [waiting.pause.turn for waiting in store.pauses(PauseFilter())] == [(300,)]
