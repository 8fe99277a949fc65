"""Ten scenarios, written once: plain, approve, reject, error-retry, error-skip, condition-else, nested, parallel, review-edit, cancel.

Each step notes its start and its end in the effects file. At its start it also looks into the store's file, past the store, for what is
stored about it: the decisions of its pauses, and whether it is done already.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from statecore import Condition, HumanReview, Parallel, Step, Steps, Workflow
from statecore.db.sqlite import SqliteDb
from statecore.errors import NotPaused, UnknownRun
from statecore.stores import RunReader
from statecore.stores.owner import owner_of
from tests.faults.effects import Effect, note

RUN = "run-1"
Work = Callable[[str], Callable[..., Any]]
DECIDED = "SELECT p.word FROM pause p JOIN run r ON r.id = p.run WHERE r.run_id = :run AND p.at = :at AND p.word IS NOT NULL"
SUCCEEDED = """
SELECT m.k, e.place FROM run r JOIN event e ON e.run = r.id
JOIN (SELECT shape, NULL AS event, k, at, legal FROM shape_move UNION ALL SELECT NULL, event, k, at, legal FROM move) m
  ON m.shape = e.shape OR m.event = e.id
JOIN legal l ON l.id = m.legal
WHERE r.run_id = :run AND m.at = :at AND l."trigger" = 'succeed'"""


@frozen
class Scenario:
    """A workflow, how people answer it, which addresses are gated by which words, and how it ends when nothing goes wrong."""

    name: str
    steps: Callable[[Work], list[Any]]
    words: dict[str, str] = field(factory=dict)
    gated: dict[str, frozenset[str]] = field(factory=dict)
    end: str = "COMPLETED"
    branches: int = 1
    cancels: bool = False


def once_broken(work: Work, name: str) -> Callable[..., Any]:
    """A step that fails on its first attempt."""

    def called(step_input: Any) -> Any:
        said = work(name)(step_input)
        if step_input.attempt == 0:
            raise OSError("the line is busy")
        return said

    return called


def always_broken(work: Work, name: str) -> Callable[..., Any]:
    """A step that fails on every attempt."""

    def called(step_input: Any) -> Any:
        work(name)(step_input)
        raise OSError("the line is cut")

    return called


def between(*middle: Any, work: Work) -> list[Any]:
    """Steps before and after something."""
    return [Step("a", work("a")), *middle, Step("z", work("z"))]


YES = frozenset({"confirm"})
SCENARIOS = {
    each.name: each
    for each in (
        Scenario("plain", lambda w: between(Step("b", w("b")), work=w)),
        Scenario(
            "approve",
            lambda w: between(Step("b", w("b"), requires_confirmation=True), work=w),
            {"confirmation": "confirm"},
            {"b": YES},
        ),
        Scenario(
            "reject",
            lambda w: between(Step("b", w("b"), requires_confirmation=True), work=w),
            {"confirmation": "reject"},
            {"b": YES},
        ),
        Scenario(
            "error-retry", lambda w: between(Step("b", once_broken(w, "b"), on_error="pause"), work=w), {"error": "retry"}, {}
        ),
        Scenario(
            "error-skip", lambda w: between(Step("b", always_broken(w, "b"), on_error="pause"), work=w), {"error": "skip"}, {}
        ),
        Scenario(
            "condition-else",
            lambda w: between(
                Condition("c", [Step("yes", w("yes"))], else_steps=[Step("no", w("no"))], requires_confirmation=True), work=w
            ),
            {"confirmation": "reject"},
            {},
        ),
        Scenario(
            "nested",
            lambda w: between(
                Steps("outer", [Step("one", w("one")), Steps("inner", [Step("two", w("two"), requires_confirmation=True)])]), work=w
            ),
            {"confirmation": "confirm"},
            {"outer/inner/two": YES},
        ),
        Scenario(
            "parallel",
            lambda w: between(
                Parallel(Step("left", w("left")), Step("right", w("right"), requires_confirmation=True), name="both"), work=w
            ),
            {"confirmation": "confirm"},
            {"both/right": YES},
            branches=2,
        ),
        Scenario(
            "review-edit",
            lambda w: between(Step("b", w("b"), human_review=HumanReview(requires_output_review=True)), work=w),
            {"output_review": "edit"},
            {},
        ),
        Scenario(
            "cancel",
            lambda w: between(Step("b", w("b"), requires_confirmation=True), work=w),
            {},
            {"b": YES},
            end="CANCELLED",
            cancels=True,
        ),
    )
}
UNREADABLE = "unreadable"
"""What a step sees of itself in a file that is damaged; in every other campaign that opens no gate."""

FALLBACK = {"interrupted": "retry"}


def stored_about(file: Path, run: str, at: str, attempt: int) -> tuple[str, ...]:
    """What the file itself says about a step, read past the store."""
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=30)
    try:
        about = {"run": run, "at": at}
        words = [word for (word,) in connection.execute(DECIDED, about)]
        ended = [attempt_of(place, k) for k, place in connection.execute(SUCCEEDED, about)]
        return (*words, "done") if attempt in ended else tuple(words)
    except sqlite3.DatabaseError:
        return (UNREADABLE,)
    finally:
        connection.close()


def attempt_of(place: str | None, k: int) -> int:
    """The attempt of the k-th move of an event, from the text that says where its moves are not the first: `TURN:ATTEMPT;...`."""
    return 0 if place is None else int(place.split(";")[k].partition(":")[2])


def flow(scenario: Scenario, db: RunReader, log: Path, *, owner: str | None = None) -> Workflow:
    """The scenario's workflow on a store; `owner` stands for another process."""

    def work(name: str) -> Callable[..., Any]:
        def called(step_input: Any) -> Any:
            run, _, place = step_input.idempotency_key.partition("/")
            at = place.partition("~r")[0]
            seen = stored_about(db.path, run, at, step_input.attempt) if isinstance(db, SqliteDb) else ()
            note(log, Effect("start", run, at, step_input.attempt, os.getpid(), seen))
            note(log, Effect("end", run, at, step_input.attempt, os.getpid()))
            return f"{name} {step_input.attempt}"

        return called

    workflow = Workflow("flow", scenario.steps(work), db, session_id="s")
    if owner is not None:
        workflow.host = evolve(workflow.host, owner=lambda: owner)
    return workflow


