"""The components of a workflow, as the user writes them: validated when constructed, never changed by a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, Union, runtime_checkable

from attrs import field, frozen

from statecore.errors import DefinitionError, NotAComponent, described, quoted

from .calling import (
    Length,
    call_limit,
    callable_name,
    check_agent,
    check_asked,
    check_branches,
    check_concurrency,
    check_retries,
    check_version,
    checked_asks,
    checked_flag,
    checked_name,
    is_count,
    not_empty,
    taken,
)
from .fields import OnError, OnInterrupt
from .needs import refuse_idle
from .review import NESTED, HumanReview, Reviewed, ReviewSettings, mark_of, merged, word

if TYPE_CHECKING:
    from typing import Unpack

Executor: TypeAlias = Callable[..., Any]
Evaluator: TypeAlias = bool | str | Callable[..., Any]
"""True or False, a CEL expression (extra `cel`), or a callable, plain or async."""


def bounded(definition: Definition, _attribute: object, limit: int | None) -> None:
    """A validator: the bound of a definition is one."""
    check_concurrency(f"Workflow {definition.name!r}", limit)


@frozen
class Definition:
    """A named list of components: the root of a workflow, and of a nested workflow.

    `max_concurrency` holds for each Parallel in it that sets none itself. `version` is the user's number for what it means. With
    `require_identity` a declared name decides nothing in it.
    """

    name: str
    steps: tuple[Component, ...]
    max_concurrency: int | None = field(default=None, validator=bounded)
    version: int | None = None
    require_identity: bool = False


@runtime_checkable
class HasDefinition(Protocol):
    """Anything that carries a `Definition`, as a `Workflow` does."""

    @property
    def definition(self) -> Definition: ...


@frozen(init=False)
class Step(Reviewed):
    """A step calls user code once per attempt.

    Give exactly one of `executor`, `workflow` (a Workflow that runs in its place) or `agent` (any object with `run` or `arun`, whose result's
    `content` is the output; a `team` is one). The executor is called with a `StepInput`, and with `run_context` and `session_state` where it has
    parameters of these names; it is plain, async, a generator or an async generator. The name defaults to that of the function or workflow;
    events and requirements carry `step_id`, by default its address. `max_retries` failures are retried automatically, after `retry_delay` seconds
    that grow by the factor `backoff`. `execution_timeout` (seconds, or a `timedelta`) bounds each call: after it the attempt has failed.
    `may_ask` is how many questions the executor, or an agent, may ask in one visit (100 for an agent whose tools wait, with `on_interrupt`
    `pause`). `skip_on_failure=True` is `on_error="skip"`; `on_interrupt` is the outcome of a death of the process in the step. `version` (from
    1) is raised when code behind the same name changes its meaning: a parked run is then not continued in silence.
    Example: `statecore.examples.confirmation`.
    """

    name: str
    executor: Executor | None
    workflow: Definition | None
    agent: Any
    step_id: str | None
    description: str | None
    max_retries: int
    retry_delay: float
    backoff: float
    execution_timeout: float | None
    on_interrupt: OnInterrupt | None
    human_review: HumanReview
    takes: tuple[str, ...]
    version: int | None
    may_ask: int

    @property
    def team(self) -> Any:
        """The agent, where it is a team: one that has `members`."""
        return self.agent if hasattr(self.agent, "members") else None

    @property
    def skip_on_failure(self) -> bool:
        """Whether a failure skips the step: the same as `on_error="skip"`."""
        return self.on_error is OnError.skip

    def __init__(
        self,
        name: str | None = None,
        executor: Executor | None = None,
        workflow: HasDefinition | None = None,
        agent: Any = None,
        *,
        team: Any = None,
        step_id: str | None = None,
        description: str | None = None,
        max_retries: int = 0,
        retry_delay: float = 0.0,
        backoff: float = 1.0,
        execution_timeout: float | Length | None = None,
        skip_on_failure: bool = False,
        on_interrupt: OnInterrupt | str | None = None,
        version: int | None = None,
        may_ask: int | None = None,
        human_review: HumanReview | None = None,
        **settings: Unpack[ReviewSettings],
    ) -> None:
        check_work(name, executor, workflow, agent, team)
        agent = agent if team is None else team
        mark = mark_of(executor)
        flow = workflow.definition if workflow is not None else None
        own = mark.name if mark is not None else None
        name = checked_name("Step", name or own or (flow.name if flow else callable_name(executor or agent)))
        if checked_flag(f"Step {name!r}", "skip_on_failure", skip_on_failure):
            if settings.get("on_error") not in (None, OnError.skip):
                message = f"Step {name!r}: skip_on_failure=True contradicts on_error={quoted(settings.get('on_error'))}."
                raise DefinitionError(message)
            settings["on_error"] = OnError.skip
        kind = "Step" if flow is None else NESTED
        review = merged(kind, name, human_review, settings, mark.review if mark is not None else None)
        check_retries(name, max_retries, retry_delay, backoff)
        check_version(f"Step {name!r}", version)
        asks = checked_asks(f"Step {name!r}", may_ask, executor, agent, review)
        numbers = {"max_retries": max_retries, "retry_delay": retry_delay, "backoff": backoff, "may_ask": asks}
        refuse_idle(kind, name, review, numbers)
        step_id = step_id if step_id is None else checked_name("step_id", step_id)
        interrupt = word(OnInterrupt, "on_interrupt")(on_interrupt)
        if agent is not None and asks and interrupt is None:
            interrupt = OnInterrupt.pause  # a tool runs at most once an approval: a person says what comes after a death (TOOL-2)
        limit = call_limit(name, execution_timeout)
        if flow is not None and (interrupt is not None or max_retries or limit is not None):
            message = f"Step {name!r} runs a workflow; set on_interrupt, max_retries and execution_timeout on the steps inside it."
            raise DefinitionError(message)
        self.__attrs_init__(
            name,
            executor,
            flow,
            agent,
            step_id,
            description,
            max_retries,
            retry_delay,
            backoff,
            limit,
            interrupt,
            review,
            taken(f"Step {name!r}", "executor", executor),
            version,
            asks,
        )


@frozen(init=False)
class Steps(Reviewed):
    """A group runs its children in order; a gate or an error policy applies to it as a whole. Example: `statecore.examples.route_selection`."""

    name: str
    steps: tuple[Component, ...]
    description: str | None
    human_review: HumanReview

    def __init__(
        self,
        name: str | None = None,
        steps: Sequence[Child] = (),
        *,
        description: str | None = None,
        human_review: HumanReview | None = None,
        **settings: Unpack[ReviewSettings],
    ) -> None:
        name = checked_name("Steps", name if name is not None else "steps")
        review = merged("Steps", name, human_review, settings)
        refuse_idle("Steps", name, review)
        self.__attrs_init__(name, as_components(f"Steps {name!r}", steps), description, review)


@frozen(init=False)
class Condition(Reviewed):
    """A Condition runs `steps`, or `else_steps`, or nothing.

    With `requires_confirmation` a person chooses and the evaluator is never called (COND-4). Otherwise `evaluator` does, called with the
    `StepInput`. Example: `statecore.examples.condition`.
    """

    name: str
    steps: tuple[Component, ...]
    else_steps: tuple[Component, ...]
    evaluator: Evaluator
    description: str | None
    on_interrupt: OnInterrupt | None
    human_review: HumanReview
    takes: tuple[str, ...]

    def __init__(
        self,
        name: str | None = None,
        steps: Sequence[Child] = (),
        else_steps: Sequence[Child] | None = None,
        evaluator: Evaluator = True,
        *,
        description: str | None = None,
        on_interrupt: OnInterrupt | str | None = None,
        human_review: HumanReview | None = None,
        **settings: Unpack[ReviewSettings],
    ) -> None:
        name = checked_name("Condition", name if name is not None else "condition")
        where = f"Condition {name!r}"
        check_asked(where, "evaluator", evaluator)
        review = merged("Condition", name, human_review, settings)
        then, other = as_components(where, steps), as_components(where, else_steps if else_steps is not None else (), "else_steps")
        interrupt = word(OnInterrupt, "on_interrupt")(on_interrupt)
        refuse_idle("Condition", name, review, {"evaluator": evaluator, "on_interrupt": interrupt})
        takes = taken(where, "evaluator", evaluator)
        self.__attrs_init__(name, then, other, evaluator, description, interrupt, review, takes)


@frozen(init=False)
class Loop(Reviewed):
    """A Loop repeats its children, at most `max_iterations` times.

    After an iteration that another could follow, `end_condition` is called with the iteration's outputs (a list of `StepOutput`) and ends
    the loop where it is true; then `requires_iteration_review` asks a person. With `forward_iteration_output` the next iteration sees the
    last content as its previous content, otherwise the content from before the loop. Example: `statecore.examples.iteration_review`.
    """

    name: str
    steps: tuple[Component, ...]
    max_iterations: int
    end_condition: Evaluator | None
    forward_iteration_output: bool
    description: str | None
    on_interrupt: OnInterrupt | None
    human_review: HumanReview
    takes: tuple[str, ...]

    def __init__(
        self,
        name: str | None = None,
        steps: Sequence[Child] = (),
        max_iterations: int = 3,
        end_condition: Evaluator | None = None,
        *,
        forward_iteration_output: bool = False,
        description: str | None = None,
        on_interrupt: OnInterrupt | str | None = None,
        human_review: HumanReview | None = None,
        **settings: Unpack[ReviewSettings],
    ) -> None:
        name = checked_name("Loop", name if name is not None else "loop")
        where = f"Loop {name!r}"
        if not is_count(max_iterations) or max_iterations < 1:
            message = f"max_iterations of {where} must be a whole number from 1, not {quoted(max_iterations)}."
            raise DefinitionError(message)
        if end_condition is not None:
            check_asked(where, "end_condition", end_condition)
        review = merged("Loop", name, human_review, settings)
        interrupt = word(OnInterrupt, "on_interrupt")(on_interrupt)
        forward = checked_flag(where, "forward_iteration_output", forward_iteration_output)
        own = {"end_condition": end_condition, "max_iterations": max_iterations, "forward_iteration_output": forward}
        refuse_idle("Loop", name, review, own | {"on_interrupt": interrupt})
        takes, children = taken(where, "end_condition", end_condition, "outputs"), not_empty(where, as_components(where, steps))
        self.__attrs_init__(name, children, max_iterations, end_condition, forward, description, interrupt, review, takes)


@frozen(init=False)
class Router(Reviewed):
    """A Router runs some of its `choices`, in the order chosen by a person (`requires_user_input`) or by `selector`.

    The selector is called with the `StepInput`, and takes `step_choices`, the components to choose from, by name. It answers with a name, a
    component of the choices, or a list of these; None or an empty list runs nothing. A nested list in `choices` is one choice that
    runs its components in order.
    Example: `statecore.examples.route_selection`.
    """

    name: str
    choices: tuple[Component, ...]
    selector: Executor | str | None
    description: str | None
    on_interrupt: OnInterrupt | None
    human_review: HumanReview
    takes: tuple[str, ...]

    def __init__(
        self,
        name: str | None = None,
        choices: Sequence[Child] = (),
        selector: Executor | str | None = None,
        *,
        description: str | None = None,
        on_interrupt: OnInterrupt | str | None = None,
        human_review: HumanReview | None = None,
        **settings: Unpack[ReviewSettings],
    ) -> None:
        name = checked_name("Router", name if name is not None else "router")
        where = f"Router {name!r}"
        review = merged("Router", name, human_review, settings)
        if (selector is None) == (not review.requires_user_input):
            message = f"{where} needs exactly one who chooses: a selector, or a person (requires_user_input=True)."
            raise DefinitionError(message)
        if selector is not None:
            check_asked(where, "selector", selector)
        interrupt = word(OnInterrupt, "on_interrupt")(on_interrupt)
        refuse_idle("Router", name, review, {"selector": selector, "on_interrupt": interrupt})
        children = not_empty(where, as_components(where, choices, "choices"))
        takes = taken(where, "selector", selector, more=("step_choices",))
        self.__attrs_init__(name, children, selector, description, interrupt, review, takes)


@frozen(init=False)
class Parallel(Reviewed):
    """A Parallel runs at most `max_concurrency` branches at once; its content maps name to content. Example: `statecore.examples.parallel_pauses`."""

    name: str
    steps: tuple[Component, ...]
    max_concurrency: int | None
    description: str | None
    human_review: HumanReview

    def __init__(
        self,
        *steps: Child,
        name: str | None = None,
        max_concurrency: int | None = None,
        description: str | None = None,
        human_review: HumanReview | None = None,
        **settings: Unpack[ReviewSettings],
    ) -> None:
        name = checked_name("Parallel", name or "parallel")
        where = f"Parallel {name!r}"
        check_concurrency(where, max_concurrency)
        check_branches(where, steps)
        review = merged("Parallel", name, human_review, settings)
        refuse_idle("Parallel", name, review)
        self.__attrs_init__(name, not_empty(where, as_components(where, steps)), max_concurrency, description, review)


Component: TypeAlias = Step | Steps | Condition | Loop | Router | Parallel | Definition
COMPONENTS = (Step, Steps, Condition, Loop, Router, Parallel, Definition)
Child: TypeAlias = Union[Step, Steps, Condition, Loop, Router, Parallel, Definition, HasDefinition, Executor, "Sequence[Child]"]


def as_components(where: str, children: Sequence[Any], setting: str = "steps") -> tuple[Component, ...]:
    """A list of children as components: a bare callable is a Step, a list is one Steps, a Workflow is nested under its own name."""
    if isinstance(children, str | bytes) or not isinstance(children, Sequence):
        raise NotAComponent(where, children, setting)
    return tuple(as_component(where, child) for child in children)


def as_component(where: str, child: Any) -> Component:
    """One child as a component. Raises `NotAComponent`."""
    if isinstance(child, COMPONENTS):
        return child
    if isinstance(child, HasDefinition):
        return child.definition
    if isinstance(child, list | tuple) and child:
        inner: tuple[Any, ...] = as_components(where, child)
        return Steps("+".join(each.name for each in inner), inner)
    if callable(child) and not inspect.isclass(child):
        return Step(executor=child)
    raise NotAComponent(where, child)


def check_work(name: str | None, executor: Any, workflow: Any, agent: Any, team: Any) -> None:
    """A step has exactly one thing to do."""
    where = f"Step {name or ''!r}"
    if sum(each is not None for each in (executor, workflow, agent, team)) != 1:
        message = f"{where} needs exactly one of executor, workflow, agent and team."
        raise DefinitionError(message)
    if executor is not None and not callable(executor):
        message = f"The executor of {where} is not callable: it is {described(executor)}."
        raise DefinitionError(message)
    if workflow is not None and not isinstance(workflow, HasDefinition):
        message = f"The workflow of {where} is no Workflow: it is {described(workflow)}."
        raise DefinitionError(message)
    if agent is not None or team is not None:
        check_agent(where, agent if team is None else team)
