"""The components of a workflow, as the user writes them: validated when constructed, never changed by a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, Union, runtime_checkable

from attrs import frozen

from statecore.errors import DefinitionError, NotAComponent

from .review import HumanReview, ReviewSettings, merged, word
from .words import OnError, OnInterrupt

if TYPE_CHECKING:
    from typing import Unpack

Executor: TypeAlias = Callable[..., Any]
Evaluator: TypeAlias = bool | Callable[..., Any]


@frozen
class Definition:
    """A named list of components: the root of a workflow, and what a nested workflow brings in."""

    name: str
    steps: tuple[Component, ...]


@runtime_checkable
class HasDefinition(Protocol):
    """Anything that carries a `Definition`, as a `Workflow` does."""

    @property
    def definition(self) -> Definition: ...


@frozen(init=False)
class Step:
    """A step calls user code once per attempt.

    Give exactly one of `executor` (called with a `StepInput`, and with a `RunContext` if it has a second parameter `run_context`; plain
    or async) or `workflow` (a Workflow that runs in its place). The name defaults to the function's or the workflow's.
    `skip_on_failure=True` is `on_error="skip"`. `on_interrupt` says what follows when the process dies in the step.
    """

    name: str
    executor: Executor | None
    workflow: Definition | None
    step_id: str | None
    description: str | None
    on_interrupt: OnInterrupt | None
    human_review: HumanReview
    wants_context: bool

    def __init__(
        self,
        name: str | None = None,
        executor: Executor | None = None,
        workflow: HasDefinition | None = None,
        *,
        step_id: str | None = None,
        description: str | None = None,
        skip_on_failure: bool = False,
        on_interrupt: OnInterrupt | str | None = None,
        human_review: HumanReview | None = None,
        **settings: Unpack[ReviewSettings],
    ) -> None:
        if (executor is None) == (workflow is None):
            message = f"Step {name or ''!r} needs exactly one of executor and workflow."
            raise DefinitionError(message)
        if executor is not None and not callable(executor):
            message = f"The executor of Step {name or ''!r} is not callable: {executor!r}."
            raise DefinitionError(message)
        flow = workflow.definition if workflow is not None else None
        name = checked_name("Step", name or (flow.name if flow else callable_name(executor)))
        if skip_on_failure:
            if settings.get("on_error") not in (None, OnError.skip):
                message = f"Step {name!r}: skip_on_failure=True contradicts on_error={settings.get('on_error')!r}."
                raise DefinitionError(message)
            settings["on_error"] = OnError.skip
        review = merged(f"Step {name!r}", human_review, settings)
        if flow is not None and on_interrupt is not None:
            message = f"Step {name!r} runs a workflow; set on_interrupt on the steps inside it."
            raise DefinitionError(message)
        interrupt = word(OnInterrupt, "on_interrupt")(on_interrupt)
        wants = wants_context(executor)
        self.__attrs_init__(name, executor, flow, step_id, description, interrupt, review, wants)  # type: ignore[attr-defined]


@frozen(init=False)
class Steps:
    """A group: runs its children in order, and is gated and left as a whole."""

    name: str
    steps: tuple[Component, ...]
    description: str | None
    human_review: HumanReview

    def __init__(
        self,
        name: str,
        steps: Sequence[Child],
        *,
        description: str | None = None,
        human_review: HumanReview | None = None,
        **settings: Unpack[ReviewSettings],
    ) -> None:
        name = checked_name("Steps", name)
        review = merged(f"Steps {name!r}", human_review, settings)
        self.__attrs_init__(name, as_components(f"Steps {name!r}", steps), description, review)  # type: ignore[attr-defined]


@frozen(init=False)
class Condition:
    """A fork: runs `steps`, or `else_steps`, or nothing.

    With `requires_confirmation` a person chooses and the evaluator is never called (COND-4). Otherwise `evaluator` does: a bool, or a
    callable (plain or async) of the `StepInput`.
    """

    name: str
    steps: tuple[Component, ...]
    else_steps: tuple[Component, ...]
    evaluator: Evaluator
    description: str | None
    on_interrupt: OnInterrupt | None
    human_review: HumanReview
    wants_context: bool

    def __init__(
        self,
        name: str,
        steps: Sequence[Child],
        else_steps: Sequence[Child] | None = None,
        evaluator: Evaluator = True,
        *,
        description: str | None = None,
        on_interrupt: OnInterrupt | str | None = None,
        human_review: HumanReview | None = None,
        **settings: Unpack[ReviewSettings],
    ) -> None:
        name = checked_name("Condition", name)
        where = f"Condition {name!r}"
        if not isinstance(evaluator, bool) and not callable(evaluator):
            message = f"The evaluator of {where} must be True, False or a callable, not {evaluator!r}."
            raise DefinitionError(message)
        review = merged(where, human_review, settings)
        then, other = as_components(where, steps), as_components(f"{where} (else)", else_steps or ())
        interrupt = word(OnInterrupt, "on_interrupt")(on_interrupt)
        wants = wants_context(evaluator)
        self.__attrs_init__(name, then, other, evaluator, description, interrupt, review, wants)  # type: ignore[attr-defined]


Component: TypeAlias = Step | Steps | Condition | Definition
Child: TypeAlias = Union[Step, Steps, Condition, HasDefinition, Executor, "Sequence[Child]"]


def as_components(where: str, children: Sequence[Any]) -> tuple[Component, ...]:
    """A list of children as components: a bare callable is a Step, a Workflow is nested under its own name."""
    if isinstance(children, str | bytes) or not isinstance(children, Sequence):
        raise NotAComponent(where, children)
    return tuple(as_component(where, child) for child in children)


def as_component(where: str, child: Any) -> Component:
    """One child as a component. Raises `NotAComponent`."""
    if isinstance(child, Step | Steps | Condition | Definition):
        return child
    if isinstance(child, HasDefinition):
        return child.definition
    if callable(child) and not inspect.isclass(child):
        return Step(executor=child)
    raise NotAComponent(where, child)


def checked_name(kind: str, name: object) -> str:
    """A name is a non-empty string; everything else about it is free."""
    if not isinstance(name, str) or not name:
        message = f"A {kind} needs a name: a non-empty string, not {name!r}."
        raise DefinitionError(message)
    return name


def callable_name(function: Any) -> str:
    """The name that a step takes from its function: `__name__`, or the class of a callable object."""
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))




def wants_context(function: Any) -> bool:
    """Whether user code has a parameter named `run_context`; asked once, when the component is constructed."""
    if not callable(function):
        return False
    try:
        return "run_context" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False  # built-in functions may have no signature
