"""What a store in a file promises when something breaks or grows: faults, threads, forks, kills, long runs and many of them."""

from __future__ import annotations

import sqlite3
from functools import partial
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest

from statecore.errors import StoreUnavailable
from statecore.stores.records import PauseFilter, RunFilter
from statecore.stores.sqlite import store as sqlite
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from statecore.testing.stores.samples import (
    TIME,
    answer,
    asked,
    beginning,
    claiming,
    entered,
    everything,
    identity,
    question,
    started,
    succeeded,
)
from tests.unit.stores.sqlite_files import outcome, raw, run_script


@pytest.fixture
def file(tmp_path):
    """Where a store will be."""
    return tmp_path / "runs.db"


# -- faults ------------------------------------------------------------------------------------------------------------------------


class Fault(sqlite3.Connection):
    """A connection that fails at a call that is counted down to, and from then on where it is broken for good."""

    left: int | None = None
    error: BaseException = sqlite3.OperationalError("disk I/O error")
    for_good = False

    def count(self):
        """One call."""
        if Fault.left is not None:
            Fault.left -= 1
            if Fault.left == 0 or (Fault.left < 0 and Fault.for_good):
                raise self.error

    def execute(self, *args):
        """Count, then do it."""
        self.count()
        return super().execute(*args)

    def executemany(self, *args):
        """Count, then do it."""
        self.count()
        return super().executemany(*args)


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "and the rollback too"])
@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), KeyboardInterrupt(), MemoryError()], ids=repr)
@pytest.mark.parametrize("act", ["commit", "decide", "claim", "begin", "release", "request_cancel"])
def test_a_fault_leaves_nothing_half_done(file, monkeypatch, act, error, for_good):
    """At whichever statement a transaction breaks, nothing of it is stored, nobody is locked out, and the store goes on working."""
    store, other = SqliteDb(file, connection_factory=Fault), SqliteDb(file)
    writer = asked(store, "run-1", question("run-1"), question("run-1", "other")).claim()
    asked(store, "run-2")
    boundary = writer.boundary(
        closed=(question("run-1").pause_id,),
        decisions=(answer(question("run-1"), value="1"),),
        opened=(question("run-1", "new"),),
        session_state="[2]",
        parks=True,
    )
    claims = claiming(store.load("run-2"))
    acts = {
        "commit": lambda: store.commit(boundary),
        "decide": lambda: store.decide(answer(question("run-2"), value="2")),
        "claim": lambda: store.commit(claims),
        "begin": lambda: store.commit(beginning(identity("run-3", input="3"))),
        "release": lambda: store.release("run-1", writer.epoch),
        "request_cancel": lambda: store.request_cancel("run-1", "ann", TIME),
    }
    monkeypatch.setattr(Fault, "error", error)
    monkeypatch.setattr(Fault, "for_good", for_good)
    before = [everything(other, run_id) for run_id in ("run-1", "run-2")]
    for at in range(1, 100):
        monkeypatch.setattr(Fault, "left", at)
        try:
            acts[act]()
        except (StoreUnavailable, KeyboardInterrupt, MemoryError) as raised:
            assert type(raised) is (StoreUnavailable if isinstance(error, sqlite3.Error) else type(error))  # noqa: PT017  # one of three
            Fault.left = None
        else:
            break
        assert [everything(other, run_id) for run_id in ("run-1", "run-2")] == before
        other.release("run-2", 99)  # would wait for ever if the lock were still held
    monkeypatch.setattr(Fault, "left", None)
    assert 4 <= at < 50
    assert [everything(other, run_id) for run_id in ("run-1", "run-2")] != before or act == "begin"
    assert store.load("run-1") == other.load("run-1")
    for each in (store, other):
        each.close()


@pytest.mark.parametrize("before", [0, 9_999], ids=["another one", "the first one"])
def test_a_fault_in_a_checkpoint_costs_nothing(tmp_path, monkeypatch, before):
    """A boundary is acknowledged though the log cannot be copied right after it, at whichever statement that breaks."""
    struck = []
    for at in range(8, 40):
        monkeypatch.setattr(sqlite, "WAL_PAGES", before)
        store = SqliteDb(tmp_path / f"{at}.db", connection_factory=Fault)
        writer = started(store)
        monkeypatch.setattr(sqlite, "WAL_PAGES", 0)
        monkeypatch.setattr(Fault, "error", sqlite3.OperationalError("disk I/O error"))
        monkeypatch.setattr(Fault, "left", at)
        writer.commit()
        struck.append(Fault.left is not None and Fault.left <= 0)
        monkeypatch.setattr(Fault, "left", None)
        assert writer.commit(succeeded("first")).seq == 2
        store.close()
    assert struck[0]
    assert not struck[-1]


