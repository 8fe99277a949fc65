"""The straight-line reading of the claims: a workflow is a recursive program that asks, calls and hands on. Never shipped.

`run(definition)` is a generator. It yields each `Wait`, what the run waits for, and is sent the answer, one of `ANSWERS`; it returns
the `End`. Each kind of component is one function, a gate is an `if`, leaving a unit is an exception. It knows the user's definition and
the claims (`semantics.md`) and nothing of the core, which resumes from a state where this can only be replayed from the beginning:
that the two wait for the same things shows that the core means what the claims say.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeAlias

from attrs import evolve, field, frozen

from statecore.definition import Component, Condition, Definition, HumanReview, OnError, OnInterrupt, OnReject, Step, Steps

Ref: TypeAlias = tuple[str, tuple[int, ...], int]  # what was handed on: where, in which turn and at which attempt it came to be


class Wait(NamedTuple):
    """What a run waits for: a person ("ask"), user code ("call"), or to be resumed after it failed ("resume")."""

    what: str
    kind: str
    at: str
    turn: tuple[int, ...]
    attempt: int
    prev: Ref | None


class Handed(NamedTuple):
    """What a component hands on: the previous content of the next one, and what the last completed component handed on."""

    prev: Ref | None
    last: Ref | None


class Entry(NamedTuple):
    """What became of a component (SKIP-3): "completed", with what it hands on, "skipped" or "cancelled"."""

    at: str
    turn: tuple[int, ...]
    outcome: str
    handed: Ref | None = None


class End(NamedTuple):
    """How a run ended: its phase, what it hands on (RUN-4), and its record."""

    phase: str
    result: Ref | None
    record: tuple[Entry, ...]


# what a run waits for -> the words that answer it, that which goes forward first; "cancel" answers all but a failed run
ANSWERS: dict[tuple[str, str], tuple[str, ...]] = {
    ("call", "execute"): ("succeed", "stop", "fail", "interrupt"),
    ("call", "evaluate"): ("hold", "refute", "fail", "interrupt"),
    ("ask", "confirmation"): ("confirm", "reject"),
    ("ask", "error"): ("skip", "retry"),
    ("ask", "interrupted"): ("skip", "retry"),
    ("resume", "failed"): ("resume",),
}
DEATHS = 3  # an interrupted call is put to a person when it has died this often in a row, whatever its policy


class Left(Exception):  # not an error: the way out of a unit
    """The component at `unit` is left by its error policy; `last` is what had completed until then."""

    def __init__(self, unit: str, last: Ref | None) -> None:
        self.unit, self.last = unit, last


class Stopped(Exception):  # not an error: the way out of a workflow
    """A step said stop: its workflow is completed with this output (RUN-3)."""

    def __init__(self, output: Ref) -> None:
        self.output = output


class Cancelled(Exception):  # not an error: the way out of the run
    """The run is over, wherever it was."""


@frozen
class Place:
    """Where a component stands: its address and turn, whose error policy holds, which unit that leaves (ERR-7), and the run's record."""

    at: str = ""
    turn: tuple[int, ...] = ()
    on_error: OnError = OnError.fail
    unit: str | None = None
    record: list[Entry] = field(factory=list)

    def note(self, outcome: str, handed: Ref | None = None) -> None:
        """Record what became of the component."""
        self.record.append(Entry(self.at, self.turn, outcome, handed))


Waiting: TypeAlias = Generator[Wait, str, Handed]
NOTHING = Handed(None, None)


def run(definition: Definition) -> Generator[Wait, str, End]:
    """A run is its components in order; its content is what the last completed one handed on (RUN-4)."""
    root = Place()
    try:
        handed = yield from in_order(definition.steps, "", root, NOTHING)
    except Stopped as stopped:
        return End("completed", stopped.output, tuple(root.record))
    except Cancelled:
        return End("cancelled", None, tuple(root.record))
    return End("completed", handed.last, tuple(root.record))


def in_order(children: Sequence[Component], prefix: str, here: Place, was: Handed) -> Waiting:
    """Children run one after the other; each sees what the one before it handed on (RUN-1)."""
    for child in children:
        was = yield from component(child, evolve(here, at=below(prefix, child.name)), was)
    return was


def component(it: Component, here: Place, was: Handed) -> Waiting:
    """A component runs by its kind, under its own error policy where it sets one; left by that, it gives None (SKIP-2)."""
    review = getattr(it, "human_review", HumanReview())
    if review.on_error is not None:
        here = evolve(here, on_error=review.on_error, unit=here.at)
    try:
        return (yield from KINDS[type(it)](it, here, was))
    except Left as left:
        here.note("skipped")
        if left.unit != here.at:
            raise
        return Handed(None, left.last)
    except Stopped as stopped:
        here.note("completed", stopped.output)
        if not isinstance(it, Definition) and getattr(it, "workflow", None) is None:
            raise
        return Handed(stopped.output, stopped.output)
    except Cancelled:
        here.note("cancelled")
        raise


# -- one function for each kind of component ---------------------------------------------------------------------------------------


