"""User code and the numbers beside it, checked when a component is made."""

from __future__ import annotations

import inspect
from typing import Any, Protocol, TypeAlias, TypeVar

from statecore.errors import DefinitionError, UnsupportedSetting, described, quoted

from .agents import ASKS_AT_MOST, check_adapter, is_adapter, may_pause

T = TypeVar("T")
Seconds: TypeAlias = float
"""A length of time, in seconds."""


class Length(Protocol):
    """A length of time, as a `timedelta` is one."""

    def total_seconds(self) -> float:
        """Its seconds."""


def is_count(value: object) -> bool:
    """Whether a value is a whole number from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def check_retries(name: str, retries: object, delay: object, backoff: object) -> None:
    """Automatic retries are whole numbers, delays are seconds, and a delay does not shrink."""
    if not is_count(retries):
        message = f"max_retries of Step {name!r} must be a whole number from 0, not {quoted(retries)}."
        raise DefinitionError(message)
    for setting, value, least in (("retry_delay", delay, 0), ("backoff", backoff, 1)):
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value < 1e9:  # noqa: PLR2004
            message = f"{setting} of Step {name!r} must be a number from {least}, not {quoted(value)}."
            raise DefinitionError(message)


def call_limit(name: str, limit: object) -> Seconds | None:
    """The `execution_timeout` of a step in seconds: a positive number, or a `timedelta`. Raises `DefinitionError`."""
    told = getattr(limit, "total_seconds", None)
    seconds = told() if callable(told) else limit
    if seconds is None:
        return None
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds < 1e9:  # noqa: PLR2004
        message = f"execution_timeout of Step {name!r} must be a number of seconds above 0 or a timedelta, not {quoted(limit)}."
        raise DefinitionError(message)
    return float(seconds)


def check_concurrency(where: str, limit: object) -> None:
    """How many branches run at once is a whole number from 1, or unlimited."""
    if limit is not None and (not is_count(limit) or limit == 0):
        message = f"max_concurrency of {where} must be a whole number from 1, not {quoted(limit)}."
        raise DefinitionError(message)


def check_version(where: str, version: object) -> None:
    """A version is a whole number from 1; none counts as 0."""
    if version is not None and (not is_count(version) or version == 0):
        message = f"version of {where} must be a whole number from 1, not {quoted(version)}."
        raise DefinitionError(message)


def checked_asks(where: str, asks: object, executor: object, agent: Any, review: Any) -> int:
    """The most questions of a step's own code is a whole number from 0; a silence is no answer to one (ASK-4, TOOL-3).

    An executor asks, and an agent whose tools wait for a person; of such an agent it need not be said.
    """
    if asks is not None and not is_count(asks):
        message = f"may_ask of {where} must be a whole number from 0, not {quoted(asks)}."
        raise DefinitionError(message)
    asking = agent is not None and (is_adapter(agent) or may_pause(agent))
    most: Any = asks if asks is not None else ASKS_AT_MOST if asking else 0
    if most and executor is None and not (asking or hasattr(agent, "continue_run") or hasattr(agent, "acontinue_run")):
        raise UnsupportedSetting(
            where,
            "may_ask",
            "only an executor asks, or an agent whose tools wait; set it on a Step that has one, also inside a workflow",
        )
    if most and review.on_timeout.value == "approve":
        why = "a question of its code wants an answer; silence cancels the run or skips it"
        if agent is not None:
            why = "a tool call of its agent wants an answer; silence cancels the run or rejects the call. may_ask=0 says that it asks nothing"
        raise UnsupportedSetting(where, "on_timeout='approve'", why)
    return int(most)


def check_asked(where: str, setting: str, asked: object) -> None:
    """A setting that asks is True, False, a CEL expression or a callable."""
    if not isinstance(asked, bool | str) and not callable(asked):
        message = f"The {setting} of {where} must be True, False, a CEL expression or a callable, not {quoted(asked)}."
        raise DefinitionError(message)


def callable_name(function: Any) -> str:
    """The name that a step takes from its function or agent: `__name__`, `name`, or the class."""
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    return str(getattr(function, "__name__", None) or getattr(function, "name", None) or type(function).__name__)


BY_NAME = ("run_context", "session_state")
"""The values that user code gets by the name of a parameter, beside its one argument."""


def taken(where: str, setting: str, function: Any, about: str = "step_input", more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The values of `BY_NAME`, and of `more`, that user code has a parameter for; asked once, when the component is constructed.

    Raises `DefinitionError` where the code cannot be called as it will be (GATE-3): with one argument, and these values by name.
    """
    if not callable(function):
        return ()
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ()  # built-in functions may have no signature
    takes = tuple(name for name in (*BY_NAME, *more) if name in signature.parameters)
    try:
        signature.bind(about, **dict.fromkeys(takes))
    except TypeError as error:
        name = callable_name(function)
        write = f"def {name}({', '.join((about, *takes))})" if name.isidentifier() else f"a function of one {about}"
        message = (
            f"The {setting} of {where} is called with one argument{''.join(f' and {each}' for each in takes)}, and {quoted(name)} cannot be: "
            f"{error}. Write {write}; bind further arguments with functools.partial."
        )
        raise DefinitionError(message) from None
    return takes


