"""Calling user code: which function a call stands for, and with what. The only module that runs what users wrote."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from statecore.definition import Condition, Step

from .inputs import CallValues, run_context, step_input

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from statecore.core import Call

    from .execution import Execution


def function_of(execution: Execution, call: Call) -> tuple[Callable[..., Any] | bool, bool]:
    """What a call stands for in the user's definition, and whether it wants a `run_context`."""
    match execution.compiled.components[call.at]:
        case Step(executor=function, wants_context=wants) if function is not None:
            return function, wants
        case Condition(evaluator=function, wants_context=wants):
            return function, wants
        case other:  # pragma: no cover  # a program owes calls only at steps and conditions
            message = f"{other!r} is not called"
            raise AssertionError(message)


def call_user(execution: Execution, call: Call, values: CallValues) -> Any:
    """Call user code: its value, or an awaitable where it is async. Whatever it raises comes out."""
    function, wants = function_of(execution, call)
    if isinstance(function, bool):
        return function
    given = step_input(execution, call, values)
    return function(given, run_context=run_context(execution, values)) if wants else function(given)


def is_async(execution: Execution, call: Call) -> bool:
    """Whether user code is a coroutine function, so that it can be called on the event loop."""
    function, _ = function_of(execution, call)
    return isinstance(function, bool) or inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def finish_now(awaitable: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end from synchronous code; on a thread of its own where this one already runs an event loop."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    async def wait() -> Any:
        return await awaitable

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(wait())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, wait()).result()
