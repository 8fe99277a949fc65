"""Calling user code: which function a call stands for, and with what. The only module that runs what users wrote.

Theory of operation. `call_user` finds the function of a call and calls it with a `StepInput`, or what else its kind takes; `pieces` brings
what it gave to its end. A `StepInput` and a `RunContext` read through `CallValues` and `Past`: values are decoded when asked for, each call's own
copy, and what happens in other branches of a Parallel is hidden (PAR-5).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from statecore.codec import decode, encode
from statecore.core import ROOT, Ref
from statecore.core.owed import pause_id
from statecore.definition import Condition, Loop, Router, RunContext, Step, StepInput, StepOutput
from statecore.definition.agents import is_adapter
from statecore.definition.calling import taken
from statecore.definition.questions import AnswersByKey
from statecore.errors import UnknownStep
from statecore.lifecycles import CALL_KINDS, KINDS, exhaustive
from statecore.lifecycles import words as w

from . import agents, toolcalls
from .answers import as_given
from .past import PastMapping, is_seen
from .sharing import Change, session_seen, session_to_be
from .stopping import Stop

if TYPE_CHECKING:
    from statecore.core import Address, Call, Cursor, Micros, Seconds
    from statecore.core.state import Marks, Turn
    from statecore.definition import Decision
    from statecore.stores.history import History, Visit

    from .execution import Execution


def limit_of(execution: Execution, call: Call) -> Micros | None:
    """How long a call may take; None without a limit. Only a step's own code has one, and not the predicate of its review."""
    seconds: Seconds | None = getattr(execution.compiled.components.get(call.at), "execution_timeout", None)
    if seconds is None or call.kind != KINDS[execution.program.nodes[call.at].kind].work:
        return None
    return round(seconds * 1_000_000)


def call_user(execution: Execution, call: Call, values: CallValues) -> Any:
    """Call user code: its value, or an awaitable or a generator of it. Whatever it raises comes out."""
    return MADE[call.kind](execution, call, values)


def execute(execution: Execution, call: Call, values: CallValues) -> Any:
    """A step's executor, or its agent's `run` (its `arun` where it has no other) with its prompt and what its signature takes."""
    step: Step = execution.compiled.components[call.at]  # type: ignore[assignment]
    if step.executor is not None:
        return given(step.executor, step_input(execution, call, values), execution, values, takes=step.takes)
    adapter = toolcalls.adapter_of(step)
    if adapter is not None:
        return toolcalls.go(execution, call, values, adapter)
    run = agents.run_of(step.agent)
    return run(agents.prompt(values), **agents.keywords(run, execution, values))


def evaluate(execution: Execution, call: Call, values: CallValues) -> Any:
    """A Condition's evaluator."""
    condition: Condition = execution.compiled.components[call.at]  # type: ignore[assignment]
    asked = step_input(execution, call, values)
    return ask(condition.evaluator, asked, execution, values, takes=condition.takes)


def select(execution: Execution, call: Call, values: CallValues) -> Any:
    """A Router's selector."""
    router: Router = execution.compiled.components[call.at]  # type: ignore[assignment]
    asked = step_input(execution, call, values)
    return ask(router.selector, asked, execution, values, takes=router.takes)


def test(execution: Execution, call: Call, values: CallValues) -> Any:
    """A Loop's end condition, called with the outputs of the iteration."""
    loop: Loop = execution.compiled.components[call.at]  # type: ignore[assignment]
    outputs = execution.history().iteration(call.at, call.turn)
    return ask(loop.end_condition, outputs, execution, values, takes=loop.takes)


def judge(execution: Execution, call: Call, values: CallValues) -> Any:
    """A review predicate, called with the output that it is about."""
    component: Any = execution.compiled.components[call.at]
    content = execution.content(values.cursor.marks.output)
    media = execution.media(values.cursor.marks.output)
    output = StepOutput(content=content, step_name=component.name, address=call.at, attempt=call.attempt, **media)
    predicate = component.human_review.requires_output_review
    takes = taken(component.name, "requires_output_review", predicate, "output")
    return ask(predicate, output, execution, values, takes=takes)


