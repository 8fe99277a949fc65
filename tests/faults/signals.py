"""T11: each step of each scenario is stopped by what is no error of its own, and each statement by Ctrl-C; the run can be continued."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from statecore import Workflow
from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError
from tests.faults.boundaries import Struck
from tests.faults.effects import effects
from tests.faults.invariants import Evidence, violations
from tests.faults.report import Order, Tally
from tests.faults.scenarios import RUN, SCENARIOS, Scenario, Work, flow, to_the_end

STOPS = (KeyboardInterrupt, SystemExit, GeneratorExit)


def stopped_in(scenario: Scenario, stop: type[BaseException], nth: int, calls: list[int]) -> Scenario:
    """The scenario whose nth call is stopped after its effects."""

    def steps(work: Work) -> list[Any]:
        def stopping(name: str) -> Any:
            inner = work(name)

            def called(step_input: Any) -> Any:
                said = inner(step_input)
                calls.append(1)
                if len(calls) == nth:
                    raise stop
                return said

            return called

        return scenario.steps(stopping)

    return Scenario(scenario.name, steps, scenario.words, scenario.gated, scenario.end, scenario.branches, scenario.cancels)


def continued(workflow: Workflow, scenario: Scenario, order: Order, name: str, told: list[tuple[Any, ...]]) -> list[str]:
    """What is wrong after the run was continued in the same process."""
    try:
        status = to_the_end(workflow, scenario, lambda *words: told.append(words))
        return violations(Evidence(workflow, scenario, RUN, effects(order.folder / f"{name}.log"), told, 1, status))
    except Exception as error:  # noqa: BLE001  # a run that cannot go on is what is looked for
        return [f"I10 {type(error).__name__}: {error}"]


def in_steps(order: Order, tally: Tally, scenario: Scenario) -> None:
    """Stop each call of a scenario in each way."""
    for stop in STOPS[: order.of(1, 3, 3)]:
        for nth in range(1, 9):
            name = f"{scenario.name}-{stop.__name__}-{nth}"
            calls: list[int] = []
            told: list[tuple[Any, ...]] = []
            broken = stopped_in(scenario, stop, nth, calls)
            db = SqliteDb(order.folder / f"{name}.db", durability="normal")
            workflow, wrong = flow(broken, db, order.folder / f"{name}.log"), []
            try:
                to_the_end(workflow, broken, lambda *words, told=told: told.append(words))
            except (stop, StatecoreError):
                pass
            except BaseException as error:  # noqa: BLE001  # I11 is about these
                wrong.append(f"I11 {type(error).__name__}: {error}")
            wrong += continued(workflow, broken, order, name, told)
            tally.add(stop.__name__, wrong, f"T11 {scenario.name}, {stop.__name__} in call {nth}")
            db.close()
            if len(calls) < nth or order.over:
                break


def in_statements(order: Order, tally: Tally, scenario: Scenario) -> None:
    """Press Ctrl-C at each statement; the process lives on."""
    step = order.of(83, 7, 1)
    for at in range(1 + order.random.randrange(step), 1000, step):
        name = f"{scenario.name}-ctrl-c-{at}"
        told: list[tuple[Any, ...]] = []
        wrong: list[str] = []
        Struck.left, Struck.fault, Struck.dead = at, "Ctrl-C", False
        db = SqliteDb(order.folder / f"{name}.db", durability="normal", connection_factory=Struck)
        workflow = flow(scenario, db, order.folder / f"{name}.log")
        try:
            to_the_end(workflow, scenario, lambda *words, told=told: told.append(words))
        except (KeyboardInterrupt, StatecoreError):
            pass
        except BaseException as error:  # noqa: BLE001  # I11 is about these
            wrong.append(f"I11 {type(error).__name__}: {error}")
        met = Struck.left <= 0
        Struck.left, Struck.fault = 0, ""
        if met:
            wrong += continued(workflow, scenario, order, name, told)
            tally.add("Ctrl-C in a statement", wrong, f"T11 {scenario.name}, Ctrl-C at statement {at}")
        db.close()
        if not met or order.over:
            return


def while_running(order: Order, tally: Tally, scenario: Scenario) -> None:
    """Cancel from inside each call of a scenario: the run is over at its next boundary, and nothing more begins."""
    for nth in range(1, 9):
        name = f"{scenario.name}-cancel-{nth}"
        calls: list[int] = []
        told: list[tuple[Any, ...]] = []
        log, db = order.folder / f"{name}.log", SqliteDb(order.folder / f"{name}.db", durability="normal")

        def steps(work: Work, nth: int = nth, calls: list[int] = calls, db: SqliteDb = db) -> list[Any]:
            def cancelling(step: str) -> Any:
                inner = work(step)

                def called(step_input: Any) -> Any:
                    said = inner(step_input)
                    calls.append(1)
                    if len(calls) == nth:
                        flow(scenario, db, log).cancel_run(RUN, by="ann")  # noqa: B023  # called before the next round
                        told.append(("cancelled",))  # noqa: B023  # the same
                    return said

                return called

            return scenario.steps(cancelling)

        ends = evolve(scenario, steps=steps, end="CANCELLED")
        wrong = continued(flow(ends, db, log), ends, order, name, told) if scenario.branches == 1 else []
        if len(calls) >= nth:
            tally.add("cancel in a call", wrong, f"T11 {scenario.name}, cancelled in call {nth}")
        db.close()
        if len(calls) < nth or order.over:
            return


def run(order: Order) -> Tally:
    """In calls and in statements."""
    tally = Tally()
    for scenario in SCENARIOS.values():
        while_running(order, tally, scenario)
        in_steps(order, tally, scenario)
        in_statements(order, tally, scenario)
    tally.cut_short = order.over
    return tally
