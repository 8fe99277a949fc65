"""A COMMIT whose answer never came: what was stored is not done twice and not reported as failed, what was not stored is stored then."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from statecore.errors import StoreUnavailable
from statecore.stores import InMemoryDb
from statecore.stores.postgres import channel
from statecore.stores.postgres.store import PostgresDb2
from statecore.stores.postgres.store3 import PostgresDb
from statecore.stores.sql.link import Link
from statecore.stores.sql.relational import left
from statecore.testing.stores.comparison import outcome
from statecore.testing.stores.samples import (
    ALIVE,
    DEAD,
    TIME,
    Writer,
    answer,
    asked,
    begin,
    beginning,
    claiming,
    everything,
    identity,
    question,
    started,
    succeeded,
)
from tests.postgres.flows import until
from tests.postgres.proxy import Proxy

CALLS: list[Any] = [
    lambda store: ("commit", beginning(identity("run-9", key="k"))),
    lambda store: ("renew", "run-1", 1, TIME + 99),
    lambda store: ("commit", Writer(store, "run-1", 1, 2, store.load("run-1").state).boundary(succeeded("first", '"out"'))),
    lambda store: ("decide", answer(question("run-2"), value='"why"', key="click")),
    lambda store: ("commit", claiming(store.load("run-3"), lease=TIME + 9)),
    lambda store: ("release", "run-3", 2),
    lambda store: ("claim_next", "flow", ALIVE, TIME, TIME + 9, 5),
    lambda store: ("request_cancel", "run-1", "ann", TIME),
]
"""Each kind of transaction, one after the other, on the runs that `prepared` makes."""


@pytest.fixture
def proxy(server):
    """A line to the server that can be cut."""
    line = Proxy(server.port)
    yield line
    line.close()


LEASE = "UPDATE hot SET lease_us = coalesce(lease_us, 0) + 1 WHERE run = (SELECT id FROM run WHERE run_id = ?)"


def prepared(store):
    """Some runs, the same in each store: one in a step, one that waits, one that somebody left."""
    started(store)
    asked(store, "run-2")
    begin(store, identity("run-3"), "{}", DEAD)
    return store


@pytest.mark.parametrize("kind_of_store", [PostgresDb2, PostgresDb])
@pytest.mark.parametrize("how", ["answer", "commit"])
def test_what_became_of_a_transaction_is_found_out(proxy, database, server, how, kind_of_store):
    """Each kind of transaction, cut off from its answer or cut off before it arrived: it is made once, and answered as if nothing had happened."""
    store, reference = kind_of_store(server.url(database.rpartition("/")[2], port=proxy.port)), prepared(InMemoryDb())
    prepared(store)
    for number, arguments in enumerate(CALLS, 1):
        kind, *args = arguments(store)
        proxy.cut = how
        told = outcome(store, kind, args)
        assert (proxy.cut, proxy.cuts) == (None, number)
        assert told == outcome(reference, kind, args), kind
        for run_id in ("run-1", "run-2", "run-3"):
            assert everything(store, run_id) == everything(reference, run_id), kind
    store.close()


@pytest.mark.parametrize("kind_of_store", [PostgresDb2, PostgresDb])
@pytest.mark.parametrize("how", ["answer", "commit"])
def test_a_crash_gives_the_number_of_a_transaction_to_another(proxy, database, server, monkeypatch, how, kind_of_store):  # noqa: PLR0913  # fixtures
    """The server crashes at the COMMIT of each kind of transaction, and then gives its number to one of somebody else's, which is committed.

    What was stored is not done twice, what was lost is not taken for stored: the rows say which it was.
    """
    told_by_rows = Counter[bool]()

    def noted(*about: Any) -> bool:
        there = left(*about)
        told_by_rows[there] += 1
        return there

    monkeypatch.setattr(channel, "left", noted)
    store, reference = kind_of_store(server.url(database.rpartition("/")[2], port=proxy.port)), prepared(InMemoryDb())
    prepared(store)
    server.execute("CREATE TABLE IF NOT EXISTS other (n INT)")

    def crashes() -> None:
        server.crash()
        server.start()
        server.execute(*["INSERT INTO other VALUES (1)"] * 20)

    proxy.meanwhile = crashes
    for arguments in CALLS:
        kind, *args = arguments(store)
        server.execute("CHECKPOINT")
        proxy.cut = how
        told = outcome(store, kind, args)
        assert (proxy.cut, told) == (None, outcome(reference, kind, args)), kind
        for run_id in ("run-1", "run-2", "run-3"):
            assert everything(store, run_id) == everything(reference, run_id), kind
    if how == "answer":
        # format 3 interns lists of moves in a transaction of its own, which is the one that is cut off where a list is new
        assert told_by_rows == ({True: 4, False: 4} if kind_of_store is PostgresDb2 else {True: 3, False: 5})
    else:  # a number that the disk had seen is not given again: then the rows need not be asked
        assert told_by_rows[False] >= len(CALLS) // 2
        assert told_by_rows[True] == 0
    store.close()


def test_a_server_that_stays_away_is_told_of(proxy, database, server):
    """Where nobody can say what became of a transaction, that is said, and nothing is claimed to have happened or not to have."""
    store = PostgresDb(server.url(database.rpartition("/")[2], port=proxy.port), patience=0.3)
    started(store)
    proxy.cut = "answer"
    proxy.close()
    with pytest.raises(StoreUnavailable, match=r"nobody said whether transaction \d+ was stored"):
        store.release("run-1", 1)
    store.close()
    after = PostgresDb(database)
    assert after.load("run-1").owner is None
    after.close()


def test_two_that_wait_for_each_other_are_both_made(db):
    """Where each of two transactions holds what the other wants, the server ends one of them, and it is made again."""
    started(db)
    started(db, "run-2")
    tries, both = Counter[str](), Barrier(2)

    def work(link: Link, first: str, second: str) -> None:
        tries[first] += 1
        link.execute(LEASE, (first,))
        if tries[first] == 1:
            both.wait(60)
        link.execute(LEASE, (second,))

    with ThreadPoolExecutor(2) as pool:
        made = [pool.submit(db.channel().write, work, *each) for each in (("run-1", "run-2"), ("run-2", "run-1"))]
    assert [each.result() for each in made] == [None, None]
    assert sum(tries.values()) == 3
    assert [db.load(run_id).lease for run_id in ("run-1", "run-2")] == [2, 2]


@pytest.mark.parametrize("how", ["ended by an administrator", "idle for too long"])
def test_a_transaction_that_the_server_broke_off_is_made_again(db, server, how):
    """A connection that is ended in the middle has stored nothing: the transaction is made once more, as a whole."""
    started(db)
    tries: list[int] = []

    def work(link: Link) -> int:
        pid = link.execute("SELECT pg_backend_pid()").fetchone()[0]
        tries.append(pid)
        link.execute(LEASE, ("run-1",))
        if len(tries) == 1:
            if how.startswith("ended"):
                server.execute(f"SELECT pg_terminate_backend({pid})")
            else:
                link.execute("SET idle_in_transaction_session_timeout TO '20ms'")
            gone = f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}"  # noqa: S608  # a number
            until(lambda: not server.execute(gone))
        return int(link.execute("SELECT lease_us FROM hot JOIN run ON run.id = hot.run WHERE run_id = ?", ("run-1",)).fetchone()[0])

    assert db.channel().write(work) == 1
    assert len(set(tries)) == 2
    assert db.load("run-1").lease == 1
