"""Calling user code: which function a call stands for, and with what. The only module that runs what users wrote.

CEL expressions as evaluators, selectors and end conditions, with the extra `cel`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from statecore.definition import Condition, Loop, Router, Step, StepInput, StepOutput
from statecore.errors import MissingExtra

from .inputs import CallValues, run_context, step_input

if TYPE_CHECKING:
    from statecore.core import Call

    from .execution import Execution
    from .inputs import CallValues


def call_user(execution: Execution, call: Call, values: CallValues) -> Any:
    """Call user code: its value, or an awaitable or a generator of it. Whatever it raises comes out."""
    return MADE[call.kind](execution, call, values)


def execute(execution: Execution, call: Call, values: CallValues) -> Any:
    """A step's executor, or its agent's `run` (its `arun` where it has no other) with what came before, or the run's input."""
    step: Step = execution.compiled.components[call.at]  # type: ignore[assignment]
    if step.executor is not None:
        return given(step.executor, step_input(execution, call, values), execution, values, wants=step.wants_context)
    previous = values.previous()
    run = getattr(step.agent, "run", None) or step.agent.arun
    return run(previous if previous is not None else values.run_input())


def evaluate(execution: Execution, call: Call, values: CallValues) -> Any:
    """A Condition's evaluator."""
    condition: Condition = execution.compiled.components[call.at]  # type: ignore[assignment]
    asked = step_input(execution, call, values)
    return ask(condition.evaluator, asked, execution, values, wants=condition.wants_context)


def select(execution: Execution, call: Call, values: CallValues) -> Any:
    """A Router's selector."""
    router: Router = execution.compiled.components[call.at]  # type: ignore[assignment]
    asked = step_input(execution, call, values)
    return ask(router.selector, asked, execution, values, wants=router.wants_context)


def test(execution: Execution, call: Call, values: CallValues) -> Any:
    """A Loop's end condition, called with the outputs of the iteration."""
    loop: Loop = execution.compiled.components[call.at]  # type: ignore[assignment]
    outputs = execution.history().iteration(call.at, call.turn)
    return ask(loop.end_condition, outputs, execution, values, wants=loop.wants_context)


def judge(execution: Execution, call: Call, values: CallValues) -> Any:
    """A review predicate, called with the output that it is about."""
    component: Any = execution.compiled.components[call.at]
    content = execution.content(values.cursor.marks.output)
    output = StepOutput(content=content, step_name=component.name, address=call.at, attempt=call.attempt)
    return ask(component.human_review.requires_output_review, output, execution, values, wants=False)


MADE: dict[str, Callable[[Execution, Call, CallValues], Any]] = {
    "execute": execute,
    "evaluate": evaluate,
    "select": select,
    "test": test,
    "judge": judge,
}


def ask(asked: Any, about: Any, execution: Execution, values: CallValues, *, wants: bool) -> Any:
    """Ask a constant, a CEL expression or a callable."""
    if isinstance(asked, bool):
        return asked
    if isinstance(asked, str):
        # REMOVED

        return evaluate_cel(asked, about, values)
    return given(asked, about, execution, values, wants=wants)


def given(function: Callable[..., Any], about: Any, execution: Execution, values: CallValues, *, wants: bool) -> Any:
    """Call a function, with the run's context where it asks for it."""
    return function(about, run_context=run_context(execution, values)) if wants else function(about)


def is_async(execution: Execution, call: Call) -> bool:
    """Whether user code is a coroutine function or an async generator, so that it can be called on the event loop."""
    component: Any = execution.compiled.components[call.at]
    if call.kind != "execute":
        names = {"evaluate": "evaluator", "select": "selector", "test": "end_condition"}
        function = getattr(component, names[call.kind]) if call.kind in names else component.human_review.requires_output_review
        return isinstance(function, bool) or is_coroutine(function)
    if component.executor is not None:
        return is_coroutine(component.executor)
    return is_coroutine(getattr(component.agent, "run", None) or component.agent.arun)


def is_coroutine(function: Any) -> bool:
    """Whether calling a function gives an awaitable or an async generator."""
    if not callable(function):
        return False
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    called = type(function).__call__
    return any(check(each) for each in (function, called) for check in (inspect.iscoroutinefunction, inspect.isasyncgenfunction))


# -- generators ------------------------------------------------------------------------------------------------------------------


def exhaust(generator: Any) -> Any:
    """The output of a generator: what it returns; else the last `StepOutput` it yields; else its texts joined, or its last value."""
    yielded = []
    while True:
        try:
            yielded.append(next(generator))
        except StopIteration as end:
            return end.value if end.value is not None else joined(yielded)


async def aexhaust(generator: Any) -> Any:
    """The output of an async generator: the last `StepOutput` it yields; else its texts joined, or its last value."""
    return joined([each async for each in generator])


def joined(yielded: list[Any]) -> Any:
    """One output out of what was yielded."""
    outputs = [each for each in yielded if isinstance(each, StepOutput)]
    if outputs:
        return outputs[-1]
    if yielded and all(type(each) is str for each in yielded):
        return "".join(yielded)
    return yielded[-1] if yielded else None


AT_HAND = frozenset({type(None), bool, int, float, str, bytes, list, tuple, dict, StepOutput})
"""What most code gives, and what is no promise of a value."""


def finish_now(value: Any) -> Any:
    """Bring what user code gave to its end from synchronous code: a coroutine, a generator of either colour, or the value itself."""
    if type(value) in AT_HAND:
        return value
    if inspect.isgenerator(value):
        return exhaust(value)
    if inspect.isasyncgen(value):
        return run_now(aexhaust(value))
    if inspect.isawaitable(value):
        return run_now(value)
    return value


def run_now(awaitable: Awaitable[Any]) -> Any:
    """Run an awaitable to its end; on a thread of its own where this one already runs an event loop."""
    import asyncio  # noqa: PLC0415  # only asynchronous steps pay for it
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # the same

    async def wait() -> Any:
        return await awaitable

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(wait())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, wait()).result()


@cache
def program_of(expression: str) -> Any:
    """A compiled expression; compiled once in a process. Raises `MissingExtra`."""
    try:
        import celpy  # noqa: PLC0415  # an extra
    except ImportError as error:
        what = "A CEL expression"
        raise MissingExtra(what, "cel") from error
    environment = celpy.Environment()
    return environment.program(environment.compile(expression))


def evaluate_cel(expression: str, about: Any, values: CallValues) -> Any:
    """The value of an expression over `input`, `previous_step_content`, `additional_data`, `session_state`, or a Loop's `outputs`."""
    program = program_of(expression)
    from celpy.adapter import json_to_cel  # noqa: PLC0415  # an extra

    if isinstance(about, StepInput):
        names: dict[str, Any] = {
            "input": about.input,
            "previous_step_content": about.previous_step_content,
            "additional_data": about.additional_data,
            "session_state": values.session_state(),
        }
    else:
        names = {"outputs": [output.content for output in about]}
    found = program.evaluate({name: json_to_cel(value) for name, value in names.items()})
    return str(found) if isinstance(found, str) else bool(found) if isinstance(found, int) else found
