"""Guards of format 3 hold between transactions: what another one has done and not yet committed is waited for, never overlooked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from threading import Thread

import psycopg
import pytest

from statecore.stores.postgres.opening import in_postgres
from statecore.stores.sql3.queries import PLAIN
from tests.format3.tables import ENDED, HASH, NAMES, RUNNING, STEP, append, bury, event_id, execute, insert
from tests.postgres.format3 import PATH, Speaking, filled

NUMBERS = count()
VOTE = """INSERT INTO act (pause, kind, word, voter, round, time_us, roles, seal)
SELECT 1, 'vote', 'confirm', randomblob(32), 0, 7, '', zeroblob(32)"""
CLOSE = "UPDATE pause SET closed = :parked_1, outcome = 'lapsed', voter_salt = NULL WHERE id = 1"


@pytest.fixture(scope="module")
def template(server):
    """A database with the three runs, to be copied."""
    with filled(server, "races_3") as found:
        yield found


@pytest.fixture
def open_session(server, template) -> Iterator[object]:
    """What opens another session of a database with the three runs; none of them waits for a lock longer than a minute."""
    name = f"races_3_{next(NUMBERS)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE races_3 STRATEGY file_copy")
    opened = []

    def open_session():
        opened.append(psycopg.connect(server.url(name), autocommit=True, options="-c lock_timeout=60s"))
        opened[-1].execute(PATH.encode())
        return Speaking(opened[-1])

    yield open_session
    for each in opened:
        each.close()
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Waiting:
    """A statement of a session that waits for a lock of another one: what it ends with is known when the other one has ended."""

    def __init__(self, session, watcher, work):
        self.error: BaseException | None = None
        self.result: object = None
        self.thread = Thread(target=self.run, args=(work,))
        self.thread.start()
        query = "SELECT cardinality(pg_blocking_pids(%s))"
        while (
            self.thread.is_alive() and watcher.connection.execute(query, (session.connection.info.backend_pid,)).fetchone()[0] == 0
        ):
            pass

    def run(self, work):
        """Do the work, and keep its end."""
        try:
            self.result = work()
        except psycopg.Error as error:
            self.error = error

    def end(self):
        """What the work gave. Raises what it raised."""
        self.thread.join()
        if self.error is not None:
            raise self.error
        return self.result


def begun(open_session):
    """A session inside of a transaction."""
    session = open_session()
    session.connection.execute("BEGIN")
    return session


def commit(session):
    """End a session's transaction."""
    session.connection.execute("COMMIT")


def test_a_shape_is_closed_to_other_transactions(open_session):
    """A move that another transaction adds to a shape, before it can see it, is refused when it commits."""
    first, second = begun(open_session), begun(open_session)
    insert(first, "shape_move", shape=99, k=0, at="a", legal=20)
    insert(first, "shape", id=99, digest=HASH, moves=1)
    insert(second, "shape_move", shape=99, k=1, at="b", legal=20)
    commit(first)
    with pytest.raises(psycopg.errors.UniqueViolation, match="a shape is never changed"):
        commit(second)
    assert first.execute("SELECT k FROM shape_move WHERE shape = 99").fetchall() == [(0,)]


def test_moves_of_an_event_are_closed_to_other_transactions(open_session):
    """A move for an event that another transaction has just written waits for it, and is refused."""
    first, second = begun(open_session), begun(open_session)
    insert(first, "move", event=event_id(RUNNING, 3), k=0, at="a", legal=20)
    append(first, RUNNING, 3, None)
    late = Waiting(second, open_session(), lambda: insert(second, "move", event=event_id(RUNNING, 3), k=1, at="b", legal=20))
    commit(first)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="an event is never changed"):
        late.end()


def test_two_events_follow_one_another(open_session):
    """Of two sessions that write the next event of a run, the second one waits and is refused: it does not follow any more."""
    first, second = begun(open_session), open_session()
    append(first, RUNNING, 3, STEP)
    late = Waiting(second, open_session(), lambda: append(second, RUNNING, 3, STEP))
    commit(first)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="an event must follow the last one"):
        late.end()


def test_an_act_waits_for_the_end_of_its_question(open_session):
    """A vote on a question that is being closed waits, and is refused; one that comes first is stored, and the closing waits."""
    first, second = begun(open_session), open_session()
    execute(first, CLOSE)
    late = Waiting(second, open_session(), lambda: execute(second, VOTE))
    commit(first)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="an act is about an open question"):
        late.end()


def test_a_closing_waits_for_an_act(open_session):
    """A vote that is stored first holds the question open until it is committed."""
    first, second = begun(open_session), open_session()
    execute(first, VOTE)
    late = Waiting(second, open_session(), lambda: execute(second, CLOSE))
    commit(first)
    assert late.end() == 1


def test_a_tombstone_waits_for_what_is_to_be_told(open_session):
    """A notice that another transaction is writing is waited for, and then it is told first."""
    first, second = begun(open_session), open_session()
    insert(first, "notice", run=ENDED, event="failed", n=0, due_us=9)
    late = Waiting(second, open_session(), lambda: bury(second))
    commit(first)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="told first"):
        late.end()


def test_a_tombstone_waits_for_a_claim(open_session):
    """A run that another transaction is claiming is no longer free when the tombstone is set."""
    first, second = begun(open_session), open_session()
    first.execute("UPDATE hot SET owner = 'me', epoch = epoch + 1 WHERE run = 3")
    late = Waiting(second, open_session(), lambda: bury(second))
    commit(first)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="nobody executes"):
        late.end()


