"""The connections to one Postgres schema: set up and checked, lent for one transaction each, every error by its name.

A transaction that the server broke off has stored nothing, and is made again. One whose COMMIT got no answer is looked up by its number: the
server knows of each whether it was committed. A server that crashed since may have given the number to another transaction; then the rows
are asked (`witness`). All of it goes on for as long as `patience` says, so that a server may be restarted meanwhile.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager, suppress
from math import inf
from threading import BoundedSemaphore, Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors as pg

from statecore.core import Seconds
from statecore.errors import (
    NotPermitted,
    PoolerInTheWay,
    StoreCorrupt,
    StoreError,
    StoreForked,
    StoreUnavailable,
    TransactionTimedOut,
    UnknownStoreError,
    UnstorableValue,
    WrongType,
)
from statecore.stores.rules import TEXT
from statecore.stores.sql.relational import left
from statecore.stores.sql.rows import NUMBER, of_value

from .opening import SCRIPTS, PostgresLink, adapt, raise_if_defective
from .patience import Haste, Patient, raise_if_pooled, reached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statecore.stores.sql.link import Link

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

CLOSED = "it was closed"
OLDEST = 130_000
"""The first release that tells the number of a transaction, as Postgres writes its versions."""
LOCK_SECONDS = 30
SETTINGS = {
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",  # a row that was waited for is seen as it is now
    "idle_in_transaction_session_timeout": "10s",  # a process that was stopped in the middle keeps nobody's row
    "client_encoding": "UTF8",
}
GOES = (psycopg.OperationalError, pg.IdleInTransactionSessionTimeout)
"""The errors of a connection that ends."""
RACES = (pg.SerializationFailure, pg.DeadlockDetected, pg.UniqueViolation, pg.ForeignKeyViolation)
"""The errors that two transactions at once may meet; made again, each finds the rows of the other, or that a purge has taken a session away."""
COMING_AND_GOING = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "53300"})
"""A server that ends, starts, or has no place for one more; a transaction that was idle for too long."""
GIVEN = frozenset({"42883", "42804", "22P02", "22023", "23502"})
"""The errors for a value of a type that no column takes: no operator, no cast, no such text, no such parameter, a NULL."""
LIFE = "SELECT stats_reset::text FROM pg_stat_bgwriter"
"""A mark that changes when a server recovers from a crash, and not at a stop and start: statistics do not outlive a crash."""
TRIES = 10
FIRST_WAIT, LONGEST_WAIT = 0.02, 0.5
AT_LEAST = 1.0
"""Seconds that even the impatient wait for a connection which another thread of theirs uses."""
ANSWER = 2.0
"""Seconds that a server has for its answers at least."""
IDLE = 10.0
"""After how many seconds without use a connection is tried before it is lent: a network may have dropped it silently."""

logging.getLogger("psycopg").addHandler(logging.NullHandler())
"""The log of psycopg about a connection that breaks repeats our errors; a handler of its log still hears it."""

INHERITED: list[Any] = []
"""A parent's connections in a forked child, kept from being closed: closing says goodbye to the server in the parent's name."""


class AgainError(Exception):
    """A transaction has stored nothing, and may succeed when it is made again."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def named(error: Exception, path: str) -> StoreError | UnstorableValue | None:
    """The store's own error for one of the database's; None for an error of another kind."""
    if isinstance(error, psycopg.Error):
        return of_postgres(error, path)
    if isinstance(error, TypeError | AttributeError):  # rows raise `UnreadableValue`
        return WrongType(path, str(error))
    return of_value(error, path)


def of_postgres(error: psycopg.Error, path: str) -> StoreError | UnstorableValue:  # noqa: PLR0911  # a table
    """The store's own error for one of Postgres's."""
    why = " ".join((error.diag.message_primary or str(error)).split())  # its detail may hold a whole row
    match error:
        case pg.InsufficientPrivilege():
            return NotPermitted(path, why)
        case pg.NumericValueOutOfRange():
            return UnstorableValue(NUMBER, why)
        case pg.ProgramLimitExceeded() | pg.CharacterNotInRepertoire() | pg.UntranslatableCharacter():
            return UnstorableValue(TEXT, why)
        case pg.LockNotAvailable():
            return StoreUnavailable(path, f"it was locked by somebody else for too long ({why})")
        case pg.ReadOnlySqlTransaction():
            return StoreUnavailable(path, f"the server only reads, as a standby does ({why})")
        case psycopg.OperationalError() | pg.QueryCanceled() | pg.IdleInTransactionSessionTimeout():
            return StoreUnavailable(path, why)
        case _:
            return of_odd(error, path, why)


