"""T8: awkward values, listed and drawn, go through a whole pause in both stores; they come back the same, or are refused with their path.

They enter a run wherever a value can, and are read by another process wherever they can be read again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen
from hypothesis import HealthCheck, Phase, given, seed, settings

from statecore import Step, Workflow
from statecore.codec import encode
from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError, UnstorableValue
from statecore.stores import InMemoryDb, RunStore
from tests.faults.report import Order, Tally
from tests.property.test_codec_values import exact as exact_text
from tests.property.test_codec_values import values as drawn_values
from tests.unit.codec.test_codec_values import KEPT, REFUSED
from tests.unit.codec.test_codec_values import exact as exact_types

PLACES = ("output", "input", "additional data", "session state", "edit", "feedback")
"""Where a value enters a run. An output is read as the previous content, by name and from the run's output; the others where they are told."""


READ: dict[str, Callable[[Any, Any], list[Any]]] = {
    "output": lambda given, _: [given.previous_step_content, given.get_step_content("brings")],
    "input": lambda given, _: [given.input],
    "additional data": lambda given, _: [given.additional_data["v"]],
    "session state": lambda _, context: [context.session_state["v"]],
    "edit": lambda given, _: [given.previous_step_content],
}


@frozen
class Kind:
    """A kind of store; `reopen` opens what another process left."""

    name: str
    reopen: Callable[[], RunStore]


def flow(place: str, value: Any, db: RunStore, got: list[Any]) -> Workflow:
    """A step that brings the value in, a pause, and a step that reads it again wherever it can be read."""

    def brings(_: Any, run_context: Any) -> Any:
        if place == "session state":
            run_context.session_state["v"] = value
        return value if place == "output" else "brought"

    def reads(step_input: Any, run_context: Any) -> str:
        got.extend(READ[place](step_input, run_context) if place in READ else ())
        return "read"

    def reviewed(step_input: Any) -> str:
        if place == "feedback" and step_input.attempt:
            got.append(step_input.additional_data["rejection_feedback"])
        return "draft"

    gate = Step("gate", reviewed, requires_output_review=True, on_reject="retry") if place in ("edit", "feedback") else None
    steps = [
        Step("brings", brings, on_error="pause"),
        gate or Step("gate", lambda given: given.previous_step_content, requires_confirmation=True),
    ]
    return Workflow("flow", [*steps, Step("reads", reads)], db, session_id="s")


def through(place: str, value: Any, kind: Kind, run_id: str) -> list[Any] | UnstorableValue | None:
    """What was read of a value after a pause, by another process; or the refusal, where it was refused before anything was stored of it."""
    got: list[Any] = []
    db = kind.reopen()
    try:
        first = flow(place, value, db, got)
        options: dict[str, Any] = {"additional_data": {"v": value}} if place == "additional data" else {}
        run = first.run(value if place == "input" else "x", run_id=run_id, **options)
        if run.pause_kind == "error":
            return refused(run.requirements[0])
        if place == "edit":
            run.requirements[0].edit(value)
        elif place == "feedback":
            run.requirements[0].reject(value)
        else:
            run.requirements[0].decide("confirm")
        first.decide(run_id, run.requirements[0].pause_id, run.requirements[0].decision or "", value=run.requirements[0].value)
    except UnstorableValue as refusal:
        return refusal
    finally:
        db.close() if isinstance(db, SqliteDb) else None
    db = kind.reopen()
    try:
        second = flow(place, None, db, got)
        done = second.continue_run(run_id=run_id)
        if done.is_paused:  # the next attempt, under review again
            done.requirements[0].decide("confirm")
            done = second.continue_run(done)
        if place == "output":
            got += [done.step_results[0].content, done.to_dict()["step_results"][0]["content"]]
        if place == "input":
            got.append(done.input)
        if place == "session state":
            got.append(done.session_state["v"])
        return got if done.status.value == "COMPLETED" else None
    finally:
        db.close() if isinstance(db, SqliteDb) else None


def refused(requirement: Any) -> UnstorableValue | None:
    """The refusal that a step's error stands for; None where the error is another one."""
    if requirement.error_type != "UnstorableValue":
        return None
    path, _, why = requirement.error_message.removeprefix("SC400 ").partition(": ")
    return UnstorableValue(path, why)


def trial(place: str, value: Any, kind: Kind, run_id: str, exact: Callable[[Any], Any]) -> tuple[str, list[str]]:
    """Whether a value was kept or refused, and what is wrong about it."""
    try:
        expected: UnstorableValue | None = None
        encode(value)
    except UnstorableValue as refusal:
        expected = refusal
    try:
        found = through(place, value, kind, run_id)
    except StatecoreError as error:
        return "broken", [f"I11 {type(error).__name__}: {error}"[:300]]
    if isinstance(found, UnstorableValue):
        within = {"additional data": "$.v", "session state": "$.v"}.get(place, "$")
        path = within + expected.path[1:] if expected is not None else None
        too_large = "more than" in found.why  # a value that is as large as can be is too large with something around it
        wrong = [] if path == found.path or too_large else [f"it was refused at {found.path!r}, and not at {path!r}: {found}"]
        return "refused", wrong
    if found is None:
        return "broken", ["the run came to another end"]
    if not found:
        return "broken", ["it was never read"]
    return "kept", [f"altered silently: {each!r:.80}" for each in found if exact(each) != exact(value)]


def kinds(folder: Path, name: str) -> list[Kind]:
    """Both stores; a file is opened anew by each process, and what is in memory is what the process has."""
    memory = InMemoryDb()
    return [
        Kind("memory", lambda: memory),
        Kind("SQLite", lambda: SqliteDb(folder / f"{name}.db", durability="normal")),
    ]


def listed(order: Order, tally: Tally) -> None:
    """The awkward values that somebody thought of."""
    cases = {**KEPT, **{name: value for name, (value, *_) in REFUSED.items()}}
    every = list(cases)
    names = every if order.size != "sample" else order.random.sample(every, 12)
    for kind in kinds(order.folder, "listed"):
        for name in names:
            for place in PLACES if order.size != "sample" else PLACES[:1]:
                if order.over:
                    return
                if (name, place) == ("a generator", "output"):
                    continue  # a step that gives a generator streams: what that yields is its output
                what, wrong = trial(place, cases[name], kind, f"{name}/{place}", exact_types)
                tally.add(f"listed values {what}", wrong, f"T8 {name} as {place} in {kind.name}")


def drawn(order: Order, tally: Tally) -> None:
    """Values that Hypothesis draws from a recursive strategy."""
    both, number = kinds(order.folder, "drawn"), [0]

    @seed(order.seed)
    @settings(
        max_examples=order.of(15, 300, 3_000),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn_values)
    def example(value: Any) -> None:
        number[0] += 1
        place = PLACES[number[0] % len(PLACES)]
        for kind in both:
            if order.over:
                return
            what, wrong = trial(place, value, kind, f"{number[0]}", exact_text)
            tally.add(f"drawn values {what}", wrong, f"T8 {value!r:.200} as {place} in {kind.name}, seed {order.seed}")

    example()


def run(order: Order) -> Tally:
    """Listed and drawn."""
    tally = Tally()
    listed(order, tally)
    drawn(order, tally)
    tally.cut_short = order.over
    return tally
