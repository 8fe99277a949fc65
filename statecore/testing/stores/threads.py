"""Tests of threads: eight at once, and exactly one of them wins what only one may have."""
# ruff: noqa: S101, PLR2004  # assert is how a test speaks, and the expected number is its point

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from sys import getswitchinterval, setswitchinterval
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve

from statecore.errors import AlreadyDecided, ClaimLost, DuplicateRun, DuplicateStart, KeyReused, RunBusy, StatecoreError
from statecore.stores.memory import InMemoryDb
from statecore.stores.owner import SKEW
from statecore.stores.records import Decided, RunFilter, RunStore

from .samples import (
    ALIVE,
    ELSEWHERE,
    PAUSED,
    RESUMED,
    TIME,
    Fresh,
    Writer,
    answer,
    asked,
    begin,
    claim,
    confirmed,
    entered,
    identity,
    question,
    started,
    succeeded,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")
CROWD = 8
ROUNDS = 12


def often(store: RunStore) -> int:
    """How often to race where nobody waits for a barrier: less often where each time waits for a disk."""
    return 40 if store.blocking else 400


def at_once(act: Callable[..., Answer], *args: object) -> list[Answer | StatecoreError]:
    """The answers to eight threads that begin at the same moment, each with its number; a named refusal counts as an answer."""
    ready = Barrier(CROWD)

    def one(n: int) -> Answer | StatecoreError:
        ready.wait()
        try:
            return act(*args, n)
        except StatecoreError as refusal:
            return refusal

    patience = getswitchinterval()
    setswitchinterval(1e-6)  # so that threads take turns in the middle of what they do
    try:
        with ThreadPoolExecutor(CROWD) as pool:
            return list(pool.map(one, range(CROWD)))
    finally:
        setswitchinterval(patience)


def parted(answers: list[Answer | StatecoreError]) -> tuple[list[Answer], list[StatecoreError]]:
    """The threads that got something, and those that were refused."""
    return [each for each in answers if not isinstance(each, StatecoreError)], [
        each for each in answers if isinstance(each, StatecoreError)
    ]


class Threads(Fresh):
    """A store may be used by any number of threads at once."""

    def test_of_many_deciders_one_decides(self, store: RunStore) -> None:
        """Eight different decisions of one pause at once: exactly one is stored, and each of the others is told which."""
        for n in range(ROUNDS):
            pause = question(f"run-{n}")
            asked(store, pause.run_id, pause)
            won, lost = parted(at_once(lambda pause, who: store.decide(answer(pause, value=str(who), by=f"by-{who}")), pause))
            assert won == store.decisions(pause.run_id)
            assert len(won) == 1
            assert [(type(refusal), refusal.by) for refusal in lost] == [(AlreadyDecided, won[0].by)] * 7  # type: ignore[attr-defined]

    def test_many_who_agree_get_one_answer(self, store: RunStore) -> None:
        """Eight equal decisions of one pause at once: one is stored, and everybody is given it."""
        for n in range(ROUNDS):
            pause = question(f"run-{n}")
            asked(store, pause.run_id, pause)
            won, lost = parted(at_once(lambda pause, who: store.decide(answer(pause, by=f"by-{who}", time=TIME + who)), pause))
            assert lost == []
            assert won == store.decisions(pause.run_id) * CROWD

    def test_deciding_and_continuing_meet(self, store: RunStore) -> None:
        """Seven decide while the owner applies a decision of his own: whichever was first is the one that all others are told."""
        for n in range(ROUNDS):
            pause = question(f"run-{n}")
            writer = asked(store, pause.run_id, pause).claim()

            def act(writer: Writer, who: int) -> Decided:
                mine = answer(question(writer.run_id), value=str(who), by=f"by-{who}")
                if who:
                    return store.decide(mine)
                writer.commit(RESUMED, confirmed("gate"), closed=(mine.pause_id,), decisions=(mine,))
                return mine

            won, lost = parted(at_once(act, writer))
            assert won == store.decisions(pause.run_id)
            assert len(won) == 1
            assert {type(refusal) for refusal in lost} == {AlreadyDecided}
            assert store.load(pause.run_id).seq == (5 if won[0].by == "by-0" else 3)

    def test_of_many_claims_one_is_given(self, store: RunStore) -> None:
        """Eight claim a free run at once: one has it, the others are told that it is busy."""
        for n in range(ROUNDS):
            run_id = started(store, f"run-{n}").run_id
            store.release(run_id, 1)
            won, lost = parted(at_once(lambda run_id, _who: claim(store, run_id, ALIVE, TIME), run_id))
            assert [record.epoch for record in won] == [2] == [store.load(run_id).epoch]
            assert {type(refusal) for refusal in lost} == {RunBusy}

    def test_a_heartbeat_and_a_takeover_meet(self, store: RunStore) -> None:
        """An owner elsewhere renews its lease while seven take the run over: either all are told that it is busy, or one has it."""
        over = TIME + SKEW
        for n in range(ROUNDS):
            begin(store, identity(f"run-{n}"), "{}", ELSEWHERE, TIME)

            def act(run_id: str, who: int) -> str:
                if who == 0:
                    store.renew(run_id, 1, over + 1)
                    return "renewed"
                claim(store, run_id, ALIVE, over, over + 1)
                return "claimed"

            won, lost = parted(at_once(act, f"run-{n}"))
            record = store.load(f"run-{n}")
            assert won in (["renewed"], ["claimed"], ["renewed", "claimed"])
            assert {type(refusal) for refusal in lost} <= {RunBusy, ClaimLost}
            assert (record.owner, record.epoch) == ((ALIVE, 2) if "claimed" in won else (ELSEWHERE, 1))

    def test_of_many_decisions_with_a_key_one_is_stored(self, store: RunStore) -> None:
        """Eight decide different pauses of one run with the same key at once: one is stored, the others are refused by name."""
        for n in range(ROUNDS):
            pauses = [question(f"run-{n}", f"s{who}") for who in range(CROWD)]
            asked(store, f"run-{n}", *pauses)
            won, lost = parted(at_once(lambda pauses, who: store.decide(answer(pauses[who], key="k")), pauses))
            assert won == store.decisions(f"run-{n}")
            assert len(won) == 1
            assert {type(refusal) for refusal in lost} == {KeyReused}

    def test_of_many_starts_with_a_key_one_begins(self, store: RunStore) -> None:
        """Eight begin a run with the same key at once, under different ids: one begins, and the others are told which."""
        for n in range(ROUNDS):
            won, lost = parted(at_once(lambda n, who: begin(store, identity(f"run-{n}-{who}", key=f"k{n}")), n))
            assert len(won) == 1
            [begun] = won
            told = {(type(refusal), refusal.run_id) for refusal in lost}  # type: ignore[attr-defined]
            assert told == {(DuplicateStart, begun.identity.run_id)}
        assert len(store.runs(RunFilter())) == ROUNDS

    def test_of_equal_boundaries_one_is_stored(self, store: RunStore) -> None:
        """Eight store the same boundaries, one after the other: each is stored once, by one of them, and the others are refused."""
        writer = started(store)
        boundaries = [writer.boundary(succeeded(f"s{n}", str(n)), entered(f"s{n + 1}"), seq=2 + 2 * n) for n in range(often(store))]
        boundaries = [
            each._replace(entries=tuple(row._replace(seq=row.seq + each.seq - 2) for row in each.entries)) for each in boundaries
        ]

        def act(_who: int) -> list[int]:
            stored = []
            for n, boundary in enumerate(boundaries):
                try:
                    stored += [n] if store.commit(boundary) is False else []
                except ClaimLost:
                    continue
            return stored

        won, lost = parted(at_once(act))
        assert lost == []
        assert sorted(n for stored in won for n in stored) == list(range(often(store)))
        assert store.journal("run-1", 2) == [row for boundary in boundaries for row in boundary.entries]

    def test_of_equal_runs_one_begins(self, store: RunStore) -> None:
        """Eight begin the same runs, one after the other: each is begun once, and is that of who began it."""

        def act(who: int) -> list[str]:
            begun = []
            for n in range(often(store)):
                try:
                    begun.append(begin(store, identity(f"run-{n}", input=str(who))).identity.run_id)
                except DuplicateRun:
                    continue
            return begun

        won, lost = parted(at_once(act))
        assert lost == []
        found = {(record.identity.run_id, record.identity.input) for record in store.runs(RunFilter(limit=1000))}
        assert sorted((run_id, str(who)) for who, begun in enumerate(won) for run_id in begun) == sorted(found)
        assert len(found) == often(store)

    def test_of_many_deciders_one_decides_each_time(self, store: RunStore) -> None:
        """Eight decide the same pauses, one after the other, each differently: each time one of them is heard, and the others are told."""
        pauses = [question("run-1", f"s{n}") for n in range(often(store))]
        asked(store, "run-1", *pauses)

        def act(who: int) -> list[str | None]:
            heard = []
            for pause in pauses:
                try:
                    heard.append(store.decide(answer(pause, value=str(who), by=str(who))).by)
                except AlreadyDecided as refusal:
                    heard.append(refusal.by)
            return heard

        won, lost = parted(at_once(act))
        assert lost == []
        stored = [decided.by for decided in store.decisions("run-1")]
        assert won == [stored] * CROWD

    def test_runs_go_on_side_by_side(self, store: RunStore) -> None:
        """Eight threads that each write their own run have each written what one would have written alone."""

        def write(kept: RunStore, n: int) -> str:
            writer = started(kept, f"run-{n}")
            for step in range(40):
                writer.commit(succeeded(f"s{step}", f'"{step}"'), entered(f"s{step + 1}"))
            return kept.head(f"run-{n}")

        alone = InMemoryDb()
        assert at_once(lambda n: write(store, n)) == [write(alone, n) for n in range(CROWD)]
        found = sorted(store.runs(RunFilter()), key=lambda record: record.identity.run_id)
        assert found == [alone.load(f"run-{n}") for n in range(CROWD)]

    def test_nobody_sees_half_a_boundary(self, store: RunStore) -> None:
        """While one thread writes, what the others read belongs together: row, state, session state and references are of one boundary."""
        writer = started(store)

        def act(who: int) -> list[str]:
            torn = []
            for n in range(60):
                if who == 0:
                    told = str(writer.seq + 2)
                    cursors = tuple(evolve(cursor, at=told) for cursor in writer.state.cursors)
                    state = evolve(writer.state, cursors=cursors)
                    writer.commit(PAUSED, RESUMED, state=state, session_state=told, time=int(told))
                    continue
                record = store.load("run-1")
                said = {str(record.seq), record.session_state, str(record.updated), *[cursor.at for cursor in record.state.cursors]}
                if record.seq > 2 and len(said) > 1:
                    torn.append(f"{n}: {said}")
                rows = store.journal("run-1")
                if [entry.seq for entry in rows] != list(range(1, len(rows) + 1)) or len(rows) < record.seq or len(rows) % 2:
                    torn.append(f"{n}: a journal of {len(rows)} rows")
            return torn

        assert at_once(act) == [[]] * CROWD
