"""T16: run outputs that somebody has forged: only the decision that a person recorded is ever read from one, and never state (P8).

Every field of an output and of every kind of requirement is mutated, on the object and in its plain data; then the run is continued with it.
Without a decision nothing changes in the store; with one the run goes exactly as it goes for an honest caller, or is refused and does not move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from attrs import evolve, fields, frozen

from statecore import HumanReview, Loop, Router, Step, Workflow
from statecore.errors import StatecoreError
from statecore.output import Requirement, WorkflowRunOutput
from statecore.stores import InMemoryDb, PauseFilter
from tests.faults.report import Order, Tally

RUN = "run-1"
NOW = 1_700_000_000_000_000
DECISION = (
    *("decision", "value", "comment", "by"),
    *("confirmed", "user_input", "selected_choices", "rejection_feedback", "edited_output"),
)
"""The fields that are the decision itself: they are for the person who decides to write."""

ADDRESS = ("run_id", "pause_id")
"""The fields that say what the decision is about."""

STRANGE: tuple[Any, ...] = (
    object(),
    Exception("x"),
    b"x",
    float("nan"),
    {"status": "COMPLETED"},
    ["confirm"],
    [],
    {},
    None,
    True,
    0,
    -1,
    10**30,
)
FORGED = (*STRANGE, "", "COMPLETED", "confirm", "confirmation", "run-2", "../x", "a:confirmation:0", "z:confirmation:0")


@frozen
class Question:
    """A workflow that pauses at a question of one kind, and an honest answer to it."""

    kind: str
    steps: Callable[[list[str]], list[Any]]
    word: str
    value: Any = None


def noted(calls: list[str], name: str) -> Callable[[Any], str]:
    """A step whose call is noted."""

    def called(_: Any) -> str:
        calls.append(name)
        return name

    return called


def broken(calls: list[str]) -> Callable[[Any], str]:
    """A step that fails on its first attempt."""

    def called(step_input: Any) -> str:
        calls.append(f"b {step_input.attempt}")
        if step_input.attempt == 0:
            raise OSError("busy")
        return "b"

    return called


def stopped(calls: list[str]) -> Callable[[Any], str]:
    """A step whose process is told to end, on its first attempt."""

    def called(step_input: Any) -> str:
        calls.append(f"b {step_input.attempt}")
        if step_input.attempt == 0:
            raise KeyboardInterrupt
        return "b"

    return called


def in_the_middle(make: Callable[[list[str]], Any]) -> Callable[[list[str]], list[Any]]:
    """A gate that was passed before, the question, and a gate after it."""

    def steps(calls: list[str]) -> list[Any]:
        gates = [Step(name, noted(calls, name), requires_confirmation=True) for name in ("a", "z")]
        return [gates[0], make(calls), gates[1]]

    return steps


FIELDS = [{"name": "n", "field_type": "int", "required": True}]
QUESTIONS = [
    Question("confirmation", in_the_middle(lambda c: Step("b", noted(c, "b"), requires_confirmation=True)), "confirm"),
    Question(
        "user_input",
        in_the_middle(lambda c: Step("b", noted(c, "b"), requires_user_input=True, user_input_schema=FIELDS)),
        "input",
        {"n": 3},
    ),
    Question(
        "route",
        in_the_middle(lambda c: Router("b", choices=[Step(n, noted(c, n)) for n in "pq"], requires_user_input=True)),
        "select",
        ["q"],
    ),
    Question(
        "output_review",
        in_the_middle(lambda c: Step("b", noted(c, "b"), human_review=HumanReview(requires_output_review=True))),
        "edit",
        "edited",
    ),
    Question(
        "iteration_review",
        in_the_middle(lambda c: Loop("b", [Step("i", noted(c, "i"))], max_iterations=3, requires_iteration_review=True)),
        "confirm",
    ),
    Question("error", in_the_middle(lambda c: Step("b", broken(c), on_error="pause")), "retry"),
    Question("interrupted", in_the_middle(lambda c: Step("b", stopped(c), on_interrupt="pause")), "retry"),
]


@frozen
class Play:
    """A run that waits at a question, beside another one that waits at its first gate."""

    question: Question
    workflow: Workflow
    calls: list[str]
    paused: WorkflowRunOutput

    @property
    def asked(self) -> Requirement:
        """The question that is open."""
        return self.paused.requirements[0]

    def stored(self) -> Any:
        """All that is stored of both runs."""
        db = self.workflow.db
        return [
            (db.load(run), db.journal(run), db.decisions(run), db.pauses(PauseFilter(run_id=run, undecided_only=False)))
            for run in (RUN, "run-2")
        ]


def played(question: Question) -> Play:
    """A fresh pause at a question."""
    calls: list[str] = []
    workflow = Workflow("flow", question.steps(calls), InMemoryDb(), session_id="s")
    workflow.host = evolve(workflow.host, clock=lambda: NOW)
    workflow.run(run_id="run-2")
    workflow.run(run_id=RUN)
    workflow.decide(RUN, "a:confirmation:0", "confirm", by="ann")
    try:
        workflow.continue_run(run_id=RUN)
    except KeyboardInterrupt:
        workflow.recover()
    paused = workflow.get_run_output(RUN)
    assert [each.kind for each in paused.requirements] == [question.kind]
    return Play(question, workflow, calls, paused)


# -- forgeries ---------------------------------------------------------------------------------------------------------------------


@frozen
class Forgery:
    """One way of lying: where, and how it is done to a run output; `about_another` says that its decision is no longer about this pause."""

    where: str
    lie: Callable[[WorkflowRunOutput], WorkflowRunOutput]
    about_another: bool = False


def forgeries(paused: WorkflowRunOutput) -> Iterator[Forgery]:
    """Every field of the output and of its requirement, on the object and in the plain data, with every forged value."""
    plain, asked = paused.to_dict(), paused.requirements[0]
    listed = "error_requirements" if plain["error_requirements"] else "step_requirements"
    written: dict[str, tuple[Callable[..., WorkflowRunOutput], list[str]]] = {
        "output": (laid, held(paused)),
        "requirement": (lied, [each.name for each in fields(type(asked)) if each.name not in DECISION]),
        "plain": (posted, list(plain)),
        f"plain {listed}[0]": (posted_first, [name for name in plain[listed][0] if name not in DECISION]),
    }
    for where, (write, names) in written.items():
        for name in names:
            for value in FORGED:
                yield Forgery(
                    f"{where}.{name} = {value!r:.30}", partial(write, name, value), write in ADDRESSED and name in ADDRESS
                )
    for value in FORGED:
        if value is not None and value not in asked.words:
            yield Forgery(f"requirement.decision = {value!r:.30}", partial(lied, "decision", value))
    yield Forgery("the requirement twice", doubled)


def held(paused: WorkflowRunOutput) -> list[str]:
    """All that an output has: what lies in the object, and what its class reads from there."""
    names = {**vars(paused), **vars(type(paused))}
    return [name for name in names if not name.startswith("__") and not callable(getattr(type(paused), name, None))]


def laid(name: str, value: Any, run: WorkflowRunOutput) -> WorkflowRunOutput:
    """An output of which one field says something else; a property cannot be written, so its place in the object is."""
    vars(run)[name] = value
    return run


def lied(name: str, value: Any, run: WorkflowRunOutput) -> WorkflowRunOutput:
    """An output whose requirement says something else."""
    setattr(run.requirements[0], name, value)
    return run


def doubled(run: WorkflowRunOutput) -> WorkflowRunOutput:
    """An output that holds its requirement again, undecided."""
    again: Any = evolve(run.requirements[0], decision=None, value=None)
    (run.step_requirements or run.error_requirements).append(again)
    return run


def posted(name: str, value: Any, run: WorkflowRunOutput) -> WorkflowRunOutput:
    """An output as somebody posted it."""
    return WorkflowRunOutput.from_dict({**run.to_dict(), name: value})


def posted_first(name: str, value: Any, run: WorkflowRunOutput) -> WorkflowRunOutput:
    """An output as somebody posted it whose first requirement says something else."""
    listed = "error_requirements" if run.error_requirements else "step_requirements"
    first, *rest = run.to_dict()[listed]
    return posted(listed, [{**first, name: value}, *rest], run)


ADDRESSED = (lied, posted_first)


# -- what must be true -------------------------------------------------------------------------------------------------------------


def after(play: Play, *, decided: bool, lie: Callable[[WorkflowRunOutput], WorkflowRunOutput] | None) -> tuple[str, Any]:
    """What came of continuing with an output: the refusal's name, or "went on"; and all that is stored."""
    run = play.workflow.get_run_output(RUN)
    if decided:
        run.requirements[0].decide(play.question.word, play.question.value, by="bob")
    try:
        forged = lie(run) if lie is not None else run
        play.workflow.continue_run(forged)
    except StatecoreError as refusal:
        return type(refusal).__name__, play.stored()
    except (TypeError, ValueError, AttributeError) as error:  # what is no run output at all
        return f"({type(error).__name__})", play.stored()
    return "went on", play.stored()


