"""`SqliteFile` is a file of a local disk, for any number of threads and processes of one machine; `SqliteDb2` keeps runs in one of format 2.

New files are of format 3 (`store3`), and a file of format 2 is led to it when it is opened; commands that look at one take it as it is.

Each method (they are in `relational`) is one transaction of its thread's `channel`. The tables themselves refuse an illegal row (`schema.sql`,
`schema-2.sql`); `rules` decides, as in every store. Commits of concurrent runs that wait for the same disk share one wait (`Sharing`): a boundary
is acknowledged when the transaction that holds it is durable, as one that is alone. If a shared transaction fails, nothing of it is stored, and
each of its boundaries is committed by its own thread, alone: so an error reaches the thread that it concerns.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import nullcontext
from pathlib import Path
from threading import Lock, local
from typing import TYPE_CHECKING, ClassVar, Concatenate, Literal, ParamSpec, TypeVar
from weakref import WeakSet

from statecore.core import Seconds
from statecore.errors import StoreCorrupt, StoreError, StoreForked, StoreReplaced, StoreUnavailable, UnsupportedSetting
from statecore.stores.records import Text
from statecore.stores.rules import LEASE_SECONDS, checked_bound
from statecore.stores.sql import writing
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sql.relational import Relational
from statecore.stores.sql3.ciphers import NO_KEYS, Keys

from .channel import CLOSED, DURABILITY, NO_MORE, Channel, inode
from .damage import SUSPECT, looked_again
from .forks import OPEN, check_inherited
from .opening import TWO, Format, create, defect, furnish, located, look, marked, size_of
from .reader import READ_ONLY, ReadingChannel, only_read
from .sharing import Sharing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from statecore.stores.records import Boundary, Decided, Obstacle, Text
    from statecore.stores.sql.link import Link

    from .channel import Inode

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

NAME = "SqliteDb"
DEFAULT_FILE = "statecore.db"
URL = "sqlite:///"
REPLACED = "it was moved, removed or replaced"
WAL_PAGES = 4000
"""How long the write-ahead log may grow before it is copied into the file: about 16 MB."""
PAGE, PAGES_A_WRITE = 4096, 6
ALONE = nullcontext()
"""The turn of a store whose commits wait for no disk."""


def chosen_file(db_file: str | Path | None, db_url: str | None) -> Path:
    """The file that the constructor's words name, whatever the working directory will be. Raises `UnsupportedSetting`."""
    if db_url is not None:
        if db_file is not None or not db_url.startswith(URL):
            raise UnsupportedSetting(NAME, "this db_url", f"it is {URL}path/to/file.db, and db_file is left out then")
        db_file = db_url.removeprefix(URL)
    if str(db_file) in ("", ":memory:"):
        raise UnsupportedSetting(NAME, f"db_file={db_file!r}", "it keeps a file; InMemoryDb keeps runs in memory")
    return located(db_file or DEFAULT_FILE)


