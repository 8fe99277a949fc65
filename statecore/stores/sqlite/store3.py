"""`SqliteDb` keeps runs in one file, of format 3; a file of format 2 is led to it at the first use (`migrating`).

A plain step is one statement that commits itself (`channel.step`); all else is one transaction of its thread's channel, as in `store`.
"""

from __future__ import annotations

import sqlite3
from os import urandom
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Concatenate, Literal, ParamSpec, TypeVar

from statecore.core import Seconds
from statecore.stores.ending import rotating
from statecore.stores.ending.rotating import Rotated
from statecore.stores.ending.store import EndingStore
from statecore.stores.frames.framing import SALT_BYTES
from statecore.stores.rules import LEASE_SECONDS, checked_bound
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sql3 import writing
from statecore.stores.sql3.ciphers import NO_KEYS, Cipher, Keys, checked_keys
from statecore.stores.sql3.events import Salted, cut
from statecore.stores.sql3.older import raise_if_unfinished
from statecore.stores.sql3.relational import Relational
from statecore.stores.sql3.steps import Place, plain

from .damage import SUSPECT, looked_again
from .formats import ANY, THREE, format_of
from .opening import located, shape
from .sharing import Sharing
from .store import ALONE, NAME, PAGE, SqliteDb2, SqliteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from statecore.stores.acts import Act
    from statecore.stores.records import Boundary, Decided, Obstacle
    from statecore.stores.sql.link import Link
    from statecore.stores.sql3.steps import Written

    from .channel import Channel

HELD_BACK = "a process reads the store as it was, so the write-ahead log cannot be cut off; run it again when that process is done"
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def store_in(db_file: str | Path, keys: Keys = NO_KEYS) -> SqliteDb2 | SqliteDb:
    """The store in a file, of the format that the file has: it is not led to another. One that is not there yet is made."""
    file = located(db_file)
    there = file.exists() and file.stat().st_size > 0
    return SqliteDb2(file) if there and format_of(file) is not THREE else SqliteDb(file, cipher=keys.cipher, seal_key=keys.seals)


