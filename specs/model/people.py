"""What people are shown of a run, worked out from its rows and its definition alone: the events of a stream, open questions, the outcome.

Written from the claims, with the package closed: it knows the rows of a journal (`machine`, `at`, `turn`, `attempt`, `source`, `trigger`,
`dest`, `time`, and the detail of a body as JSON) and the user's components. It counts iterations, retries and rejected reviews by itself, row by
row. Never shipped; `tests/conformance/test_people.py` compares it with what the package shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from json import loads
from typing import Any, NamedTuple

from specs.model.oracle import below
from statecore.definition import Component, Condition, Definition, Loop, Router, Step

AWAITING = {
    "awaiting_confirmation": "confirmation",
    "awaiting_input": "user_input",
    "awaiting_route": "route",
    "errored_paused": "error",
}
QUESTIONS = {*AWAITING, "awaiting_review"}
ASKS = {"StepPaused", "RouterPaused", "StepOutputReview"}
SAID = {"confirm", "reject", "retry", "skip", "edit", "amend", "provide", "input", "select"}
STATUS = {"completed": "COMPLETED", "cancelled": "CANCELLED", "failed": "ERROR", "paused": "PAUSED", "running": "RUNNING"}
RUNS = {"paused": "WorkflowPaused", "completed": "WorkflowCompleted", "cancelled": "WorkflowCancelled", "failed": "WorkflowError"}
PLAIN = {"group": "Steps", "condition": "Condition", "router": "Router", "parallel": "Parallel"}


class Told(NamedTuple):
    """One event: its name, the address of the component (empty for the run), and the fields that the rows decide."""

    event: str
    at: str
    fields: Mapping[str, Any]


def components(definition: Definition) -> dict[str, Component]:
    """Each component by its address."""
    found: dict[str, Component] = {}

    def visit(children: Sequence[Any], prefix: str) -> None:
        for child in children:
            at = found_at = below(prefix, child.name)
            found[found_at] = child
            if isinstance(child, Condition):
                visit(child.steps, below(at, "then"))
                visit(child.else_steps, below(at, "else"))
            elif isinstance(child, Step):
                visit(child.workflow.steps if child.workflow is not None else (), at)
            else:
                visit(child.choices if isinstance(child, Router) else child.steps, at)

    visit(definition.steps, "")
    return found


def detail(row: Any) -> dict[str, Any]:
    """What a row's body says beside its value."""
    found: dict[str, Any] = loads(row.body.detail) if row.body.detail else {}
    return found


# -- events ------------------------------------------------------------------------------------------------------------------------


def events(rows: Sequence[Any], known: Mapping[str, Component]) -> list[Told]:
    """The events of a run, in the order of its rows: each row tells of itself, and of nothing twice.

    A question that a row of the same moment closes was never put to a person, and is not told.
    """
    rounds: dict[tuple[str, Any], int] = {}
    unput = {
        (row.at, row.turn, row.time) for row in rows if row.source in QUESTIONS and row.trigger not in SAID | {"expire", "renew"}
    }
    told = [(row, each) for row in rows for each in of_row(row, known.get(row.at), rounds)]
    return [each for row, each in told if each.event not in ASKS or (row.at, row.turn, row.time) not in unput]


def of_row(row: Any, it: Component | None, rounds: dict[tuple[str, Any], int]) -> Iterator[Told]:
    """The events of one row."""
    if row.machine == "run":
        name = "WorkflowStarted" if row.trigger == "start" else RUNS.get(row.dest)
        if name is not None:
            yield Told(name, "", {})
        return
    if row.trigger in SAID:
        yield Told("StepContinued", row.at, {"decision": row.trigger, "by": detail(row).get("by")})
    if row.trigger == "fail" and "error" in detail(row):
        said = detail(row)
        yield Told("StepError", row.at, {"error": said["error"], "error_type": said["error_type"]})
    if row.machine == "loop":
        yield from of_loop(row, it, rounds)
    if row.dest == "skipped":
        yield Told("StepSkipped", row.at, {})
    elif row.dest in QUESTIONS:
        yield from of_question(row, it)
    else:
        yield from of_work(row)


def of_work(row: Any) -> Iterator[Told]:
    """A component other than a Loop begins, or is over."""
    if row.machine == "step" and row.dest == "running":
        again = row.trigger in ("retry", "resume", "wake", "reject", "amend")
        yield Told("StepStarted", row.at, {"attempt": row.attempt + again})
    elif row.machine == "step" and row.dest == "completed":
        yield Told("StepOutput", row.at, {"stop": row.trigger == "stop"})
        yield Told("StepCompleted", row.at, {})
    elif row.machine in PLAIN and row.dest in ("running", "completed"):
        next_choice = row.machine == "router" and row.trigger == "finish" and row.dest == "running"
        if not next_choice:
            yield Told(f"{PLAIN[row.machine]}Execution{'Started' if row.dest == 'running' else 'Completed'}", row.at, {})


