"""The world as arguments of a test: `Clock` is its time, `Reviewer` its person, `Stubs` its user code.

A clock moves when the test says so: deadlines, delays and leases take no waiting. A reviewer answers by step or by kind of question.
Stubs replace each step, evaluator, selector, end condition and predicate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, evolve, field

from statecore.core import ROOT, Micros
from statecore.core.program import below
from statecore.definition import Ask, StepOutput
from statecore.definition.plain import plain_definition, read_definition
from statecore.errors import Unanswered
from statecore.lifecycles import CALL_KINDS, COMPONENT_KINDS, STEP_KIND, exhaustive

if TYPE_CHECKING:
    from statecore.definition.components import Definition
    from statecore.output import Requirement, WorkflowRunOutput
    from statecore.stores import RunReader
    from statecore.workflow.workflow import Workflow

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
"""Where a test's time begins: a day in November 2023, UTC."""
Answer: TypeAlias = Any
"""A word ("confirm"), or a word with its value (("edit", "new text"), ("input", {"amount": 3}), ("reject", "why"), ("select", ["a"]))."""
Key: TypeAlias = tuple[str, str]
"""The kind and place of a call: execute, evaluate, select, test or judge, and the address."""
ASKED = "ask"
"""The planned answer of a step that asks a question."""
OF_TITLE = {kind.title: kind for kind in COMPONENT_KINDS}
DEFAULTS: dict[str, Any] = {"execute": "succeed", "evaluate": False, "select": None, "test": True, "judge": False}
exhaustive("testing.doubles.DEFAULTS", DEFAULTS, CALL_KINDS)


@define
class Clock:
    """A clock in microseconds since 1970 that moves only by `advance`. A waiting workflow advances it; `waits` records each wait."""

    now: Micros = START
    waits: list[float] = field(factory=list)

    def __call__(self) -> int:
        """Now."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Advance the clock by a number of seconds."""
        self.now += round(seconds * SECOND)

    def sleep(self, seconds: float) -> None:
        """Advance the clock instead of waiting."""
        self.waits.append(seconds)
        self.advance(seconds)

    async def asleep(self, seconds: float) -> None:
        """The same on asyncio."""
        self.sleep(seconds)


def timed(workflow: Workflow, clock: Clock, db: RunReader | None = None) -> Workflow:
    """The same workflow by this clock, on its own store or on another."""
    other = workflow.on(db if db is not None else workflow.db)
    other.host = evolve(other.host, clock=clock, sleep=clock.sleep, asleep=clock.asleep)
    return other


# -- the person --------------------------------------------------------------------------------------------------------------------


@define
class Reviewer:
    """A scripted reviewer that answers the questions of a workflow.

    `answers` are looked up by pause id, address, step name and kind of question, in this order; a list is used up one
    by one, any other answer is repeated. A question without an answer raises `Unanswered`, which names it. `asked`
    records the questions in order.
    """

    answers: Mapping[str, Answer]
    by: str = "reviewer"
    asked: list[tuple[str, str]] = field(factory=list)
    used: dict[str, int] = field(factory=dict)

    def run(self, workflow: Workflow, run_input: Any = None, **options: Any) -> WorkflowRunOutput:
        """Start a run, and answer its questions until it ends."""
        return self.finish(workflow, workflow.run(run_input, **options))

    def finish(self, workflow: Workflow, run_output: WorkflowRunOutput) -> WorkflowRunOutput:
        """Answer the questions of a run and continue it, until it ends."""
        while run_output.is_paused:
            for requirement in run_output.requirements:
                if not requirement.is_resolved:
                    self.answer(requirement)
            run_output = workflow.continue_run(run_output)
        return run_output

    def answer(self, requirement: Requirement) -> None:
        """Record the answer to one question on its requirement. Raises `Unanswered`."""
        keys = (requirement.pause_id, requirement.address, requirement.step_name, requirement.kind)
        key = next((key for key in keys if key in self.answers and not self.is_used_up(key)), None)
        if key is None:
            raise Unanswered(requirement.kind, requirement.step_name, list(self.answers))
        answer = self.answers[key]
        if isinstance(answer, list):
            answer = answer[self.used.get(key, 0)]
            self.used[key] = self.used.get(key, 0) + 1
        word, value = answer if isinstance(answer, tuple) else (answer, None)
        self.asked.append((requirement.step_name, requirement.kind))
        requirement.decide(word, value, by=self.by)

    def is_used_up(self, key: str) -> bool:
        """Whether a list of answers is at its end."""
        answer = self.answers[key]
        return isinstance(answer, list) and self.used.get(key, 0) >= len(answer)


