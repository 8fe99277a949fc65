"""`Ledger`: the store inside a run's workflow. It holds that run in memory, and Temporal rebuilds it by replay: as durable as the history."""

from __future__ import annotations

from base64 import b64decode, b64encode
from json import dumps, loads
from typing import TYPE_CHECKING, Any
from zlib import compress, decompress

from attrs import evolve, frozen

from statecore.stores import Decided, Entry, InMemoryDb, Pause, PauseFilter, Waiting
from statecore.stores.detail import detail_of
from statecore.stores.kept import Kept
from statecore.stores.rules import place_of
from statecore.temporal.wire import Plain, plain_head, read, read_head, row

if TYPE_CHECKING:
    from statecore.stores import Identity

ALL = PauseFilter(undecided_only=False, limit=1_000_000)


@frozen
class Page:
    """A piece of a run's past: rows, and pauses that are over with their decisions."""

    rows: list[Entry]
    pauses: list[tuple[Pause, Decided | None]]

    def text(self) -> str:
        """The page, compressed, as ASCII."""
        plain = [[row(each) for each in self.rows], [plain_waiting(*each) for each in self.pauses]]
        return b64encode(compress(dumps(plain, separators=(",", ":")).encode())).decode()

    @classmethod
    def of(cls, text: str) -> Page:
        """The page of a text."""
        rows, pauses = loads(decompress(b64decode(text)))
        return cls([read(Entry, each) for each in rows], [read_waiting(each) for each in pauses])


def plain_waiting(pause: Pause, decided: Decided | None) -> list[Any]:
    """A pause with its decision, if there is one."""
    return [row(pause), None if decided is None else row(decided)]


def read_waiting(plain: list[Any]) -> tuple[Pause, Decided | None]:
    """The same from its row."""
    pause, decided = plain
    return read(Pause, pause), None if decided is None else read(Decided, decided)


class Ledger(InMemoryDb):
    """The store of one run. `moved` names the pages of its past that lie in the values store, each with the number of its last row.

    `kept_changes` are the changes of the session state that wait for a review, of rows that were moved.
    """

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id
        self.moved: list[tuple[int, str]] = []
        self.kept_changes: dict[int, str] = {}

    @property
    def kept(self) -> Kept:
        """The run."""
        return self._runs[self.run_id]

    def copy(self) -> Ledger:
        """A ledger for one question: what is decided on it is decided nowhere else."""
        other = Ledger(self.run_id)
        other._runs = {self.run_id: evolve(self.kept, decisions=dict(self.kept.decisions))}  # its own class
        return other

    # -- what is asked of a run ----------------------------------------------------------------------------------------------------

    def told(self) -> Plain:
        """The run as it stands, and what people owe it."""
        return {"head": plain_head(self.load(self.run_id)), "pauses": self.open_pauses()}

    def open_pauses(self) -> list[list[Any]]:
        """The open pauses, decided or not."""
        return [plain_waiting(each.pause, each.decided) for each in self.pauses(ALL)]

    def all_pauses(self) -> list[list[Any]]:
        """Every pause that is here, open or not."""
        return [plain_waiting(pause, self.kept.decisions.get(name)) for name, pause in self.kept.pauses.items()]

    def waiting(self, pause_id: str) -> Waiting | None:
        """One pause."""
        return self.pause(self.run_id, pause_id)

    # -- carrying a run into its next execution ---------------------------------------------------------------------------------------

    def past(self) -> Page:
        """All that could be moved elsewhere: the rows, and the pauses that are over."""
        over = [(each, self.kept.decisions.get(name)) for name, each in self.kept.pauses.items() if name not in self.kept.open_at]
        return Page(self.kept.entries, over)

    def move(self, names: list[tuple[int, str]]) -> None:
        """The past lies elsewhere from now on."""
        kept, held = self.kept, set(self.kept.held.values())
        changes = {row.seq: detail_of(row.body.detail).session for row in kept.entries if row.seq in held}
        self.kept_changes |= {seq: change for seq, change in changes.items() if change is not None}
        self.kept_changes = {seq: change for seq, change in self.kept_changes.items() if seq in held}
        kept.elsewhere, kept.entries = kept.seq, []
        kept.pauses = {name: pause for name, pause in kept.pauses.items() if name in kept.open_at}
        kept.decisions = {name: each for name, each in kept.decisions.items() if name in kept.pauses}
        self.moved = [*self.moved, *names]

    def carried(self, past: str) -> Plain:
        """The run as its next execution begins with it; `past` is the text of the past that was not moved."""
        told = self.told()
        carried = {**told, "past": past, "elsewhere": self.kept.elsewhere, "moved": [list(each) for each in self.moved]}
        return {**carried, "changes": [list(each) for each in self.kept_changes.items()]} if self.kept_changes else carried

    @classmethod
    def carrying(cls, identity: Identity, carried: Plain) -> Ledger:
        """The ledger of a run that an earlier execution carried on."""
        record, page = read_head(identity, carried["head"]), Page.of(carried["past"])
        ledger = cls(identity.run_id)
        kept = Kept(identity, 1, record.session_state, record.updated, record.owner, record.lease, record.state, record.held)
        kept.epoch, kept.cancel_by, kept.cancel_requested = record.epoch, record.cancel_by, record.cancel_requested
        kept.entries, kept.elsewhere = page.rows, carried["elsewhere"]
        opened = [read_waiting(each) for each in carried["pauses"]]
        kept.open_at = {pause.pause_id: place_of(pause) for pause, _ in opened}
        for pause, decided in [*page.pauses, *opened]:
            kept.pauses[pause.pause_id] = pause
            if decided is not None:
                kept.decisions[pause.pause_id] = decided
        ledger._runs[identity.run_id] = kept
        ledger.kept_changes = dict(carried.get("changes", []))
        ledger.moved = [(seq, name) for seq, name in carried["moved"]]
        return ledger