OFFERS = ("session_id", "user_id", "session_state", "dependencies", "stream", "images", "videos", "audio", "files")
"""The values that an agent's `run` gets by name where its signature names them, beside the prompt."""


def check_agent(where: str, agent: Any) -> None:
    """An agent is an object whose `run`, or `arun` where it has no other, takes the prompt, and of `OFFERS` those that it names.

    Raises `DefinitionError` for any other one, a class included whose method lacks its object (GATE-3).
    """
    if is_adapter(agent):
        check_adapter(where, agent)
        return
    name = next((each for each in ("run", "arun") if callable(getattr(agent, each, None))), None)
    if name is None:
        message = f"The agent of {where} has neither run() nor arun(): it is {described(agent)}."
        raise DefinitionError(message)
    if inspect.isclass(agent) and inspect.isfunction(inspect.getattr_static(agent, name, None)):
        message = f"The agent of {where} is a class, and its {name}() needs an object. Write agent={agent.__name__}(...)."
        raise DefinitionError(message)
    run = getattr(agent, name)
    try:
        signature = inspect.signature(run)
    except (TypeError, ValueError):
        return  # built-in functions may have no signature
    given = [each for each in signature.parameters.values() if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    try:
        signature.bind("prompt", **dict.fromkeys(each.name for each in given if each.name in OFFERS))
    except TypeError as error:
        message = (
            f"The agent of {where} is asked with one prompt, and its {name}() cannot be: {error}. Write def {name}(self, "
            f"prompt); beside it only {', '.join(OFFERS)} are given by name, and every other parameter needs a default."
        )
        raise DefinitionError(message) from None


def checked_flag(where: str, setting: str, value: object) -> bool:
    """A switch is True or False: a text that says no would be a yes."""
    if not isinstance(value, bool):
        message = f"The {setting} of {where} must be True or False, not {quoted(value)}."
        raise DefinitionError(message)
    return value


def check_branches(where: str, branches: tuple[object, ...]) -> None:
    """Branches are arguments: a list alone would be one branch, whose steps run one after the other."""
    if len(branches) == 1 and isinstance(branches[0], list | tuple):
        message = (
            f"{where} got one list, which would be a single branch. Write Parallel(a, b) or Parallel(*branches); "
            "write Parallel(Steps(...)) where a single branch is meant."
        )
        raise DefinitionError(message)


def is_whole(text: str) -> bool:
    """Whether a text can be written as UTF-8: there is no half of a character (a lone surrogate) in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_name(kind: str, name: object) -> str:
    """A name is a non-empty string that can be written as UTF-8; everything else about it is free."""
    if not isinstance(name, str) or not name:
        write = " Write the list by its keyword." if isinstance(name, list | tuple) else ""
        message = f"A {kind} needs a name: a non-empty string, not {quoted(name)}.{write}"
        raise DefinitionError(message)
    if not is_whole(name):
        message = f"The name {name!r} of a {kind} has half a character in it (a lone surrogate)."
        raise DefinitionError(message)
    return name


def not_empty(where: str, children: tuple[T, ...]) -> tuple[T, ...]:
    """A component that needs something to run has it."""
    if not children:
        message = f"{where} has nothing to run."
        raise DefinitionError(message)
    return children