MADE: dict[str, Callable[[Execution, Call, CallValues], Any]] = {
    "execute": execute,
    "evaluate": evaluate,
    "select": select,
    "test": test,
    "judge": judge,
}
exhaustive("runtime.calls.MADE", MADE, CALL_KINDS)


def ask(asked: Any, about: Any, execution: Execution, values: CallValues, *, takes: tuple[str, ...]) -> Any:
    """Ask a constant, a CEL expression or a callable."""
    if isinstance(asked, bool):
        return asked
    if isinstance(asked, str):
        from .cel import evaluate_cel  # noqa: PLC0415  # an extra

        return evaluate_cel(asked, about, values.session_state)
    return given(asked, about, execution, values, takes=takes)


def given(function: Callable[..., Any], about: Any, execution: Execution, values: CallValues, *, takes: tuple[str, ...]) -> Any:
    """Call a function, with the values that it takes by name."""
    return function(about, **{name: NAMED[name](execution, values) for name in takes}) if takes else function(about)


def is_async(execution: Execution, call: Call) -> bool:
    """Whether user code is a coroutine function or an async generator, so that it can be called on an event loop."""
    component: Any = execution.compiled.components[call.at]
    function = function_of(execution, call)
    if function is not None:
        return is_coroutine(function)
    adapter = toolcalls.adapter_of(component)
    return is_coroutine(adapter.start if is_adapter(component.agent) and adapter is not None else agents.run_of(component.agent))


def function_of(execution: Execution, call: Call) -> Any:
    """The function that a call calls, or the constant or expression in its place; None for an agent, and where the code is elsewhere."""
    component: Any = execution.compiled.components.get(call.at)
    return component and attrgetter(KINDS[execution.program.nodes[call.at].kind].setting(call.kind))(component)


def is_coroutine(function: Any) -> bool:
    """Whether calling a function gives an awaitable or an async generator."""
    if not callable(function):
        return False
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    called = type(function).__call__
    return any(check(each) for each in (function, called) for check in (inspect.iscoroutinefunction, inspect.isasyncgenfunction))


# -- what it is called with -----------------------------------------------------------------------------------------------------


class CallValues:
    """The values of one call, and its own `session_state`; user code reaches them through a `StepInput` or a `RunContext`."""

    __slots__ = ("_base", "_call", "_execution", "_state", "_stop", "cursor")
    cursor: Cursor

    def __init__(self, execution: Execution, call: Call, cursor: Cursor) -> None:
        self._execution, self._call, self.cursor = execution, call, cursor
        self._stop: Stop | None = None
        self._state: dict[str, Any] | None = None
        self._base = execution.session_state if cursor.phase != w.judging else session_seen(execution, cursor)

    @property
    def stop(self) -> Stop:
        """The request to stop, which this call may hear."""
        if self._stop is None:
            self._stop = Stop()
            self._execution.stops.add(self._stop)
        return self._stop

    def run_input(self) -> Any:
        """The run's input."""
        return decode(self._execution.identity.input)

    def previous(self) -> Any:
        """The previous step's content."""
        return self._execution.content(self.cursor.prev)

    def last(self) -> Any:
        """The output of the last completed component."""
        return self._execution.content(self.cursor.last)

    def additional(self) -> dict[str, Any]:
        """The additional data of the run, with what people gave this step: their input, and what they said of its last output."""
        additional: dict[str, Any] = decode(self._execution.identity.additional_data)
        additional.update(self.said())
        return additional

    def said(self) -> dict[str, Any]:
        """The answers to this step: its form, and the feedback on its last output."""
        return said_to(self._execution, self._call, self.cursor)

    def answers(self) -> AnswersByKey:
        """The answers to what the code of this step has asked in this visit. One that was called for the first time has asked nothing."""
        history = self._execution.history() if self._call.attempt else None
        return AnswersByKey() if history is None else history.answers(self._call.at, self._call.turn)

    def notes(self) -> Any:
        """The last notes of this visit."""
        history = self._execution.history() if self._call.attempt else None
        return None if history is None else history.notes(self._call.at, self._call.turn)

    def media(self, name: str) -> list[Any] | None:
        """The media of a kind that the run was given in its additional data, and those of the previous output; None where there are none."""
        given = agents.listed(decode(self._execution.identity.additional_data).get(name))
        return [*given, *self._execution.media(self.cursor.prev).get(name, ())] or None

    def session(self) -> Any:
        """The run's session as it is stored now."""
        session = self._execution.host.session
        return session(self._execution.identity.session_id) if session is not None else None

    def history(self) -> str | None:
        """The text of the session that comes before the prompt of an agent; None where there is none."""
        history = self._execution.host.history
        return history(self._execution.identity.session_id) if history is not None else None

    def decision(self) -> Decision | None:
        """The answer at the nearest gate, form or route: this component's own, or that of one around it."""
        execution, call = self._execution, self._call
        history, program = execution.history(), execution.program
        for node in (program.nodes[call.at], *program.ancestors(call.at)):
            found = history.at_the_gate(node.at, call.turn[: node.depth])
            if found is not None:
                return found
        return None

    def session_state(self) -> dict[str, Any]:
        """This attempt's session state: what the last success left, to be changed freely."""
        if self._state is None:
            state: dict[str, Any] = decode(self._base)
            self._state = state
        return self._state

    def changed_state(self) -> Change | None:
        """The change that this attempt made to the session state; None without one.

        Raises `UnstorableValue` for a state that cannot be stored, also together with what calls beside this one left.
        """
        if self._state is None:
            return None
        text = encode(self._state, limit=self._execution.host.limit)
        if text == self._base:
            return None
        change = Change(self._base, text)
        change.over(session_to_be(self._execution), self._execution.host.limit)
        return change


