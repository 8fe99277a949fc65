"""`SqliteDb` keeps runs in one file of a local disk, for any number of threads and processes of one machine.

Each method is one transaction of its thread's `channel`: `reading` and `writing` hold the SQL. What may not happen is refused by the
tables themselves (`schema.sql`, `schema-2.sql`); what is decided, by `rules`, as in every store.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from threading import Lock, local
from typing import TYPE_CHECKING, Concatenate, Literal, ParamSpec, TypeVar
from weakref import WeakSet

from statecore.errors import StoreCorrupt, StoreForked, StoreUnavailable, UnsupportedSetting

from . import reading, writing
from .channel import CLOSED, DURABILITY, Channel
from .opening import create, furnish, look
from .records import Boundary, Decided, Entry, Identity, Micros, PauseFilter, Record, RunFilter, Text, Waiting
from .rules import LEASE_SECONDS, check_beginning
from .schema import defect, legal_moves

if TYPE_CHECKING:
    from collections.abc import Callable

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

NAME = "SqliteDb"
DEFAULT_FILE = "statecore.db"
URL = "sqlite:///"
WAL_PAGES = 4000
"""How long the write-ahead log may grow before it is copied into the file: about 16 MB."""
PAGE, PAGES_A_WRITE = 4096, 6


def chosen_file(db_file: str | Path | None, db_url: str | None) -> Path:
    """The file that the constructor's words name, whatever the working directory will be. Raises `UnsupportedSetting`."""
    if db_url is not None:
        if db_file is not None or not db_url.startswith(URL):
            raise UnsupportedSetting(NAME, f"db_url={db_url!r}", f"it is {URL}path/to/file.db, and db_file is left out then")
        db_file = db_url.removeprefix(URL)
    if str(db_file) in ("", ":memory:"):
        raise UnsupportedSetting(NAME, f"db_file={db_file!r}", "it keeps a file; InMemoryDb keeps runs in memory")
    return Path(db_file or DEFAULT_FILE).resolve()


