"""Generators, and the pieces that they yield: told while a run is streamed, and never stored. The output is what a generator ends with.

A plain generator runs where a plain function would: in this thread, or on a thread beside others; an async one runs on an event loop.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import frozen

from statecore.definition import StepOutput
from statecore.definition.outputs import TellAsIs

from . import agents
from .agents import NOTHING

if TYPE_CHECKING:
    from statecore.core import Call, Micros

    from .execution import Execution
    from .hands import LoopThread

Tell = Callable[[Any], object]
"""The listener of a generator: it is called with each yielded value."""


class Piece(NamedTuple):
    """A piece of the output of a call that is still running."""

    call: Call
    content: Any
    time: Micros


@frozen
class Manner:
    """How what is yielded is read: the output that it makes, and the content that a watcher is told of one value."""

    joined: Callable[[list[Any]], Any]
    piece_of: Callable[[Any], Any]


def joined(yielded: list[Any]) -> Any:
    """One output out of what was yielded: the last `StepOutput`; else the texts joined, or the last value. Events are no part of it."""
    yielded = [each for each in yielded if not isinstance(each, TellAsIs)]
    outputs = [each for each in yielded if isinstance(each, StepOutput)]
    if outputs:
        return outputs[-1]
    if yielded and all(type(each) is str for each in yielded):
        return "".join(yielded)
    return yielded[-1] if yielded else None


def piece_of(each: Any) -> Any:
    """A yielded value of an executor is a piece, unless it is the output itself."""
    return NOTHING if isinstance(each, StepOutput) else each


CODE = Manner(joined, piece_of)
AGENT = Manner(agents.joined, agents.piece_of)


def manner_of(execution: Execution, call: Call) -> Manner:
    """How what a call yields is read."""
    return AGENT if getattr(execution.compiled.components[call.at], "agent", None) is not None else CODE


def piece(execution: Execution, call: Call, each: Any) -> Piece | None:
    """The piece that a value of a generator is; None for one that is not told."""
    content = manner_of(execution, call).piece_of(each)
    return Piece(call, content, execution.host.clock()) if content is not NOTHING else None


def teller(execution: Execution, call: Call, put: Callable[[Piece], object]) -> Tell | None:
    """The function that hands the pieces of a call to the listener; None where the run is not streamed."""
    if not execution.streamed:
        return None

    def tell(each: Any) -> None:
        told = piece(execution, call, each)
        if told is not None:
            put(told)

    return tell


# -- to the end --------------------------------------------------------------------------------------------------------------------

AT_HAND = frozenset({type(None), bool, int, float, str, bytes, list, tuple, dict, StepOutput})
"""The types that most code gives, and that are no promise of a value."""


def is_awaited(value: Any) -> bool:
    """Whether a value is brought to its end on an event loop."""
    return inspect.isawaitable(value) or inspect.isasyncgen(value)


def finish_now(value: Any, loop: LoopThread, manner: Manner = CODE) -> Any:
    """Bring what user code gave to its end from synchronous code: a coroutine, a generator of either colour, or the value itself."""
    while type(value) not in AT_HAND:
        value = opened(value, manner)
        if inspect.isgenerator(value):
            return exhaust(value, manner)
        if not is_awaited(value):
            return value
        value = loop.run(finish(value, manner, None))
    return value


async def finish(value: Any, manner: Manner, tell: Tell | None) -> Any:
    """Bring what user code gave to its end on an event loop."""
    while type(value) not in AT_HAND:
        value = opened(value, manner)
        if inspect.isasyncgen(value):
            return await aexhaust(value, manner, tell)
        if inspect.isgenerator(value):
            return exhaust(value, manner, tell)
        if not inspect.isawaitable(value):
            return value
        value = await value
    return value


def opened(value: Any, manner: Manner) -> Any:
    """The result of an agent; an iterator that is no generator, as the streams of clients are, as one."""
    if manner is AGENT and not agents.names_of(value):
        if isinstance(value, AsyncIterator) and not inspect.isasyncgen(value):
            return (each async for each in value)
        if isinstance(value, Iterator) and not inspect.isgenerator(value):
            return (each for each in value)
    return value


def exhaust(generator: Any, manner: Manner = CODE, tell: Tell | None = None) -> Any:
    """The output of a generator: what it returns, else what its values make."""
    yielded: list[Any] = []
    while True:
        try:
            each = next(generator)
        except StopIteration as end:
            return end.value if end.value is not None else manner.joined(yielded)
        yielded.append(each)
        if tell is not None:
            tell(each)


async def aexhaust(generator: Any, manner: Manner = CODE, tell: Tell | None = None) -> Any:
    """The output of an async generator: what its values make."""
    yielded: list[Any] = []
    async for each in generator:
        yielded.append(each)
        if tell is not None:
            tell(each)
    return manner.joined(yielded)


# -- piece by piece ----------------------------------------------------------------------------------------------------------------


def pieces(execution: Execution, call: Call, generator: Any, run: Callable[..., Any]) -> Generator[Piece, None, Any]:
    """The pieces of a generator, which `run` calls, one by one; returns its output. Closed early, it closes the generator."""
    manner = manner_of(execution, call)
    yielded: list[Any] = []
    try:
        while True:
            try:
                each = run(next, generator)
            except StopIteration as end:
                return end.value if end.value is not None else manner.joined(yielded)
            yielded.append(each)
            told = piece(execution, call, each) if execution.streamed else None
            if told is not None:
                yield told
    finally:
        run(generator.close)