def said_to(execution: Execution, call: Call, cursor: Cursor) -> dict[str, Any]:
    """The answers for a call: `user_input`, and `rejection_feedback` with `previous_output` of the nearest rejected output.

    That is its own last output, the result of the Router around it, or the last iteration of the Loop around it.
    """
    said: dict[str, Any] = {}
    node = execution.program.nodes[call.at]
    if w.needs_input in node.facts:
        values = execution.answer(pause_id("user_input", call.at, call.turn, 0)) or {}
        said["user_input"] = as_given(node.name, execution.compiled.components.get(call.at), values)
    if cursor.marks.reviews:
        return said | rejected(execution, call.at, call.turn, call.attempt, cursor.marks)
    for around in execution.program.ancestors(call.at):
        number = call.turn[around.depth] if KINDS[around.kind].holds == "iterations" else 0
        if number and w.reviews_iterations in around.facts:
            before = (*call.turn[: around.depth], number - 1)
            review = pause_id("iteration_review", around.at, before, execution.attempt_of(around.at))
            outputs = execution.history().iteration(around.at, before)
            return said | {
                "rejection_feedback": execution.answer(review),
                "previous_output": outputs[-1].content if outputs else None,
            }
        for frame in execution.state.frames if KINDS[around.kind].holds == "choices" else ():
            if (frame.at, frame.turn) == (around.at, call.turn[: around.depth]) and frame.marks.reviews:
                return said | rejected(execution, frame.at, frame.turn, frame.attempt, frame.marks)
    return said


def rejected(execution: Execution, at: Address, turn: Turn, attempt: int, marks: Marks) -> dict[str, Any]:
    """The feedback on the last output of a component, and that output."""
    attempts: Iterable[int] = range(attempt - 1, -1, -1)  # a Router's result is a child's: its review is the newest before
    if isinstance(marks.rejected, Ref) and marks.rejected.at == at:
        attempts = [marks.rejected.attempt]
    reviews = [pause_id("output_review", at, turn, each) for each in attempts]
    return {"rejection_feedback": execution.answer(*reviews), "previous_output": execution.content(marks.rejected)}