def of_odd(error: psycopg.Error, path: str, why: str) -> StoreError:
    """The store's own error where neither the server nor the value's size is at fault: damage, a caller's type, or an error not known."""
    match error:
        case pg.TransactionTimeout():
            return TransactionTimedOut(path, why)
        case pg.DuplicatePreparedStatement() | pg.InvalidSqlStatementName():
            return PoolerInTheWay(path, why)
        case pg.DataCorrupted() | pg.IndexCorrupted():
            return StoreCorrupt(path, why, promise="P11")
        case _ if error.sqlstate in GIVEN or (error.sqlstate is None and isinstance(error, psycopg.ProgrammingError)):
            return WrongType(path, why)
        case psycopg.IntegrityError() | pg.RaiseException():
            return StoreCorrupt(path, why)  # the rules refuse first what the database would refuse
        case _:
            return UnknownStoreError(path, f"{why} (SQLSTATE {error.sqlstate})")


class Channel:
    """Up to `most` connections to one schema, opened when they are needed and kept for the next transaction."""

    def __init__(  # noqa: PLR0913  # a schema's place, its scripts and how it is used
        self, conninfo: str, path: str, schema: str, most: int, patience: Seconds, scripts: tuple[str, ...] = SCRIPTS
    ) -> None:
        self.scripts: tuple[str, ...] = scripts
        self.conninfo: str = conninfo
        self.path: str = path
        self.schema: str = schema
        self.patience: Seconds = patience
        self.pid: int = os.getpid()
        self.known: bool = False  # whether the server was ever there: then it is worth waiting for
        self.haste: Haste = Haste()
        self.unpooled: bool = False  # whether a connection has a session of its own
        self.closed: bool = False
        self._free: list[tuple[Patient, Seconds]] = []
        self._lives: WeakKeyDictionary[Patient, str | None] = WeakKeyDictionary()
        self._lock = Lock()
        self._places = BoundedSemaphore(most)

    def until(self) -> Seconds:
        """The instant until which a call that begins now waits; soon, where the server was silent a moment ago."""
        now = monotonic()
        return now + (ANSWER if now - self.haste.silence < self.patience else max(self.patience, ANSWER))

    def connect(self, until: Seconds | None = None) -> Patient:
        """A new connection with every setting made and read back, lent until an instant.

        Raises psycopg's errors; `StoreUnavailable` where a setting is not taken; `PoolerInTheWay`.
        """
        until = self.until() if until is None else until
        connection = reached(self.conninfo, self.haste, until)
        try:
            if not self.unpooled:
                raise_if_pooled(connection, self.path, lambda: reached(self.conninfo, self.haste, until))
                self.unpooled = True
            self._check_version(connection.info.server_version)
            adapt(connection)
            wanted = SETTINGS | {"search_path": f'"{self.schema}", pg_temp', "lock_timeout": f"{self._lock_ms()}ms"}
            names = list(wanted)
            connection.execute(
                f"SELECT {', '.join('set_config(%s, %s, false)' for _ in names)}".encode(),
                [part for name in names for part in (name, wanted[name])],
            )
            names.append("server_encoding")
            row = connection.execute(f"SELECT {', '.join('current_setting(%s)' for _ in names)}".encode(), names).fetchone()
            self._check_settings(dict(zip(names, row or (), strict=True)), wanted)
            [self._lives[connection]] = connection.execute(LIFE).fetchone() or (None,)
        except BaseException:
            connection.close()
            raise
        self.known = True
        return connection

    def _check_version(self, found: int) -> None:
        """Raise `StoreUnavailable` where a server is too old."""
        if found < OLDEST:
            raise StoreUnavailable(self.path, f"its Postgres is of version {found}, and {OLDEST} is the oldest")

    def _check_settings(self, found: dict[str, str], wanted: dict[str, str]) -> None:
        """Raise `StoreUnavailable` where Postgres keeps a setting otherwise than it was set."""
        for name, value in found.items():
            if name != "lock_timeout" and value != wanted.get(name, "UTF8"):  # it is read back in a unit of Postgres' choice
                raise StoreUnavailable(self.path, f"Postgres keeps {name} at {value}, not {wanted.get(name, 'UTF8')}")

    def _lock_ms(self) -> int:
        """For how long the server waits for a lock: a little less than the client, so that it says so."""
        return round(1000 * min(LOCK_SECONDS, 0.9 * max(self.patience, ANSWER)))

    @contextmanager
    def lent(self, until: Seconds | None = None) -> Iterator[Patient]:
        """A connection, for one transaction, until an instant; one that does not come back in order is given up."""
        if self.pid != os.getpid():
            raise StoreForked(self.path)
        until = self.until() if until is None else until
        if not self._places.acquire(timeout=max(self.haste.end(monotonic(), until) - monotonic(), AT_LEAST)):
            raise StoreUnavailable(self.path, "all its connections are in use")
        try:
            connection = self._kept(until) or self.connect(until)
            try:
                yield connection
            except BaseException:
                self._take_back(connection, usable=self._settled(connection))
                raise
            self._take_back(connection, usable=True)
            self.haste.silence = -inf
        finally:
            self._places.release()

    def _kept(self, until: Seconds) -> Patient | None:
        """A connection that is there; None where there is none. One that was idle for long is tried for a third of the time."""
        while True:
            with self._lock:
                if self.closed:
                    raise StoreUnavailable(self.path, CLOSED)
                if not self._free:
                    return None
                connection, since = self._free.pop()
            now = monotonic()
            if now - since > IDLE:
                connection.lent(self.haste, min(until, now + max(self.patience, ANSWER) / 3))
                try:
                    connection.execute("SELECT 1")
                except psycopg.Error:
                    connection.close()
                    continue
            connection.lent(self.haste, until)
            return connection

    def _take_back(self, connection: Patient, *, usable: bool) -> None:
        """Keep a connection for the next one, or end it."""
        with self._lock:
            if usable and not self.closed and not connection.closed:
                self._free.append((connection, monotonic()))
                return
        connection.close()

    @staticmethod
    def _settled(connection: psycopg.Connection) -> bool:
        """Leave no transaction open; whether the connection can be used on."""
        try:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            return False
        return connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

    # -- transactions ------------------------------------------------------------------------------------------------------------

    def read(self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs) -> Answer:
        """Give the result of `work`, which reads. Raises only named errors."""
        until = self.until()

        def once() -> Answer:
            with self.lent(until) as connection:
                return work(PostgresLink(connection), *args, **more)

        return self._patiently(once, self.patience)

    def write(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """Give the result of `work` once all that it wrote is stored; a failure stores nothing. Raises only named errors.

        It may be called several times, of which one is stored.
        """
        until = self.until()

        def once() -> Answer:
            lost = None
            with self.lent(until) as connection:
                number, life = begun(connection), self._lives[connection]
                answer = work(PostgresLink(connection), *args, **more)
                try:
                    connection.execute("COMMIT")
                except GOES as error:
                    lost = error
                    connection.close()
            if lost is None or self._was_stored(number, life, until, lost, lambda link: left(link, work, args, answer)):
                return answer
            raise AgainError(lost) from lost

        return self._patiently(once, self.patience)

    def _patiently(self, once: Callable[[], Answer], patience: Seconds) -> Answer:
        """Make a transaction until it is made, or refused for good."""
        began, wait, tries = monotonic(), FIRST_WAIT, 0
        while True:
            known = self.known
            try:
                return once()
            except (AgainError, *GOES, *RACES) as error:
                cause, tries = error.cause if isinstance(error, AgainError) else error, tries + 1
                worth = (
                    tries < TRIES
                    if isinstance(cause, RACES)
                    else known and passing(cause) and monotonic() < self.haste.end(began, began + patience)
                )
                if not worth:
                    raise named(cause, self.path) or error from cause
            except Exception as error:
                told = None if isinstance(error, StoreError) else named(error, self.path)
                if isinstance(told, UnknownStoreError):
                    self._look_at_schema(error)
                if told is not None:
                    raise told from error
                raise
            sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _look_at_schema(self, met: Exception) -> None:
        """Raise `StoreCorrupt` where an error that is not known comes of a schema that is not as it was made (P22)."""
        try:
            with self.lent() as connection:
                raise_if_defective(connection, self.path, self.schema, self.scripts)
        except StoreCorrupt as damage:
            raise damage from met
        except (psycopg.Error, StoreError):
            return  # nobody can look now: the error is told as it was met

    def _was_stored(self, number: str, life: str | None, deadline: Seconds, lost: Exception, seen: Callable[[Link], bool]) -> bool:
        """Whether a transaction was committed whose COMMIT got no answer; asked until the server knows. Raises `StoreUnavailable`.

        One that a crash cut off before anything of it was on the disk has left its number to another, or to nobody yet.
        """
        while True:
            try:
                with self.lent(deadline) as connection:
                    row = connection.execute("SELECT pg_xact_status(%s::text::xid8)", (number,)).fetchone()
                    status = row[0] if row else None
                    crashed = life is None or self._lives[connection] != life
                    if status is None or (crashed and status == "committed"):
                        return seen(PostgresLink(connection))
                if status != "in progress":
                    return bool(status == "committed")
            except pg.InvalidParameterValue:  # nobody has the number yet
                return False
            except GOES as error:
                lost = error
            if monotonic() >= self.haste.end(monotonic(), deadline):
                why = f"nobody said whether transaction {number} was stored ({' '.join(str(lost).split())})"
                raise StoreUnavailable(self.path, why) from lost
            sleep(FIRST_WAIT)

    def close(self) -> None:
        """Give all connections back; one that is lent is closed when it comes back."""
        with self._lock:
            self.closed = True
            free, self._free = self._free, []
        for connection, _ in free:
            with suppress(psycopg.Error):
                connection.close()

    def __del__(self) -> None:
        """A store that is gone needs no connections; but a forked child never closes its parent's."""
        if self.pid == os.getpid():
            self.close()
        else:
            INHERITED.append(self._free)


def begun(connection: psycopg.Connection) -> str:
    """Begin a transaction, in one message to the server; its number."""
    cursor = connection.execute("BEGIN; SELECT pg_current_xact_id()::text")
    cursor.nextset()
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def passing(error: Exception) -> bool:
    """Whether an error is of a server that is going, gone or coming again: it may be there in a moment."""
    if not isinstance(error, GOES):
        return False
    return error.sqlstate is None or error.sqlstate.startswith("08") or error.sqlstate in COMING_AND_GOING
