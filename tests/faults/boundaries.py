"""T1: a fault at every statement of ten scenarios. The process is gone before or after it, or the disk fails (EIO) or is full (ENOSPC)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError
from tests.faults.effects import effects
from tests.faults.invariants import Evidence, lost, violations
from tests.faults.report import Order, Tally
from tests.faults.scenarios import RUN, SCENARIOS, Scenario, flow, gone, to_the_end

OPENED = 88
"""How many statements a store is opened with, about: a dense look at what comes after them begins here."""

FAULTS = ("kill-before", "kill-after", "EIO", "ENOSPC")
CODES = {"EIO": (sqlite3.SQLITE_IOERR, "disk I/O error"), "ENOSPC": (sqlite3.SQLITE_FULL, "database or disk is full")}


class Gone(BaseException):  # the process is no more
    pass


class Struck(sqlite3.Connection):
    """A connection on which one statement, counted down to, meets a fault."""

    left = 0
    fault = ""
    dead = False

    def execute(self, *args: Any) -> sqlite3.Cursor:
        return struck(lambda: super(Struck, self).execute(*args))

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        return struck(lambda: super(Struck, self).executemany(*args))


def struck(act: Any) -> sqlite3.Cursor:
    """Act, or meet the fault that is due."""
    if Struck.dead:
        raise Gone
    Struck.left -= 1
    if Struck.left != 0 or not Struck.fault:
        return act()
    if Struck.fault in CODES:
        code, text = CODES[Struck.fault]
        error = sqlite3.OperationalError(text)
        error.sqlite_errorcode = code
        raise error
    if Struck.fault == "Ctrl-C":
        raise KeyboardInterrupt
    if Struck.fault == "kill-after":
        act()
    Struck.dead = True
    raise Gone


def point(folder: Path, scenario: Scenario, fault: str, at: int) -> tuple[list[str], bool]:
    """Strike one scenario at one statement, go on without faults, and look: the violations, and whether the fault was met at all."""
    file, log = folder / f"{scenario.name}-{fault}-{at}.db", folder / f"{scenario.name}-{fault}-{at}.log"
    told: list[tuple[Any, ...]] = []
    Struck.left, Struck.fault, Struck.dead = at, fault, False
    wrong, dies = [], fault not in CODES
    store = None
    try:
        store = SqliteDb(file, durability="normal", connection_factory=Struck)
        to_the_end(flow(scenario, store, log, owner=gone() if dies else None), scenario, lambda *words: told.append(words))
    except (Gone, StatecoreError):
        pass
    except Exception as error:  # noqa: BLE001  # I11 is about these
        wrong.append(f"I11 {type(error).__name__}: {error}")
    met = Struck.left <= 0
    Struck.left, Struck.fault, Struck.dead = 0, "", False
    if store is not None and dies:
        store.close()
    after = SqliteDb(file, durability="normal")
    workflow = flow(scenario, after, log)
    try:
        wrong += lost(workflow, scenario, told)
        status = to_the_end(workflow, scenario, lambda *words: told.append(words))
        wrong += violations(Evidence(workflow, scenario, RUN, effects(log), told, 1, status))
    except Exception as error:  # noqa: BLE001  # a run that cannot go on is what is looked for
        wrong.append(f"I10 {type(error).__name__}: {error}")
    after.close()
    if store is not None:
        store.close()
    for path in folder.glob(f"{scenario.name}-{fault}-{at}.*"):
        path.unlink()
    return wrong, met


def run(order: Order) -> Tally:
    """Every statement of every scenario, or some of them; a sample strikes the opening of a store, the same in all, in the first alone."""
    tally = Tally()
    for number, scenario in enumerate(SCENARIOS.values()):
        # a little further on in each, so that not all are struck at the same places
        opening = OPENED + 3 * number if number and order.size == "sample" else 0
        for fault in FAULTS:
            at, step = 1 + order.random.randrange(9), order.of(179, 7, 1)
            at = opening + at if step > 1 else 1
            while not order.over:
                wrong, met = point(order.folder, scenario, fault, at)
                if not met:
                    break
                tally.add(fault, wrong, f"T1 {scenario.name} {fault} at {at}")
                at += step
    tally.cut_short = order.over
    return tally


def dense(order: Order) -> Tally:
    """Death before every statement of two scenarios after the store was opened, until something is wrong: for deliberate faults."""
    tally = Tally()
    for name, fault in (("approve", "kill-before"), ("cancel", "kill-before"), ("reject", "EIO")):
        for at in range(OPENED, 1000, 1 if fault != "EIO" else 3):
            wrong, met = point(order.folder, SCENARIOS[name], fault, at)
            tally.add(fault, wrong, f"T1 {name} {fault} at {at}")
            if order.over or wrong or not met:
                break
        if tally.violations:
            break
    return tally
