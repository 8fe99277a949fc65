"""T5: a worker is stopped in the middle, its lease ends, somebody else finishes its run, and it wakes: nothing that it does then is stored.

It stops itself at a moment that is counted down to: before a statement, when it asks the clock, or inside a step. Whoever takes over has a
clock that is two leases ahead; a last batch at full size waits for two leases by real clocks. Where the worker holds the writer's place, others
are told so by name, and it goes on itself.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from attrs import define, evolve, field

from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError, StoreUnavailable
from statecore.runtime import Host
from statecore.stores.owner import SKEW, seen
from statecore.stores.sqlite import channel
from tests.faults import scenarios
from tests.faults.crowd import PATIENCE, Pipe, Worker
from tests.faults.effects import Effect, effects, note
from tests.faults.invariants import Evidence, violations
from tests.faults.report import Order, Tally
from tests.faults.scenarios import RUN, SCENARIOS, flow, to_the_end

LEASE = 1.0
AHEAD = int(2 * LEASE * 1_000_000) + SKEW

TOLD = {"", "ClaimLost", "RunBusy", "NotPaused", "AlreadyDecided", "Undecided", "DuplicateRun"}
"""What a worker may hear that wakes: nothing, where all was done, or that somebody else was there. Not that the store is damaged."""


class Stopping(sqlite3.Connection):
    """A connection of a process that stops itself when the moment has come."""

    left = 0
    between = False  # whether only moments count at which nobody else is kept out

    def execute(self, *args: Any) -> sqlite3.Cursor:
        if not (self.between and self.in_transaction):
            moment()
        return super().execute(*args)

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        if not (self.between and self.in_transaction):
            moment()
        return super().executemany(*args)


def moment() -> None:
    """One more moment: stop here if it is the one."""
    Stopping.left -= 1
    if Stopping.left == 0:
        os.kill(os.getpid(), signal.SIGSTOP)


def counted(act: Callable[..., Any]) -> Callable[..., Any]:
    """The same, and a moment after it."""

    def acted(*args: Any) -> Any:
        answer = act(*args)
        moment()
        return answer

    return acted


def work_on(pipe: Pipe, file: Path, name: str, at: int, between: bool) -> None:
    """The worker: it says what it was told, and at last how it ended."""
    scenarios.note = counted(note)  # type: ignore[attr-defined]  # steps take it from there
    db = SqliteDb(file, durability="normal", lease=LEASE, connection_factory=Stopping)
    workflow = flow(SCENARIOS[name], db, file.with_suffix(".log"))
    workflow.host = evolve(workflow.host, clock=counted(Host(db).clock))
    db.definition("")  # opens it
    Stopping.left, Stopping.between = at, between
    try:
        to_the_end(workflow, SCENARIOS[name], lambda *words: pipe.send(words))
        pipe.send(("ended", ""))
    except StatecoreError as error:
        pipe.send(("ended", type(error).__name__))
    except Exception as error:  # noqa: BLE001  # I11 is about these
        pipe.send(("ended", f"!{type(error).__name__}: {error}"))
    Stopping.left = 0  # it has come to its end: nobody would wake it from what closing executes
    db.close()


@define
class Trial:
    """One worker, its store, and what is known of it."""

    file: Path
    name: str
    at: int
    between: bool = False
    told: list[tuple[Any, ...]] = field(factory=list)
    ended: str | None = None
    worker: Worker | None = None

    @property
    def log(self) -> Path:
        """What was done in the world."""
        return self.file.with_suffix(".log")

    def begin(self) -> bool:
        """Let it work until it stops; False where it came to its end instead."""
        db = SqliteDb(self.file, durability="normal")
        db.definition("")  # makes the file
        db.close()
        self.worker = Worker(work_on, self.file, self.name, self.at, self.between)
        deadline = monotonic() + PATIENCE
        while self.ended is None:
            if self.worker.pipe.poll(0.002):
                self.hear()
            elif seen(int(self.worker.process.pid or 0))[0] == "T":
                return True
            assert monotonic() < deadline, f"{self.name} at {self.at} neither stops nor ends"
        self.worker.close()
        return False

    def hear(self) -> None:
        """One more thing that it says."""
        assert self.worker is not None
        words = self.worker.hear()
        if words[0] == "ended":
            self.ended = words[1]
        else:
            self.told.append(words)

    def wake(self) -> None:
        """Let it go on to its end."""
        assert self.worker is not None
        os.kill(int(self.worker.process.pid or 0), signal.SIGCONT)
        while self.ended is None:
            self.hear()
        self.worker.close()

    def finish(self, ahead: int) -> tuple[list[str], str]:
        """Take the run over, wake the worker, and look: what is wrong, and what became of the takeover."""
        scenario, wrong, became = SCENARIOS[self.name], list[str](), "taken over"
        db = SqliteDb(self.file, durability="normal", lease=LEASE)
        workflow = flow(scenario, db, self.log)
        workflow.host = evolve(workflow.host, clock=lambda: Host(db).clock() + ahead)
        before, known = None, len(effects(self.log))
        try:
            with impatient():
                to_the_end(workflow, scenario, lambda *words: self.told.append(words))
            before, known = rows(self.file), len(effects(self.log))
        except StoreUnavailable:
            became = "locked out"
        self.wake()
        if before is not None and rows(self.file) != before:
            wrong.append("P6 the store is another one since the worker woke")
        if self.ended not in TOLD:
            wrong.append(f"I11 the worker that woke was told: {self.ended}")
        status = to_the_end(workflow, scenario, lambda *words: self.told.append(words))
        mine, late = parted(effects(self.log), known if before is not None else None)
        if len(late) > scenario.branches:
            wrong.append(f"P6 the worker began {len(late)} steps after it woke: {late}")
        wrong += violations(Evidence(workflow, scenario, RUN, mine, self.told, 1, status))
        db.close()
        return wrong, became


def parted(every: list[Effect], known: int | None) -> tuple[list[Effect], list[Effect]]:
    """What was done, and which calls a worker began that woke: one call for each branch had been announced before it was stopped."""
    if known is None:
        return every, []
    return every[:known], [each for each in every[known:] if each.kind == "start"]


def rows(file: Path) -> list[Any]:
    """Every row of every table."""
    connection = sqlite3.connect(file)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        return [connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables]  # noqa: S608  # our tables
    finally:
        connection.close()


@contextmanager
def impatient() -> Iterator[None]:
    """Whoever finds the writer's place taken waits a moment here, not half a minute."""
    before = channel.SETTINGS["busy_timeout"]
    channel.SETTINGS["busy_timeout"] = 100
    try:
        yield
    finally:
        channel.SETTINGS["busy_timeout"] = before


