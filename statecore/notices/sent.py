"""The deliveries of notices, in a SQLite file of their own: what is to be told, to whom, how often it was tried, and that it is done.

Each method is one transaction, durable when it returns. A delivery is marked done after it was sent, so that a crash at any write sends it
again, under the same id, and loses none. Notifiers of several processes may share a file: a delivery is leased to one of them at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from json import dumps, loads
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from attrs import asdict, define, field

from statecore.core import Micros

from .events import CALLS, Notice

TABLES = """
CREATE TABLE IF NOT EXISTS notice (id TEXT PRIMARY KEY, question TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL, at_us INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (
  notice TEXT NOT NULL, channel TEXT NOT NULL, recipient TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next_us INTEGER NOT NULL,
  done_us INTEGER, end TEXT, why TEXT, PRIMARY KEY (notice, channel, recipient)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (channel, next_us) WHERE done_us IS NULL;
CREATE INDEX IF NOT EXISTS notice_question ON notice (question);
CREATE TABLE IF NOT EXISTS watched (
  question TEXT PRIMARY KEY, run TEXT NOT NULL, pause TEXT NOT NULL, over INTEGER NOT NULL DEFAULT 0, run_over INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS watched_run ON watched (run) WHERE run_over = 0;
"""
SENT, GIVEN_UP, NOBODY = "sent", "given up", "for nobody"


class Due(NamedTuple):
    """A delivery that is to be tried now: the notice, to whom, and how often it was tried before."""

    notice: Notice
    recipient: str
    tries: int


class Watched(NamedTuple):
    """A question that was told of."""

    question: str
    run_id: str
    pause_id: str


class FailedDelivery(NamedTuple):
    """A delivery that fails again and again, or was given up."""

    notice: str
    type: str
    channel: str
    tries: int
    why: str
    is_over: bool


@define
class Sent:
    """The file of deliveries."""

    path: Path = field(converter=Path)
    _link: sqlite3.Connection = field(init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    @_link.default
    def _open(self) -> sqlite3.Connection:
        link = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        link.execute("PRAGMA journal_mode = WAL")
        link.execute("PRAGMA synchronous = FULL")
        link.executescript(TABLES)
        return link

    def close(self) -> None:
        """Close the file."""
        self._link.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        with self._lock:
            self._link.execute("BEGIN IMMEDIATE")
            try:
                yield self._link
                self._link.execute("COMMIT")
            except BaseException:
                if self._link.in_transaction:
                    self._link.execute("ROLLBACK")
                raise

    def _read(self, statement: str, *given: object) -> list[tuple[object, ...]]:
        """The rows of a statement."""
        with self._lock:
            return self._link.execute(statement, given).fetchall()

    # -- notices -----------------------------------------------------------------------------------------------------------------

    def is_told(self, notice_id: str, channel: str) -> bool:
        """Whether the recipients of a notice on a channel are known."""
        return bool(self._read("SELECT 1 FROM delivery WHERE notice = ? AND channel = ? LIMIT 1", notice_id, channel))

    def tell(self, notice: Notice, channel: str, to: Iterable[str], watched: Watched, now: Micros) -> None:
        """Keep a notice with its deliveries on a channel, and watch its question. What is known stays as it is."""
        body = dumps(asdict(notice))
        with self._writing() as link:
            values = (notice.id, notice.question_id, notice.type, body, notice.at)
            link.execute("INSERT OR IGNORE INTO notice VALUES (?, ?, ?, ?, ?)", values)
            people = list(to)
            end = (None, None) if people else (now, NOBODY)
            rows = [(notice.id, channel, recipient, now, *end) for recipient in people or [""]]
            link.executemany(
                "INSERT OR IGNORE INTO delivery (notice, channel, recipient, next_us, done_us, end) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
            link.execute("INSERT OR IGNORE INTO watched (question, run, pause) VALUES (?, ?, ?)", watched)

    def watched(self) -> list[Watched]:
        """The questions that were told of and are not known to be over."""
        rows = self._read("SELECT question, run, pause FROM watched WHERE over = 0")
        return [Watched(*row) for row in rows]  # type: ignore[arg-type]  # three texts

    def over(self, question: str, now: Micros) -> None:
        """A question is over: what asks for it is not sent any more (NOTE-3)."""
        calls = dumps(sorted(CALLS))
        with self._writing() as link:
            link.execute(
                "UPDATE delivery SET done_us = ?, end = ? WHERE done_us IS NULL AND notice IN "
                "(SELECT id FROM notice WHERE question = ? AND type IN (SELECT value FROM json_each(?)))",
                (now, "over", question, calls),
            )
            link.execute("UPDATE watched SET over = 1 WHERE question = ?", (question,))

    def runs(self) -> list[Watched]:
        """One question of each run whose questions are over and whose end is not known."""
        rows = self._read("SELECT max(question), run, max(pause) FROM watched WHERE run_over = 0 GROUP BY run HAVING min(over) = 1")
        return [Watched(*row) for row in rows]  # type: ignore[arg-type]  # three texts

    def run_over(self, run_id: str) -> None:
        """A run is over."""
        with self._writing() as link:
            link.execute("UPDATE watched SET run_over = 1 WHERE run = ?", (run_id,))

    # -- deliveries --------------------------------------------------------------------------------------------------------------

    def take(self, channel: str, now: Micros, lease: Micros) -> Due | None:
        """The next delivery of a channel that is due, leased to the caller; None where none is."""
        with self._writing() as link:
            row = link.execute(
                "SELECT d.notice, d.recipient, d.tries, n.body FROM delivery d JOIN notice n ON n.id = d.notice "
                "WHERE d.channel = ? AND d.done_us IS NULL AND d.next_us <= ? ORDER BY d.next_us LIMIT 1",
                (channel, now),
            ).fetchone()
            if row is None:
                return None
            notice, recipient, tries, body = row
            key = (now + lease, tries + 1, notice, channel, recipient)
            link.execute("UPDATE delivery SET next_us = ?, tries = ? WHERE notice = ? AND channel = ? AND recipient = ?", key)
        told = loads(body)
        return Due(Notice(**{**told, "seats": tuple(told["seats"])}), recipient, tries)

    def done(self, channel: str, due: Due, now: Micros, end: str = SENT, why: str | None = None) -> None:
        """A delivery has arrived, or is given up."""
        key = (now, end, why, due.notice.id, channel, due.recipient)
        with self._writing() as link:
            link.execute(
                "UPDATE delivery SET done_us = ?, end = ?, why = ? WHERE notice = ? AND channel = ? AND recipient = ?", key
            )

    def failed(self, channel: str, due: Due, at: Micros, why: str) -> None:
        """A delivery has failed, and is tried again at an instant."""
        key = (at, why, due.notice.id, channel, due.recipient)
        with self._writing() as link:
            link.execute("UPDATE delivery SET next_us = ?, why = ? WHERE notice = ? AND channel = ? AND recipient = ?", key)

    def failing(self, tries: int) -> list[FailedDelivery]:
        """The deliveries that were tried so often without success, or were given up."""
        rows = self._read(
            "SELECT d.notice, n.type, d.channel, d.tries, coalesce(d.why, ''), d.done_us IS NOT NULL FROM delivery d "
            "JOIN notice n ON n.id = d.notice WHERE (d.done_us IS NULL AND d.tries >= ?) OR d.end = ? ORDER BY 1, 3",
            tries,
            GIVEN_UP,
        )
        return [FailedDelivery(*row) for row in rows]  # type: ignore[arg-type]  # as the statement says