def step(it: Step, here: Place, was: Handed) -> Waiting:
    """A step calls user code and hands on its output; one that runs a workflow is a group to which SKIP-1 applies."""
    if it.workflow is not None:
        return (yield from group(it, it.workflow.steps, here, was))
    if (yield from gate(it, here, was)) != "confirmed":
        return skipped(it, here, was)
    answer, attempt = yield from call("execute", it.on_interrupt, here, was)
    output: Ref = (here.at, here.turn, attempt)
    if answer == "stop":
        raise Stopped(output)
    here.note("completed", output)
    return Handed(output, output)


def steps(it: Steps, here: Place, was: Handed) -> Waiting:
    """Steps runs its children in order and is gated as a whole (STEPS-1)."""
    return (yield from group(it, it.steps, here, was))


def workflow(it: Definition, here: Place, was: Handed) -> Waiting:
    """A nested workflow is a Steps with its own name (NEST-1); what gates it is a Step around it."""
    return (yield from entered(it.steps, here.at, here, was))


def condition(it: Condition, here: Place, was: Handed) -> Waiting:
    """Exactly one branch runs (COND-6): a person chooses where one is asked, and else the evaluator, never both (COND-4)."""
    if it.human_review.requires_confirmation:
        chosen = {"confirmed": "then", "else": "else"}.get((yield from gate(it, here, was)))
    else:
        answer, _ = yield from call("evaluate", it.on_interrupt, here, was)
        chosen = {"hold": "then", "refute": "else"}[answer]
    if chosen == "then":
        return (yield from entered(it.steps, below(here.at, "then"), here, was))
    if chosen == "else" and it.else_steps:
        return (yield from entered(it.else_steps, below(here.at, "else"), here, was))
    return skipped(it, here, was)  # COND-3


# -- what they share ---------------------------------------------------------------------------------------------------------------


def group(it: Step | Steps, children: Sequence[Component], here: Place, was: Handed) -> Waiting:
    """A gate, and behind it children in order."""
    if (yield from gate(it, here, was)) != "confirmed":
        return skipped(it, here, was)
    return (yield from entered(children, here.at, here, was))


def entered(children: Sequence[Component], prefix: str, here: Place, was: Handed) -> Waiting:
    """A component that is entered completes after its children, and hands on what the last of them shows."""
    inside = yield from in_order(children, prefix, here, was)
    here.note("completed", inside.prev)
    return Handed(inside.prev, inside.prev)


def skipped(it: Component, here: Place, was: Handed) -> Handed:
    """After a skipped Step the previous content is None (SKIP-1); any other component not entered lets it through (SKIP-2)."""
    here.note("skipped")
    return Handed(None if isinstance(it, Step) else was.prev, was.last)


def gate(it: Step | Steps | Condition, here: Place, was: Handed) -> Generator[Wait, str, str]:
    """A person decides before anything runs (CONF-1): "confirmed", or what their no leads to: "skip" or "else"."""
    review = it.human_review
    if not review.requires_confirmation or (yield from wait("ask", "confirmation", here, 0, was)) == "confirm":
        return "confirmed"
    on_reject = review.on_reject or (OnReject.else_branch if isinstance(it, Condition) else OnReject.skip)
    if on_reject == OnReject.cancel:
        raise Cancelled
    return on_reject.value


def call(kind: str, on_interrupt: OnInterrupt | None, here: Place, was: Handed) -> Generator[Wait, str, tuple[str, int]]:
    """User code is called once per attempt (RUN-2) until it answers; an error or a death goes by policy. The answer and its attempt."""
    attempt = deaths = 0
    while True:
        answer = yield from wait("call", kind, here, attempt, was)
        if answer == "fail":
            policy, pause = here.on_error.value, "error"
        elif answer == "interrupt":
            deaths += 1
            default = OnInterrupt.pause if here.on_error == OnError.pause else OnInterrupt.retry
            policy, pause = (on_interrupt or default).value if deaths < DEATHS else "pause", "interrupted"
        else:
            return answer, attempt
        match policy:
            case "retry":  # called again with the same key: the same attempt (CRASH-2)
                continue
            case "skip":
                raise Left(here.unit or here.at, was.last)
            case "pause":
                if (yield from wait("ask", pause, here, attempt, was)) == "skip":
                    raise Left(here.unit or here.at, was.last)
            case "fail":  # the run ends here, but may be resumed (ERR-1)
                yield from wait("resume", "failed", here, attempt, was)
        attempt, deaths = attempt + 1, 0  # ERR-4: the same input, one attempt more, and no gate


def wait(what: str, kind: str, here: Place, attempt: int, was: Handed) -> Generator[Wait, str, str]:
    """The run waits here; cancelled while it waits, it is over (CANCEL-1)."""
    answer = yield Wait(what, kind, here.at, here.turn, attempt, was.prev)
    if answer == "cancel":
        raise Cancelled
    return answer


def below(parent: str, name: str) -> str:
    """The address of `name` inside `parent`."""
    name = name.replace("~", "~0").replace("/", "~1")
    return name if parent == "" else f"{parent}/{name}"


KINDS: dict[type, Callable[[Any, Place, Handed], Waiting]] = {
    Step: step,
    Steps: steps,
    Definition: workflow,
    Condition: condition,
}