class SqliteFile:
    """A file, opened at its first use, and one channel for each thread that uses it.

    The constructor only looks: it refuses a file that is another program's, a newer release's or damaged. The first use opens it, so
    that a store made before a fork may be used in the children, as long as the parent has not used it; after that it is the
    parent's own.
    """

    _format: ClassVar[Format] = TWO
    _readable: ClassVar[Format] = TWO
    _settings: ClassVar[Mapping[str, str | int]] = NO_MORE
    _keys: Keys = NO_KEYS
    path: Path
    lease: Seconds
    max_value_bytes: int | None = None
    blocking: bool

    def __init__(
        self,
        db_file: str | Path | None = None,
        *,
        durability: Literal["full", "normal"] = "full",
        db_url: str | None = None,
        lease: Seconds = LEASE_SECONDS,
        connection_factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        if durability not in DURABILITY:
            raise UnsupportedSetting(NAME, f"durability={durability!r}", "it is a choice between two", tuple(DURABILITY))
        if not lease > 0:
            raise UnsupportedSetting(NAME, f"lease={lease!r}", "a claim lasts for some seconds")
        self.path = chosen_file(db_file, db_url)
        self.durability, self.lease = durability, lease
        self.blocking = durability == "full"
        self._factory = connection_factory
        self._lock = Lock()
        self._mine = local()
        self._channels: WeakSet[Channel] = WeakSet()
        self._pid: int | None = None
        self._inode: Inode | None = None
        self._unsaved = 0
        self._closed = False
        look(self.path, self._readable)

    def __repr__(self) -> str:
        """The store, and its file."""
        return f"{type(self).__name__}(db_file={str(self.path)!r}, durability={self.durability!r})"

    # -- connections -------------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Give all threads' connections back; does nothing in a forked child, whose they are not."""
        if self._pid not in (None, os.getpid()):
            return
        channel: Channel | None = getattr(self._mine, "channel", None)
        if channel is not None and not channel.closed and self._unsaved:
            self._save(channel)
        with self._lock:
            self._closed = True
            for each in list(self._channels):
                each.close()

    def reopen(self) -> None:
        """Give all connections back; the next use opens the file anew, in whichever process that is (RUN-18).

        Call it before a fork where the parent has used the store, while no other thread uses it; after it a closed store, and one whose file was
        replaced, is of use again. Raises `StoreForked` in a child whose parent has the file open: SQLite cannot open it twice there.
        """
        if self._pid not in (None, os.getpid()):
            raise StoreForked(str(self.path))
        self.close()
        with self._lock:
            self._mine, self._pid, self._inode, self._closed = local(), None, None, False
            self._forget()

    def _forget(self) -> None:
        """Forget what was learned of the file."""
        raise NotImplementedError

    def _read(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """Give the result of `work`, which reads of this thread's channel."""
        channel = self._channel()
        try:
            return channel.read(work, *args, **more)
        except SUSPECT as met:
            return looked_again(channel, met, self._format, work, *args, **more)

    def _write(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """One transaction of this thread's channel."""
        channel = self._channel()
        try:
            answer = channel.write(work, *args, **more)
        except SUSPECT as met:
            answer = looked_again(channel, met, self._format, work, *args, **more)
        self._grow(channel)
        return answer

    def _expect(self, *texts: Text | None) -> None:
        """Count the pages that large values will add to the log."""
        for text in texts:
            if text is not None and len(text) > PAGE:
                self._unsaved += len(text) // PAGE

    def _expect_all(self, boundary: Boundary) -> None:
        """Count the pages of a boundary."""
        for entry in boundary.entries:
            if (value := entry.body.value) is not None and len(value) > PAGE:
                self._expect(value)
        self._expect(boundary.session_state)
        if boundary.claim is not None and (new := boundary.claim.identity) is not None:
            self._expect(new.input, new.additional_data, new.metadata, boundary.claim.session_state)

    def _grow(self, channel: Channel) -> None:
        """Count the pages that a transaction has added to the log; a long log is copied into the file."""
        self._unsaved += PAGES_A_WRITE
        if self._unsaved > WAL_PAGES:
            self._save(channel)

    def _save(self, channel: Channel) -> None:
        """Copy the write-ahead log into the file."""
        self._unsaved = 0
        channel.checkpoint()

    def _channel(self) -> Channel:
        """This thread's channel, opened where it has none. Raises `StoreForked`, `StoreUnavailable`."""
        channel: Channel | None = getattr(self._mine, "channel", None)
        if channel is None or channel.closed:
            return self._open()
        if channel.pid != os.getpid():
            raise StoreForked(str(self.path))
        return channel

    def _open(self) -> Channel:
        """A channel for this thread; the first one makes or migrates the file."""
        if self._pid not in (None, os.getpid()):
            raise StoreForked(str(self.path))
        with self._lock:
            if self._closed:
                raise StoreUnavailable(str(self.path), CLOSED)
            check_inherited(self.path)
            if self._pid is None:
                self._prepare()
            elif inode(str(self.path)) != self._inode:  # nothing is opened, so another program's file stays as it is
                raise StoreReplaced(str(self.path), REPLACED)
            channel = self._connected()
            self._channels.add(channel)
            OPEN.add(channel)
            try:
                self._check(channel)
            except StoreError:
                channel.close()
                raise
            self._pid, self._inode = channel.pid, channel.files[0]
            self._mine.channel = channel
        return channel

    def _connected(self) -> Channel:
        """A new channel. Raises `StoreUnavailable` where a file of an older schema can only be read."""
        if not only_read(self.path):
            return Channel(self.path, self.durability, self._factory, self._settings, self._keys)
        channel = ReadingChannel(self.path, self.durability, self._factory, self._keys)
        if channel.version < self._format.version:
            channel.close()
            why = f"{READ_ONLY}, and it has to be led from schema {channel.version} to {self._format.version} first"
            raise StoreUnavailable(str(self.path), why)
        return channel

    def _check(self, channel: Channel) -> None:
        """Look at the tables of a channel that was just opened, and learn their moves. Raises `StoreTooNew`, `StoreCorrupt`."""
        channel.read(marked, self.path, self._format)
        wrong = channel.read(defect, self._format)
        if wrong is not None:
            wrong = looked_again(channel, StoreCorrupt(str(self.path), wrong), self._format, defect, self._format)
        if wrong is not None:
            raise StoreCorrupt(str(self.path), wrong, "sqlite_schema", promise="P11")
        self._learn(channel)

    def _learn(self, channel: Channel) -> None:
        """Read what the file keeps for ever."""
        raise NotImplementedError

    def _lead(self) -> None:
        """Lead a file of an older format to this one, where `furnish` does not."""

    def _prepare(self) -> None:
        """Have a file that is ours, of the newest schema; a long log that others left behind is copied with the first write."""
        create(self.path)
        look(self.path, self._readable)
        if only_read(self.path):
            return
        if not furnish(self.path, self._factory, self._format):
            self._lead()
            furnish(self.path, self._factory, self._format)
        if size_of(self.path.with_name(self.path.name + "-wal")) > WAL_PAGES * PAGE:
            self._unsaved = WAL_PAGES


class SqliteDb2(SqliteFile, Relational):
    """A store in one SQLite file of format 2, which is made where there is none; everything else is as in `SqliteDb`."""

    _sharing: Sharing[Boundary, Obstacle]

    def __init__(  # noqa: PLR0913  # as many keywords as a store has settings
        self,
        db_file: str | Path | None = None,
        *,
        durability: Literal["full", "normal"] = "full",
        db_url: str | None = None,
        lease: Seconds = LEASE_SECONDS,
        max_value_bytes: int | None = None,
        connection_factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        Relational.__init__(self)
        self.max_value_bytes: int | None = checked_bound(NAME, "max_value_bytes", max_value_bytes)
        SqliteFile.__init__(self, db_file, durability=durability, db_url=db_url, lease=lease, connection_factory=connection_factory)
        self._sharing = Sharing()

    def _forget(self) -> None:
        """Forget what was learned of the file."""
        Relational.__init__(self)

    def _learn(self, channel: Channel) -> None:
        """Read the numbers of the moves of the lifecycles."""
        self._moves.update(channel.read(legal_moves))

    def decide(self, decision: Decided, *others: Decided) -> Decided:
        """Store the one decision of a pause; its value may be large."""
        self._expect(decision.value, *[each.value for each in others])
        return super().decide(decision, *others)

    def commit(self, boundary: Boundary) -> Obstacle:
        """Store a boundary; or what stands against it, having stored nothing. Raises as `Relational.commit` does.

        It is committed alone, or, where others wait for the disk already, together with them.
        """
        self._expect_all(boundary)
        channel = self._channel()  # a forked child is refused here, and does not wait for a thread of its parent
        sharing = self._sharing
        if self.blocking and (sharing.queue or sharing.turn.locked()):
            return sharing.commit(boundary, self._commit_all)
        with sharing.turn if self.blocking else ALONE:  # one that slips in between waits for its turn, no more
            try:
                stored = channel.write(writing.commit, boundary, self._moves)
            except SUSPECT as met:
                stored = looked_again(channel, met, self._format, writing.commit, boundary, self._moves)
            self._grow(channel)
        return stored

    def _commit_all(self, boundaries: Sequence[Boundary]) -> list[Obstacle]:
        """Several boundaries in one transaction."""
        self._unsaved += PAGES_A_WRITE * (len(boundaries) - 1)
        return self._write(writing.commit_all, boundaries, self._moves)
