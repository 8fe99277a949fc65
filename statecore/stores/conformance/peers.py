"""What other processes do in the tests of shared stores. It needs no pytest, so that they start quickly."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from statecore.errors import DuplicateStart, StatecoreError
from statecore.stores.owner import this_process

from .samples import STARTED, TIME, Writer, answer, entered, identity, question, succeeded

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

    from statecore.stores.records import Store


def decide_all(opener: Callable[[], Store], ready: Barrier, told: Connection, who: int, rounds: int) -> None:
    """Decide one pause after the other at the same moment as the others, and tell what was answered."""
    store = opener()
    said = []
    for n in range(rounds):
        ready.wait(60)
        try:
            decided = store.decide(answer(question(f"run-{n}"), value=str(who), by=f"by-{who}"))
            said.append(("decided", decided.by))
        except StatecoreError as refusal:
            said.append((type(refusal).__name__, getattr(refusal, "by", None)))
    told.send(said)
    store.close()


def claim_all(opener: Callable[[], Store], ready: Barrier, told: Connection, _who: int, rounds: int) -> None:
    """Claim one free run after the other at the same moment as the others, store a boundary of it, and tell how it went."""
    store = opener()
    said = []
    for n in range(rounds):
        ready.wait(60)
        try:
            record, _ = store.claim(f"run-{n}", this_process(), TIME)
            Writer(store, f"run-{n}", record.epoch, record.seq, record.state).commit(succeeded("first", f'"{os.getpid()}"'))
            said.append(("stored", os.getpid()))
        except StatecoreError as refusal:
            said.append((type(refusal).__name__, os.getpid()))
    ready.wait(60)  # whoever leaves sooner is dead, and taken over
    told.send(said)
    store.close()


def begin_all(opener: Callable[[], Store], ready: Barrier, told: Connection, who: int, rounds: int) -> None:
    """Open the store at the same moment as the others, where there is none yet, and begin runs of one's own."""
    ready.wait(60)
    store = opener()
    for n in range(rounds):
        store.begin(identity(f"run-{who}-{n}"), "{}", this_process())
    told.send([("begun", who)] * rounds)
    store.close()


def begin_one_all(opener: Callable[[], Store], ready: Barrier, told: Connection, who: int, rounds: int) -> None:
    """Begin runs with the same keys at the same moments as the others, each under ids of one's own, and tell which run there is now."""
    store = opener()
    said = []
    for n in range(rounds):
        ready.wait(60)
        try:
            said.append(("begun", store.begin(identity(f"run-{who}-{n}", key=f"key-{n}"), "{}", this_process()).identity.run_id))
        except DuplicateStart as refusal:
            said.append(("told", refusal.run_id))
    told.send(said)
    store.close()


def write_on(opener: Callable[[], Store], told: Connection, run_id: str) -> None:
    """Claim a run, and store one boundary after the other, telling of each once it is stored, until somebody kills this process."""
    store = opener()
    record, doubtful = store.claim(run_id, this_process(), TIME, TIME)
    told.send((doubtful, record.seq))
    writer = Writer(store, run_id, record.epoch, record.seq, record.state)
    while True:
        writer.commit(succeeded(f"s{writer.seq}", f'"{writer.seq}"'), entered(f"s{writer.seq + 2}"))
        told.send((None, writer.seq))


def write_and_die(opener: Callable[[], Store], told: Connection, boundaries: int) -> None:
    """Claim a run, tell of each boundary once it is stored, and be killed in the middle of the next."""
    store = opener()
    store.begin(identity(), "{}", this_process())
    writer = Writer(store, "run-1")
    writer.commit(STARTED, entered("s0"))
    for n in range(boundaries):
        writer.commit(succeeded(f"s{n}", f'"{n}"'), entered(f"s{n + 1}"))
        told.send(n)
    os.kill(os.getpid(), signal.SIGKILL)