# -- the user code -----------------------------------------------------------------------------------------------------------------


class Planned(Exception):
    """The exception of a stub whose planned answer is a failure."""


def copied(planned: Mapping[Key, Sequence[Any]]) -> dict[Key, list[Any]]:
    """The plan, to be used up."""
    return {key: list(answers) for key, answers in planned.items()}


@define
class Stubs:
    """Planned answers, call by call: "succeed", "stop" and "fail" for steps; True, False, names or "fail" for evaluators and selectors.

    A step that may ask asks a question for "ask", and as many as a list of it has.

    The answer to an unplanned call is `default(kind, at)`: steps succeed, evaluators and predicates say no, selectors
    choose nothing, end conditions end their loop. A step passes on its address. `called` remembers each call, in
    order.
    """

    planned: dict[Key, list[Any]] = field(factory=dict, converter=copied)
    default: Callable[[str, str], Any] = field(default=lambda kind, at: defaults(kind, at))  # noqa: PLW0108  # defined below
    called: list[Key] = field(factory=list)

    def answer(self, kind: str, at: str) -> Any:
        """The next answer; a planned failure is raised."""
        self.called.append((kind, at))
        answers = self.planned.get((kind, at))
        found = answers.pop(0) if answers else self.default(kind, at)
        if isinstance(found, BaseException):
            raise found
        if found == "fail":
            raise Planned(at)
        return found

    def stub(self, kind: str, at: str) -> Callable[..., Any]:
        """The function in place of user code."""
        if kind != STEP_KIND.work:
            return lambda _about: self.answer(kind, at)
        return lambda _step_input: self.end(at, self.answer(kind, at))

    @staticmethod
    def end(at: str, said: Any) -> Any:
        """The value that a step's stub returns for a planned answer."""
        if said == ASKED or isinstance(said, list):
            return [Ask("?") for _ in ([said] if said == ASKED else said)]
        return StepOutput(content=at, stop=said == "stop")


def defaults(kind: str, _at: str) -> Any:
    """The answer of a stub where nothing is planned."""
    return DEFAULTS[kind]


def stubbed(definition: Definition, stubs: Stubs) -> Definition:
    """The same definition with stubs in place of its code; a constant (`evaluator=True`) stays."""
    return read_definition(*in_plain(definition, stubs))


def in_plain(definition: Definition, stubs: Stubs) -> tuple[dict[str, Any], dict[str, Callable[..., Any]]]:
    """The plain form of that definition, and its stubs by the names that it has for them."""
    plain = plain_definition(definition)
    functions: dict[str, Callable[..., Any]] = {}
    replace(plain["steps"], ROOT, stubs, functions)
    return plain, functions


def replace(children: Sequence[dict[str, Any]], prefix: str, stubs: Stubs, functions: dict[str, Callable[..., Any]]) -> None:
    """Put stubs into a list of plain components, and into all that is inside them."""
    for plain in children:
        at, kind = below(prefix, plain["name"]), OF_TITLE[plain["type"]]
        if "workflow" in plain:
            replace(plain["workflow"]["steps"], at, stubs, functions)
        elif kind.calls:
            setting = kind.setting(kind.work)
            plain.pop("agent", None)
            if kind.is_leaf or not isinstance(plain.get(setting), bool | None):
                plain[setting] = named(kind.work, at, stubs, functions)
        review = plain.get("human_review", {})
        review.pop("user_input_check", None)  # as the class of a form, it is code
        if isinstance(review.get("requires_output_review"), Mapping):
            review["requires_output_review"] = named("judge", at, stubs, functions)
        for name, part in kind.lists.items():
            replace(plain.get(name, ()), below(at, part) if part else at, stubs, functions)


def named(call: str, at: str, stubs: Stubs, functions: dict[str, Callable[..., Any]]) -> dict[str, str]:
    """A stub as a plain definition names a function."""
    name = f"{call} {at}"
    functions[name] = stubs.stub(call, at)
    return {"function": name}
