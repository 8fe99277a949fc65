"""P25: the client keeps its patience whatever the server does, and P22: a pooler that mixes sessions is refused before anything is set in one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Queue
from threading import Event, Thread
from time import sleep

import psycopg
import pytest

from statecore import PostgresDb, Step, Workflow
from statecore.errors import PoolerInTheWay, StatecoreError, StoreUnavailable
from statecore.runtime.worker import Went, Worker
from statecore.testing.stores.samples import started
from tests.postgres.conftest import NUMBERS, missing
from tests.postgres.proxy import Hole
from tests.postgres.server import PASSWORD, NoPostgres

PATIENCE = 2.0
ENDS = 30.0
"""Seconds after which a test that waits for a call gives up."""
SAMPLE = 12
PGBOUNCER = shutil.which("pgbouncer") or ""


def through(server, hole, database):
    """The URL of a database, through a hole."""
    return server.url(database.rpartition("/")[2], port=hole.port)


def whole_review(url, run_id):
    """A run up to its question, the list, the decision, the run after it, and what a worker asks; on a store object of its own."""
    store = PostgresDb(url, patience=PATIENCE)
    flow = Workflow("flow", [Step("a", lambda _: 1), Step("b", lambda _: 2, requires_confirmation=True)], db=store)
    try:
        flow.run("x", run_id=run_id)
        flow.decide(run_id, flow.list_pauses(run_id=run_id)[0].pause_id, "confirm")
        store.claim_next("another", "someone/-/1/1", 1)
        return flow.continue_run(run_id=run_id).content
    finally:
        store.close()


def ended(act, *args):
    """The outcome of a call that ends by itself: its answer, or its error; the test fails where it does not end."""
    found = []

    def told():
        try:
            found.append(act(*args))
        except StatecoreError as error:
            found.append(error)

    thread = Thread(target=told, daemon=True)
    thread.start()
    thread.join(ENDS)
    assert found, "it still waits"
    return found[0]


def test_patience_holds_wherever_the_server_falls_silent(server, database):
    """The server takes what it is given from the n-th message on and says nothing: each call ends with a named error, none waits on."""
    assert whole_review(database, "makes the schema") == 2
    with_all = Hole(server.port)
    assert ended(whole_review, through(server, with_all, database), "whole") == 2
    with_all.close()
    asked = with_all.passed * 2 // 3  # how many there are varies a little, and the last of them have no answer
    places = range(1, asked, max(1, asked // SAMPLE))
    holes = [Hole(server.port, after) for after in places]
    with ThreadPoolExecutor(len(holes)) as pool:
        found = list(pool.map(lambda hole: ended(whole_review, through(server, hole, database), f"run-{hole.after}"), holes))
    for hole in holes:
        hole.close()
    assert len(holes) >= SAMPLE
    assert [type(each) for each in found] == [StoreUnavailable] * len(holes)


def test_a_connection_that_a_network_dropped_is_not_waited_for(server, database, monkeypatch):
    """One that was idle for long is tried first, for a part of the patience: the call goes on with another one."""
    monkeypatch.setattr("statecore.stores.postgres.channel.IDLE", 0.0)
    hole = Hole(server.port)
    store = PostgresDb(through(server, hole, database), patience=PATIENCE)
    started(store)
    hole.shut = True  # the old connection is dropped; a new one goes through
    fresh = Hole(server.port)
    channel = store.channel()
    channel.conninfo = PostgresDb(through(server, fresh, database))._conninfo
    assert ended(lambda: store.load("run-1").seq) == 2
    store.close()
    hole.close()
    fresh.close()


def test_a_lock_is_waited_for_no_longer_than_the_patience(database):
    """Another transaction that holds the row is named; the call ends."""
    store = PostgresDb(database, patience=PATIENCE)
    started(store)
    with psycopg.connect(database, options="-c search_path=statecore") as other:
        other.execute("SELECT 1 FROM hot FOR UPDATE")
        error = ended(store.release, "run-1", 1)
    store.close()
    assert isinstance(error, StoreUnavailable)
    assert "locked" in str(error)


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "in a step"])
def test_a_worker_ends_while_its_server_is_silent(server, database, busy):
    """It says WAITING while the server is silent; told to stop it ends, with a store that would wait for much longer."""
    hole = Hole(server.port)
    store = PostgresDb(through(server, hole, database), patience=600.0 if busy else PATIENCE)
    began, goes_on = Event(), Event()

    def step(_):
        began.set()
        assert not busy or goes_on.wait(ENDS)

    flow = Workflow("flow", [Step("a", step)], db=store)
    flow.submit(run_id="r")
    told: Queue[Went] = Queue()
    worker = Worker(flow, 2, tell=told.put, grace=2.0)
    working = Thread(target=worker.work, daemon=True)
    working.start()
    assert began.wait(ENDS)
    if not busy:
        assert told.get(timeout=ENDS).status == "COMPLETED"
    hole.shut = True
    if not busy:
        assert told.get(timeout=ENDS).status == "WAITING"
    worker.stop()
    goes_on.set()
    working.join(ENDS)
    hole.close()
    assert not working.is_alive()
    assert store.channel().haste.each == float("inf")
    store.close()


# -- poolers -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pooled(server, tmp_path):
    """A function that gives the URL of a new database behind PgBouncer, in a pool mode."""
    if not PGBOUNCER:
        missing(NoPostgres("there is no pgbouncer"))
    running = []

    def behind(mode, size=5):
        name = f"pooled_{next(NUMBERS)}"
        server.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        quoted = PASSWORD.replace("'", "''")
        settings = tmp_path / f"{name}.ini"
        users = tmp_path / "users.txt"
        users.write_text(f'"ada" "{PASSWORD}"\n', encoding="utf-8")
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port} user=ada password='{quoted}'\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\n"
            f"auth_type = any\nauth_file = {users}\npool_mode = {mode}\ndefault_pool_size = {size}\nunix_socket_dir =\n"
            "ignore_startup_parameters = extra_float_digits\n",
            encoding="utf-8",
        )
        for each in (tmp_path, settings, users):
            each.chmod(0o755)
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        running.append(subprocess.Popen([PGBOUNCER, "-q", *user, str(settings)], cwd="/"))
        url = server.url(name, port=port)
        for _ in range(200):
            with suppress(psycopg.Error), psycopg.connect(url, connect_timeout=5, autocommit=True) as there:
                there.execute("SELECT 1")
                return url
            sleep(0.05)
        raise AssertionError(url)

    yield behind
    for each in running:
        each.send_signal(signal.SIGKILL)
        each.wait()


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_mixes_sessions_is_refused(pooled, mode):
    """Behind PgBouncer in these modes the first use is refused with the setting to change, and no session of another client was changed."""
    url = pooled(mode)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as other:
        before = other.execute("SHOW search_path").fetchone()
        store = PostgresDb(url)
        with pytest.raises(PoolerInTheWay, match="pool_mode to session"):
            store.load("r")
        store.close()
        assert other.execute("SHOW search_path").fetchone() == before


def test_a_pooler_in_session_mode_is_none_in_the_way(pooled):
    """Behind PgBouncer in session mode a store works, and each of its connections has its own session."""
    url = pooled("session")
    store = PostgresDb(url)
    flow = Workflow("flow", [Step("a", lambda _: "done", requires_confirmation=True)], db=store)
    flow.run(run_id="r")
    flow.decide("r", "a:confirmation:0", "confirm")
    assert flow.continue_run(run_id="r").content == "done"
    store.close()
