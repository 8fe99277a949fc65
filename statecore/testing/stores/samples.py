"""Runs to test stores with, and the hooks by which a test gets its store.

A `Writer` commits boundaries as a driver would, without a workflow. `Fresh` and `Shared` are the bases of the test classes: a
store's author overrides `open_store` or `opener`, and a fixture opens a fresh store for each test.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, evolve, frozen

from statecore.core import BEGINNING, Cursor, OpenQuestion, Ref, State
from statecore.core.state import Turn
from statecore.lifecycles import RUN
from statecore.lifecycles import words as w
from statecore.lifecycles.decisions import AskKind
from statecore.stores.owner import host, this_process
from statecore.stores.records import NO_BODY, Body, Boundary, Claim, Decided, Entry, Identity, Pause, PauseFilter, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from statecore.core import Micros
    from statecore.stores.records import Record, RunStore

TIME = 1_700_000_000_000_000
"""When everything begins, in microseconds."""

ALIVE = this_process()
DEAD = f"{host()}/an-earlier-boot/1/1"
ELSEWHERE = "another-host/its-boot/1/1"
"""Owners: one that lives, one that is known to be dead, and one of which only its lease could tell."""

AWKWARD = {
    "empty": "",
    "NUL": '"a\x00b"',
    "escaped NUL": '"a\\u0000b"',
    "lone surrogate, escaped": '"\\ud800"',
    "pair, escaped": '"\\ud83d\\ude00"',
    "astral": '"\U0001f600"',
    "not normalised": '"e\u0301 \u00e9 \u212b"',
    "quotes": """'"'";--\\""",
    "line ends": "\r\n\n\r\u2028\u0085",
    "number": "00012.50",
    "null": "null",
    "wide": "x" * 70_000,
    "deep": "[" * 500 + "]" * 500,
    "byte order mark": "\ufeff1",
}
"""Texts that come back changed from a store that takes them for something else than texts."""

LONE = "a\ud800b"
"""A text that is no sequence of characters, so that no store can keep it."""
REF = Ref("first", (), 0)


def identity(run_id: str = "run-1", **parts: Any) -> Identity:
    """The identity of a run, with any part of it chosen; the fingerprint is that of its definition."""
    usual = Identity(run_id, "flow", "Flow", "session", None, TIME, '"in"', "{}", "{}", "0" * 64, '["flow"]', 1)
    chosen = evolve(usual, **parts)
    return chosen if "fingerprint" in parts else evolve(chosen, fingerprint=fingerprint_of(chosen.canonical))


def fingerprint_of(canonical: str) -> str:
    """The fingerprint of a definition: a store may refuse one that is not that of the text beside it."""
    return sha256(canonical.encode(errors="surrogatepass")).hexdigest()


@frozen
class Fired:
    """A row that was fired, before it has its place in a journal."""

    machine: str
    at: str
    source: str
    trigger: str
    dest: str
    body: Body = NO_BODY
    turn: Turn = ()
    attempt: int = 0


STARTED = Fired("run", "", w.pending, w.start, w.running)
PAUSED = Fired("run", "", w.running, w.pause, w.paused)
RESUMED = Fired("run", "", w.paused, w.resume, w.running)
COMPLETED = Fired("run", "", w.running, w.finish, w.completed)
FAILED = Fired("run", "", w.running, w.fail, w.failed)
CANCELLED = Fired("run", "", w.paused, w.cancel, w.cancelled)


def entered(at: str, **parts: Any) -> Fired:
    """A step begins."""
    return Fired("step", at, w.pending, w.enter, w.running, **parts)


def succeeded(at: str, value: str | None = "null", detail: str = "", **parts: Any) -> Fired:
    """A step has ended well."""
    return Fired("step", at, w.running, w.succeed, w.completed, Body(detail, value), **parts)


def gated(at: str, **parts: Any) -> Fired:
    """A step waits for a person."""
    return Fired("step", at, w.pending, w.enter, w.awaiting_confirmation, **parts)


def confirmed(at: str, **parts: Any) -> Fired:
    """A person has let it run."""
    return Fired("step", at, w.awaiting_confirmation, w.confirm, w.running, **parts)


def question(run_id: str, at: str = "gate", opened: Micros = TIME, kind: AskKind = "confirmation", **parts: Any) -> Pause:
    """A pause, named as the core names it."""
    turn, attempt = parts.pop("turn", ()), parts.pop("attempt", 0)
    pause_id = OpenQuestion(kind, at, turn, attempt, put=parts.pop("put", 1)).pause_id
    return evolve(Pause(run_id, pause_id, kind, at, turn, attempt, at, "Go on?", opened), **parts)


def answer(pause: Pause, word: str = "confirm", **parts: Any) -> Decided:
    """A decision of a pause."""
    return evolve(Decided(pause.run_id, pause.pause_id, word, TIME + 5, None, "ann", "looks good"), **parts)


def renewed(at: str, **parts: Any) -> Fired:
    """A question is put again."""
    return Fired("step", at, w.awaiting_confirmation, w.renew, w.awaiting_confirmation, **parts)


def beginning(identity: Identity, session_state: str = "{}", owner: str = ALIVE, lease: Micros | None = None) -> Boundary:
    """The boundary of no rows that begins a run, claimed by an owner."""
    claim = Claim(owner, identity, session_state)
    return Boundary(identity.run_id, 1, 0, identity.created, BEGINNING, (), {}, lease=lease, claim=claim)


