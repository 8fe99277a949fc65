"""`PostgresSchema` is a schema of a Postgres database, for any number of threads, processes and machines; `PostgresDb2` keeps runs in one of format 2.

New schemas are of format 3 (`store3`), and one of format 2 is led to it at its first use; commands that look at one take it as it is.
"""

from __future__ import annotations

import os
import re
from math import inf
from threading import Lock
from time import monotonic, monotonic_ns, sleep
from typing import TYPE_CHECKING, ClassVar, Concatenate, ParamSpec, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from statecore.core import Seconds
from statecore.errors import StoreError, StoreForked, StoreUnavailable, UnsupportedSetting
from statecore.stores.rules import LEASE_SECONDS, checked_bound
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sql.relational import Relational

from .channel import CLOSED, INHERITED, Channel, named
from .opening import SCRIPTS, VERSION, furnish, raise_if_defective
from .patience import Haste, Patient

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.core import Micros
    from statecore.stores.sql.link import Link

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

NAME = "PostgresDb"
URLS = ("postgresql://", "postgres://", "postgresql+psycopg://")
USUAL = "statecore"
SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,50}")
NEW_TIME = 30 * 1_000_000_000
"""After how many nanoseconds the server is asked again what time it is."""
GAP = 0.25
NETWORK: dict[str, int] = {
    "connect_timeout": 10,
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""How a server is missed that vanished without a word: within half a minute, where the URL does not say otherwise."""


def read_url(db_url: str) -> tuple[str, str | None]:
    """The address for psycopg, and the schema that the URL names. Raises `UnsupportedSetting` without a word of the URL."""
    place, asked, query = db_url.partition("?")
    try:
        if not place.startswith(URLS):
            raise ValueError  # noqa: TRY301  # one refusal for all
        options = dict(parse_qsl(query, strict_parsing=bool(asked)))
        schema = options.pop("schema", None)
        plain = place.replace("+psycopg:", ":", 1) if place.startswith(URLS[2]) else place
        missing = {name: value for name, value in NETWORK.items() if name not in options}
        return make_conninfo(f"{plain}?{urlencode(options, quote_via=quote)}", **missing), schema
    except (ValueError, psycopg.Error):
        raise UnsupportedSetting(NAME, "this db_url", "it is postgresql://user@host:port/database?schema=name") from None


def shown(conninfo: str, schema: str) -> str:
    """A store as people may see it, and as a command takes it: without the password."""
    parts = conninfo_to_dict(conninfo)
    user = f"{parts['user']}@" if parts.get("user") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"postgresql://{user}{parts.get('host') or ''}{port}/{parts.get('dbname') or ''}{'' if schema == USUAL else f'?schema={schema}'}"


class PostgresSchema:
    """One schema of a Postgres database: its place, its connections, its time and its hints. A store says how the schema is made and learned."""

    blocking = True
    version: ClassVar[int] = VERSION
    """The version of the schema: the scripts of format 2 are numbered from 1, format 3 is one."""
    _scripts: ClassVar[tuple[str, ...]] = SCRIPTS
    max_value_bytes: int | None = None

    def __init__(self, db_url: str, *, db_schema: str | None, lease: Seconds, patience: Seconds, max_connections: int) -> None:
        self._conninfo, named_there = read_url(db_url)
        self._url = db_url
        db_schema = db_schema or named_there or USUAL
        if not SCHEMA.fullmatch(db_schema):
            raise UnsupportedSetting(NAME, f"db_schema={db_schema!r}", "it is a plain name in lower case")
        if not lease > 0:
            raise UnsupportedSetting(NAME, f"lease={lease!r}", "a claim lasts for some seconds")
        if max_connections < 1:
            raise UnsupportedSetting(NAME, f"max_connections={max_connections!r}", "a transaction needs one")
        self.path: str = shown(self._conninfo, db_schema)
        self.db_schema: str = db_schema
        self.lease: Seconds = lease
        self.patience: Seconds = patience
        self.max_connections: int = max_connections
        self._lock = Lock()
        self._channel: Channel | None = None
        self._time: tuple[int, int] | None = None
        self._haste = Haste()
        self._ear: Patient | None = None
        self._closed = False

    def __repr__(self) -> str:
        """The store, and its place without the password."""
        return f"{type(self).__name__}({self.path!r})"

    def _furnish(self, connection: psycopg.Connection) -> None:
        """Make the schema where there is none. Raises the errors of `opening.furnish`."""
        raise NotImplementedError

    def _lead(self, channel: Channel) -> None:
        """Lead a schema of an older format to this one, where `_furnish` does not."""

    def _learn(self, channel: Channel) -> None:
        """Read what never changes."""
        raise NotImplementedError

    # -- time and hints ----------------------------------------------------------------------------------------------------------

    def clock(self) -> Micros:
        """The server's time, in microseconds since 1970; asked for now and then, and counted on from there."""
        known = self._time
        if known is None or monotonic_ns() - known[1] > NEW_TIME:
            try:
                known = self._time = self.channel().read(server_time)
            except StoreError:
                if known is None:
                    raise
                self._time = known = known[0] + (monotonic_ns() - known[1]) // 1000, monotonic_ns()
        return known[0] + (monotonic_ns() - known[1]) // 1000

    def listen(self, seconds: float) -> bool:
        """Wait at most so long for a hint that a run can go on; whether there was one. For one thread at a time.

        A hint may be lost, with its connection for example: a waiting worker also polls.
        """
        try:
            channel = self.channel()
            if self._ear is None or self._ear.closed:
                self._ear = channel.connect()
                self._ear.execute(f'LISTEN "statecore.{self.db_schema}"'.encode())
                return True  # what came before is not heard
            self._ear.lent(channel.haste, channel.until() + seconds)
            return any(True for _ in self._ear.notifies(timeout=seconds, stop_after=1))
        except (psycopg.Error, StoreError):
            self._deafen()
            sleep(min(seconds, GAP))
            return False

    def hurry(self, seconds: Seconds | None) -> None:
        """From now on no call waits longer than so many seconds for the server, and none once it was silent; None ends the haste (P25).

        For a process that is to end. A signal handler may call it.
        """
        self._haste.silent = False
        self._haste.since, self._haste.each = (-inf, inf) if seconds is None else (monotonic(), seconds)

    def _deafen(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()

    # -- connections -------------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Give all connections back; does nothing in a forked child, whose they are not."""
        channel = self._channel
        if channel is not None and channel.pid != os.getpid():
            return
        with self._lock:
            self._closed = True
            self._deafen()
            if channel is not None:
                channel.close()

    def reopen(self) -> None:
        """Connect anew at the next use (RUN-18): in a forked child, whose parent's connections stay the parent's, and after `close`."""
        channel = self._channel
        if channel is not None and channel.pid != os.getpid():
            INHERITED.extend((channel, self._ear))
            self._lock, self._haste, self._ear = Lock(), Haste(), None  # a thread of the parent may hold the lock
        else:
            self.close()
        with self._lock:
            self._channel, self._time, self._closed = None, None, False
            self._forget()

    def _forget(self) -> None:
        """Forget what was learned of the schema."""
        raise NotImplementedError

    def channel(self) -> Channel:
        """The connections; the first use makes or migrates the schema. Raises `StoreForked`, `StoreUnavailable`, and the errors of `furnish`."""
        channel = self._channel
        if channel is not None:
            if channel.pid != os.getpid():
                raise StoreForked(self.path)
            return channel
        with self._lock:
            if self._closed:
                raise StoreUnavailable(self.path, CLOSED)
            if self._channel is None:
                self._channel = self._prepared()
            return self._channel

    def _prepared(self) -> Channel:
        """Connections to a schema that is ours, of the newest version."""
        channel = Channel(self._conninfo, self.path, self.db_schema, self.max_connections, self.patience, self._scripts)
        channel.haste = self._haste
        try:
            self._lead(channel)
            with channel.lent() as connection:
                self._furnish(connection)
        except psycopg.Error as error:
            channel.close()
            raise named(error, self.path) or error from error
        except BaseException:
            channel.close()
            raise
        self._learn(channel)
        return channel


class PostgresDb2(PostgresSchema, Relational):
    """A store in one schema of format 2, which is made where there is none; everything else is as in `PostgresDb`."""

    def __init__(  # noqa: PLR0913  # as many keywords as a store has settings
        self,
        db_url: str,
        *,
        db_schema: str | None = None,
        lease: Seconds = LEASE_SECONDS,
        max_value_bytes: int | None = None,
        patience: Seconds = 30.0,
        max_connections: int = 10,
    ) -> None:
        Relational.__init__(self)
        PostgresSchema.__init__(self, db_url, db_schema=db_schema, lease=lease, patience=patience, max_connections=max_connections)
        self.max_value_bytes: int | None = checked_bound(NAME, "max_value_bytes", max_value_bytes)

    def _furnish(self, connection: psycopg.Connection) -> None:
        """Bring the schema to the newest version, and see that nothing of it is missing."""
        furnish(connection, self.path, self.db_schema)
        raise_if_defective(connection, self.path, self.db_schema)

    def _forget(self) -> None:
        """Forget what was learned of the schema."""
        Relational.__init__(self)

    def _learn(self, channel: Channel) -> None:
        """Read the numbers of the moves of the lifecycles."""
        self._moves.update(channel.read(legal_moves))

    def _read(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        return self.channel().read(work, *args, **more)

    def _write(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        return self.channel().write(work, *args, **more)


def server_time(link: Link) -> tuple[int, int]:
    """The server's time in microseconds, and this machine's count of nanoseconds at that moment, halfway between asking and hearing."""
    asked = monotonic_ns()
    (now,) = link.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").fetchone()
    return now, (asked + monotonic_ns()) // 2
