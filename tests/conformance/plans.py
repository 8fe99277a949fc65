"""Random workflows that really run: for what must be the same in every colour and store.

A plan is data; `components` makes a workflow of it whose user code ends as the plan says, call by call, and well when the plan says no
more: so every run of it comes to an end.

Inside a Parallel plans are *calm*: nothing there ends what stands beside it (no policy fail, no stop, no interruption), because then
it would be a matter of time what had begun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from itertools import product
from typing import Any, TypeAlias

from attrs import frozen
from hypothesis import strategies as st

from statecore import (
    Condition,
    HumanReview,
    Loop,
    OnError,
    OnReject,
    Parallel,
    Router,
    Step,
    StepInput,
    StepOutput,
    Steps,
    Workflow,
)
from statecore.errors import UnsupportedSetting
from tests.conformance.drive import Calls

DEPTH, WIDTH, ANSWERS = 4, 3, 30
NAMES = ("a", "b", "c", "then", "a/b", "~", "é")


class Failure(Exception):  # what user code of a plan raises
    pass


@frozen
class Leaf:
    """A step: how its calls end, one by one, in which style it is written, and how often it is tried again by itself."""

    ends: tuple[str, ...]
    review: HumanReview
    interrupt: str | None
    style: str
    retries: int


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


@frozen
class Rounds:
    """A Loop: how its end condition's calls end, where it has one, and what goes round how often."""

    ends: tuple[str, ...] | None
    review: HumanReview
    children: Plans
    most: int
    forwards: bool


@frozen
class Routes:
    """A Router, and how its selector's calls end; a person chooses where the review says so."""

    ends: tuple[str, ...]
    review: HumanReview
    children: Plans


@frozen
class Beside:
    """A Parallel of calm branches."""

    review: HumanReview
    children: Plans
    most: int | None


Plan: TypeAlias = "Leaf | Group | Fork | Rounds | Routes | Beside"
Plans: TypeAlias = "tuple[tuple[str, Plan], ...]"


def second_look(output: StepOutput) -> bool:
    """A predicate that wants to see every other attempt."""
    return output.attempt % 2 == 0


def hasty(output: StepOutput) -> bool:
    """A predicate that fails on the first attempt."""
    if output.attempt == 0:
        raise Failure("hasty")
    return False


# -- which reviews there are -------------------------------------------------------------------------------------------------------


@cache
def reviews(kind: str, *, calm: bool) -> st.SearchStrategy[HumanReview]:
    """Every review that this kind of component supports, the plainest first."""
    errors = [None, OnError.skip, OnError.pause] if calm else [None, *OnError]
    settings: dict[str, list[Any]] = {
        "requires_confirmation": [False, True],
        "on_reject": [None, OnReject.skip, OnReject.cancel],
        "on_error": [OnError.skip, OnError.pause] if kind == "parallel" else errors,
    }
    if kind == "condition":
        settings["on_reject"] += [OnReject.else_branch]
    if kind in ("step", "router"):
        settings |= {
            "requires_user_input": [False, True],
            "requires_output_review": [False, True, second_look, hasty],
            "max_retries": [1, 3, 0],
        }
        settings["on_reject"] += [OnReject.retry]
    if kind == "router":
        settings["allow_multiple_selections"] = [False, True]
    if kind == "loop":
        settings |= {"requires_iteration_review": [False, True]}
        settings["on_reject"] += [OnReject.retry]
    made = [dict(zip(settings, values, strict=True)) for values in product(*settings.values())]
    return st.sampled_from([HumanReview(**each) for each in made if makes_sense(kind, each)])


def makes_sense(kind: str, settings: Mapping[str, Any]) -> bool:
    """Whether a component with this review is made: each setting has an effect (GATE-1)."""
    asks = settings.get("requires_user_input", False)
    makers: dict[str, Callable[..., Any]] = {
        "step": partial(Step, "it", second_look),
        "group": partial(Steps, "it", []),
        "condition": partial(Condition, "it", []),
        "loop": partial(Loop, "it", [Step("a", second_look)]),
        "router": partial(Router, "it", [Step("a", second_look)], None if asks else second_look),
        "parallel": partial(Parallel, Step("a", second_look), name="it"),
    }
    try:
        makers[kind](human_review=HumanReview(**settings))
    except UnsupportedSetting:
        return False
    return True