class InTheWay(sqlite3.Connection):
    """A connection that finds somebody in its way when it turns the log on for the first time."""

    met = 0

    def execute(self, sql, *args):
        """Busy, once."""
        if sql == "PRAGMA journal_mode = wal" and not InTheWay.met:
            InTheWay.met += 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return super().execute(sql, *args)


def test_two_may_make_a_store_at_once(file):
    """Whoever finds the other just turning the log on tries again, since SQLite does not wait there."""
    store = SqliteDb(file, connection_factory=InTheWay)
    assert (started(store).seq, InTheWay.met) == (2, 1)
    store.close()


def test_a_locked_store_is_unavailable(file):
    """A store that somebody else keeps locked for too long is refused by name, and works when it is free again."""
    store = SqliteDb(file)
    writer = started(store)
    store._channel().connection.execute("PRAGMA busy_timeout = 1")
    other = raw(file)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.commit(writer.boundary(succeeded("first")))
    other.execute("ROLLBACK")
    other.close()
    writer.commit(succeeded("first"))
    store.close()


# -- threads, forks, closing -------------------------------------------------------------------------------------------------------


def descriptors(file):
    """How many descriptors this process has on a file and those beside it."""
    links = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return sum(link.startswith(str(file)) for link in links)


def test_a_threads_connection_ends_with_it(file):
    """Fifty threads later this process has as many descriptors as after the first: SQLite keeps one back, and uses it again."""
    store, counts = SqliteDb(file), []
    started(store)
    for _ in range(50):
        thread = Thread(target=store.load, args=("run-1",))
        thread.start()
        thread.join()
        counts.append(descriptors(file))
    assert counts == [counts[0]] * 50
    assert len(store._channels) == 1
    store.close()


def test_closing_closes_every_threads_connection(file):
    """After close no thread's connection is open; every use is refused by name; closing again does nothing."""
    store = SqliteDb(file)
    writer = started(store)
    opened, closed = Semaphored(store), descriptors
    opened.start()
    assert opened.ready.wait(30)
    assert closed(file) > 3
    store.close()
    store.close()
    assert closed(file) == 0
    opened.go_on.set()
    opened.join()
    assert opened.found is StoreUnavailable
    for act in (partial(store.load, "run-1"), partial(store.commit, writer.boundary()), partial(store.pauses, PauseFilter())):
        with pytest.raises(StoreUnavailable, match="closed"):
            act()


class Semaphored(Thread):
    """A thread that uses a store, waits, and uses it again."""

    def __init__(self, store):
        from threading import Event

        super().__init__()
        self.store, self.ready, self.go_on, self.found = store, Event(), Event(), None

    def run(self):
        """Use it twice."""
        self.store.load("run-1")
        self.ready.set()
        self.go_on.wait(30)
        self.found = outcome(self.store.load, "run-1")


FORK = """
import gc, os, sys, threading
from statecore.errors import StoreForked
from statecore.stores.sqlite import channel
from statecore.testing.stores.samples import *
from statecore.stores.records import PauseFilter, RunFilter
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb

unused, store = SqliteDb(sys.argv[1] + ".other"), SqliteDb(sys.argv[1])
writer = started(store)
pid = os.fork()
if pid == 0:
    acts = [
        lambda: store.load("run-1"), lambda: store.commit(writer.boundary()), lambda: begin(store, identity("x")),
        lambda: claim(store, "run-1", ALIVE, 1), lambda: store.release("run-1", 1), lambda: store.decide(answer(question("run-1"))),
        lambda: store.request_cancel("run-1", None, 1), lambda: store.journal("run-1"), lambda: store.decisions("run-1"),
        lambda: store.pauses(PauseFilter()), lambda: store.pause("run-1", "x"), lambda: store.runs(RunFilter()),
        lambda: store.head("run-1"),
    ]
    forked = []
    def use():
        for act in acts:
            try:
                act()
            except StoreForked:
                forked.append(1)
    use()
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    store.close()
    assert not any(each.closed for each in store._channels)
    started(unused)
    unused.close()
    mine = SqliteDb(sys.argv[1])  # SQLite would give it no lock
    acts = [mine.reopen, lambda: mine.load("run-1"), lambda: mine.journal("run-1"), store.reopen]
    use()
    del mine, store, writer, use, acts, thread
    gc.collect()
    assert len(channel.INHERITED) == 1, "the parent's connection was closed"
    print(len(forked), flush=True)
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
writer.commit(succeeded("first"))
print(store.load("run-1").seq)
store.close()
"""


def test_a_forked_child_never_uses_its_parents_connection(file):
    """In a child every method is refused, in every thread, and another store of the file; one that was not used works; the parent goes on."""
    assert run_script(FORK, file) == ["29", "3"]