def gone() -> str:
    """An owner of this machine that is dead already: this process, as if it had been started at another time."""
    return owner_of(os.getpid()).rpartition("/")[0] + "/0"


def to_the_end(workflow: Workflow, scenario: Scenario, tell: Callable[..., None], run_id: str = RUN) -> str:
    """Begin a run or go on with it, to its end; `tell` hears of every answer as soon as this caller has it. Its status at the end."""
    try:
        run = workflow.get_run_output(run_id)
    except UnknownRun:
        run = workflow.run(run_id=run_id)
        tell("status", run.status.value, run.content)
    for _ in range(50):
        if run.status.value in ("COMPLETED", "CANCELLED", "ERROR"):
            tell("status", run.status.value, run.content)
            return run.status.value
        if run.is_paused and scenario.cancels:
            workflow.cancel_run(run_id, by="ann")
            tell("cancelled")
            run = workflow.get_run_output(run_id)
            continue
        if run.is_paused:
            for asked in run.requirements:
                if asked.decision is None:
                    word = (scenario.words | FALLBACK)[asked.kind]
                    workflow.decide(run_id, asked.pause_id, word, value="edited" if word == "edit" else None, by="ann")
                    tell("decided", asked.pause_id, word)
        try:
            run = workflow.continue_run(run_id=run_id)
        except NotPaused:
            run = workflow.get_run_output(run_id)
        tell("status", run.status.value, run.content)
    return "STUCK"