def run(order: Order) -> Tally:
    """Stopped at moments of every scenario: at each of them at full size, and then many at once, by real clocks."""
    tally, random = Tally(), order.random
    for name in random.sample(sorted(SCENARIOS), order.of(5, 10, 10)):
        for between, step in ((True, order.of(1000, 5, 1)), (False, order.of(0, 20, 1))):
            at = random.randint(1, min(step, 12)) if step else 0
            while step and not order.over:
                trial = Trial(order.folder / f"{name}-{at}-{between}.db", name, at, between)
                if not trial.begin():
                    break
                wrong, became = trial.finish(AHEAD)
                where = "between transactions" if between else "anywhere"
                tally.add(f"{became}, stopped {where}", wrong, f"T5 {name}, stopped {where}, at moment {at}")
                at += step
    if order.size == "full":
        together(order, tally)
    tally.cut_short = order.over
    return tally


def together(order: Order, tally: Tally) -> None:
    """Each scenario three times, stopped at once for two leases and the difference that clocks may have."""
    random = order.random
    trials = [Trial(order.folder / f"real-{name}-{n}.db", name, random.randint(1, 60)) for name in SCENARIOS for n in range(3)]
    stopped = [trial for trial in trials if trial.begin()]
    over = monotonic() + AHEAD / 1_000_000
    while monotonic() < over:
        stopped[0].worker.pipe.poll(0.1)  # type: ignore[union-attr]  # `begin` made it
    for trial in stopped:
        wrong, became = trial.finish(0)
        tally.add(f"{became}, by real clocks", wrong, f"T5 {trial.name}, stopped at moment {trial.at}, by real clocks")