FORK_IN_TRANSACTION = """
import gc, os, sys, threading, warnings
from statecore.testing.stores.samples import *
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb

warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads, which is the point here
store = SqliteDb(sys.argv[1], durability="normal")
writer = started(store)
began, go_on = threading.Event(), threading.Event()
def keep(connection, numbers):
    connection.executemany("INSERT INTO value VALUES (?, ?)", [(bytes([n]) * 32, chr(97 + n) * 9000) for n in numbers])
def work(connection):
    connection.execute("PRAGMA cache_size = 5")  # so that pages are written to the log before the end
    keep(connection, range(20))
    began.set()
    go_on.wait(30)
    keep(connection, range(20, 25))
thread = threading.Thread(target=lambda: store._channel().write(work))
thread.start()
began.wait(30)
pid = os.fork()
if pid == 0:
    gc.collect()
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
go_on.set()
thread.join()
other = SqliteDb(sys.argv[1])
connection = other._channel().connection
print(connection.execute("PRAGMA integrity_check").fetchone()[0])
print(connection.execute("SELECT count(*) FROM value WHERE length(text) = 9000").fetchone()[0])
writer.commit(succeeded("first"))
print(other.load("run-1").seq)
"""


def test_a_child_leaves_a_transaction_of_its_parent_alone(file):
    """A child that is forked while a thread of its parent writes has not undone anything when the parent commits."""
    assert run_script(FORK_IN_TRANSACTION, file) == ["ok", "25", "3"]


FORK_IN_A_SHARED_COMMIT = """
import os, select, signal, sys
from statecore.errors import StoreForked
from statecore.testing.stores.samples import *
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb

store = SqliteDb(sys.argv[1])
writer = started(store)
with store._sharing.turn:  # as if a thread of the parent were committing
    pid = os.fork()
    if pid == 0:
        try:
            writer.commit(succeeded("first"))
        except StoreForked:
            os._exit(7)
        os._exit(1)
    child = os.pidfd_open(pid)
    if not select.select([child], [], [], 20)[0]:
        os.kill(pid, signal.SIGKILL)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_child_does_not_wait_for_a_commit_of_its_parent(file):
    """A child that is forked while a thread of its parent commits is refused by name, and does not hang."""
    assert run_script(FORK_IN_A_SHARED_COMMIT, file) == ["7"]


KILLED_IN_THE_MAKING = """
import os, signal, sqlite3, sys
from statecore.testing.stores.samples import *
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb

class Deadly(sqlite3.Connection):
    left = 0
    def execute(self, *args):
        Deadly.left -= 1
        if Deadly.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(*args)

killed = 0
for at in range(1, 200):
    path = f"{sys.argv[1]}-{at}"
    pid = os.fork()
    if pid == 0:
        Deadly.left = at
        SqliteDb(path, connection_factory=Deadly).commit(beginning(identity()))
        os._exit(0)
    end = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    store = SqliteDb(path)
    begun = [record.identity.run_id for record in store.runs(RunFilter())]
    started(store, "run-2")
    store.close()
    if end == 0:
        assert begun == ["run-1"]
        break
    killed += 1
    assert begun == [], begun
print(killed > 40)
"""


def test_a_store_may_be_killed_in_the_making(file):
    """At whichever statement a process is killed while it makes a store, the next one makes or uses it, and holds what was begun."""
    script = KILLED_IN_THE_MAKING.replace(
        "from statecore.stores.sqlite.store", "from statecore.stores.records import RunFilter\nfrom statecore.stores.sqlite.store"
    )
    assert run_script(script, file) == ["True"]


# -- growth ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_the_log_stays_bounded(file, monkeypatch, durability):
    """The write-ahead log stays as long as it may be, however many boundaries are stored, with another store open and reading."""
    monkeypatch.setattr(sqlite, "WAL_PAGES", 150)
    store, other = SqliteDb(file, durability=durability), SqliteDb(file)
    writer = started(store)
    for n in range(400):
        writer.commit(succeeded(f"s{n}", f'"{n}"'), entered(f"s{n + 1}"))
        assert other.load("run-1").seq == writer.seq
    assert file.with_name("runs.db-wal").stat().st_size < 2 * 150 * 4096
    assert len(other.journal("run-1")) == 802
    for each in (store, other):
        each.close()


def test_large_values_count_for_the_log(file, monkeypatch):
    """A few large values fill the log as many small ones do."""
    monkeypatch.setattr(sqlite, "WAL_PAGES", 400)
    store = SqliteDb(file, durability="normal")
    writer = started(store)
    for n in range(40):
        writer.commit(succeeded(f"s{n}", f'"{n}{"x" * 500_000}"'), entered(f"s{n + 1}"))
    assert file.with_name("runs.db-wal").stat().st_size < 3 * 400 * 4096
    store.close()


def test_a_log_that_was_left_behind_is_copied(file, monkeypatch):
    """A log that others left too long is copied with the first write of whoever opens the store, and begins anew."""
    left = SqliteDb(file, durability="normal")
    writer = started(left)
    for n in range(60):
        writer.commit(succeeded(f"s{n}", f'"{n}"'), entered(f"s{n + 1}"))
    log = file.with_name("runs.db-wal")
    length = log.stat().st_size
    monkeypatch.setattr(sqlite, "WAL_PAGES", length // 4096 - 1)
    store = SqliteDb(file, durability="normal")
    store.release("run-1", 99)
    for n in range(20):
        writer.commit(succeeded(f"t{n}", f'"t{n}"'), entered(f"t{n + 1}"))
    assert log.stat().st_size == length
    for each in (store, left):
        each.close()


def test_a_step_takes_few_bytes_however_long_the_run(file):
    """A step of two rows and a value takes at most 400 bytes of the file, the three thousandth like the thousandth."""
    store, sizes = SqliteDb(file, durability="normal"), []
    writer = started(store)
    for n in range(3001):
        writer.commit(succeeded(f"step_{n % 20}", f'"out {n}"'), entered(f"step_{(n + 1) % 20}"))
        if n % 1000 == 0:
            store._channel().checkpoint()
            sizes.append(file.stat().st_size)
    store.close()
    steps = [(after - before) / 1000 for before, after in pairwise(sizes)]
    assert max(steps) <= 400
    assert max(steps) <= 1.5 * min(steps)


def instructions(store, act):
    """How many instructions of SQLite's machine an act takes: a measure of work that knows no other process."""
    connection, counted = store._channel().connection, []
    connection.set_progress_handler(lambda: counted.append(1), 1)
    act()
    connection.set_progress_handler(None, 1)
    return len(counted)


