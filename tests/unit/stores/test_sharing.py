"""Commits that wait for the same disk share one wait, and an error of one boundary reaches nobody else."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from statecore import SqliteDb, Step, Workflow
from statecore.errors import ClaimLost, RunBusy
from statecore.stores.sql3.events import Salted, cut
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.sharing import MOST, Sharing

CROWD = 5
PATIENCE = 60


class Waiters(list):
    """A queue that tells when so many wait in it."""

    def __init__(self, many):
        super().__init__()
        self.many, self.full = many, Event()

    def append(self, ticket):
        super().append(ticket)
        if len(self) == self.many:
            self.full.set()


def crowded(write, boundaries):
    """What a store says to boundaries that all come while it is committing another one, which is written first."""
    sharing: Any = Sharing(queue=Waiters(len(boundaries)))
    seen = []

    def writing(batch):
        seen.append(list(batch))
        if batch == ("first",):
            assert sharing.queue.full.wait(PATIENCE)
        return write(batch)

    def told(boundary):
        try:
            return sharing.commit(boundary, writing)
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(len(boundaries) + 1) as pool:
        first = pool.submit(told, "first")
        while not seen:  # the first holds the turn before the others come
            pass
        others = {boundary: pool.submit(told, boundary) for boundary in boundaries}
        answers = {boundary: future.result(PATIENCE) for boundary, future in others.items()}
    assert first.result() is False
    assert sharing.queue == []
    return answers, seen


def test_who_comes_while_a_commit_waits_shares_the_next():
    """Five boundaries that come meanwhile are one transaction, and each gets its own answer."""
    wanted = [f"run {n}" for n in range(CROWD)]
    answers, seen = crowded(lambda batch: [boundary == "run 3" for boundary in batch], wanted)
    assert answers == {boundary: boundary == "run 3" for boundary in wanted}
    assert [sorted(batch) for batch in seen] == [["first"], wanted]


def test_one_that_is_refused_harms_no_other():
    """Where a shared transaction fails, each boundary is committed alone: the refused one alone hears of it."""

    def write(batch):
        if "bad" in batch:
            raise ValueError("refused")
        return [False] * len(batch)

    answers, seen = crowded(write, ["a", "bad", "c"])
    assert answers == {"a": False, "bad": "refused", "c": False}
    assert sorted(map(len, seen)) == [1, 1, 1, 1, 3]


def test_a_commit_is_shared_by_no_more_than_some():
    """What waits beyond the most is left for the next leader."""
    wanted = [f"run {n:03}" for n in range(MOST + 6)]
    answers, seen = crowded(lambda batch: [False] * len(batch), wanted)
    assert list(answers.values()) == [False] * len(wanted)
    assert [len(batch) for batch in seen] == [1, MOST, 6]


def test_who_is_interrupted_while_it_waits_is_not_committed():
    """A thread that gives up before its turn leaves nothing for others to commit."""

    class Interrupted:
        def __enter__(self):
            raise KeyboardInterrupt

        def __exit__(self, *_):
            """Never reached."""

        def locked(self):
            return True

    interrupted: Any = Interrupted()
    sharing: Any = Sharing(turn=interrupted)
    sharing.queue.append("another")
    with pytest.raises(KeyboardInterrupt):
        sharing.commit("mine", lambda batch: [False] * len(batch))
    assert sharing.queue == ["another"]


def test_a_leader_that_is_interrupted_leaves_the_others_their_turn():
    """An interrupt in a shared transaction stores nothing of it; those who shared it commit for themselves."""
    struck: list[str] = []

    def write(batch):
        if len(batch) > 1 and not struck:
            struck.append(batch[0])
            raise KeyboardInterrupt
        return [False] * len(batch)

    sharing: Any = Sharing(queue=Waiters(2))

    def writing(batch):
        if batch == ("first",):
            assert sharing.queue.full.wait(PATIENCE)
        return write(batch)

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(sharing.commit, "first", writing)
        while not sharing.turn.locked():
            pass
        others = {boundary: pool.submit(sharing.commit, boundary, writing) for boundary in ("a", "b")}
        ends = {boundary: future.exception(PATIENCE) for boundary, future in others.items()}
        assert first.result(PATIENCE) is False
    [leader] = struck
    assert isinstance(ends.pop(leader), KeyboardInterrupt)
    assert list(ends.values()) == [None]


class Slow(sqlite3.Connection):
    """A connection whose first commit waits until a crowd has come, and which counts commits."""

    commits = 0
    full: Event | None = None

    def execute(self, sql, *args):
        if sql == "COMMIT":
            Slow.commits += 1
            waited, Slow.full = Slow.full, None
            if waited is not None:
                assert waited.wait(PATIENCE)
        return super().execute(sql, *args)


def test_concurrent_runs_of_a_full_store_share_commits(tmp_path):
    """Runs on threads of their own end as they would alone, with fewer commits, and the file is sound."""
    db = SqliteDb(tmp_path / "shared.db", durability="full", connection_factory=Slow)
    flow = Workflow("flow", [Step("double", lambda step_input: step_input.input * 2)], db)
    assert flow.run(1).content == 2
    Slow.commits, alone = 0, 2
    db._sharing.queue = Waiters(CROWD)
    Slow.full = db._sharing.queue.full
    with ThreadPoolExecutor(CROWD + 1) as pool:
        outputs = list(pool.map(flow.run, range(CROWD + 1)))
    assert [output.content for output in outputs] == [2 * n for n in range(CROWD + 1)]
    assert Slow.commits < (CROWD + 1) * alone
    db.close()
    assert verify(tmp_path / "shared.db").sound


def test_of_two_that_continue_the_same_run_one_is_told(tmp_path, monkeypatch):
    """Boundaries of one run that share a commit are judged one after the other: the second finds that it came too late."""
    db = SqliteDb(tmp_path / "same.db", durability="full")
    flow = Workflow("flow", [Step("gate", lambda _: 1, requires_confirmation=True)], db)
    run = flow.run("x")
    seen = []

    def commit_twice(boundary):
        """Two equal boundaries in one transaction, as when they come together."""
        salted = Salted(boundary, cut(boundary)), None, None
        db._shape(salted[0])
        with pytest.raises((ClaimLost, RunBusy)):
            db._commit_all([salted, salted])
        seen.append(boundary.seq)
        return once(boundary)

    once = db.commit
    monkeypatch.setattr(db, "commit", commit_twice)
    run.steps_requiring_confirmation[0].confirm()
    assert flow.continue_run(run).content == 1
    assert len(seen) == 2
    db.close()
