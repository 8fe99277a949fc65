"""The place of a requirement in its workflow, with readers for what is read only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from statecore.core import Micros

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.core import Program
    from statecore.definition import StepInput, StepOutput


@frozen
class Place:
    """Where a requirement's component stands in its workflow, and how to read what was there when it was asked."""

    step_id: str
    step_type: str
    index: int
    on_reject: str | None
    read_input: Callable[[], StepInput] | None = None
    read_output: Callable[[], StepOutput] | None = None
    clock: Callable[[], Micros] | None = None
    program: Program | None = None
    stopping: bool = False
    read_seen: Callable[[], str] | None = None
    read_traceback: Callable[[], str | None] | None = None
    show_output: Callable[[], StepOutput] | None = None
    """The output as people see it: what this process does not know the type of is plain data."""
    read_about: Callable[[], dict[str, Any] | None] | None = None
    """All that a person decides about, as people see it."""
