"""Connections whose waiting has an end (P25), and whose session is their own (P22).

A server that is stopped, and a network that drops what it is given, say nothing: a driver waits for them for as long as TCP does, or longer. So
the client keeps the time: a connection that was lent until an instant ends itself there. A pooler that gives each transaction another session is
found before a setting is made, for the setting would be made for another client.
"""

from __future__ import annotations

from collections.abc import Generator
from math import ceil, inf
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from attrs import define
from psycopg.conninfo import conninfo_to_dict

from statecore.core import Seconds
from statecore.errors import PoolerInTheWay

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

SILENT = "the server gave no answer in time"
LEAST = 1.0
"""Seconds below which no connection is tried: psycopg waits for one for two seconds at least."""
GLANCE = 2.0
"""How many seconds a pooler has for a second session."""


@define
class Haste:
    """The time that each wait of a store has from an instant on, where its process is to end; none where it is not."""

    since: Seconds = -inf
    each: Seconds = inf
    silent: bool = False
    """Whether the server was silent since: then nothing more waits for it."""
    silence: Seconds = -inf
    """When the server was silent last, and has answered nothing since; hurried or not."""

    def end(self, began: Seconds, until: Seconds) -> Seconds:
        """The instant at which a wait ends that began at one and was to last until another."""
        return -inf if self.silent else min(until, max(began, self.since) + self.each)


class Patient(psycopg.Connection[tuple[Any, ...]]):
    """A connection that waits for its server until an instant, and closes itself there."""

    haste: Haste = Haste()
    began: Seconds = inf
    until: Seconds = inf

    def lent(self, haste: Haste, until: Seconds) -> None:
        """From now on wait until an instant."""
        self.haste, self.began, self.until = haste, monotonic(), until

    def wait(self, gen: Generator[Any, Any, Answer], *args: Any, **more: Any) -> Answer:
        """Give the answer of the server. Raises `psycopg.OperationalError` where it is silent for too long."""
        return super().wait(self._while_patient(gen), *args, **more)

    def _while_patient(self, gen: Generator[Any, Any, Answer]) -> Generator[Any, Any, Answer]:
        """The steps of an exchange with the server, for as long as there is time; psycopg asks every tenth of a second."""
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and monotonic() >= self.haste.end(self.began, self.until):
                    self.haste.silent, self.haste.silence = self.haste.each < inf, monotonic()
                    self.pgconn.finish()
                    raise psycopg.OperationalError(SILENT)
                wanted = gen.send(ready)
        except StopIteration as end:
            answer: Answer = end.value
            return answer


def reached(conninfo: str, haste: Haste, until: Seconds) -> Patient:
    """A new connection, lent until an instant. Raises psycopg's errors, and `psycopg.OperationalError` where there is no time for one."""
    left = haste.end(monotonic(), until) - monotonic()
    if left < LEAST:
        raise psycopg.OperationalError(SILENT)
    given = conninfo_to_dict(conninfo)
    hosts = str(given.get("host") or "").count(",") + 1
    timeout = max(1, min(int(given.get("connect_timeout") or 10), ceil(left / hosts)))
    found = Patient.connect(
        conninfo, autocommit=True, client_encoding="UTF8", application_name="statecore", connect_timeout=timeout
    )
    found.lent(haste, until)
    return found


def raise_if_pooled(first: Patient, path: str, another: Callable[[], Patient]) -> None:
    """Raise `PoolerInTheWay` where another client is given the session of an open connection as soon as that has no transaction.

    A pooler tells a client another key than the server told it. One in session mode is none in the way; one in transaction mode gives the
    session that was used last to the next one who begins a transaction.
    """
    [mine] = first.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    if mine == first.info.backend_pid:
        return
    try:
        second = another()
    except psycopg.OperationalError:
        return  # it has no second session for us
    second.lent(first.haste, min(second.until, monotonic() + GLANCE))
    try:
        second.execute("BEGIN")
        [theirs] = second.execute("SELECT pg_backend_pid()").fetchone() or (0,)
        [now] = first.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    except psycopg.OperationalError as error:
        if "pooling" not in str(error):
            return
        raise PoolerInTheWay(path, f"it takes no transactions ({' '.join(str(error).split())})") from error
    finally:
        second.close()
    if theirs == mine or now != mine:
        raise PoolerInTheWay(path, "it gives each transaction the session of another client, so no setting holds")