def claiming(record: Record, owner: str = ALIVE, time: Micros = TIME, lease: Micros | None = None) -> Boundary:
    """The boundary of no rows that claims a stored run as it was read; a cancellation that waits is no obstacle."""
    run_id, epoch = record.identity.run_id, record.epoch + 1
    claim = Claim(owner)
    return Boundary(run_id, epoch, record.seq, time, record.state, (), record.held, heeds_cancel=False, lease=lease, claim=claim)


def begin(
    store: RunStore, identity: Identity, session_state: str = "{}", owner: str = ALIVE, lease: Micros | None = None
) -> Record:
    """Begin a run, and return it as it stands. Raises `DuplicateStart`, `DuplicateRun`."""
    assert store.commit(beginning(identity, session_state, owner, lease)) is False, "the store did not begin the run"  # noqa: S101  # a test's helper
    return store.load(identity.run_id)


def claim(store: RunStore, run_id: str, owner: str = ALIVE, time: Micros = TIME, lease: Micros | None = None) -> Record:
    """Claim a run as it stands, and return it. Raises `UnknownRun`, `RunBusy`."""
    assert store.commit(claiming(store.load(run_id), owner, time, lease)) is False, "the store did not claim the run"  # noqa: S101  # a test's helper
    return store.load(run_id)


@define
class Writer:
    """One claimed run: it knows its epoch, where its journal ends, and makes boundaries that continue it."""

    store: RunStore
    run_id: str
    epoch: int = 1
    seq: int = 0
    state: State = BEGINNING

    def boundary(self, *fired: Fired, **parts: Any) -> Boundary:
        """The next boundary, with any part of it chosen. The run is where the last row of its lifecycle led."""
        time = parts.pop("time", TIME + self.seq + 1)
        entries = [
            Entry(self.seq + n, row.machine, row.at, row.turn, row.attempt, row.source, row.trigger, row.dest, time, row.body)
            for n, row in enumerate(fired, 1)
        ]
        where = next((row.dest for row in reversed(fired) if row.machine == RUN.name), self.state.run)
        cursors = tuple(Cursor(row.at, row.dest, row.turn, row.attempt) for row in fired if row.machine != RUN.name)[-1:]
        usual = Boundary(self.run_id, self.epoch, self.seq, time, State(where, cursors), tuple(entries), {})
        return usual._replace(**parts)

    def commit(self, *fired: Fired, **parts: Any) -> Boundary:
        """Commit the next boundary, and return it."""
        boundary = self.boundary(*fired, **parts)
        assert self.store.commit(boundary) is False, "the store did not say that it stored the boundary"  # noqa: S101  # a test's helper
        self.seq, self.state = boundary.seq + len(boundary.entries), boundary.state
        return boundary

    def claim(self, owner: str = ALIVE) -> Writer:
        """Claim the run again."""
        record = claim(self.store, self.run_id, owner)
        self.epoch, self.seq, self.state = record.epoch, record.seq, record.state
        return self


def started(store: RunStore, run_id: str = "run-1", **parts: Any) -> Writer:
    """A run whose first step is running."""
    owner = parts.pop("owner", ALIVE)
    begin(store, identity(run_id, **parts), "{}", owner)
    writer = Writer(store, run_id)
    writer.commit(STARTED, entered("first"))
    return writer


def asked(store: RunStore, run_id: str = "run-1", *questions: Pause, **parts: Any) -> Writer:
    """A run that waits for people, unclaimed."""
    begin(store, identity(run_id, **parts))
    writer = Writer(store, run_id)
    opened = questions or (question(run_id),)
    writer.commit(STARTED, *[gated(pause.at, turn=pause.turn) for pause in opened], PAUSED, opened=opened, parks=True)
    return writer


def everything(store: RunStore, run_id: str) -> tuple[Any, ...]:
    """All that a store tells of a run, to be compared."""
    waiting: list[Waiting] = store.pauses(PauseFilter(run_id=run_id, undecided_only=False, limit=10_000))
    return store.load(run_id), store.journal(run_id), store.head(run_id), store.decisions(run_id), waiting


class Fresh:
    """A fresh store for each test."""

    def open_store(self, folder: Path) -> RunStore:
        """An empty store that keeps what it keeps in an empty folder."""
        raise NotImplementedError

    def keeps_name(self, text: str) -> bool:
        """Whether the store keeps a text as an id, an address or a name; it refuses another one as `UnstorableValue`."""
        del text
        return True

    def keeps_key(self, text: str) -> bool:
        """Whether the store keeps a text as an idempotency key; it refuses another one as `UnstorableValue`."""
        del text
        return True

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[RunStore]:
        """The store under test; closed when the test is over."""
        store = self.open_store(tmp_path)
        yield store
        store.close()


class Shared(Fresh):
    """A fresh store for each test that can be opened again, here and in other processes."""

    def opener(self, folder: Path) -> Callable[[], RunStore]:
        """A function that opens the store of a folder at each call. It is pickled into other processes."""
        raise NotImplementedError

    def open_store(self, folder: Path) -> RunStore:
        """The store, opened here."""
        return self.opener(folder)()

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Iterator[Callable[[], RunStore]]:
        """A function that opens the store under test once more; closed when the test is over."""
        opened: list[RunStore] = []

        def once_more() -> RunStore:
            opened.append(self.opener(tmp_path)())
            return opened[-1]

        yield once_more
        for store in opened:
            store.close()
