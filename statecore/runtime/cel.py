"""CEL expressions as evaluators, selectors and end conditions, with the extra `cel`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from statecore.definition import StepInput
from statecore.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable


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


def evaluate_cel(expression: str, about: Any, session_state: Callable[[], Any]) -> Any:
    """The value of an expression over `input`, `previous_step_content`, `additional_data`, `session_state`, or a Loop's `outputs`."""
    program = program_of(expression)
    from celpy.adapter import json_to_cel  # noqa: PLC0415  # an extra
    from celpy.celtypes import BoolType  # noqa: PLC0415  # an extra

    if isinstance(about, StepInput):
        names: dict[str, Any] = {
            "input": about.input,
            "previous_step_content": about.previous_step_content,
            "additional_data": about.additional_data,
            "session_state": session_state(),
        }
    else:
        names = {"outputs": [output.content for output in about]}
    found = program.evaluate({name: json_to_cel(value) for name, value in names.items()})
    return str(found) if isinstance(found, str) else bool(found) if isinstance(found, BoolType) else found