def calls_of(store, writer, n):
    """What is done with a store that holds so many runs, by name."""
    last, unfinished = f"run-{n - 1}", ("pending", "running")
    claims = claiming(store.load(last))
    return {
        "inbox": lambda: store.pauses(PauseFilter(limit=10)),
        "inbox of a workflow": lambda: store.pauses(PauseFilter(workflow_id="flow", limit=10)),
        "inbox of a run": lambda: store.pauses(PauseFilter(run_id=last)),
        "inbox of a session": lambda: store.pauses(PauseFilter(session_id=f"s{n - 1}")),
        "runs": lambda: store.runs(RunFilter(limit=10)),
        "runs of a session": lambda: store.runs(RunFilter(session_id=f"s{n - 1}", workflow_id="flow")),
        "runs to recover": lambda: store.runs(RunFilter(phases=unfinished, limit=10**6)),
        "runs to recover of a workflow": lambda: store.runs(RunFilter(workflow_id="flow", phases=unfinished, limit=10**6)),
        "load": lambda: store.load(last),
        "decide": lambda: store.decide(answer(question(last))),
        "claim": lambda: store.commit(claims),
        "commit": lambda: writer.commit(succeeded("first", "1"), entered("second")),
    }


def steps_of(store, writer, n):
    """What is done with a run that has so many steps, by name."""
    return {
        "commit": lambda: writer.commit(succeeded("s", f'"{n}"'), entered("s"), opened=(question("run-1", f"more-{n}"),)),
        "load": lambda: store.load("run-1"),
        "the last row": lambda: store.journal("run-1", writer.seq - 1, writer.seq),
        "inbox": lambda: store.pauses(PauseFilter(run_id="run-1", limit=1)),
    }


def grown(before, after):
    """What takes clearly more than before."""
    return {name: (count, after[name]) for name, count in before.items() if after[name] > 1.3 * count + 100}


def test_no_work_grows_with_the_number_of_runs(file):
    """With ten times as many runs that wait in the store, each call takes about as many instructions as before.

    Not so the runs of a workflow by their beginning: format 2 has an index of their claims alone, and sorts them.
    """
    store, taken, done = SqliteDb(file, durability="normal"), [], 0
    writer = started(store, "writer")
    for target in (100, 1000):
        for n in range(done, target):
            asked(store, f"run-{n}", question(f"run-{n}", opened=TIME + n), session_id=f"s{n}")
        taken.append({name: instructions(store, act) for name, act in calls_of(store, writer, target).items()})
        done = target
    store.close()
    assert grown(*taken) == {}


def test_no_work_grows_with_the_length_of_a_run(file):
    """A step of a run of a thousand steps takes as many instructions as one of a run of ten, and so does resuming it."""
    store, taken, done = SqliteDb(file, durability="normal"), [], 0
    writer = started(store)
    for target in (10, 1000):
        for n in range(done, target):
            pause = question("run-1", f"s{n}")
            writer.commit(succeeded("s", str(n)), entered("s"), opened=(pause,))
            writer.commit(closed=(pause.pause_id,))
        taken.append({name: instructions(store, act) for name, act in steps_of(store, writer, target).items()})
        done = target
    store.close()
    assert grown(*taken) == {}
