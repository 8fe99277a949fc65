"""Two situations that the product is known by, made on purpose: a step is skipped and another follows; a gated component fails.

A case is drawn as data and played through the public API on the real engine. What the user's code and the person saw is compared with what the
claims say, worked out here from the drawing alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from hypothesis import strategies as st

from statecore import Condition, Loop, Parallel, Router, Step, Steps, Workflow
from statecore.testing import Clock, Planned, timed

if TYPE_CHECKING:
    from collections.abc import Callable

Log = list[Any]
NAMES = ("a", "b/c", "~", "then", "é")


def passes(step_input: Any) -> str:
    """Hand on one's name."""
    return f"content of {step_input.step_name}"


def around(kind: str, name: str, steps: list[Any], **settings: Any) -> Any:
    """A component of a kind, all of whose work are these steps."""
    beside = Step("beside", passes)
    inner = Steps("inner", steps)
    return {
        "steps": lambda: Steps(name, steps, **settings),
        "step": lambda: Step(name, workflow=Workflow("inner", steps), **settings),
        "workflow": lambda: Workflow(name, steps),
        "condition": lambda: Condition(name, steps, [beside], True, **settings),  # an evaluator
        "else": lambda: Condition(name, [beside], steps, False, **settings),  # the same
        "loop": lambda: Loop(name, steps, max_iterations=2, **settings),
        "router": lambda: Router(name, [beside, *steps], selector=lambda _: [each.name for each in steps], **settings),
        "parallel": lambda: Parallel(inner, beside, name=name, **settings),
    }[kind]()


KINDS = ("steps", "step", "workflow", "condition", "else", "loop", "router", "parallel")
UNITS = tuple(kind for kind in KINDS if kind != "workflow")
"""The kinds that may have an error policy."""


# -- a skipped step, and what follows ------------------------------------------------------------------------------------------------

QUESTIONS: dict[str, tuple[dict[str, Any], tuple[str, Any]]] = {
    "confirmation": ({"requires_confirmation": True}, ("confirm", None)),
    "user_input": ({"requires_user_input": True}, ("input", {})),
    "output_review": ({"requires_output_review": True}, ("confirm", None)),
    "error": ({"on_error": "pause"}, ("retry", None)),
}
"""The settings that make a question, and the answer that goes forward."""
CAUSES = ("person", "policy", "rejection", "rejected review", "expired pause")
WAYS = {
    "person": ("error",),
    "policy": ("none",),
    "rejection": ("confirmation", "user_input"),
    "rejected review": ("output_review",),
    "expired pause": tuple(QUESTIONS),
}


@frozen
class Skip:
    """A step that is skipped for a cause, inside components of these kinds (innermost first), and the place of the step that follows.

    `after` says how many of the components lie between: 0 where the next step is in the same list. `unit` is the component whose error
    policy it is; None for the step's own. Where `forward` is true the step is not skipped: then the next one sees its content.
    """

    cause: str
    question: str
    kinds: tuple[str, ...]
    after: int
    unit: int | None
    forward: bool
    names: tuple[str, ...]

    @property
    def fails(self) -> bool:
        """Whether the step's code raises the first time."""
        return self.question == "error" or (self.question == "none" and not self.forward)

    def settings(self) -> dict[str, Any]:
        """The settings of the step itself."""
        found = {} if self.question == "none" else dict(QUESTIONS[self.question][0])
        if self.question == "none":
            found["on_error"] = "skip"
        if self.cause in ("rejection", "rejected review"):
            found["on_reject"] = "skip"
        if self.cause == "expired pause":
            found |= {"hitl_timeout": 60, "on_timeout": "skip"}
        if self.unit is not None:
            found.pop("on_error")
        return found

    def steps(self, log: Log) -> list[Any]:
        """The workflow; the step that follows logs what it sees."""
        again: list[int] = []

        def subject(_step_input: Any) -> str:
            again.append(1)
            if self.fails and (not self.forward or len(again) % 2):
                raise Planned
            return "content of the subject"

        follows = Step("follows", lambda step_input: log.append(step_input.previous_step_content))
        steps: list[Any] = [Step("before", passes), Step(self.names[0], subject, **self.settings())]
        for level, kind in enumerate((*self.kinds, "end")):
            if level == self.after:
                steps.append(follows)
            if kind != "end":
                error = "skip" if self.cause == "policy" else "pause"
                own = {"on_error": error} if self.unit == level else {}
                steps = [Step("before", passes), around(kind, self.names[level + 1], steps, **own)]
        return steps

    def expected(self) -> Any:
        """What the step that follows sees: None, in the branch's place where a Parallel is over, and the content where nothing was skipped.

        A unit that is left gives None, whatever is inside it; a Parallel is never left itself.
        """
        seen = "content of the subject" if self.forward else None
        first = self.unit if self.unit is not None and not self.forward else 0
        for kind in self.kinds[first : self.after]:
            seen = {"inner": seen, "beside": "content of beside"} if kind == "parallel" else seen  # type: ignore[assignment]
        return seen

    def times(self) -> int:
        """How often the step that follows runs: twice in each Loop around it."""
        return int(2 ** self.kinds[self.after :].count("loop"))


@st.composite
def skips(draw: st.DrawFn) -> Skip:
    """A step that is skipped, in nine of ten draws, for each cause as often."""
    cause = draw(st.sampled_from(CAUSES))
    question = draw(st.sampled_from(WAYS[cause]))
    size = draw(st.sampled_from([0, 1, 1, 1, 2, 2, 3]))
    kinds = tuple(draw(st.lists(st.sampled_from(KINDS), min_size=size, max_size=size)))
    after = draw(st.sampled_from([*range(size + 1), size]))
    units = [level for level in range(after) if kinds[level] != "workflow" and question in ("error", "none")]
    unit = draw(st.sampled_from([None, *units])) if cause != "expired pause" else None
    forward = draw(st.sampled_from([False] * 9 + [True]))
    return Skip(cause, question, kinds, after, unit, forward, drawn_names(draw, kinds))