def test_an_erasure_that_is_being_done_is_in_force_no_more(open_session):
    """A body that is to go while another session marks its order as done waits, and stays."""
    first, second = begun(open_session), open_session()
    insert(second, "erasure", run=RUNNING, what="all", time_us=1, seal=HASH)
    first.execute("UPDATE erasure SET done_us = 5")
    change = f'UPDATE event SET "by" = NULL, by_c = hash, salt = NULL WHERE id = {event_id(RUNNING, 2)}'  # noqa: S608  # a number
    late = Waiting(second, open_session(), lambda: execute(second, change))
    commit(first)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="only an erasure in force"):
        late.end()


# -- the fence: a plain step is one statement, whose SELECT locks the run ----------------------------------------------------------

CHANGES = {
    "a claim": "UPDATE hot SET epoch = 2, claim_order = 99, owner = 'other' WHERE run = 2",
    "a request to cancel": "UPDATE hot SET cancel_us = 5, cancel_seal = seal WHERE run = 2",
}
PAUSED_STATEMENT = """CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$;
CREATE TRIGGER a_waits BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION waits()"""
"""A trigger before all guards, which holds a statement open: its SELECT was read, its row is not inserted yet."""
STEPS = "SELECT count(*) FROM event WHERE id = :running_3"
UNLOCKED = (
    """DO $$ BEGIN EXECUTE replace(pg_get_functiondef('statecore.event_follows'::regproc), ' FOR NO KEY UPDATE', ''); END $$"""
)


def step(session, *, locks=True):
    """Store the next plain step of the running run under its first claim; how many rows that were."""
    row = {
        "id": event_id(RUNNING, 3),
        "run": RUNNING,
        "boundary": 3,
        "epoch": 1,
        "shape": STEP,
        "seq": 6,
        "time_us": 9,
        "hash": HASH,
    }
    columns = re.findall(r"\w+", PLAIN.partition("(")[2].partition(")")[0])
    statement = in_postgres(PLAIN)
    assert "FOR NO KEY UPDATE OF hot" in statement
    values = [row.get(column) for column in columns] + [RUNNING, 1]
    return session.connection.execute(
        (statement if locks else statement.replace("FOR NO KEY UPDATE OF hot", "")).encode(), values
    ).rowcount


def steps(session):
    """How many events of that number there are."""
    return execute_one(session, STEPS)


def execute_one(session, query):
    """The only value of a query."""
    return session.execute(query, NAMES).fetchone()[0]


@pytest.mark.parametrize("change", CHANGES)
def test_a_step_waits_for_what_ends_its_claim(open_session, change):
    """A step that comes while the run is being claimed or cancelled waits, and stores nothing."""
    first, second = begun(open_session), open_session()
    first.execute(CHANGES[change])
    late = Waiting(second, open_session(), lambda: step(second))
    commit(first)
    assert (late.end(), steps(second)) == (0, 0)


@pytest.mark.parametrize("change", CHANGES)
def test_what_ends_a_claim_waits_for_a_step(open_session, change):
    """A step that was not committed yet holds the run: who claims or cancels it afterwards sees the step."""
    first, second = begun(open_session), begun(open_session)
    assert step(first) == 1
    late = Waiting(second, open_session(), lambda: (execute(second, CHANGES[change]), steps(second)))
    commit(first)
    assert late.end() == (1, 1)


@pytest.mark.parametrize("change", CHANGES)
def test_a_step_in_the_middle_of_its_statement_holds_its_run(open_session, change):
    """Between the SELECT of a step and its INSERT nobody claims or cancels: the lock is the statement's, not only the guard's."""
    owner, first, second = open_session(), open_session(), begun(open_session)
    owner.connection.execute(PAUSED_STATEMENT)
    owner.connection.execute("SELECT pg_advisory_lock(1)")
    storing = Waiting(first, open_session(), lambda: step(first))
    late = Waiting(second, open_session(), lambda: (execute(second, CHANGES[change]), steps(second)))
    owner.connection.execute("SELECT pg_advisory_unlock(1)")
    assert (storing.end(), late.end()) == (1, (1, 1))


@pytest.mark.parametrize("change", CHANGES)
def test_without_its_locks_a_step_is_stored(open_session, change):
    """The locks are what the tests above see: without them the same step is stored beside the claim and the cancellation, and overlooked."""
    first, second = begun(open_session), begun(open_session)
    open_session().connection.execute(UNLOCKED)
    first.execute(CHANGES[change])
    assert step(second, locks=False) == 1
    assert steps(first) == 0
    commit(first)
    commit(second)
    assert steps(first) == 1


def test_the_guard_alone_does_not_see_a_cancellation(open_session):
    """Without the statement's own lock a step passes the guard, which knows of claims and not of cancellations."""
    owner, first, second = open_session(), open_session(), open_session()
    owner.connection.execute(PAUSED_STATEMENT)
    owner.connection.execute("SELECT pg_advisory_lock(1)")
    storing = Waiting(first, open_session(), lambda: step(first, locks=False))
    assert execute(second, CHANGES["a request to cancel"]) == 1
    owner.connection.execute("SELECT pg_advisory_unlock(1)")
    assert (storing.end(), steps(second)) == (1, 1)
