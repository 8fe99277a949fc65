"""T18: a stream is abandoned after each k events, by close or by being forgotten; the run goes on to its end, and no gate opens."""

from __future__ import annotations

from typing import Any

from statecore.db.sqlite import SqliteDb
from tests.faults.effects import effects
from tests.faults.invariants import Evidence, violations
from tests.faults.report import Order, Tally
from tests.faults.scenarios import RUN, SCENARIOS, flow, to_the_end


def run(order: Order) -> Tally:
    """Every scenario, abandoned after every number of events."""
    tally = Tally()
    for scenario in SCENARIOS.values():
        for k in range(0, 60, order.of(3, 1, 1)):
            file, log = order.folder / f"{scenario.name}-{k}.db", order.folder / f"{scenario.name}-{k}.log"
            db = SqliteDb(file, durability="normal")
            workflow = flow(scenario, db, log)
            stream, heard = workflow.run(run_id=RUN, stream=True, stream_events=True), 0
            for _ in stream:
                heard += 1
                if heard == k:
                    break
            if k % 2:
                stream.close()
            else:
                del stream
            told: list[tuple[Any, ...]] = []
            try:
                status = to_the_end(workflow, scenario, lambda *words, told=told: told.append(words))
                wrong = violations(Evidence(workflow, scenario, RUN, effects(log), told, 0, status))
            except Exception as error:  # noqa: BLE001  # a run that cannot go on is what is looked for
                wrong = [f"I10 {type(error).__name__}: {error}"]
            tally.add("abandoned", wrong, f"T18 {scenario.name} after {k} events")
            db.close()
            if heard < k or order.over:
                break
    tally.cut_short = order.over
    return tally
