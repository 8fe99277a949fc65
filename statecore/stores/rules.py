"""What every store decides alike, written once: which decision counts, whose boundary is accepted, how the chain is linked. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from json import dumps

from statecore.core import DECISIONS
from statecore.errors import AlreadyDecided, ClaimLost, NotPaused, RunBusy, UnknownDecision
from statecore.lifecycles import RUN
from statecore.lifecycles import words as w

from .owner import alive
from .records import Boundary, Decided, Entry, Micros, Pause, Record

ENDED = RUN.final | {w.failed}
STATUS = {
    w.pending: "PENDING",
    w.running: "RUNNING",
    w.paused: "PAUSED",
    w.completed: "COMPLETED",
    w.cancelled: "CANCELLED",
    w.failed: "ERROR",
}
GENESIS = bytes(32)


def clock_text(time: Micros) -> str:
    """An instant as people read it, UTC."""
    return datetime.fromtimestamp(time / 1_000_000, UTC).isoformat(timespec="milliseconds")


def judge(pause: Pause, stored: Decided | None, new: Decided, phase: str) -> Decided | None:
    """The stored decision if `new` says the same, None if `new` is to be stored; otherwise a named refusal."""
    if stored is not None:
        if (stored.word, stored.value) == (new.word, new.value):
            return stored
        raise AlreadyDecided(pause.pause_id, stored.word, stored.by, clock_text(stored.time))
    if pause.closed is not None or phase in ENDED:
        raise NotPaused(pause.run_id, STATUS[phase])
    if new.word not in DECISIONS[pause.kind]:
        raise UnknownDecision(pause.pause_id, pause.kind, new.word, DECISIONS[pause.kind])
    return None


def check_claim(run_id: str, owner: str | None) -> bool:
    """Whether a run that is to be claimed was left by a dead owner. Raises `RunBusy` where the owner lives."""
    if owner is None:
        return False
    if alive(owner):
        raise RunBusy(run_id, owner)
    return True


def check_fence(boundary: Boundary, epoch: int, seq: int) -> None:
    """Raise `ClaimLost` unless the boundary continues what is stored."""
    if boundary.epoch != epoch or boundary.seq != seq:
        raise ClaimLost(boundary.run_id)


def heeds(boundary: Boundary, cancel_requested: Micros | None) -> bool:
    """Whether a boundary has to be made anew because a cancellation was requested."""
    return boundary.heeds_cancel and cancel_requested is not None


def link(previous: bytes, run_id: str, entry: Entry) -> bytes:
    """The next link of a run's chain: SHA-256 over the link before and every column of the row."""
    value = sha256(entry.body.value.encode()).hexdigest() if entry.body.value is not None else None
    columns = [run_id, entry.seq, entry.machine, entry.at, entry.turn, entry.attempt, entry.source, entry.trigger, entry.dest]
    row = dumps([*columns, entry.time, entry.body.detail, value], ensure_ascii=True, separators=(",", ":"))
    return sha256(previous + row.encode()).digest()


def ended(record: Record) -> bool:
    """Whether a run is over (a failed one may be reopened by a person)."""
    return record.state.run in ENDED
