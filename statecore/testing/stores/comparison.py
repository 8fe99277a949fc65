"""Tests of a store beside the reference in memory: the same calls, the same answers; and of the journals that both keep.

Journals are without gaps, in order, equal to what was written, and chained.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, evolve, field

from statecore.core import Micros, Ref, State
from statecore.errors import StatecoreError, UnstorableValue
from statecore.lifecycles import TABLES
from statecore.lifecycles.decisions import AskKind
from statecore.stores.links import GENESIS, link
from statecore.stores.memory import InMemoryDb
from statecore.stores.owner import SKEW
from statecore.stores.records import Boundary, Claim, Entry, Pause, PauseFilter, RunFilter, RunStore
from statecore.stores.rules import LEGAL

from .samples import (
    ALIVE,
    AWKWARD,
    DEAD,
    ELSEWHERE,
    STARTED,
    TIME,
    Fired,
    Fresh,
    Writer,
    answer,
    begin,
    beginning,
    claiming,
    entered,
    everything,
    identity,
    question,
    started,
    succeeded,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# ruff: noqa: S101, S311  # assert is how a test speaks; the random moves are to be repeatable, not secret


RUNS = [f"run-{n}" for n in range(4)]
SOME_KINDS: list[AskKind] = ["confirmation", "error", "interrupted"]
PLACES = ["a", "b", "c/then/d"]
OWNERS = [ALIVE, DEAD, DEAD, ELSEWHERE]
MOVES = 150
OF_COMPONENTS = [move for move in LEGAL if move[0] != "run"]


@define
class Wanderer:
    """Makes one random move after the other on two stores at once."""

    stores: tuple[RunStore, RunStore]
    random: Random
    told: int = 0
    refused: int = 0
    clock: Micros = field(default=TIME)

    def move(self) -> None:
        """Do the same thing to both, and compare what they say."""
        kind, *args = self.random.choice(MOVES_BY_KIND)(self)
        answers = [outcome(store, kind, args) for store in self.stores]
        assert answers[0] == answers[1], f"{kind}{tuple(args)}"
        self.told += 1
        self.refused += isinstance(answers[0], tuple) and answers[0][:1] == ("refused",)

    def run_id(self) -> str:
        """One of a few runs."""
        return self.random.choice(RUNS)

    def time(self) -> Micros:
        """A time, seldom the next one."""
        self.clock += self.random.choice([0, 1, 5])
        return self.clock

    def pause(self) -> Pause:
        """A question that may have been asked before."""
        attempt, kind = self.random.randrange(3), self.random.choice(SOME_KINDS)
        opened, choice = self.time(), self.random.choice
        deadline, silent = choice([None, opened, opened + 20]), choice(["cancel", "skip", "approve"])
        return question(self.run_id(), choice(PLACES), opened, kind, attempt=attempt, deadline=deadline, on_timeout=silent)

    def due(self) -> PauseFilter:
        """Questions by their deadlines."""
        before, after = (self.random.choice([None, self.clock, self.clock + 10]) for _ in range(2))
        return PauseFilter(due_before=before, due_after=after, undecided_only=self.random.random() < 0.5)

    def boundary(self) -> Boundary:
        """A boundary that fits mostly."""
        run_id = self.run_id()
        try:
            record = self.stores[0].load(run_id)
        except StatecoreError:
            return Writer(self.stores[0], run_id).boundary()
        writer = Writer(self.stores[0], run_id, record.epoch, record.seq, record.state)
        rows = [Fired(machine, "x", source, on, dest) for machine, source, on, dest in self.random.sample(OF_COMPONENTS, 3)]
        where = record.state.run
        moves = [row for row in TABLES["run"].rows if row.source == where or self.random.random() < 0.05]
        if moves and self.random.random() < 0.5:
            move = self.random.choice(moves)
            rows.append(Fired("run", "", move.source, move.on, move.dest))
            where = move.dest
        open_ones = self.stores[0].pauses(PauseFilter(run_id=run_id, undecided_only=False))
        closed = self.random.sample(open_ones, min(len(open_ones), self.random.randrange(3)))
        asked = [evolve(self.pause(), run_id=run_id) for _ in range(self.random.randrange(3))]
        usual = writer.boundary(
            *rows,
            state=State(where),
            time=self.time(),
            held={Ref("x", (), n): record.seq + n for n in range(self.random.randrange(3))},
            closed=tuple(waiting.pause.pause_id for waiting in closed),
            decisions=tuple(answer(waiting.pause, self.word(), time=self.clock) for waiting in closed),
            opened=tuple(asked),
            session_state=self.random.choice([None, "[1]"]),
            parks=self.random.random() < 0.5,
            heeds_cancel=self.random.random() < 0.5,
        )
        return usual._replace(epoch=record.epoch - (self.random.random() < 0.1))

    def new_run(self) -> Boundary:
        """The beginning of a run that there may be already, by its id or by its key."""
        choice = self.random.choice
        new = identity(self.run_id(), created=self.time(), session_id=choice(["s", "t"]), key=choice([None, "k", "l"]))
        return beginning(new, "{}", choice(OWNERS))

    def claim(self) -> Boundary:
        """A claim of a run, which may be another's, and to be cancelled."""
        run_id, owner = self.run_id(), self.random.choice(OWNERS)
        try:
            record = self.stores[0].load(run_id)
        except StatecoreError:
            return Writer(self.stores[0], run_id).boundary(claim=Claim(owner))
        claims = claiming(record, owner, self.time(), self.random.choice([None, self.clock, self.clock + 20 - SKEW]))
        return claims._replace(heeds_cancel=self.random.random() < 0.5)

    def word(self) -> str:
        """A person's word."""
        return self.random.choice(["confirm", "reject", "retry", "skip"])