def of_loop(row: Any, it: Component | None, rounds: dict[tuple[str, Any], int]) -> Iterator[Told]:
    """An iteration ends, another begins, the Loop begins or is over; iterations count from 1."""
    assert isinstance(it, Loop)
    place = row.at, row.turn
    if row.source in ("pending", "awaiting_confirmation") and row.dest == "running":
        rounds[place] = 1
        yield Told("LoopExecutionStarted", row.at, {"max_iterations": it.max_iterations})
        yield Told("LoopIterationStarted", row.at, {"iteration": 1})
        return
    number = rounds.get(place, 0)
    waits = row.source == "running" and row.trigger == "finish" and row.dest == "evaluating"  # the end condition decides
    tested = row.source in ("evaluating", "errored_paused") and row.dest in ("running", "completed", "awaiting_review", "skipped")
    if tested or (row.source == "running" and row.trigger == "finish" and not waits):
        more = row.dest in ("running", "awaiting_review") and number < it.max_iterations
        yield Told("LoopIterationCompleted", row.at, {"iteration": number, "should_continue": more})
    if row.dest == "running" and row.trigger != "resume":
        rounds[place] = number + 1
        yield Told("LoopIterationStarted", row.at, {"iteration": number + 1})
    if row.dest == "completed":
        yield Told("LoopExecutionCompleted", row.at, {"total_iterations": number})


def of_question(row: Any, it: Component | None) -> Iterator[Told]:
    """A person is asked."""
    kind = kind_of(row)
    name = {"route": "RouterPaused", "output_review": "StepOutputReview", "iteration_review": "StepOutputReview"}.get(
        kind, "StepPaused"
    )
    assert it is not None
    yield Told(name, row.at, {"kind": kind})


def kind_of(row: Any) -> str:
    """Which question a row asks: an error after an interruption is put as one."""
    if row.dest == "awaiting_review":
        return "iteration_review" if row.machine == "loop" else "output_review"
    return "interrupted" if row.dest == "errored_paused" and row.trigger == "interrupt" else AWAITING[row.dest]


# -- questions and the outcome -----------------------------------------------------------------------------------------------------


def questions(rows: Sequence[Any], known: Mapping[str, Component], now: int) -> dict[tuple[str, str], dict[str, Any]]:
    """The open questions of a run by address and kind: deadline, what its passing does, and how often it was tried again."""
    last: dict[tuple[str, Any], Any] = {}
    for row in rows:
        if row.machine != "run":
            last[row.at, row.turn] = row
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for (at, turn), row in last.items():
        if row.dest in QUESTIONS:
            review: Any = known[at].human_review  # type: ignore[union-attr]  # what has no review asks nothing
            kind = kind_of(row)
            due = None if review.timeout is None else moment(row.time) + timedelta(seconds=review.timeout)
            mine = [each for each in rows if (each.at, each.turn) == (at, turn)]
            ordered = sum(each.trigger == "retry" or (each.trigger == "amend" and each.source == "errored_paused") for each in mine)
            rejected = sum(
                each.trigger == "reject" and each.source == "awaiting_review" and each.machine != "loop" for each in mine
            )
            found[at, kind] = {
                "timeout_at": due,
                "on_timeout": None if due is None else review.on_timeout.value,
                "is_timed_out": due is not None and moment(now) >= due,
                "retry_count": ordered if kind in ("error", "interrupted") else rejected,
            }
    return found


def moment(time: int) -> datetime:
    """Microseconds since 1970 as a date."""
    return datetime.fromtimestamp(time / 1_000_000, UTC)


def outcome(rows: Sequence[Any], created: int) -> dict[str, Any]:
    """How a run stands: its status, the error that it failed of, and its metrics."""
    ours = [row for row in rows if row.machine != "run"]
    runs = [row for row in rows if row.machine == "run"]
    failed = [detail(row)["error"] for row in ours if row.dest == "failed" and "error" in detail(row)]
    status = STATUS[runs[-1].dest]
    return {
        "status": status,
        "error": failed[-1] if status == "ERROR" and failed else None,
        "metrics": {
            "duration": (rows[-1].time - created) / 1_000_000,
            "steps": len({(row.at, row.turn) for row in ours}),
            "attempts": sum(row.machine == "step" and row.dest == "running" for row in ours),
        },
    }