def tried(tally: Tally, question: Question, forgery: Forgery, honest: Any, play: Play) -> Play:
    """One forgery, without a decision and with one. The play, or a fresh one where it was used up."""
    before, called = play.stored(), list(play.calls)
    came, stored = after(play, decided=False, lie=forgery.lie)
    wrong = [f"nobody decided, and something changed ({came})"] if (stored, play.calls) != (before, called) else []
    play = play if not wrong else played(question)
    tally.add(f"undecided: {came}", wrong, f"T16 {question.kind}: {forgery.where}")
    came, stored = after(play, decided=True, lie=forgery.lie)
    if came == "went on":
        wrong = ["the forgery was accepted"] if forgery.about_another or (stored, play.calls) != honest else []
    else:
        wrong = [f"refused as {came}, and something changed"] if (stored, play.calls) != (before, called) else []
    tally.add(f"decided: {came}", wrong, f"T16 {question.kind}: {forgery.where}")
    return played(question) if came == "went on" or wrong else play


def run(order: Order) -> Tally:
    """Every kind of question, every forgery; a part of them in the sample."""
    tally = Tally()
    for question in QUESTIONS:
        play = played(question)
        _, stored = after(play, decided=True, lie=None)
        honest = (stored, play.calls)
        play = played(question)
        every = list(forgeries(play.paused))
        chosen = order.random.sample(every, order.of(60, len(every), len(every)))
        for forgery in chosen:
            if order.over:
                tally.cut_short = True
                return tally
            play = tried(tally, question, forgery, honest, play)
    return tally
