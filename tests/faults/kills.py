"""T2: kill -9 at a random moment of a run of twenty steps, plain or gated, in a real process; then another process goes on."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep
from typing import Any

from statecore import Step
from statecore.db.sqlite import SqliteDb
from tests.faults.crowd import Pipe, Worker
from tests.faults.effects import effects
from tests.faults.invariants import Evidence, lost, violations
from tests.faults.report import Order, Tally
from tests.faults.scenarios import RUN, YES, Scenario, Work, flow, to_the_end

STEPS = 20


def twenty(work: Work, gates: frozenset[int]) -> list[Step]:
    """Twenty steps in a row, some of them gated."""
    return [Step(f"s{n}", work(f"s{n}"), requires_confirmation=n in gates) for n in range(STEPS)]


GATES = frozenset({5, 10, 15})
LONG = {
    "twenty plain": Scenario("twenty plain", lambda work: twenty(work, frozenset())),
    "twenty gated": Scenario(
        "twenty gated", lambda work: twenty(work, GATES), {"confirmation": "confirm"}, {f"s{n}": YES for n in GATES}
    ),
}


def work_on(pipe: Pipe, file: Path, log: Path, name: str) -> None:
    """The process that is killed: it tells what it was told, as soon as it was."""
    workflow = flow(LONG[name], SqliteDb(file), log)
    pipe.send(("ready",))
    to_the_end(workflow, LONG[name], lambda *words: pipe.send(words))
    pipe.send(("over",))


def run(order: Order) -> Tally:
    """Killed up to three times a run, until enough kills hit a run that was not over."""
    tally, random, n = Tally(), order.random, 0
    lasts = 0.05
    while tally.counts["kills"] < order.of(6, 60, 300) and not order.over:
        name, n = list(LONG)[n % 2], n + 1
        file, log = order.folder / f"{n}.db", order.folder / f"{n}.log"
        told: list[tuple[Any, ...]] = []
        crashes = 0
        for _ in range(random.randint(1, 3)):
            worker = Worker(work_on, file, log, name)
            worker.hear()
            begun = monotonic()
            sleep(random.uniform(0, lasts))
            worker.kill()
            said = worker.heard()
            over = ("over",) in said
            told += [words for words in said if words != ("over",)]
            lasts = max(lasts * 0.9, 0.02) if over else lasts * 1.1 if monotonic() - begun < lasts else lasts
            crashes += not over
            worker.pipe.close()
            if over:
                break
        db = SqliteDb(file)
        workflow = flow(LONG[name], db, log)
        try:
            wrong = lost(workflow, LONG[name], told)
            status = to_the_end(workflow, LONG[name], lambda *words, told=told: told.append(words))
            wrong += violations(Evidence(workflow, LONG[name], RUN, effects(log), told, crashes, status))
        except Exception as error:  # noqa: BLE001  # whatever keeps a run from going on is what is looked for
            wrong = [f"I10 {type(error).__name__}: {error}"]
        tally.counts["kills"] += crashes
        starts = [(each.at, each.attempt) for each in effects(log) if each.kind == "start"]
        tally.counts["steps in doubt"] += len(starts) - len(set(starts))
        tally.add("runs", wrong, f"T2 seed {order.seed}, run {n}, {name}")
        db.close()
    tally.cut_short = order.over
    return tally
