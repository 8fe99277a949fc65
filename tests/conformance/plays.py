"""Random workflows that really run, and how a world answers them: for what must be the same in every colour and store.

A plan is data; `built` makes a workflow of it whose user code ends as the plan says, call by call, and well when the plan says no more:
so every play comes to an end. `play` drives one run with answers from a string of bytes, and keeps what could be seen of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import Any, TypeAlias

from attrs import field, frozen
from hypothesis import strategies as st

from statecore import Condition, HumanReview, OnError, OnReject, Step, StepInput, StepOutput, Steps, Workflow, WorkflowRunOutput
from statecore.run.workflow import RunEvent
from statecore.stores import Store
from tests.conformance.drive import Calls, Drive, history

DEPTH, WIDTH, ANSWERS = 4, 3, 30
NAMES = ("a", "b", "c", "then", "a/b", "~", "é")
CANCELS = 245  # an answer from here on cancels the run


class Failure(Exception):  # what user code of a plan raises
    pass


@frozen
class Leaf:
    """A step, and how its calls end, one by one."""

    ends: tuple[str, ...]
    review: HumanReview
    interrupt: str | None


@frozen
class Group:
    """A component with children: steps, a workflow, a step of a workflow."""

    kind: str
    review: HumanReview
    children: Plans


@frozen
class Fork:
    """A Condition, and how its evaluations end."""

    ends: tuple[str, ...]
    review: HumanReview
    then: Plans
    other: Plans


Plan: TypeAlias = "Leaf | Group | Fork"
Plans: TypeAlias = "tuple[tuple[str, Plan], ...]"


def reviews(*rejections: OnReject) -> list[HumanReview]:
    """Every review of a component that supports these rejections, the plainest first."""
    return [
        HumanReview(requires_confirmation=asks, on_reject=on_reject, on_error=on_error)
        for asks, on_reject, on_error in product([False, True], [None, *rejections], [None, *OnError])
    ]


PLAIN = st.sampled_from(reviews(OnReject.skip, OnReject.cancel))
FORKED = st.sampled_from(reviews(OnReject.else_branch, OnReject.skip, OnReject.cancel))
STEP_ENDS = st.lists(st.sampled_from(["fail", "fine", "none", "refuse", "unstorable", "stop", "interrupt"]), max_size=3).map(tuple)
FORK_ENDS = st.lists(st.sampled_from(["yes", "no", "fail", "interrupt"]), max_size=2).map(tuple)
INTERRUPTS = st.sampled_from([None, "retry", "pause", "fail"])


@cache
def plans(depth: int = DEPTH) -> st.SearchStrategy[Plans]:
    """Lists of plans of at most this depth, each with its own name."""
    kinds: list[st.SearchStrategy[Plan]] = [st.builds(Leaf, STEP_ENDS, PLAIN, INTERRUPTS)]
    if depth > 1:
        inside = plans(depth - 1)
        kinds.append(st.builds(Group, st.sampled_from(["steps", "workflow", "step"]), PLAIN, inside))
        kinds.append(st.builds(Fork, FORK_ENDS, FORKED, inside, inside))
    return st.dictionaries(st.sampled_from(NAMES), st.one_of(kinds), max_size=WIDTH).map(lambda made: tuple(made.items()))


answers = st.binary(max_size=ANSWERS)


def user_code(calls: Calls, at: str, ends: tuple[str, ...]) -> Callable[..., Any]:
    """User code that ends as the plan says, call by call, and leaves its mark on the session state."""

    def called(step_input: StepInput, run_context: Any) -> Any:
        before = calls.note(at, step_input)
        run_context.session_state.setdefault("marks", []).append(f"{at}: {before}")
        match ends[before] if before < len(ends) else "fine":
            case "fail":
                raise Failure(f"{at} failed")
            case "interrupt":
                raise KeyboardInterrupt
            case "refuse":
                return StepOutput(success=False, error=f"{at} refused")
            case "unstorable":
                return Failure
            case "stop":
                return StepOutput([at, before], stop=True)
            case "none":
                return None
            case "no":
                return False
        return {"at": at, "saw": step_input.previous_step_content if before else "first", "key": step_input.attempt}

    return called


def components(calls: Calls, prefix: str, made: Plans) -> list[Any]:
    """The components of a list of plans; user code knows where it stands."""
    return [component(calls, name, f"{prefix}|{name}", plan) for name, plan in made]


def component(calls: Calls, name: str, at: str, plan: Plan) -> Any:
    """One plan as a component."""
    match plan:
        case Leaf(ends, review, interrupt):
            return Step(name, user_code(calls, at, ends), human_review=review, on_interrupt=interrupt)
        case Group("steps", review, children):
            return Steps(name, components(calls, at, children), human_review=review)
        case Group("step", review, children):
            return Step(name, workflow=Workflow("inner", components(calls, at, children)), human_review=review)
        case Group(_, _, children):
            return Workflow(name, components(calls, at, children))
        case Fork(ends, review, then, other):
            branches = components(calls, f"{at}|then", then), components(calls, f"{at}|else", other)
            return Condition(name, *branches, evaluator=user_code(calls, at, ends), human_review=review)


@frozen
class Play:
    """A run from its start to its end, and all that could be seen of it."""

    workflow: Workflow
    calls: Calls
    run: WorkflowRunOutput
    rests: list[WorkflowRunOutput] = field(repr=False)
    raised: list[str]
    events: list[RunEvent] = field(repr=False)

    @property
    def history(self) -> list[tuple[Any, ...]]:
        """Its journal, without times."""
        return history(self.workflow, self.run.run_id)

    @property
    def seen(self) -> dict[str, Any]:
        """What has to be the same in every colour and store, beside the journal."""
        return {
            "status": self.run.status,
            "content": self.run.content,
            "session_state": self.run.session_state,
            "results": [output.to_dict() for output in self.run.step_results],
            "calls": self.calls.seen,
            "raised": self.raised,
            "questions": [[(each.pause_id, each.kind) for each in rest.requirements] for rest in self.rests],
        }

    @property
    def told(self) -> list[dict[str, Any]]:
        """What a stream told, without times and ids."""
        return [
            {k: v for k, v in event.to_dict().items() if k not in ("run_id", "session_id", "created_at")} for event in self.events
        ]


def play(made: Plans, script: bytes, drive: Drive, db: Store, run_id: str) -> Play:
    """Run a plan; each byte of the script answers one question, and where the script ends the run goes forward."""
    calls = Calls()
    workflow = Workflow("flow", components(calls, "", made), db, session_id=f"session of {run_id}")
    rests: list[WorkflowRunOutput] = []
    raised: list[str] = []
    events: list[RunEvent] = []
    said = iter(script)
    run = step(drive, workflow, run_id, lambda: drive.run(workflow, {"for": "all"}, run_id=run_id), raised)
    while True:
        events += drive.events
        rests.append(run)
        if run.status.value in ("COMPLETED", "CANCELLED"):
            return Play(workflow, calls, run, rests, raised, events)
        assert len(rests) < 1_000, "the run does not end"
        again: Callable[[], WorkflowRunOutput]
        if run.is_paused and decide(workflow, run, said):
            again = lambda paused=run: drive.resume(workflow, paused)  # type: ignore[misc]  # noqa: E731
        elif run.is_paused:
            drive.events = []
            again = lambda: workflow.get_run_output(run_id)  # noqa: E731  # it was cancelled
        else:
            failed = run.status.value == "ERROR"
            again = lambda failed=failed: drive.resume(workflow, run_id=run_id, retry_failed=failed)  # type: ignore[misc]  # noqa: E731
        run = step(drive, workflow, run_id, again, raised)


def step(
    drive: Drive, workflow: Workflow, run_id: str, go: Callable[[], WorkflowRunOutput], raised: list[str]
) -> WorkflowRunOutput:
    """Let a run go on to where it rests; what came out of it is remembered by name."""
    try:
        return go()
    except BaseException as error:
        if type(error).__name__ not in ("Failure", "KeyboardInterrupt", "StepFailed", "UnstorableValue"):
            raise
        raised.append(type(error).__name__)
        return workflow.get_run_output(run_id)


def decide(workflow: Workflow, run: WorkflowRunOutput, said: Iterator[int]) -> bool:
    """Answer what a run asks; False where it was cancelled instead."""
    for asked in run.requirements:
        answer = next(said, 0)
        if answer >= CANCELS:
            assert workflow.cancel_run(run.run_id)
            return False
        words = ("confirm", "reject") if asked.kind == "confirmation" else ("retry", "skip")
        getattr(asked, words[answer % 2])()
    return True