def drawn_names(draw: st.DrawFn, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """A name for the subject and for each component around it."""
    return tuple(draw(st.lists(st.sampled_from(NAMES), min_size=len(kinds) + 1, max_size=len(kinds) + 1)))


def play_skip(case: Skip) -> None:
    """Run the case, and compare what the next step saw."""
    log: Log = []
    clock = Clock()
    flow = timed(Workflow("skip", case.steps(log)), clock)
    run = flow.run("the input")
    while run.is_paused:
        if case.cause == "expired pause" and not case.forward:
            clock.advance(60)
            flow.tick()
            run = flow.get_run_output(run.run_id)
            continue
        for requirement in run.requirements:
            word, value = QUESTIONS[requirement.kind][1]
            said = word if case.forward else "skip" if case.cause == "person" else "reject"
            if not requirement.is_resolved:
                requirement.decide(said, value if case.forward else None)
        run = flow.continue_run(run)
    assert (run.status.value, log) == ("COMPLETED", [case.expected()] * case.times())


# -- a gate, and an error behind it --------------------------------------------------------------------------------------------------


@frozen
class Gate:
    """A gated component of a kind that fails so often in each turn, inside components of these kinds (innermost first).

    `automatic` retries come before a person is asked; where `reopens` is true the run fails instead of asking, and is reopened.
    """

    subject: str
    failures: int
    automatic: int
    reopens: bool
    kinds: tuple[str, ...]
    names: tuple[str, ...]

    def steps(self, log: Log) -> list[Any]:
        """The workflow; the code that fails logs each call."""
        calls: list[int] = []

        def fails(_about: Any) -> Any:
            log.append("called")
            calls.append(1)
            if len(calls) % (self.failures + 1):
                raise Planned
            return RESULTS[self.subject]

        policy = {"requires_confirmation": True, "on_error": "fail" if self.reopens else "pause"}
        made: Callable[..., Any] = GATED[self.subject]
        steps = [made(self.names[0], fails, self.automatic, policy)]
        for level, kind in enumerate(self.kinds):
            steps = [Step("before", passes), around(kind, self.names[level + 1], steps), Step("behind", passes)]
        return steps

    def expected(self) -> Log:
        """What happens in each turn: one confirmation, then the calls, each failure of which that is not retried by itself stops the run."""
        turn: Log = ["confirmation"]
        for number in range(1, self.failures + 1):
            turn += ["called", *([] if number % (self.automatic + 1) else ["failed" if self.reopens else "error"])]
        return [*turn, "called"] * int(2 ** self.kinds.count("loop"))


RESULTS: dict[str, Any] = {"loop": True, "router": "x"}
RESULTS |= dict.fromkeys(("step", "steps", "parallel", "nested"), "done")
GATED: dict[str, Any] = {
    "step": lambda name, code, retries, policy: Step(name, code, max_retries=retries, **policy),
    "loop": lambda name, code, _, policy: Loop(name, [Step("x", passes)], 2, code, **policy),
    "router": lambda name, code, _, policy: Router(name, [Step("x", passes), Step("y", passes)], code, **policy),
    "steps": lambda name, code, retries, policy: Steps(name, [Step("x", code, max_retries=retries), Step("y", passes)], **policy),
    "parallel": lambda name, code, retries, policy: Parallel(
        Step("x", code, max_retries=retries), Step("y", passes), name=name, **policy
    ),
    "nested": lambda name, code, retries, policy: Step(
        name, workflow=Workflow("w", [Steps("s", [Step("x", code, max_retries=retries)])]), **policy
    ),
}


@st.composite
def gates(draw: st.DrawFn) -> Gate:
    """A gated component that fails at least once in nine of ten draws."""
    subject = draw(st.sampled_from(sorted(GATED)))
    kinds = tuple(draw(st.lists(st.sampled_from(KINDS), max_size=2)))
    failures = draw(st.sampled_from([0] + [1, 2, 3] * 3))
    automatic = draw(st.integers(0, 1)) if subject not in ("loop", "router") else 0
    return Gate(subject, failures, automatic, draw(st.sampled_from([False, False, True])), kinds, drawn_names(draw, kinds))


@frozen
class Person:
    """The person at the gate: says yes, and retry, and logs each new question."""

    log: Log
    known: set[str] = field(factory=set)

    def answer(self, requirement: Any) -> None:
        """Answer a question, and log it where it is new."""
        assert requirement.pause_id not in self.known
        self.known.add(requirement.pause_id)
        self.log.append(requirement.kind)
        requirement.decide(*QUESTIONS[requirement.kind][1])


def play_gate(case: Gate) -> None:
    """Run the case, and compare the order of questions and calls."""
    log: Log = []
    flow = timed(Workflow("gate", case.steps(log)), Clock())
    person = Person(log)
    options: dict[str, Any] = {}
    run: Any = None
    for _ in range(200):
        try:
            run = flow.run("the input", run_id="r") if run is None else flow.continue_run(run, **options)
            options = {}
        except Planned:
            log.append("failed")
            run, options = flow.get_run_output("r"), {"retry_failed": True}
            continue
        if not run.is_paused:
            break
        for requirement in run.requirements:
            if not requirement.is_resolved:
                person.answer(requirement)
    assert (run.status.value, log) == ("COMPLETED", case.expected())
