"""VALUE, SESSION, KEY and RUN-17 on a Temporal server: the same values and keys, the same moments, no more calls than there are slots."""

from __future__ import annotations

from threading import Barrier, Lock
from typing import Any

import pytest

from statecore import Parallel, RunStatus, Step, Workflow
from tests.conformance import kinds
from tests.conformance.kinds import KINDS, Customer
from tests.temporal.conftest import Serve

LARGE = ("five megabytes", "long text")
"""Kinds that a history does not take without a values store."""


@pytest.mark.spec("VALUE-1")
def test_kinds_of_values_come_back_behind_a_gate(serve: Serve) -> None:
    """A value of each kind is equal and of its type for a step behind a gate, on a worker, and for the client that reads the run."""
    wanted = {name: value for name, value in KINDS.items() if name not in LARGE}

    def gives(name: str) -> Any:
        return lambda _: wanted[name]

    def differing(step_input: Any) -> list[str]:
        got = {name: step_input.get_step_content(name) for name in wanted}
        return [n for n, v in wanted.items() if (type(got[n]), got[n], repr(got[n])) != (type(v), v, repr(v))]

    steps = [Step(name, gives(name)) for name in wanted]
    gate = Step("looks", differing, requires_confirmation=True)
    runs = serve(Workflow("kinds", [*steps, gate], types=[kinds, Customer, kinds.Box[int]]))
    run = runs.run("x", timeout=120)
    run.requirements[0].decide("confirm")
    done = runs.continue_run(run, timeout=60)
    assert (done.status, done.content) == (RunStatus.completed, [])
    assert [each.content for each in done.step_results[:-1]] == list(wanted.values())


@pytest.mark.spec("SESSION-3", "KEY-2")
@pytest.mark.parametrize(("word", "state"), [("confirm", {"attempt": 0}), ("reject", {"attempt": 1})])
def test_a_change_waits_with_the_output(serve: Serve, word: str, state: dict[str, int]) -> None:
    """A change of the session state waits for the review of its output; a rejected attempt leaves none, and the next has another key."""

    def draft(step_input: Any, run_context: Any) -> str:
        assert run_context.session_state == {}
        run_context.session_state["attempt"] = step_input.attempt
        key: str = step_input.idempotency_key
        return key.partition("/")[2]

    runs = serve(Workflow(f"review-{word}", [Step("a", draft, requires_output_review=True, on_reject="retry")]))
    run = runs.run("x", timeout=30)
    assert run.session_state == {}
    for said in dict.fromkeys((word, "confirm")):
        run.requirements[0].decide(said)
        run = runs.continue_run(run, timeout=30)
    assert (run.status, run.session_state) == (RunStatus.completed, state)
    assert run.content == ("a" if word == "confirm" else "a~r1")


@pytest.mark.spec("VALUE-3")
def test_what_cannot_be_stored_is_not_called_again(serve: Serve) -> None:
    """A call whose value cannot be stored is not repeated by `max_retries`; a person is asked at once."""
    called: list[int] = []

    def odd(_step_input: Any) -> Any:
        called.append(1)
        return object()

    runs = serve(Workflow("odd", [Step("a", odd, max_retries=2, on_error="pause")]))
    run = runs.run("x", timeout=30)
    assert (run.steps_with_errors[0].error_type, called) == ("UnstorableValue", [1])


@pytest.mark.spec("RUN-17")
def test_a_worker_makes_no_more_calls_at_a_time_than_it_has_slots(serve: Serve) -> None:
    """Four branches on a worker of two slots meet in pairs, and never three at once."""
    now, peak, lock, pairs = [0], [0], Lock(), Barrier(2)

    def step(_: Any) -> str:
        with lock:
            now[0] += 1
            peak[0] = max(peak[0], now[0])
        pairs.wait(30)
        with lock:
            now[0] -= 1
        return "met"

    runs = serve(Workflow("slots", [Parallel(*[Step(f"s{n}", step) for n in range(4)])]), slots=2)
    run = runs.run("x", timeout=60)
    assert (run.status, peak[0]) == (RunStatus.completed, 2)