def outcome(store: RunStore, kind: str, args: list[Any]) -> Any:
    """The response of a store to a call: its answer, or the name and sentence of its refusal."""
    try:
        return getattr(store, kind)(*args)
    except StatecoreError as refusal:
        return "refused", type(refusal), str(refusal)


MOVES_BY_KIND: list[Callable[[Wanderer], tuple[Any, ...]]] = [
    lambda x: ("commit", x.new_run()),
    *[lambda x: ("commit", x.boundary())] * 6,
    *[lambda x: ("commit", x.claim())] * 2,
    lambda x: (
        "claim_next",
        "flow",
        x.random.choice(OWNERS),
        x.time(),
        x.random.choice([None, x.clock, x.clock + 20 - SKEW]),
        x.random.randrange(3),
        x.random.sample(RUNS, 1),
    ),
    lambda x: ("renew", x.run_id(), x.random.randrange(4), x.time()),
    lambda x: ("release", x.run_id(), x.random.randrange(4)),
    *[lambda x: ("decide", answer(x.pause(), x.word(), time=x.clock, key=x.random.choice([None, "k", "l"])))] * 3,
    lambda x: ("request_cancel", x.run_id(), x.random.choice([None, "ann"]), x.time()),
    lambda x: (
        "runs",
        RunFilter(
            x.random.choice([None, "s"]), None, x.random.choice([None, TABLES["run"].states[:3]]), 2, x.random.choice([None, *RUNS])
        ),
    ),
    lambda x: ("pauses", PauseFilter(step_name=x.random.choice([None, "a"]), undecided_only=x.random.random() < 0.5, limit=3)),
    lambda x: ("pauses", x.due()),
    lambda x: ("journal", x.run_id(), x.random.randrange(9), x.random.randrange(9)),
    lambda x: ("pause", x.run_id(), x.pause().pause_id),
]


class Comparison(Fresh):
    """There is one set of rules: whatever one store answers, the other answers too."""

    @pytest.mark.parametrize("seed", range(12))
    def test_stores_answer_alike(self, store: RunStore, seed: int) -> None:
        """After any sequence of calls the store and the reference have given the same answers and hold the same runs."""
        wanderer = Wanderer((store, InMemoryDb()), Random(seed))
        for _ in range(MOVES):
            wanderer.move()
        for run_id in [record.identity.run_id for record in store.runs(RunFilter())]:
            assert everything(store, run_id) == everything(wanderer.stores[1], run_id)
        assert 0 < wanderer.refused < wanderer.told


# ruff: noqa: S101, PLR2004  # assert is how a test speaks, and the expected number is its point