def endings(*ends: str, most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    """How the calls of some user code end."""
    return st.lists(st.sampled_from(ends), max_size=most).map(tuple)


INTERRUPTS = st.sampled_from([None, "retry", "pause", "fail"])


@cache
def plans(depth: int = DEPTH, *, calm: bool = False, least: int = 0) -> st.SearchStrategy[Plans]:
    """Lists of plans of at most this depth, each with its own name."""
    wild = () if calm else ("stop", "interrupt")
    dies = () if calm else ("interrupt",)
    review = {kind: reviews(kind, calm=calm) for kind in ("step", "group", "condition", "loop", "router", "parallel")}
    ends = endings("fail", "fine", "none", "refuse", "unstorable", *wild, most=3)
    interrupt = st.none() if calm else INTERRUPTS
    style = st.sampled_from(["plain", "async", "generator"])
    kinds: list[st.SearchStrategy[Plan]] = [st.builds(Leaf, ends, review["step"], interrupt, style, st.sampled_from([0, 0, 1]))]
    if depth > 1:
        inside, some = plans(depth - 1, calm=calm), plans(depth - 1, calm=calm, least=1)
        asked = endings("yes", "no", "maybe", "fail", *dies)
        chosen = endings("one", "all", "nothing", "nobody", "fail", *dies)
        kinds.append(st.builds(Group, st.sampled_from(["steps", "workflow", "step"]), review["group"], inside))
        kinds.append(st.builds(Fork, asked, review["condition"], inside, inside))
        kinds.append(st.builds(Rounds, st.none() | asked, review["loop"], some, st.integers(1, 3), st.booleans()))
        kinds.append(st.builds(Routes, chosen, review["router"], some))
        calmed = plans(depth - 1, calm=True, least=1)
        kinds.append(st.builds(Beside, review["parallel"], calmed, st.sampled_from([None, 1, 2])))
    names = st.dictionaries(st.sampled_from(NAMES), st.one_of(kinds), min_size=least, max_size=WIDTH)
    return names.map(lambda made: tuple(made.items()))


answers = st.binary(max_size=ANSWERS)


# -- user code ---------------------------------------------------------------------------------------------------------------------


SAID = {"yes": True, "no": False, "maybe": "no"}
"""The answers to a question of yes or no; the last one is none."""


def user_code(  # noqa: C901  # one case for each end
    calls: Calls, at: str, ends: tuple[str, ...], names: tuple[str, ...] = (), last: str = "fine"
) -> Callable[..., Any]:
    """User code that ends as the plan says, call by call, then as `last` says, and leaves its mark on the session state."""

    def called(asked: Any, run_context: Any) -> Any:  # noqa: PLR0911  # one for each end
        before = calls.note(at, asked)
        run_context.session_state[at] = before
        match ends[before] if before < len(ends) else last:
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
            case "none" | "nothing":
                return None
            case "yes" | "no" | "maybe" as said:
                return SAID[said]
            case "all":
                return list(reversed(names))
            case "nobody":
                return "nobody"
        return names[0] if names else value(at, asked, before)

    return called


def value(at: str, asked: Any, before: int) -> dict[str, Any]:
    """What user code returns where all is well: what it saw, what people gave it, which call this is."""
    if not isinstance(asked, StepInput):
        return {"at": at}
    saw = asked.previous_step_content if before else "first"
    return {"at": at, "saw": saw, "attempt": asked.attempt, "said": asked.additional_data}


def styled(style: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The same user code, written as a plain function, a coroutine function or a generator."""

    async def coroutine(asked: Any, run_context: Any) -> Any:
        return function(asked, run_context)

    def generator(asked: Any, run_context: Any) -> Iterator[Any]:
        yield "begun"
        yield function(asked, run_context)

    return {"async": coroutine, "generator": generator}.get(style, function)


# -- components --------------------------------------------------------------------------------------------------------------------


def components(calls: Calls, prefix: str, made: Plans) -> list[Any]:
    """The components of a list of plans; user code knows where it stands."""
    return [component(calls, name, f"{prefix}|{name}", plan) for name, plan in made]


def component(calls: Calls, name: str, at: str, plan: Plan) -> Any:  # noqa: PLR0911  # one for each kind
    """One plan as a component."""
    match plan:
        case Leaf(ends, review, interrupt, style, retries):
            executor = styled(style, user_code(calls, at, ends))
            return Step(name, executor, human_review=review, on_interrupt=interrupt, max_retries=retries)
        case Group("steps", review, children):
            return Steps(name, components(calls, at, children), human_review=review)
        case Group("step", review, children):
            return Step(name, workflow=Workflow("inner", components(calls, at, children)), human_review=review)
        case Group(_, _, children):
            return Workflow(name, components(calls, at, children))
        case Fork(ends, review, then, other):
            branches = components(calls, f"{at}|then", then), components(calls, f"{at}|else", other)
            evaluator = True if review.requires_confirmation else user_code(calls, at, ends, last="yes")
            return Condition(name, *branches, evaluator=evaluator, human_review=review)
        case Rounds(conditions, review, children, most, forwards):
            test = None if conditions is None else user_code(calls, at, conditions, last="yes")
            forwards = forwards and (review.on_reject is OnReject.retry or not review.requires_iteration_review)
            again = test is not None or forwards or review.requires_iteration_review
            inside, most = components(calls, at, children), max(most, 2) if again else most
            return Loop(name, inside, most, test, forward_iteration_output=forwards, human_review=review)
        case Routes(ends, review, children):
            names = tuple(name for name, _ in children)
            selector = None if review.requires_user_input else user_code(calls, at, ends, names)
            return Router(name, components(calls, at, children), selector, human_review=review)
        case Beside(review, children, most):
            return Parallel(*components(calls, at, children), name=name, human_review=review, max_concurrency=most)


def has_branches(made: Plans) -> bool:
    """Whether there is a Parallel in a plan, so that the order of what happens is not given."""
    inside = [*(getattr(plan, name, ()) for _, plan in made for name in ("children", "then", "other"))]
    return any(isinstance(plan, Beside) for _, plan in made) or any(map(has_branches, inside))
