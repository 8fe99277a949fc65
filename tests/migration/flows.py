"""The workflows whose runs lie in `tests/seeds/format-2.sql`: each kind of question, and each way to stand in a store.

Clocks and ids are fixed, and no branch begins before another has ended, so that a run makes the same rows each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from attrs import evolve

from statecore import Condition, Loop, Parallel, Router, RunContext, Step, StepInput, Workflow
from statecore.definition import UserInputField
from statecore.runtime import Host
from statecore.stores import RunStore

BEGAN, LATER = 1_700_000_000_000_000, 1_700_001_000_000_000
"""When the runs of the seed began, and when they go on after a migration, in microseconds."""
OWNER, NEXT_OWNER = "old-host/boot/1/1", "new-host/boot/1/1"
LONG, HUGE = "long " * 400, "huge " * 4_000
"""Values that lie beside their event: over 1 kB, and over several pages."""
BROKEN: set[str] = set()
"""The steps that fail when they are called."""
FATAL: set[str] = set()
"""The steps in which the process dies."""
ODD = "ünïcode \x00 and \U0001f600"


class Busy(Exception):
    """User code fails."""


def work(step_input: StepInput, run_context: RunContext) -> Any:
    """Count the calls in the session's state, and say which step this is."""
    name = step_input.step_name or ""
    if name in FATAL:
        os._exit(0)
    if name in BROKEN:
        raise Busy(f"{name}: the line is busy")
    state = run_context.session_state
    state["calls"] = state.get("calls", 0) + 1
    state["last"] = name
    return {"name": name, "given": step_input.additional_data}


def long(_: StepInput) -> str:
    """Give a value that no page holds with its event."""
    return LONG


def huge(_: StepInput) -> str:
    """Give a value of several pages."""
    return HUGE


def odd(_: StepInput) -> str:
    """Give a text with a NUL and letters of four bytes."""
    return ODD


def steps_of(name: str) -> list[Any]:
    """The components of a workflow."""
    return FLOWS[name]()


def inner() -> Workflow:
    """A workflow in a workflow."""
    return Workflow("inner", [Step("deep", work, requires_confirmation=True), Step("deeper", work)])


FORM = [UserInputField("amount", "int"), UserInputField("why", required=False)]
FLOWS: dict[str, Callable[[], list[Any]]] = {
    "confirm": lambda: [
        Step("collect", long),
        Step("pay", work, requires_confirmation=True, confirmation_message="Pay?"),
        Step("end", odd),
    ],
    "input": lambda: [Step("ask", work, requires_user_input=True, user_input_schema=FORM, user_input_message="How much?")],
    "review": lambda: [
        Step("draft", huge, requires_output_review=True, on_reject="retry", output_review_message="Good?"),
        Step("end", work),
    ],
    "error": lambda: [Step("first", work), Step("flaky", work, on_error="pause", max_retries=1), Step("end", work)],
    "fails": lambda: [Step("fragile", work), Step("end", work)],
    "route": lambda: [
        Router("way", [Step("left", work), Step("right", work)], requires_user_input=True, allow_multiple_selections=True)
    ],
    "selected": lambda: [Router("way", [Step("a", work), Step("b", work)], selector=lambda _: ["b", "a"]), Step("end", work)],
    "condition": lambda: [Condition("deep", [Step("yes", work)], [Step("no", work)], requires_confirmation=True, on_reject="else")],
    "loop": lambda: [Loop("again", [Step("round", work)], max_iterations=3, requires_iteration_review=True), Step("end", work)],
    "inside": lambda: [Loop("outer", [Step("asked", work, requires_confirmation=True), Step("then", work)], max_iterations=2)],
    "nested": lambda: [Step("before", work), Step("flow", workflow=inner()), Step("end", work)],
    "beside": lambda: [
        Parallel(
            *(Step(f"branch {n}", work, requires_confirmation=True) for n in range(3)),
            Step("plain", work),
            name="both",
            max_concurrency=1,
        ),
        Step("end", work),
    ],
    "wide": lambda: [
        Parallel(*(Step(f"w{n}", work, requires_confirmation=True) for n in range(40)), name="all", max_concurrency=1)
    ],
    "late": lambda: [
        Step("cancelled", work, requires_confirmation=True, timeout=60, on_timeout="cancel"),
        Step("end", work),
    ],
    "passed": lambda: [
        Step("skipped", work, requires_confirmation=True, timeout=60, on_timeout="skip"),
        Step("approved", work, requires_confirmation=True, timeout=60, on_timeout="approve"),
        Step("kept", work, requires_confirmation=True),
    ],
    "stops": lambda: [Step("one", work), Step("waits", work, on_interrupt="pause"), Step("end", work)],
    "grown": lambda: [
        Step("first", work, requires_confirmation=True),
        Step("second", work, requires_confirmation=True),
        Step("added", long),
    ],
    "small": lambda: [Step("first", work, requires_confirmation=True), Step("second", work, requires_confirmation=True)],
}


def flow(name: str, db: RunStore, clock: Iterator[int], owner: str = OWNER, title: str | None = None) -> Workflow:
    """A workflow on a store, executed by a machine of its own, by a clock of its own."""
    workflow = Workflow(title or name, steps_of(name), db, session_id=f"session of {name}")
    workflow.host = evolve(Host(db), clock=lambda: next(clock), owner=lambda: owner)
    return workflow


def ticking(start: int) -> Iterator[int]:
    """A clock that goes on by a millisecond each time that it is asked."""
    return count(start, 1_000)