class SqliteDb:
    """A store in one SQLite file, which is made where there is none.

    The constructor only looks: it refuses a file that is another program's, a newer release's or damaged. The first use opens it, so
    that a store made before a fork may be used in the children, as long as the parent has not used it; after that it is the
    parent's own.

    `durability="full"` waits for the disk at each commit; "normal" does not, and may lose the last commits before a power cut, but
    nothing when a process dies. `lease` is how many seconds a claim lasts that is not renewed: how long a run waits whose owner is
    on another host and went away; on this host a dead owner is known at once. `connection_factory` makes the connections, for tests that inject faults.
    """

    path: Path
    lease: float
    blocking: bool

    def __init__(
        self,
        db_file: str | Path | None = None,
        *,
        durability: Literal["full", "normal"] = "full",
        db_url: str | None = None,
        lease: float = LEASE_SECONDS,
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
        self._moves: dict[tuple[str, str, str, str], int] = {}
        self._definitions: dict[str, Text] = {}
        self._unsaved = 0
        self._closed = False
        look(self.path)

    def __repr__(self) -> str:
        """The store, and its file."""
        return f"SqliteDb(db_file={str(self.path)!r}, durability={self.durability!r})"

    # -- runs --------------------------------------------------------------------------------------------------------------------

    def begin(self, identity: Identity, session_state: Text, owner: str, lease: Micros | None = None) -> Record:
        """Store a new run, claimed by `owner`. Raises `DuplicateRun`."""
        check_beginning(identity, session_state)
        self._expect(identity.input, identity.additional_data, identity.metadata, session_state)
        return self._write(writing.begin, identity, session_state, owner, lease, self._definitions)

    def load(self, run_id: str) -> Record:
        """The run as it stands. Raises `UnknownRun`."""
        return self._channel().read(reading.record, run_id, self._definitions)

    def claim(self, run_id: str, owner: str, time: Micros, lease: Micros | None = None) -> tuple[Record, bool]:
        """Take the run for execution. Raises `UnknownRun`, `RunBusy`."""
        return self._write(writing.claim, run_id, owner, time, lease, self._definitions)

    def renew(self, run_id: str, epoch: int, lease: Micros) -> None:
        """Let a claim last longer. Raises `UnknownRun`, `ClaimLost`."""
        self._write(writing.renew, run_id, epoch, lease)

    def commit(self, boundary: Boundary) -> bool:
        """Store a boundary; True, having stored nothing, where a cancellation waits.

        Raises `UnknownRun`, `ClaimLost`, `AlreadyDecided`, `RefusedBoundary`.
        """
        self._expect(boundary.session_state, *[entry.body.value for entry in boundary.entries])
        if boundary.claim is not None and boundary.claim.identity is not None:
            new, state = boundary.claim.identity, boundary.claim.session_state
            check_beginning(new, state)
            self._expect(new.input, new.additional_data, new.metadata, state)
        return self._write(writing.commit, boundary, self._moves)

    def release(self, run_id: str, epoch: int) -> None:
        """Give a claim back, if it is still this one."""
        self._write(writing.release, run_id, epoch)

    def request_cancel(self, run_id: str, by: str | None, time: Micros) -> Record:
        """Mark the run to be cancelled at its next boundary. Raises `UnknownRun`."""
        return self._write(writing.request_cancel, run_id, by, time, self._definitions)

    def runs(self, wanted: RunFilter) -> list[Record]:
        """Runs, most recently changed first."""
        return self._channel().read(reading.runs, wanted, self._definitions)

    # -- pauses ------------------------------------------------------------------------------------------------------------------

    def decide(self, decision: Decided) -> Decided:
        """Store the one decision of a pause. Raises `UnknownRun`, `UnknownPause`, `UnknownDecision`, `AlreadyDecided`, `NotPaused`."""
        self._expect(decision.value)
        return self._write(writing.decide, decision)

    def decisions(self, run_id: str) -> list[Decided]:
        """All decisions of a run, in the order of their pauses."""
        return self._channel().read(reading.decisions, run_id)

    def pauses(self, wanted: PauseFilter) -> list[Waiting]:
        """The inbox: open pauses of runs that have not ended, oldest first."""
        return self._channel().read(reading.inbox, wanted)

    def pause(self, run_id: str, pause_id: str) -> Waiting | None:
        """One pause, open or closed."""
        return self._channel().read(reading.pause, run_id, pause_id)

    # -- journals ----------------------------------------------------------------------------------------------------------------

    def journal(self, run_id: str, after: int = 0, upto: int | None = None) -> list[Entry]:
        """The rows of a run with seq in (after, upto], in order. Raises `UnknownRun`."""
        return self._channel().read(reading.journal, run_id, after, upto)

    def session_state(self, session_id: str, workflow_id: str) -> Text | None:
        """The session state as the run of a session left it that was executed last."""
        return self._channel().read(reading.session_state, session_id, workflow_id)

    def definition(self, fingerprint: str) -> Text | None:
        """The canonical form of a workflow that some run has or had; None where there is none."""
        return self._channel().read(reading.definition, fingerprint)

    def head(self, run_id: str) -> str:
        """The chain's last link."""
        return self._channel().read(reading.head, run_id)

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

    def _write(
        self, work: Callable[Concatenate[sqlite3.Connection, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """One transaction of this thread's channel."""
        channel = self._channel()
        answer = channel.write(work, *args, **more)
        self._unsaved += PAGES_A_WRITE
        if self._unsaved > WAL_PAGES:
            self._save(channel)
        return answer

    def _expect(self, *texts: Text | None) -> None:
        """Count the pages that large values will add to the log."""
        for text in texts:
            if text is not None and len(text) > PAGE:
                self._unsaved += len(text) // PAGE

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
            if self._pid is None:
                self._prepare()
            channel = Channel(self.path, self.durability, self._factory)
            self._channels.add(channel)
            wrong = channel.read(defect)
            if wrong is not None:
                channel.close()
                raise StoreCorrupt(str(self.path), wrong)
            self._moves.update(channel.read(legal_moves))
            self._pid = channel.pid
            self._mine.channel = channel
        return channel

    def _prepare(self) -> None:
        """Have a file that is ours, of the newest schema; a long log that others left behind is copied with the first write."""
        create(self.path)
        look(self.path)
        furnish(self.path, self._factory)
        log = self.path.with_name(self.path.name + "-wal")
        if log.exists() and log.stat().st_size > WAL_PAGES * PAGE:
            self._unsaved = WAL_PAGES
