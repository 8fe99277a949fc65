"""Tests of processes: what outlives them, and what only one of them may have.

The functions that the other processes call stand below the tests. They need no pytest, so that a process starts quickly.
"""

from __future__ import annotations

import os
import signal
from functools import cache
from multiprocessing import get_all_start_methods, get_context
from sys import modules
from typing import TYPE_CHECKING, Any

import pytest

from statecore.errors import DuplicateStart, RunBusy, StatecoreError
from statecore.stores.owner import standing, this_process
from statecore.stores.records import PauseFilter, RunFilter, RunStore

from .samples import (
    ALIVE,
    STARTED,
    TIME,
    Shared,
    Writer,
    answer,
    asked,
    begin,
    claim,
    entered,
    everything,
    identity,
    question,
    started,
    succeeded,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext, SpawnContext
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

    from statecore.stores.records import RunStore

# ruff: noqa: S101, PLR2004  # assert is how a test speaks, and the expected number is its point


PEERS = 2
ROUNDS = 25
CROWD = 8
KILLS = 4


@cache
def world() -> ForkServerContext | SpawnContext:
    """How processes begin, with nothing of this one: where it can be, as forks of one that has imported what they need."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    found = get_context("forkserver")
    imported = [name for name in modules if name.startswith("statecore.stores.")]
    found.set_forkserver_preload([decide_all.__module__, *imported])
    return found


def together(act: Callable[..., None], opener: Callable[[], RunStore], peers: int, rounds: int) -> list[list[Any]]:
    """The reports of processes that act at the same moments, by process."""
    ready = world().Barrier(peers)
    ends = [world().Pipe(duplex=False) for _ in range(peers)]
    processes = [world().Process(target=act, args=(opener, ready, ends[who][1], who, rounds)) for who in range(peers)]
    for process in processes:
        process.start()
    for _, writing in ends:
        writing.close()
    told = [reading.recv() for reading, _ in ends]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * peers
    return told


class Processes(Shared):
    """An acknowledged change outlives its process, and processes share a store as threads do."""

    def test_what_was_stored_is_found_again(self, store: RunStore, reopen: Callable[[], RunStore]) -> None:
        """A store that is opened again tells of its runs what it told before, whether the first was closed or not."""
        started(store).commit(succeeded("first", '"\\ud800"'), session_state="[1]")
        asked(store, "run-2", question("run-2"), question("run-2", "other"))
        store.decide(answer(question("run-2"), value='"x"'))
        store.request_cancel("run-1", "ann", TIME)
        runs, pauses = store.runs(RunFilter()), store.pauses(PauseFilter(undecided_only=False))
        told = [everything(store, run_id) for run_id in ("run-1", "run-2")]
        for _ in range(2):
            again = reopen()
            assert [everything(again, run_id) for run_id in ("run-1", "run-2")] == told
            assert (again.runs(RunFilter()), again.pauses(PauseFilter(undecided_only=False))) == (runs, pauses)
            store.close()

    def test_two_open_stores_are_one(self, store: RunStore, reopen: Callable[[], RunStore]) -> None:
        """A change stored by one is seen by the other at once, and may go on from."""
        other = reopen()
        writer = started(store)
        writer.store = other
        writer.commit(succeeded("first"))
        assert everything(store, "run-1") == everything(other, "run-1")
        assert store.load("run-1").seq == 3

    def test_of_two_processes_one_decides(self, store: RunStore, tmp_path: Path) -> None:
        """Two processes decide one pause at once, many times: exactly one decision is stored each time, and the other process is told."""
        for n in range(ROUNDS):
            asked(store, f"run-{n}", question(f"run-{n}"))
        told = together(decide_all, self.opener(tmp_path), PEERS, ROUNDS)
        for n in range(ROUNDS):
            [stored] = store.decisions(f"run-{n}")
            assert sorted(said[n] for said in told) == [("AlreadyDecided", stored.by), ("decided", stored.by)]

    def test_of_many_processes_one_decides(self, store: RunStore, tmp_path: Path) -> None:
        """Eight processes decide one pause at once, each differently: one decision is stored, and seven are told which."""
        for n in range(KILLS):
            asked(store, f"run-{n}", question(f"run-{n}"))
        told = together(decide_all, self.opener(tmp_path), CROWD, KILLS)
        for n in range(KILLS):
            [stored] = store.decisions(f"run-{n}")
            assert sorted(said[n] for said in told) == [*[("AlreadyDecided", stored.by)] * (CROWD - 1), ("decided", stored.by)]

    def test_of_two_starts_with_a_key_one_begins(self, store: RunStore, tmp_path: Path) -> None:
        """Two processes begin a run with the same key at once, many times: one run begins, and both are told which."""
        told = together(begin_one_all, self.opener(tmp_path), PEERS, ROUNDS)
        for n in range(ROUNDS):
            words, run_ids = zip(*[said[n] for said in told], strict=True)
            assert sorted(words) == ["begun", "told"]
            assert len(set(run_ids)) == 1
        assert len(store.runs(RunFilter())) == ROUNDS

    def test_of_two_processes_one_executes(self, store: RunStore, tmp_path: Path) -> None:
        """Two processes claim one run at once, many times: one executes it, the other is told that it is busy."""
        for n in range(ROUNDS):
            store.release(started(store, f"run-{n}").run_id, 1)
        told = together(claim_all, self.opener(tmp_path), PEERS, ROUNDS)
        for n in range(ROUNDS):
            [row] = store.journal(f"run-{n}", 2)
            outcome = {said[n][0]: str(said[n][1]) for said in told}
            assert outcome.keys() == {"stored", "RunBusy"}
            assert row.body.value == f'"{outcome["stored"]}"'

    def test_processes_may_open_a_new_store_at_once(self, tmp_path: Path) -> None:
        """The first process makes the store, another one at the same moment uses it, and no run is lost."""
        folder = tmp_path / "new"
        folder.mkdir()
        opener = self.opener(folder)
        together(begin_all, opener, 4, 5)
        store = opener()
        assert {record.identity.run_id for record in store.runs(RunFilter())} == {
            f"run-{who}-{n}" for who in range(4) for n in range(5)
        }
        store.close()

    def test_a_process_is_killed_anywhere(self, store: RunStore, tmp_path: Path) -> None:
        """Killed from outside at any point, again and again: what was told is there and whole, and the next process goes on from it at once."""
        run_id = started(store).run_id
        store.release(run_id, 1)
        last = 2
        for kill in range(KILLS):
            reading, writing = world().Pipe(duplex=False)
            process = world().Process(target=write_on, args=(self.opener(tmp_path), writing, run_id))
            process.start()
            writing.close()
            left, found = reading.recv()
            assert (left, found >= last) == (kill > 0, True)
            for _ in range(3 + 7 * kill):
                last = reading.recv()[1]
            with pytest.raises(RunBusy):
                claim(store, run_id, ALIVE, TIME + 10**15)  # it lives: no lease matters
            process.kill()
            process.join()
            record, rows = store.load(run_id), store.journal(run_id)
            assert [row.seq for row in rows] == list(range(1, record.seq + 1))
            assert last <= record.seq
            assert record.epoch == 2 + kill
            assert [row.trigger for row in rows[2:]] == ["succeed", "enter"] * ((record.seq - 2) // 2)
        assert claim(store, run_id).epoch == 2 + KILLS

    def test_a_killed_process_has_lost_nothing(self, store: RunStore, tmp_path: Path) -> None:
        """A change that was told as stored is there after kill -9, the run can be claimed at once, and what it had begun is in doubt."""
        reading, writing = world().Pipe(duplex=False)
        process = world().Process(target=write_and_die, args=(self.opener(tmp_path), writing, 20))
        process.start()
        writing.close()
        told: list[int] = []
        while len(told) < 20:
            told.append(reading.recv())
        process.join()
        assert process.exitcode == -9
        assert [entry.body.value for entry in store.journal("run-1") if entry.body.value] == [f'"{n}"' for n in told]
        assert standing(str(store.load("run-1").owner)) == "dead"
        claimed = claim(store, "run-1")
        assert (claimed.seq, claimed.epoch) == (42, 2)
        assert claimed.identity == identity()


# -- in other processes ------------------------------------------------------------------------------------------------------------


def decide_all(opener: Callable[[], RunStore], ready: Barrier, told: Connection, who: int, rounds: int) -> None:
    """Decide one pause after the other at the same moment as the others, and tell what was answered."""
    store = opener()
    said = []
    for n in range(rounds):
        ready.wait(60)
        try:
            decided = store.decide(answer(question(f"run-{n}"), value=str(who), by=f"by-{who}"))
            said.append(("decided", decided.by))
        except StatecoreError as refusal:
            said.append((type(refusal).__name__, getattr(refusal, "by", None)))
    told.send(said)
    store.close()


def claim_all(opener: Callable[[], RunStore], ready: Barrier, told: Connection, _who: int, rounds: int) -> None:
    """Claim one free run after the other at the same moment as the others, store a boundary of it, and tell how it went."""
    store = opener()
    said = []
    for n in range(rounds):
        ready.wait(60)
        try:
            record = claim(store, f"run-{n}", this_process(), TIME)
            Writer(store, f"run-{n}", record.epoch, record.seq, record.state).commit(succeeded("first", f'"{os.getpid()}"'))
            said.append(("stored", os.getpid()))
        except StatecoreError as refusal:
            said.append((type(refusal).__name__, os.getpid()))
    ready.wait(60)  # whoever leaves sooner is dead, and taken over
    told.send(said)
    store.close()


def begin_all(opener: Callable[[], RunStore], ready: Barrier, told: Connection, who: int, rounds: int) -> None:
    """Open the store at the same moment as the others, where there is none yet, and begin runs of one's own."""
    ready.wait(60)
    store = opener()
    for n in range(rounds):
        begin(store, identity(f"run-{who}-{n}"), "{}", this_process())
    told.send([("begun", who)] * rounds)
    store.close()


def begin_one_all(opener: Callable[[], RunStore], ready: Barrier, told: Connection, who: int, rounds: int) -> None:
    """Begin runs with the same keys at the same moments as the others, each under ids of one's own, and tell which run there is now."""
    store = opener()
    said = []
    for n in range(rounds):
        ready.wait(60)
        try:
            said.append(("begun", begin(store, identity(f"run-{who}-{n}", key=f"key-{n}"), "{}", this_process()).identity.run_id))
        except DuplicateStart as refusal:
            said.append(("told", refusal.run_id))
    told.send(said)
    store.close()


def write_on(opener: Callable[[], RunStore], told: Connection, run_id: str) -> None:
    """Claim a run, and store one boundary after the other, telling of each once it is stored, until somebody kills this process."""
    store = opener()
    left = store.load(run_id).owner is not None
    record = claim(store, run_id, this_process(), TIME, TIME)
    told.send((left, record.seq))
    writer = Writer(store, run_id, record.epoch, record.seq, record.state)
    while True:
        writer.commit(succeeded(f"s{writer.seq}", f'"{writer.seq}"'), entered(f"s{writer.seq + 2}"))
        told.send((None, writer.seq))


def write_and_die(opener: Callable[[], RunStore], told: Connection, boundaries: int) -> None:
    """Claim a run, tell of each boundary once it is stored, and be killed in the middle of the next."""
    store = opener()
    begin(store, identity(), "{}", this_process())
    writer = Writer(store, "run-1")
    writer.commit(STARTED, entered("s0"))
    for n in range(boundaries):
        writer.commit(succeeded(f"s{n}", f'"{n}"'), entered(f"s{n + 1}"))
        told.send(n)
    os.kill(os.getpid(), signal.SIGKILL)