def written(store: RunStore, run_id: str = "run-1", steps: int = 5) -> list[Entry]:
    """The rows of a run of some steps, as they were given to the store."""
    writer = started(store, run_id)
    entries = list(Writer(store, run_id).boundary(STARTED, entered("first")).entries)
    for n in range(steps):
        entries += writer.commit(succeeded(f"s{n}", f'"{n}"', turn=(n,) * n, attempt=n), entered(f"s{n + 1}")).entries
    return entries


class Journals(Fresh):
    """A journal only grows, and every row hangs on the one before."""

    def test_a_journal_is_what_was_written(self, store: RunStore) -> None:
        """All rows come back in order, without gaps, each equal to the one given."""
        given = written(store)
        assert store.journal("run-1") == given
        assert [entry.seq for entry in given] == list(range(1, 13))

    @pytest.mark.parametrize("text", AWKWARD.values(), ids=list(AWKWARD))
    def test_a_row_comes_back_equal(self, store: RunStore, text: str) -> None:
        """Addresses, particulars and values come back as they were given, to the last character."""
        writer = started(store)
        if not self.keeps_name(text):
            with pytest.raises(UnstorableValue):
                writer.commit(entered(f"next{text}"))
        at = text if self.keeps_name(text) else ""
        given = writer.commit(succeeded(f"at{at}", text, text), entered(f"next{at}"))
        assert store.journal("run-1", 2) == list(given.entries)

    def test_no_value_is_not_an_empty_one(self, store: RunStore) -> None:
        """A row without a value has none, a row with an empty text has that, and equal values do not become one row's."""
        writer = started(store)
        writer.commit(succeeded("a", None), succeeded("b", ""), succeeded("c", "1"), succeeded("d", "1"), succeeded("e", None))
        assert [entry.body.value for entry in store.journal("run-1", 2)] == [None, "", "1", "1", None]

    def test_a_slice_is_a_slice(self, store: RunStore) -> None:
        """The rows after one and up to another are those of the whole journal with such numbers; nothing is counted from the end."""
        whole = written(store, steps=2)
        ends = [-7, -1, 0, 1, 2, 5, 6, 7, 10**30]
        for after in ends:
            assert store.journal("run-1", after) == [entry for entry in whole if entry.seq > after]
            for upto in ends:
                assert store.journal("run-1", after, upto) == [entry for entry in whole if after < entry.seq <= upto]

    def test_equal_histories_have_equal_heads(self, store: RunStore) -> None:
        """The head is the one that the reference store has for the same boundaries, and the fold of the rule over the journal."""
        reference = InMemoryDb()
        for kept in (store, reference):
            written(kept)
        chain = GENESIS
        for entry in store.journal("run-1"):
            chain = link(chain, "run-1", entry)
        assert store.head("run-1") == reference.head("run-1") == chain.hex()

    def test_a_head_does_not_know_boundaries(self, store: RunStore) -> None:
        """The same rows have the same head however many transactions stored them."""
        rows: list[Fired] = [STARTED, entered("first"), succeeded("first", "1"), entered("second")]
        heads = set()
        for cut in range(5):
            name = InMemoryDb() if cut else store
            begin(name, identity())
            writer = Writer(name, "run-1")
            for part in (rows[:cut], rows[cut:]):
                writer.commit(*part, time=7)
            heads.add(name.head("run-1"))
        assert len(heads) == 1

    def test_a_head_knows_its_run_and_every_row(self, store: RunStore) -> None:
        """Another run has another head, and each row moves it."""
        begin(store, identity())
        heads = [store.head("run-1")]
        writer = Writer(store, "run-1")
        for fired in (STARTED, entered("first"), succeeded("first", "1")):
            writer.commit(fired, time=7)
            heads.append(store.head("run-1"))
        begin(store, identity("run-2"))
        Writer(store, "run-2").commit(STARTED, entered("first"), succeeded("first", "1"), time=7)
        heads.append(store.head("run-2"))
        assert len(set(heads)) == 5

    def test_a_long_journal_is_one_journal(self, store: RunStore) -> None:
        """A thousand boundaries later the rows are all there, and the first slice and the last are found."""
        whole = written(store, steps=500)
        assert store.journal("run-1") == whole
        assert store.journal("run-1", 0, 1) == whole[:1]
        assert store.journal("run-1", len(whole) - 1) == whole[-1:]
