"""T12: the clock jumps, forwards and backwards, whenever it is asked; runs end as they do otherwise, and no gate opens."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

from attrs import evolve

from statecore.db.sqlite import SqliteDb
from tests.faults.effects import effects
from tests.faults.invariants import Evidence, violations
from tests.faults.report import Order, Tally
from tests.faults.scenarios import RUN, SCENARIOS, flow, to_the_end

YEAR = 365 * 24 * 3600 * 1_000_000
NOW = 1_700_000_000_000_000


def jumped(jumps: Random) -> int:
    """What the clock says now: anything within two years."""
    return NOW + jumps.randint(-YEAR, YEAR)


def run(order: Order) -> Tally:
    """Every scenario under many clocks."""
    tally = Tally()
    for n in range(order.of(1, 10, 100)):
        for scenario in SCENARIOS.values():
            jumps = Random(f"{order.seed}-{n}-{scenario.name}")  # noqa: S311  # reproducible on purpose
            log, db = (
                order.folder / f"{scenario.name}-{n}.log",
                SqliteDb(order.folder / f"{scenario.name}-{n}.db", durability="normal"),
            )
            workflow = flow(scenario, db, log)
            workflow.host = evolve(workflow.host, clock=partial(jumped, jumps))
            told: list[tuple[Any, ...]] = []
            try:
                status = to_the_end(workflow, scenario, lambda *words, told=told: told.append(words))
                wrong = violations(Evidence(workflow, scenario, RUN, effects(log), told, 0, status))
            except Exception as error:  # noqa: BLE001  # whatever keeps a run from going on is what is looked for
                wrong = [f"I10 {type(error).__name__}: {error}"]
            tally.add("clocks", wrong, f"T12 {scenario.name}, seed {order.seed}, clock {n}")
            db.close()
            if order.over:
                break
    tally.cut_short = order.over
    return tally