class SqliteDb(SqliteFile, EndingStore):
    """A store in one SQLite file, which is made where there is none.

    The constructor only looks: it refuses a file that is another program's, a newer release's or damaged. The first use opens it, so
    that a store made before a fork may be used in the children, as long as the parent has not used it; after that it is the
    parent's own. The first use leads a file of an older format to this one; a file of more than 256 MB is refused by `MigrationNeeded`, and
    `statecore migrate` leads it.

    `durability="full"` waits for the disk at each commit; "normal" does not, and may lose the last commits before a power cut, but
    nothing when a process dies. `lease` is how many seconds a lease lasts that is not renewed: how long a run waits whose owner is
    on another host and went away; on this host a dead owner is known at once. `max_value_bytes` bounds each stored value, 16 MiB
    without it. `cipher` enciphers values, notes, messages, forms and names of persons before they are stored (`AesGcm`, P29); `seal_key` gives
    keys of 32 bytes by id, of which the last one seals where a run stands, and so all that its chain covers (P21).
    `connection_factory` makes the connections, for tests that inject faults.

    Example: `Workflow("w", steps, db=SqliteDb(db_file="runs.db"))`.
    """

    keeps_votes = True
    _format = THREE
    _readable = ANY
    _settings = {"secure_delete": 1}  # noqa: RUF012  # never changed
    _sharing: Sharing[tuple[Salted, Written | None, Place | None], Place | Obstacle]

    def __init__(  # noqa: PLR0913  # as many keywords as a store has settings
        self,
        db_file: str | Path | None = None,
        *,
        durability: Literal["full", "normal"] = "full",
        db_url: str | None = None,
        lease: Seconds = LEASE_SECONDS,
        max_value_bytes: int | None = None,
        cipher: Cipher | None = None,
        seal_key: Mapping[str, bytes] | None = None,
        connection_factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        Relational.__init__(self)
        self._keys = checked_keys(cipher, seal_key)
        self.max_value_bytes: int | None = checked_bound(NAME, "max_value_bytes", max_value_bytes)
        SqliteFile.__init__(self, db_file, durability=durability, db_url=db_url, lease=lease, connection_factory=connection_factory)
        self._sharing = Sharing()

    def _lead(self) -> None:
        """Lead a file of an older format to this one. Raises `MigrationNeeded`, `StoreCorrupt`, `StoreUnavailable`."""
        from .migrating import at_opening  # noqa: PLC0415  # only an older file needs it

        at_opening(self.path)

    def _forget(self) -> None:
        """Forget what was learned of the file."""
        Relational.__init__(self)

    def _learn(self, channel: Channel) -> None:
        """Read the numbers of the moves of the lifecycles."""
        raise_if_unfinished(channel.read(shape), str(self.path))
        self._known.shapes.legal = channel.read(legal_moves)

    def _read(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """The result of `work`, which reads this thread's channel at one moment."""
        channel = self._channel()
        try:
            return channel.see(work, *args, **more)
        except SUSPECT as met:
            return looked_again(channel, met, self._format, work, *args, **more)

    def act(self, new: Act) -> Act:
        """Store a vote, a withdrawal or a lapse; its value may be large."""
        self._expect(new.value)
        return super().act(new)

    def decide(self, decision: Decided, *others: Decided) -> Decided:
        """Store the one decision of a pause; its value may be large."""
        self._expect(decision.value, *[each.value for each in others])
        return super().decide(decision, *others)

    def _step(self, boundary: Boundary, event: Written, place: Place) -> bool:
        """Store a plain step, alone or together with others that wait for the disk."""
        channel, sharing = self._channel(), self._sharing
        for _, body in event.apart:
            self._unsaved += len(body) // PAGE
        if self.blocking and (sharing.queue or sharing.turn.locked()):
            salted = Salted(
                boundary, cut(boundary), salts={"event 0": event.row[12] or urandom(SALT_BYTES)}
            )  # the same hash, whoever stores it
            self._shape(salted)
            return isinstance(sharing.commit((salted, event, place), self._commit_all), Place)
        with sharing.turn if self.blocking else ALONE:
            try:
                stored = channel.step(plain, event, place.run, place.epoch, whole=bool(event.apart))
            except SUSPECT:  # a guard, or damage: `writing.commit` says which
                stored = False
            self._grow(channel)
        return stored

    def _stored(self, salted: Salted) -> Obstacle:
        """Store any boundary, alone or together with others."""
        self._channel()  # a forked child is refused here, and does not wait for a thread of its parent
        self._expect_all(salted.boundary)
        sharing = self._sharing
        if self.blocking and (sharing.queue or sharing.turn.locked()):
            return self._moved(salted, sharing.commit((salted, None, None), self._commit_all))
        with sharing.turn if self.blocking else ALONE:
            return super()._stored(salted)

    def rotate(self, wait: Seconds = 10.0) -> Rotated:
        """Encipher bodies of older keys with the newest one, and make keyed seals anew; no hash changes (P29).

        It waits for `wait` seconds for those who still read the store as it was; then the rotation is not done, and the same call continues it.
        Raises `KeyMissing` where a key is not there, `StoreCorrupt` for a seal that is none.
        """
        self._write(rotating.begin, time_ns() // 1_000)
        made = 0
        for table in rotating.BODIES:
            last: int | None = 0
            while last is not None:
                last, count = self._write(rotating.bodies, table, last)
                made += count
                self._wrote(rotating.AT_ONCE)
        run: int | None = 0
        seals = 0
        while run is not None:
            run, count = self._write(rotating.seals, run)
            seals += count
        left = self._scrubbed(wait)
        if left is None:
            self._write(rotating.end)
        return Rotated(made, seals, left)

    def _wrote(self, rows: int) -> None:
        """Count the pages that a purge has added to the log."""
        self._unsaved += rows

    def _scrubbed(self, wait: Seconds) -> str | None:
        """Copy the log into the file and cut it off: the pages as they were before an erasure are in it."""
        return None if self._channel().truncate(wait) else HELD_BACK

    def _commit_all(self, several: Sequence[tuple[Salted, Written | None, Place | None]]) -> list[Place | Obstacle]:
        """Several boundaries in one transaction."""
        return self._write(writing.commit_all, several, self._known.shapes)
