"""The straight-line reading of the claims: a workflow is a recursive program that asks, calls and hands on. Never shipped.

`run(definition)` is a generator. It yields the `Wait`s that are open, what the run waits for, and is sent one of them with its answer,
one of `ANSWERS`; it returns the `End`. Each kind of component is one function, a gate is an `if`, a loop is a `for`, leaving a unit is an
exception, and the branches of a Parallel are generators side by side. It knows the user's definition and the claims (`semantics.md`) and
nothing of the core, which resumes from a state where this can only be replayed from the beginning: that the two wait for the same
things shows that the core means what the claims say.

A word that ends in " and cancel" comes together with a cancellation (CANCEL-1).

Not read: a stop, a failure, or a unit that is left, where another branch of a Parallel is open beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeAlias

from attrs import define, evolve, field, frozen

from statecore.definition import (
    Component,
    Condition,
    Definition,
    HumanReview,
    Loop,
    OnError,
    OnInterrupt,
    OnReject,
    OnTimeout,
    Parallel,
    Router,
    Step,
    Steps,
)

Ref: TypeAlias = tuple[
    Any, ...
]  # what was handed on: where, in which turn and at which attempt it came to be; or what branches gave


class Wait(NamedTuple):
    """What a run waits for: a person ("ask"), user code ("call"), a delay ("timer"), or to be resumed after it failed ("resume").

    `number` is that of a question which code asks; of a call it says how many questions that code may still ask.
    """

    what: str
    kind: str
    at: str
    turn: tuple[int, ...]
    attempt: int
    prev: Ref | None
    expires: bool = False
    number: int = 0


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


# what a run waits for -> the words that answer it, that which goes forward first; "cancel" answers all but a failed run, "expire" what
# has a deadline; "select" and "choose" are followed by the numbers of choices, "ask", which answers a call that may ask, by how many
# questions it asks; "renew" puts a question again
ANSWERS: dict[tuple[str, str], tuple[str, ...]] = {
    ("call", "execute"): ("succeed", "stop", "fail", "interrupt"),
    ("call", "evaluate"): ("hold", "refute", "fail", "interrupt"),
    ("call", "test"): ("refute", "hold", "fail", "interrupt"),
    ("call", "select"): ("choose", "refute", "fail", "interrupt"),
    ("call", "judge"): ("refute", "hold", "fail", "interrupt"),
    ("timer", "delay"): ("wake",),
    ("ask", "confirmation"): ("confirm", "amend", "reject", "renew"),
    ("ask", "user_input"): ("input", "reject", "renew"),
    ("ask", "route"): ("select", "reject", "renew"),
    ("ask", "output_review"): ("confirm", "reject", "edit", "renew"),
    ("ask", "iteration_review"): ("confirm", "reject", "renew"),
    ("ask", "question"): ("answer", "reject", "renew"),
    ("ask", "error"): ("skip", "retry", "amend", "provide", "renew"),
    ("ask", "interrupted"): ("skip", "retry", "amend", "provide", "renew"),
    ("resume", "failed"): ("resume",),
}
GIVEN = ("amend", "provide")
"""The words of a person who gives a step another input, or its output (GATE-11, ERR-12)."""
WITH = " and cancel"
"""The end of a word that comes together with a cancellation."""
DEATHS = 3  # an interrupted call is put to a person when it has died this often in a row, whatever its policy


def answers_at(waits: Wait, it: Component) -> tuple[str, ...]:
    """The words that answer what a run waits for at a component: a Step alone takes an output, and another input where it says so."""
    heard = {"amend": review_of(it).allow_edit, "provide": True} if isinstance(it, Step) else {}
    return tuple(word for word in ANSWERS[waits.what, waits.kind] if word not in GIVEN or heard.get(word))


class Left(Exception):  # not an error: the way out of a unit
    """The component at `unit` is left by its error policy; `last` is what had completed until then."""

    def __init__(self, unit: str, last: Ref | None) -> None:
        self.unit, self.last = unit, last


class Stopped(Exception):  # not an error: the way out of a workflow
    """A step said stop: its workflow is completed with this output (RUN-3)."""

    def __init__(self, output: Ref | None) -> None:
        self.output = output


class Cancelled(Exception):  # not an error: the way out of the run
    """The run is over, wherever it was. What stands at `failed` is recorded as failed, and not cancelled any more."""

    def __init__(self, failed: str | None = None) -> None:
        self.failed = failed


@frozen
class Place:
    """Where a component stands: its address and turn, whose error policy holds, which unit that leaves (ERR-7), and the run's record.

    `ordered` is empty until a cancellation comes together with an answer: then nothing begins any more (CANCEL-1).
    """

    at: str = ""
    turn: tuple[int, ...] = ()
    on_error: OnError = OnError.fail
    unit: str | None = None
    most: int | None = None
    record: list[Entry] = field(factory=list)
    ordered: list[str] = field(factory=list)

    def note(self, outcome: str, handed: Ref | None = None) -> None:
        """Record what became of the component."""
        self.record.append(Entry(self.at, self.turn, outcome, handed))


@define
class Tries:
    """How often a component was begun, tried again by itself since a person last decided, rejected in review, and has asked itself."""

    attempt: int = 0
    automatic: int = 0
    rejected: int = 0
    asked: int = 0

    def again(self) -> None:
        """Begin anew because a person said so."""
        self.attempt, self.automatic = self.attempt + 1, 0


Answer: TypeAlias = tuple[Wait, str]
Waiting: TypeAlias = Generator[tuple[Wait, ...], Answer, Handed]
Asking: TypeAlias = Generator[tuple[Wait, ...], Answer, str]
NOTHING = Handed(None, None)


def run(definition: Definition) -> Generator[tuple[Wait, ...], Answer, End]:
    """A run is its components in order; its content is what the last completed one handed on (RUN-4)."""
    root = Place(most=definition.max_concurrency)
    flow = in_order(definition.steps, "", root, NOTHING)
    answer: Answer | None = None
    try:
        while True:
            wait, word = yield flow.send(answer)  # type: ignore[arg-type]  # None starts a generator
            root.ordered.extend([WITH] * word.endswith(WITH))
            answer = wait, word.removesuffix(WITH)
    except StopIteration as over:
        handed = over.value
    except Stopped as stopped:
        handed = Handed(stopped.output, stopped.output)
    except Cancelled:
        root.ordered.append(WITH)
    return End("cancelled", None, tuple(root.record)) if root.ordered else End("completed", handed.last, tuple(root.record))


def in_order(children: Sequence[Component], prefix: str, here: Place, was: Handed) -> Waiting:
    """Children run one after the other; each sees what the one before it handed on (RUN-1)."""
    for child in children:
        was = yield from component(child, evolve(here, at=below(prefix, child.name)), was)
    return was


def component(it: Component, here: Place, was: Handed) -> Waiting:
    """A component runs by its kind, under its own error policy where it sets one; left by that, it gives None (SKIP-2)."""
    if here.ordered:
        raise Cancelled
    review = review_of(it)
    if review.on_error is not None:
        here = evolve(here, on_error=review.on_error, unit=here.at)
    try:
        return (yield from KINDS[type(it)](it, here, was))
    except Left as left:
        here.note("skipped")
        if left.unit != here.at:
            raise (Cancelled() if here.ordered else left) from None
        return Handed(None, left.last)
    except Stopped as stopped:
        here.note("completed", stopped.output)
        if not isinstance(it, Definition) and getattr(it, "workflow", None) is None:
            raise (Cancelled() if here.ordered else stopped) from None
        return Handed(stopped.output, stopped.output)
    except Cancelled as cancelled:
        if cancelled.failed != here.at:
            here.note("cancelled")
        raise


# -- one function for each kind of component ---------------------------------------------------------------------------------------


def step(it: Step, here: Place, was: Handed) -> Waiting:
    """A step calls user code and hands on its output; one that runs a workflow is a group to which SKIP-1 applies."""
    if it.workflow is not None:
        return (yield from group(it, it.workflow.steps, here, was))
    tries, entered = Tries(), (yield from gate(it, here, was))
    if entered not in ("confirm", "amend"):
        return skipped(it, here, was)
    was = amended(here, tries, was) if entered == "amend" else was
    while True:
        said = yield from call("execute", it, here, tries, was, it.max_retries)
        if said.startswith("ask"):
            if (yield from asking(it, here, tries, was, int(said.split()[1]))) == "skip":
                return skipped(it, here, was)
            continue
        kept = said if said in ("", "amend", "provide") else (yield from reviewed(it, here, tries, was))
        output: Ref = (here.at, here.turn, tries.attempt)
        if kept == "amend":
            was = amended(here, tries, was)
            continue
        if kept == "skip":
            return skipped(it, here, was)
        if kept and said == "stop":
            raise Stopped(output)
        if kept:
            return completed(here, output)


def amended(here: Place, tries: Tries, was: Handed) -> Handed:
    """A person gave another input (GATE-11, ERR-12): it is the previous content of the next attempt and of those after it."""
    given: Ref = (here.at, here.turn, tries.attempt)
    tries.again()
    return Handed(given, was.last)


def steps(it: Steps, here: Place, was: Handed) -> Waiting:
    """Steps runs its children in order and is gated as a whole (STEPS-1)."""
    return (yield from group(it, it.steps, here, was))


def workflow(it: Definition, here: Place, was: Handed) -> Waiting:
    """A nested workflow is a Steps with its own name (NEST-1); what gates it is a Step around it."""
    return (yield from entered(it.steps, here.at, here, was))


def condition(it: Condition, here: Place, was: Handed) -> Waiting:
    """Exactly one branch runs (COND-6): a person chooses where one is asked, and else the evaluator, never both (COND-4)."""
    if it.human_review.requires_confirmation:
        chosen = {"confirm": "hold", "else": "refute"}.get((yield from gate(it, here, was)), "")
    else:
        chosen = yield from until_answered("evaluate", it, here, Tries(), was)
    if chosen == "hold":
        return (yield from entered(it.steps, below(here.at, "then"), here, was))
    if chosen == "refute" and it.else_steps:
        return (yield from entered(it.else_steps, below(here.at, "else"), here, was))
    return skipped(it, here, was)  # COND-3


def loop(it: Loop, here: Place, was: Handed) -> Waiting:
    """Iterations follow each other until the end condition holds, a person accepts, or they are spent (LOOP-1, LOOP-3)."""
    if (yield from gate(it, here, was)) != "confirm":
        return skipped(it, here, was)
    tries, seen = Tries(), was
    for iteration in range(it.max_iterations):
        inner = evolve(here, turn=(*here.turn, iteration))
        inside = yield from in_order(it.steps, here.at, inner, seen)
        if iteration + 1 == it.max_iterations:
            break
        if it.end_condition is not None and (yield from until_answered("test", it, inner, tries, was)) == "hold":
            break
        if it.human_review.requires_iteration_review:
            verdict = yield from ask("iteration_review", it, inner, tries.attempt, was)
            if verdict == "skip":
                return skipped(it, here, was)
            if verdict == "confirm":
                break
        seen = Handed(inside.prev if it.forward_iteration_output else was.prev, was.last)  # LOOP-2
    return completed(here, inside.prev)


def router(it: Router, here: Place, was: Handed) -> Waiting:
    """The choices made run in the order chosen (ROUTE-3); a rejected result is chosen anew (REV-4)."""
    if (yield from gate(it, here, was)) != "confirm":
        return skipped(it, here, was)
    tries = Tries()
    while True:
        if it.human_review.requires_user_input:
            chosen = yield from ask("route", it, here, tries.attempt, was)
        else:
            chosen = yield from until_answered("select", it, here, tries, was)
        if chosen in ("skip", "refute"):
            return skipped(it, here, was)
        choices = [it.choices[int(number)] for number in chosen.split()[1:]]
        inside = yield from in_order(choices, here.at, evolve(here, turn=(*here.turn, tries.attempt)), was)
        kept = yield from reviewed(it, here, tries, was)
        if kept == "skip":
            return skipped(it, here, was)
        if kept:
            return completed(here, (here.at, here.turn, tries.attempt) if kept == "edit" else inside.prev)


def parallel(it: Parallel, here: Place, was: Handed) -> Waiting:
    """Branches run side by side; what they hand on does not depend on the order in which they end (PAR-5)."""
    if (yield from gate(it, here, was)) != "confirm":
        return skipped(it, here, was)
    most = it.max_concurrency or here.most
    alone = it.human_review.on_error is not None  # ERR-7: its policy leaves the failed branch alone
    handed: dict[str, Ref | None] = {}
    waiting = [(each, evolve(here, at=(at := below(here.at, each.name)), unit=at if alone else here.unit)) for each in it.steps]
    live: dict[str, tuple[Waiting, tuple[Wait, ...]]] = {}
    while True:
        while waiting and (most is None or sum(wait.what == "call" for _, waits in live.values() for wait in waits) < most):
            each, place = waiting.pop(0)
            move(each.name, component(each, place, was), None, live, handed)
        if not live:
            break
        waiting.sort(key=lambda each: each[1].at)
        answer = yield tuple(sorted((wait for _, waits in live.values() for wait in waits), key=lambda wait: (wait.at, wait.turn)))
        mine = next((name for name, (_, waits) in live.items() if answer[0] in waits), "")
        try:
            if answer[1] == "cancel":
                raise Cancelled  # noqa: TRY301  # the branches' own endings are caught below
            move(mine, live.pop(mine)[0], answer, live, handed)
            if here.ordered and (live or waiting):
                raise Cancelled  # noqa: TRY301  # the same
        except Cancelled:
            for name in list(live):
                branch, waits = live.pop(name)
                cancel_branch(branch, waits)
            raise
    gathered: Ref = (tuple((each.name, handed[each.name]) for each in it.steps),)
    return completed(here, gathered)


def move(
    name: str,
    branch: Waiting,
    answer: Answer | None,
    live: dict[str, tuple[Waiting, tuple[Wait, ...]]],
    handed: dict[str, Ref | None],
) -> None:
    """Let a branch go on to what it waits for next, or to its end."""
    try:
        live[name] = branch, branch.send(answer)  # type: ignore[arg-type]  # None starts a generator
    except StopIteration as over:
        handed[name] = over.value.prev


def cancel_branch(branch: Waiting, waits: tuple[Wait, ...]) -> None:
    """Cancel a branch where it waits."""
    try:
        branch.send((waits[0], "cancel"))
    except Cancelled:
        return


# -- what they share ---------------------------------------------------------------------------------------------------------------


UNASKED = HumanReview()


def review_of(it: Component) -> HumanReview:
    """What a person is asked about a component."""
    return getattr(it, "human_review", UNASKED)


def group(it: Step | Steps, children: Sequence[Component], here: Place, was: Handed) -> Waiting:
    """A gate, and behind it children in order."""
    if (yield from gate(it, here, was)) != "confirm":
        return skipped(it, here, was)
    return (yield from entered(children, here.at, here, was))


def entered(children: Sequence[Component], prefix: str, here: Place, was: Handed) -> Waiting:
    """A component that is entered completes after its children, and hands on what the last of them shows."""
    inside = yield from in_order(children, prefix, here, was)
    return completed(here, inside.prev)


def completed(here: Place, output: Ref | None) -> Handed:
    """A component is over and hands on its output."""
    here.note("completed", output)
    return Handed(output, output)


def skipped(it: Component, here: Place, was: Handed) -> Handed:
    """After a skipped Step the previous content is None (SKIP-1); any other component not entered lets it through (SKIP-2)."""
    here.note("skipped")
    return Handed(None if isinstance(it, Step) else was.prev, was.last)


def gate(it: Component, here: Place, was: Handed) -> Asking:
    """A person decides, or gives what is needed, before anything runs (CONF-1, INPUT-3): "confirm", or "skip" or "else"."""
    review = review_of(it)
    if review.requires_user_input and isinstance(it, Step):
        return "confirm" if (yield from ask("user_input", it, here, 0, was)) == "input" else "skip"
    if not review.requires_confirmation:
        return "confirm"
    said = yield from ask("confirmation", it, here, 0, was)
    return "skip" if said == "retry" else said  # CONF-10


def ask(kind: str, it: Component, here: Place, attempt: int, was: Handed) -> Asking:
    """A person answers, or the deadline passes (TIME-3); a no leads where `on_reject` says. Cancels, or says what follows.

    A question that is put again waits as before (GATE-7a).
    """
    review, said = review_of(it), "renew"
    while said == "renew":
        said = yield from wait(here, Wait("ask", kind, here.at, here.turn, attempt, was.prev, review.timeout is not None))
    return consequence(kind, it, said)


def consequence(kind: str, it: Component, said: str) -> str:
    """What an answer, or a deadline that passed, leads to. Raises Cancelled where it cancels the run."""
    review = review_of(it)
    if said == "reject":
        said = (review.on_reject or (OnReject.else_branch if isinstance(it, Condition) else OnReject.skip)).value
        if kind == "route" and said == "retry":
            return "skip"
    elif said == "expire":
        said = {OnTimeout.skip: "skip", OnTimeout.approve: "confirm", OnTimeout.cancel: "cancel"}[review.on_timeout]
        if said == "confirm" and kind in ("error", "interrupted"):  # there is nothing to approve
            raise Cancelled
    if said == "cancel":
        raise Cancelled
    return said


def asking(it: Step, here: Place, tries: Tries, was: Handed, count: int) -> Asking:
    """A step's code has asked, and begins again when all is answered (ASK-2); what closes one question closes the others.

    Where the questions lapse, the code begins again as if it had asked nothing (ASK-8).
    """
    late = it.human_review.timeout is not None
    numbers = range(tries.asked, tries.asked + count)
    still = [Wait("ask", "question", here.at, here.turn, tries.attempt, was.prev, late, number) for number in numbers]
    tries.asked += count
    while still:
        if here.ordered:
            raise Cancelled
        which, said = yield tuple(still)
        if said == "renew":
            tries.asked = 0
            break
        if said != "answer":
            led = consequence("question", it, said)
            return "skip" if led == "retry" else led  # CONF-10
        tries.automatic = 0
        still.remove(which)
    tries.attempt += 1
    return ""


def reviewed(it: Step | Router, here: Place, tries: Tries, was: Handed) -> Asking:
    """An output is kept ("keep"), replaced ("edit"), discarded ("skip"), or made again (""), at most so often (REV-1)."""
    wanted = it.human_review.requires_output_review
    if callable(wanted):
        judged = yield from call("judge", it, here, tries, was)
        if judged != "hold":
            return judged if judged in GIVEN else "keep" if judged else ""
    elif not wanted:
        return "keep"
    said = yield from ask("output_review", it, here, tries.attempt, was)
    if said != "retry":
        return said
    if tries.rejected >= it.human_review.max_retries:
        raise Cancelled
    tries.rejected += 1
    tries.again()
    return ""


def until_answered(kind: str, it: Condition | Loop | Router, here: Place, tries: Tries, was: Handed) -> Asking:
    """Call what a component asks, again after each retry, until it answers."""
    while not (answer := (yield from call(kind, it, here, tries, was))):
        continue
    return answer


def call(  # noqa: PLR0913  # what the asking depends on
    kind: str, it: Any, here: Place, tries: Tries, was: Handed, automatic: int = 0
) -> Asking:
    """User code is called once per attempt (RUN-2); an error or a death goes by policy. Its answer, or "" to begin again."""
    deaths = 0
    while True:
        may_ask = it.may_ask - tries.asked if kind == "execute" else 0
        answer = yield from wait(here, Wait("call", kind, here.at, here.turn, tries.attempt, was.prev, number=may_ask))
        if answer == "fail" and tries.automatic < automatic:
            yield from wait(here, Wait("timer", "delay", here.at, here.turn, tries.attempt, was.prev))
            tries.attempt, tries.automatic, deaths = tries.attempt + 1, tries.automatic + 1, 0
            continue
        if answer == "fail":
            policy, pause = here.on_error.value, "error"
        elif answer == "interrupt":
            deaths += 1
            default = OnInterrupt.pause if here.on_error == OnError.pause else OnInterrupt.retry
            policy, pause = (it.on_interrupt or default).value if deaths < DEATHS else "pause", "interrupted"
        else:
            return answer
        if policy == "retry":  # called again with the same key: the same attempt (CRASH-2)
            continue
        said = (yield from ask(pause, it, here, tries.attempt, was)) if policy == "pause" else policy
        if said == "skip":
            raise Left(here.unit or here.at, was.last)
        if said in GIVEN:  # ERR-12
            return said
        if policy == "fail":  # the run ends here, but may be resumed (ERR-1)
            if here.ordered:
                raise Cancelled(here.at)
            yield from wait(here, Wait("resume", "failed", here.at, here.turn, tries.attempt, was.prev))
        tries.again()  # ERR-4: the same input, one attempt more, and no gate
        return ""


def wait(here: Place, what: Wait) -> Asking:
    """The run waits here; cancelled while it waits, or together with what it waited for, it is over (CANCEL-1)."""
    if here.ordered:
        raise Cancelled
    _, answer = yield (what,)
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
    Loop: loop,
    Router: router,
    Parallel: parallel,
}
