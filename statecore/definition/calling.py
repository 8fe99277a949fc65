"""User code and the numbers beside it, checked when a component is made."""

from __future__ import annotations

import inspect
from typing import Any

from statecore.errors import DefinitionError, quoted


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


def wants_context(where: str, setting: str, function: Any, about: str = "step_input") -> bool:
    """Whether user code has a parameter named `run_context`; asked once, when the component is constructed.

    Raises `DefinitionError` where the code cannot be called as it will be (GATE-3): with one argument, and by name with `run_context` where
    it has such a parameter.
    """
    if not callable(function):
        return False
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return False  # built-in functions may have no signature
    wants = "run_context" in signature.parameters
    try:
        signature.bind(about, **({"run_context": None} if wants else {}))
    except TypeError as error:
        name = callable_name(function)
        write = f"def {name}({about}{', run_context' if wants else ''})" if name.isidentifier() else f"a function of one {about}"
        message = (
            f"The {setting} of {where} is called with one argument{' and run_context' if wants else ''}, and {quoted(name)} cannot be: "
            f"{error}. Write {write}; bind further arguments with functools.partial."
        )
        raise DefinitionError(message) from None
    return wants


def check_branches(where: str, branches: tuple[object, ...]) -> None:
    """Branches are arguments: a list alone would be one branch, whose steps run one after the other."""
    if len(branches) == 1 and isinstance(branches[0], list | tuple):
        message = (
            f"{where} got one list, which would be a single branch. Write Parallel(a, b) or Parallel(*branches); "
            "write Parallel(Steps(...)) where a single branch is meant."
        )
        raise DefinitionError(message)