class Past:
    """Earlier outputs of a run, by step name, as one call sees them.

    What happens in other branches of a Parallel around it is hidden, so that nothing depends on which branch is faster (PAR-5).
    """

    __slots__ = ("_at", "_execution")

    def __init__(self, execution: Execution, at: Address) -> None:
        self._execution, self._at = execution, at

    def branches(self) -> list[tuple[str, str]]:
        """The Parallels around this call, each with its branch that this call is in, as beginnings of addresses."""
        found, at = [], self._at
        for around in self._execution.program.ancestors(self._at):
            if KINDS[around.kind].holds == "branches":
                found.append((f"{around.at}/", f"{at}/"))
            at = around.at
        return found

    def newest(self, name: str) -> tuple[History, Visit | None]:
        """The history, and the newest visit of that name in it. Raises `UnknownStep` for a name of no component."""
        history, branches = self._execution.history(), self.branches()
        if not branches:
            key = history.named.get(name)
            visit = history.visits[key] if key is not None else None
        else:
            found = reversed(history.by_name.get(name, ()))
            visit = next((each for each in found if is_seen(each, branches)), None)
        if visit is None:
            self.check_known(name)
        return history, visit

    def check_known(self, name: str) -> None:
        """A name of no component is refused."""
        named = self._execution.program.named
        if set(named.get(name, ())) <= {ROOT}:
            raise UnknownStep(name, [each for each, addresses in named.items() if set(addresses) != {ROOT}])

    def output(self, name: str) -> StepOutput | None:
        """The output of the newest step of that name; None if it has not run."""
        history, visit = self.newest(name)
        return history.output(visit) if visit is not None else None

    def content(self, name: str) -> Any:
        """The content of the step of that name; None if it was skipped or has not run."""
        history, visit = self.newest(name)
        return history.content(visit) if visit is not None else None

    def outputs(self) -> Mapping[str, StepOutput]:
        """All that is over."""
        history = self._execution.history()
        return PastMapping(history, self.branches(), history.seq)


def values_of(execution: Execution, call: Call) -> CallValues:
    """The values that a call is made with; what an earlier one of the same attempt changed, and was given up, is dropped."""
    execution.changes.pop(execution.place(call), None)
    return CallValues(execution, call, execution.cursor_at(call))


def step_input(execution: Execution, call: Call, values: CallValues) -> StepInput:
    """The input of one call."""
    may_have_asked = call.attempt and execution.program.nodes[call.at].limits.asks
    rounds = execution.history().rounds(call.at, call.turn) if may_have_asked else 0
    key = wish_key(execution.identity.run_id, call, values.cursor, rounds)
    return StepInput.of(values, Past(execution, call.at), execution.program.nodes[call.at].name, key, call.attempt)


def wish_key(run_id: str, call: Call, cursor: Cursor, rounds: int = 0) -> str:
    """The idempotency key of a call: one for all attempts of one wish, another after each output that a person has rejected (KEY-2).

    So it is after each round of answers to what the code asks, and with each input that a person gives in place of another. A `~` in an
    address comes before 0 or 1, so that no address ends in the parts that count.
    """
    turn = "".join(f".{n}" for n in call.turn) if call.turn else ""
    rejected = f"~r{cursor.marks.reviews}" if cursor.marks.reviews else ""
    answered = f"~a{rounds}" if rounds else ""
    given = cursor.prev if isinstance(cursor.prev, Ref) and (cursor.prev.at, cursor.prev.turn) == (cursor.at, cursor.turn) else None
    amended = f"~e{given.attempt}" if given is not None else ""
    return f"{run_id}/{call.at}{turn}{rejected}{answered}{amended}"


def run_context(execution: Execution, values: CallValues) -> RunContext:
    """The context of one call, for user code that asks for it."""
    identity = execution.identity
    return RunContext(
        run_id=identity.run_id,
        session_id=identity.session_id,
        user_id=identity.user_id,
        workflow_id=identity.workflow_id,
        workflow_name=identity.workflow_name,
        session_state=values.session_state(),
        metadata=decode(identity.metadata),
        dependencies=execution.host.dependencies,
        stop_requested=values.stop,
    )


def step_choices(execution: Execution, values: CallValues) -> list[Any]:
    """The components that the selector of a Router chooses from."""
    router: Router = execution.compiled.components[values.cursor.at]  # type: ignore[assignment]
    return list(router.choices)


NAMED: dict[str, Callable[[Execution, CallValues], Any]] = {
    "run_context": run_context,
    "session_state": lambda _, values: values.session_state(),
    "step_choices": step_choices,
}
"""The values that user code takes by name."""
